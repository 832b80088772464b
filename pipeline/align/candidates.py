"""Where a question may have been asked: the best windows of sentences for it, each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
MORE_UNITS = 2
MORE_PAUSE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published question.

    Attributes:
        text: As published.
        vector: What it means, (384,), of length one; None without sentence vectors.
        parts: What its clauses mean, (clauses, 384), each of length one.
        expected: Where in the episode it should be asked by its place in the list, as a share.
    """

    text: str
    vector: Vectors | None
    parts: Vectors | None
    expected: float


@dataclass(frozen=True, slots=True)
class Candidate(Asking):
    """What may be the asking of one question, with what speaks for it."""

    evidence: Evidence


def candidates(wanted: Wanted, windows: Windows) -> list[Candidate]:
    """Return the few best places for a question, by how much of it they seem to hold."""
    if not windows.units:
        return []
    shares = coverage(*windows.spoken.presence(wanted.text), longest=len(windows.lengths))
    near = parts = None
    rough = shares - SENTENCE_COST * np.arange(len(shares))[:, None] + ASKS_SHARE * windows.holds_asking
    if wanted.vector is not None and windows.directions is not None:
        near = np.asarray(windows.directions @ wanted.vector, float)
        parts = coverage(np.asarray(wanted.parts @ windows.directions[0].T, float), np.full(len(wanted.parts), 1 / len(wanted.parts)), longest=len(windows.lengths))
        rough = rough + NEARNESS_SHARE * near
    rough = np.where(windows.possible, rough, -np.inf)
    units = windows.units
    return [
        Candidate(
            first,
            first + length,
            units[first].sentence_start,
            units[_asked_until(units, first + length)].end,
            _evidence(wanted, windows, shares, near, parts, (length, first)),
        )
        for length, first in _peaks(rough)
    ]


def _peaks(rough: Grid) -> list[tuple[int, int]]:
    """The best windows that a sentence more or less at either end makes no better, as (length - 1, first)."""
    lengths, count = rough.shape
    outside = np.full((lengths + 2, count + 2), -np.inf)
    outside[1:-1, 1:-1] = rough
    shorter_or_longer = [outside[:-2, 2:], outside[:-2, 1:-1], outside[2:, :-2], outside[2:, 1:-1]]
    peaks = (rough >= np.maximum.reduce(shorter_or_longer)) & np.isfinite(rough)
    best = np.argsort(-np.where(peaks, rough, -np.inf), axis=None, kind="stable")[: min(CANDIDATES, int(peaks.sum()))]
    return [divmod(int(place), count) for place in best]


def _evidence(wanted: Wanted, windows: Windows, shares: Grid, near: Grid | None, parts: Grid | None, at: tuple[int, int]) -> Evidence:
    length, first = at
    last, units = first + length, windows.units
    asks = bool(windows.asks[max(0, first - 1) : last + 1].any())
    asking = int(windows.asks.sum())
    found = Evidence(
        coverage=float(shares[at]),
        in_order=in_order(wanted.text, " ".join(unit.text for unit in units[first : last + 1])),
        common=math.log(1 + (asking if asks else len(units) - asking)),
        misplaced=abs(units[first].start / units[-1].end - wanted.expected) if units[-1].end else 0.0,
        unlike_long=abs(math.log(max(1, len(wanted.text.split())) / max(1, int(windows.words[at])))),
    )
    if near is None or windows.around is None or wanted.vector is None:
        return found
    before, after = windows.around
    return found._replace(
        nearness=float(near[at]),
        stands_out=float((near[at] - near[length].mean()) / (near[length].std() + 1e-6)),
        parts=float(parts[at]),
        parts_stand_out=float((parts[at] - parts[length].mean()) / (parts[length].std() + 1e-6)),
        answered=float(after[last] @ wanted.vector - before[first] @ wanted.vector),
    )


def _asked_until(units: Sequence[Unit], last: int) -> int:
    """The asking goes on with the questions that directly follow, though they may hold few of the published words."""
    for unit, following in pairwise(units[last : last + 1 + MORE_UNITS]):
        if not following.text.endswith("?") or following.start - unit.end > MORE_PAUSE_SECONDS:
            break
        last += 1
    return last
