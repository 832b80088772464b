"""Where a question may have been asked: the best windows of sentences for it, each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.align.askings import Asking
from pipeline.align.evidence import Evidence
from pipeline.align.lexical import coverage, in_order
from pipeline.align.meaning import Vectors
from pipeline.align.units import Unit
from pipeline.align.windows import Windows

Grid = NDArray[np.float64]  # (lengths, sentences), as in ``Windows``

CANDIDATES = 24
# Which windows are looked at more closely, and where they begin and end: another sentence must add so much.
NEARNESS_SHARE = 0.75
ASKS_SHARE = 0.25
SENTENCE_COST = 0.06
HARDLY_MORE = 1.5  # as many as the list has
LEAD_WORDS = 8
SOON = 0.5  # seconds
MORE_UNITS = 2
MORE_PAUSE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published question.

    Attributes:
        text: As published.
        vector: What it means, (384,), of length one; None without sentence vectors.
        expected: Where in the episode it should be asked by its place in the list, as a share.
        listed: How many questions the list has.
    """

    text: str
    vector: Vectors | None
    expected: float
    listed: int


@dataclass(frozen=True, slots=True)
class Candidate(Asking):
    """What may be the asking of one question, with what speaks for it.

    Attributes:
        evidence: What speaks for it.
        asks: Whether it is one speaker's, and a sentence of it sounds like a question of the host's, or announces one.
    """

    evidence: Evidence
    asks: bool


def candidates(wanted: Wanted, windows: Windows) -> list[Candidate]:
    """Return the few best places for a question, by how much of it they seem to hold."""
    if not windows.units:
        return []
    seen = _Seen.of(wanted, windows)
    return [_candidate(wanted, windows, seen, at) for at in _peaks(seen.rough)]


def candidate_at(wanted: Wanted, windows: Windows, start: float, end: float | None) -> Candidate:
    """Return the place of a question that is known to begin at ``start`` (and to end at ``end``), in seconds.

    It has the sentences of one speaker. There must be a transcript.
    """
    seen, units = _Seen.of(wanted, windows), windows.units
    # Editors set a start a little early or late: the sentence is the one that most of the next second is in.
    first = max(0, int(np.searchsorted(windows.starts, start + SOON, side="right")) - 1)
    fits = [
        unit.speaker == units[first].speaker and (end is None or unit.start < end)
        for unit in units[first : first + len(windows.lengths)]
    ]
    longest = max(1, fits.index(False) if False in fits else len(fits))
    found = _candidate(wanted, windows, seen, (int(seen.rough[:longest, first].argmax()), first))
    return replace(found, start=start, end=end if end is not None else max(start, found.end))


@dataclass(frozen=True, slots=True)
class _Seen:
    """How much of a question each window holds: by its words, by its meaning, and roughly in all."""

    shares: Grid
    near: Grid | None
    rough: Grid

    @classmethod
    def of(cls, wanted: Wanted, windows: Windows) -> _Seen:
        shares = coverage(*windows.spoken.presence(wanted.text), longest=len(windows.lengths))
        rough = shares - SENTENCE_COST * np.arange(len(shares))[:, None] + ASKS_SHARE * windows.holds_asking
        near = None
        if wanted.vector is not None and windows.directions is not None:
            near = np.asarray(windows.directions @ wanted.vector, float)
            rough = rough + NEARNESS_SHARE * near
        return cls(shares, near, np.where(windows.possible, rough, -np.inf))


def _candidate(wanted: Wanted, windows: Windows, seen: _Seen, at: tuple[int, int]) -> Candidate:
    length, first = at
    last = first + length
    return Candidate(
        first,
        last,
        windows.units[_begun_at(windows, first)].sentence_start,
        windows.units[_asked_until(windows.units, last)].end,
        _evidence(wanted, windows, seen, at),
        bool(windows.holds_asking[at]) and len({unit.speaker for unit in windows.units[first : last + 1]}) == 1,
    )


def _peaks(rough: Grid) -> list[tuple[int, int]]:
    """The best windows that a sentence more or less at either end makes no better, as (length - 1, first)."""
    lengths, count = rough.shape
    outside = np.full((lengths + 2, count + 2), -np.inf)
    outside[1:-1, 1:-1] = rough
    shorter_or_longer = [outside[:-2, 2:], outside[:-2, 1:-1], outside[2:, :-2], outside[2:, 1:-1]]
    peaks = (rough >= np.maximum.reduce(shorter_or_longer)) & np.isfinite(rough)
    best = np.argsort(-np.where(peaks, rough, -np.inf), axis=None, kind="stable")[: min(CANDIDATES, int(peaks.sum()))]
    return [divmod(int(place), count) for place in best]


def _evidence(wanted: Wanted, windows: Windows, seen: _Seen, at: tuple[int, int]) -> Evidence:
    length, first = at
    last, units = first + length, windows.units
    asks = bool(windows.asks[max(0, first - 1) : last + 1].any())
    asking = int(windows.asks.sum())
    found = Evidence(
        coverage=float(seen.shares[at]),
        in_order=in_order(wanted.text, " ".join(unit.text for unit in units[first : last + 1])),
        common=math.log(1 + (asking if asks else len(units) - asking)),
        misplaced=abs(units[first].start / units[-1].end - wanted.expected) if units[-1].end else 0.0,
        scarce=float(_is_scarce(wanted, windows, first, last)),
        unlike_long=abs(math.log(max(1, len(wanted.text.split())) / max(1, int(windows.words[at])))),
    )
    near = seen.near
    if near is None or windows.around is None or wanted.vector is None:
        return found
    before, after = windows.around
    return found._replace(
        nearness=float(near[at]),
        stands_out=float((near[at] - near[length].mean()) / (near[length].std() + 1e-6)),
        answered=float(after[last] @ wanted.vector - before[first] @ wanted.vector),
    )


def _is_scarce(wanted: Wanted, windows: Windows, first: int, last: int) -> bool:
    """Tell whether the window is one of few askings of the host that are answered, and of nobody else's sentences."""
    return (
        len(windows.askings) <= HARDLY_MORE * wanted.listed
        and bool(windows.answered[first : last + 1].any())
        and all(unit.speaker == windows.host for unit in windows.units[first : last + 1])
    )


def _begun_at(windows: Windows, first: int) -> int:
    """The asking begins with a short sentence that comes to it, like "Turning to your staff", if there is one."""
    before, unit = windows.units[first - 1], windows.units[first]
    leads = (
        first > 0
        and windows.announces[first - 1]
        and before.speaker == unit.speaker
        and unit.start - before.end < MORE_PAUSE_SECONDS
        and len(before.text.split()) <= LEAD_WORDS
    )
    return first - 1 if leads else first


def _asked_until(units: Sequence[Unit], last: int) -> int:
    """The asking goes on with the questions that directly follow, though they may hold few of the published words."""
    for unit, following in pairwise(units[last : last + 1 + MORE_UNITS]):
        goes_on = following.text.endswith("?") and following.speaker == unit.speaker
        if not goes_on or following.start - unit.end > MORE_PAUSE_SECONDS:
            break
        last += 1
    return last
