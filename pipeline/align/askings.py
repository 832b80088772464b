"""What the host asks, listed or not, and when its answer ends. It knows no published question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.align.units import Unit

_GOES_ON = re.compile(r"(?:and|or|but)\b", re.IGNORECASE)
FEWEST_WORDS = 4  # of an asking: "Is that right?" asks for no answer
FEWEST_ANSWERED = 6  # words of somebody else after it
FEWEST_OF_A_HOST, NEARLY = 3, 0.7  # askings; the share
SAME_MOMENT = 0.05  # seconds
GOES_ON_WORDS = 25  # of a host after a sentence: it is not waited for an answer to it
ONE_BREATH = 3.0  # seconds: what is asked so soon after another question shares its answer


@dataclass(frozen=True, slots=True)
class Asking:
    """Units ``first`` to ``last`` (inclusive), from ``start`` to ``end`` in seconds, with which something is asked."""

    first: int
    last: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn in which the host asks something, units ``first`` to ``last`` (inclusive), and those that ``answer``."""

    first: int
    last: int
    answer: tuple[int, ...]


def exchanges(units: Sequence[Unit], hosts: Collection[str], asks: Sequence[bool]) -> list[Exchange]:
    """Cut an interview into what the ``hosts`` ask and what others say until the next asking.

    ``asks`` says of each unit whether it asks something.
    """
    found: list[tuple[list[int], list[int]]] = []
    for turn in _turns(units):
        if units[turn[0]].speaker not in hosts:
            if found:
                found[-1][1].extend(turn)
        elif any(asks[n] for n in turn):
            found.append((turn, []))
    return [
        Exchange(turn[0], turn[-1], tuple(answer))
        for turn, answer in found
        if sum(len(units[n].text.split()) for n in answer) >= FEWEST_ANSWERED
    ]


def askings(units: Sequence[Unit], hosts: Collection[str]) -> list[Asking]:
    """Find where the ``hosts`` ask something that somebody else answers, in order of time."""
    return [asking for asking in answered(units) if units[asking.last].speaker in hosts]


def answered(units: Sequence[Unit]) -> Iterator[Asking]:
    """Find where anybody asks something that somebody else answers, in order of time."""
    for turn, answer in pairwise(_turns(units)):
        asked = [n for n in turn if asks(units[n])]
        words = sum(len(units[n].text.split()) for n in answer)
        if asked and units[turn[0]].speaker and words >= FEWEST_ANSWERED:
            # The last run of questions of the turn: those before it were not waited for.
            begin = asked[-1]
            while begin - 1 in asked:
                begin -= 1
            yield Asking(begin, asked[-1], units[begin].start, units[asked[-1]].end)


def host_of(units: Sequence[Unit], asked_at: Iterable[int]) -> str | None:
    """Tell who asks: the speaker of most of the units ``asked_at``; without any, of most of what is answered.

    None where speakers are not known, or only one is.
    """
    if len({unit.speaker for unit in units if unit.speaker}) < 2:
        return None
    votes = Counter(units[n].speaker for n in asked_at) or Counter(units[one.last].speaker for one in answered(units))
    del votes[None]
    return votes.most_common(1)[0][0] if votes else None


def hosts_of(units: Sequence[Unit], host: str | None) -> frozenset[str]:
    """Return the ``host`` and whoever asks with them: at least a third as often, and nearly as often a word.

    Guests ask, too, but in the middle of long answers.
    """
    if host is None:
        return frozenset()
    asked = Counter(units[one.last].speaker for one in answered(units))
    words = Counter[str | None]()
    for unit in units:
        words[unit.speaker] += len(unit.text.split())
    often = asked[host] / max(1, words[host])
    others = {
        speaker
        for speaker, count in asked.items()
        if speaker
        and count >= FEWEST_OF_A_HOST
        and 3 * count >= asked[host]
        and count / words[speaker] >= NEARLY * often
    }
    return frozenset({host, *others})


def in_one_breath(one: Asking, other: Asking) -> bool:
    """Tell whether two askings share sentences, or follow each other with hardly a pause: they share the answer."""
    first, second = sorted((one, other), key=lambda asking: asking.start)
    return second.first <= first.last or second.start - first.end < ONE_BREATH


def are_merged(one: Asking, other: Asking, units: Sequence[Unit]) -> bool:
    """Tell whether two askings are one: they share sentences, or the second goes on with an "and"."""
    second = max(one, other, key=lambda asking: asking.start)
    shared = one.first <= other.last and other.first <= one.last
    return shared or (in_one_breath(one, other) and _GOES_ON.match(units[second.first].text) is not None)


def answer_end(asking: Asking, others: Iterable[Asking], closing: float, units: Sequence[Unit]) -> float:
    """Return when an answer ends, in seconds: where the turn begins in which something else is asked.

    That is what is not in one breath with this asking. Without any, it is ``closing``.
    """
    later = [one for one in others if one.start > asking.start and not in_one_breath(asking, one)]
    following = min(later, default=None, key=lambda one: one.start)
    if following is None:
        return max(asking.end, closing)
    first, speaker = following.first, units[following.first].speaker
    if speaker is None or abs(units[first].start - following.start) > SAME_MOMENT:  # an editor has said when
        return max(asking.end, following.start)
    while first > asking.last + 1 and units[first - 1].speaker == speaker:
        first -= 1
    is_one_turn = units[asking.last].speaker == speaker and first == asking.last + 1
    return max(asking.end, following.start if is_one_turn else units[first].start)


def closing(units: Sequence[Unit], hosts: Collection[str], asked: Iterable[Asking]) -> float:
    """Return when a host begins to take leave after the last of what was asked; else when speech ends."""
    if not units:
        return 0.0
    last_turn = list(_turns(units))[-1]
    is_leave = units[last_turn[0]].speaker in hosts
    if not is_leave or any(one.last >= last_turn[0] for one in asked):
        return units[-1].end
    return units[last_turn[0]].start


def unanswered(units: Sequence[Unit], hosts: Collection[str]) -> list[bool]:
    """Tell of each unit whether it begins or ends the interview and nobody answers it: it is of a teaser, or a recap.

    At the beginning that is what a host goes on after before anybody else has said much.
    """
    found = [False] * len(units)
    words = [len(unit.text.split()) for unit in units]
    others = [
        turn
        for turn in _turns(units)
        if units[turn[0]].speaker not in {*hosts, None} and sum(words[n] for n in turn) >= FEWEST_ANSWERED
    ]
    if not (hosts and others):
        return found
    following = 0
    for n in reversed(range(others[0][0])):
        found[n] = following >= GOES_ON_WORDS
        following += words[n]
    for n in range(others[-1][-1] + 1, len(units)):
        found[n] = True
    return found


def _turns(units: Sequence[Unit]) -> Iterator[list[int]]:
    """The units of each stretch by one speaker, by number."""
    for _, run in groupby(range(len(units)), key=lambda n: units[n].speaker):
        yield list(run)


def asks(unit: Unit) -> bool:
    """Tell whether a sentence is a question, and long enough to be answered."""
    return "?" in unit.text and len(unit.text.split()) >= FEWEST_WORDS
