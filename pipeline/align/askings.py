"""What the host asks, listed or not, and when its answer ends. It knows no published question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.align.units import Unit

_GOES_ON = re.compile(r"(?:and|or|but)\b", re.IGNORECASE)
FEWEST_WORDS = 4  # of an asking: "Is that right?" asks for no answer
FEWEST_ANSWERED = 6  # words of somebody else after it
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


def exchanges(units: Sequence[Unit], host: str | None, asks: Sequence[bool]) -> list[Exchange]:
    """Cut an interview into what the ``host`` asks and what others say until the next asking.

    ``asks`` says of each unit whether it asks something. None without a host.
    """
    found: list[tuple[list[int], list[int]]] = []
    for turn in _turns(units):
        if units[turn[0]].speaker != host:
            if found:
                found[-1][1].extend(turn)
        elif any(asks[n] for n in turn):
            found.append((turn, []))
    return [
        Exchange(turn[0], turn[-1], tuple(answer))
        for turn, answer in found
        if host is not None and sum(len(units[n].text.split()) for n in answer) >= FEWEST_ANSWERED
    ]


def askings(units: Sequence[Unit], host: str | None) -> list[Asking]:
    """Find where the ``host`` asks something that somebody else answers, in order of time; none without a host."""
    return [asking for asking in answered(units) if host is not None and units[asking.last].speaker == host]


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


def in_one_breath(one: Asking, other: Asking) -> bool:
    """Tell whether two askings share sentences, or follow each other with hardly a pause: they share the answer."""
    first, second = sorted((one, other), key=lambda asking: asking.start)
    return second.first <= first.last or second.start - first.end < ONE_BREATH


def are_merged(one: Asking, other: Asking, units: Sequence[Unit]) -> bool:
    """Tell whether two askings are one: they share sentences, or the second goes on with an "and"."""
    second = max(one, other, key=lambda asking: asking.start)
    shared = one.first <= other.last and other.first <= one.last
    return shared or (in_one_breath(one, other) and _GOES_ON.match(units[second.first].text) is not None)


def answer_end(asking: Asking, others: Iterable[Asking], closing: float) -> float:
    """Return when the next asking begins that is not in one breath with this, else ``closing``, in seconds."""
    later = [one.start for one in others if one.start > asking.start and not in_one_breath(asking, one)]
    return max(asking.end, min(later, default=closing))


def closing(units: Sequence[Unit], host: str | None, asked: Iterable[Asking]) -> float:
    """Return when the host begins to take leave after the last of what was asked; else when speech ends."""
    if not units:
        return 0.0
    last_turn = list(_turns(units))[-1]
    is_leave = host is not None and units[last_turn[0]].speaker == host
    if not is_leave or any(one.last >= last_turn[0] for one in asked):
        return units[-1].end
    return units[last_turn[0]].start


def _turns(units: Sequence[Unit]) -> Iterator[list[int]]:
    """The units of each stretch by one speaker, by number."""
    for _, run in groupby(range(len(units)), key=lambda n: units[n].speaker):
        yield list(run)


def asks(unit: Unit) -> bool:
    """Tell whether a sentence is a question, and long enough to be answered."""
    return "?" in unit.text and len(unit.text.split()) >= FEWEST_WORDS
