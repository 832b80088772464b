"""Finding the host's questions, published or not, and the ends of their answers. Knows no question list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.align.units import Unit

_GOES_ON = re.compile(r"(?:and|or|but)\b", re.IGNORECASE)
FEWEST_WORDS = 4  # of a question: "Is that right?" expects no answer
FEWEST_ANSWERED = 6  # words of somebody else after a question, for it to count as answered
FEWEST_OF_A_HOST, NEARLY = 3, 0.7  # answered questions of a co-host; its share of the host's rate per word
SAME_MOMENT = 0.05  # seconds
GOES_ON_WORDS = 25  # words that the host goes on for after a sentence, for it not to expect an answer
ANSWERS_ITSELF_WORDS = 60  # words that a speaker goes on for after a question, for it to be put to nobody else
ONE_BREATH = 3.0  # seconds: a question asked sooner than this after another shares its answer


@dataclass(frozen=True, slots=True)
class Asking:
    """The asking of a question: units ``first`` to ``last`` (inclusive), ``start`` to ``end`` in seconds."""

    first: int
    last: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn in which a host asks something, units ``first`` to ``last`` (inclusive), and the units of the answer."""

    first: int
    last: int
    answer: tuple[int, ...]


def exchanges(units: Sequence[Unit], hosts: Collection[str], asks: Sequence[bool]) -> list[Exchange]:
    """Find the turns in which ``hosts`` ask something, each with what others say until the next such turn.

    ``asks`` tells for each unit whether it asks something. Turns that are hardly answered are left out.
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
            # Only the last run of questions in the turn: the host did not wait for an answer to earlier ones.
            begin = asked[-1]
            while begin - 1 in asked:
                begin -= 1
            yield Asking(begin, asked[-1], units[begin].start, units[asked[-1]].end)


def host_of(units: Sequence[Unit], asked_at: Iterable[int]) -> str | None:
    """Return the host: the speaker of most units ``asked_at``, or if empty, of most questions put to somebody else.

    None if fewer than two speakers are known.
    """
    if len({unit.speaker for unit in units if unit.speaker}) < 2:
        return None
    votes = Counter(units[n].speaker for n in asked_at) or Counter(_askers(units))
    del votes[None]
    return votes.most_common(1)[0][0] if votes else None


def hosts_of(units: Sequence[Unit], host: str | None) -> frozenset[str]:
    """Return the ``host`` and any co-hosts: they ask at least a third as often, and about as often per word.

    Guests ask questions too, but far fewer per word.
    """
    if host is None:
        return frozenset()
    asked = Counter(_askers(units))
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


def _askers(units: Sequence[Unit]) -> Iterator[str | None]:
    """The speaker of each answered question, but not of those that the speaker goes on to answer."""
    end_of_turn = {n: turn[-1] for turn in _turns(units) for n in turn}
    for one in answered(units):
        rest = units[one.last + 1 : end_of_turn[one.last] + 1]
        if sum(len(unit.text.split()) for unit in rest) < ANSWERS_ITSELF_WORDS:
            yield units[one.last].speaker


def in_one_breath(one: Asking, other: Asking) -> bool:
    """Tell whether two askings share an answer: they overlap, or the second follows within ``ONE_BREATH`` seconds."""
    first, second = sorted((one, other), key=lambda asking: asking.start)
    return second.first <= first.last or second.start - first.end < ONE_BREATH


def are_merged(one: Asking, other: Asking, units: Sequence[Unit]) -> bool:
    """Tell whether two askings are one: they overlap, or their speaker goes on with "and", "or" or "but"."""
    first, second = sorted((one, other), key=lambda asking: asking.start)
    shared = one.first <= other.last and other.first <= one.last
    goes_on = units[first.last].speaker == units[second.first].speaker and _GOES_ON.match(units[second.first].text)
    return shared or (in_one_breath(one, other) and bool(goes_on))


def answer_end(asking: Asking, others: Iterable[Asking], closing: float, units: Sequence[Unit]) -> float:
    """Return the end of an answer, in seconds: the start of the turn with the next question, or else ``closing``.

    Questions in one breath with this asking share its answer and do not end it.
    """
    later = [one for one in others if one.start > asking.start and not in_one_breath(asking, one)]
    following = min(later, default=None, key=lambda one: one.start)
    if following is None:
        return max(asking.end, closing)
    first, speaker = following.first, units[following.first].speaker
    if speaker is None or abs(units[first].start - following.start) > SAME_MOMENT:  # an editor gave its time
        return max(asking.end, following.start)
    while first > asking.last + 1 and units[first - 1].speaker == speaker:
        first -= 1
    is_one_turn = units[asking.last].speaker == speaker and first == asking.last + 1
    return max(asking.end, following.start if is_one_turn else units[first].start)


def closing(units: Sequence[Unit], hosts: Collection[str], asked: Iterable[Asking]) -> float:
    """Return the start of the host's closing turn, if nothing is asked in it; else the end of speech."""
    if not units:
        return 0.0
    last_turn = list(_turns(units))[-1]
    is_leave = units[last_turn[0]].speaker in hosts
    if not is_leave or any(one.last >= last_turn[0] for one in asked):
        return units[-1].end
    return units[last_turn[0]].start


def unanswered(units: Sequence[Unit], hosts: Collection[str]) -> list[bool]:
    """Tell for each unit whether it belongs to the host's introduction or closing, where nobody answers.

    The introduction is what the host says before the first substantial turn of anybody else, except its end.
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
    """The indices of the units of each turn by one speaker."""
    for _, run in groupby(range(len(units)), key=lambda n: units[n].speaker):
        yield list(run)


def asks(unit: Unit) -> bool:
    """Tell whether a sentence is a question, and long enough to be answered."""
    return "?" in unit.text and len(unit.text.split()) >= FEWEST_WORDS
