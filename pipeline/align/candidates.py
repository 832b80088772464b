"""Where a question may have been asked: the best windows of sentences for it, each with its evidence."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from pipeline.align.lexical import coverage, presence
from pipeline.align.units import Unit

Matrix = NDArray[np.float64]

MAX_UNITS = 4  # a question longer than four sentences is found by its best four
MAX_SECONDS = 45.0
CANDIDATES = 6
APART_SECONDS = 20.0
INTRO_SECONDS = 90.0
INTRO_SHARE = 0.08  # of the episode, where that is shorter
# A sentence at the edge of a window belongs to the asking when it holds at least this share of the question.
EDGE_SHARE = 0.08
MORE_UNITS = 2
MORE_PAUSE_SECONDS = 1.5

# Log-odds that a window is the asking: a logistic regression over published questions of interviews.
_BIAS, _COVERAGE, _COVERAGE_SQUARED, _FUZZ, _ASKS, _INTRO = -5.0, 2.0, 4.0, 3.0, 0.5, -1.0

_CUES = re.compile(r"\?|\b(?:tell (?:us|me)|talk (?:us|me)|I wonder|wanted to ask|explain|describe)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Units ``first`` to ``last`` (inclusive) as the asking of one question, with the evidence for it.

    ``start`` is when the sentence begins that the first is in.
    """

    first: int
    last: int
    start: float
    end: float
    coverage: float
    fuzz: float
    asks: bool
    intro: bool

    @property
    def log_odds(self) -> float:
        """Return the evidence added up."""
        return (
            _BIAS
            + _COVERAGE * self.coverage
            + _COVERAGE_SQUARED * self.coverage**2
            + _FUZZ * self.fuzz
            + _ASKS * self.asks
            + _INTRO * self.intro
        )

    @property
    def probability(self) -> float:
        """Return the log-odds as a probability."""
        return 1 / (1 + math.exp(-self.log_odds))


def candidates(question: str, units: Sequence[Unit]) -> list[Candidate]:
    """Return the few best places for a question, best first, at least ``APART_SECONDS`` from each other."""
    if not units:
        return []
    held, weights = presence(question, [unit.text for unit in units])
    lengths = range(1, min(MAX_UNITS, len(units)) + 1)
    by_length = np.stack([coverage(held, weights, length=length) for length in lengths])
    penalty = EDGE_SHARE / 2 * np.arange(len(by_length))[:, None]
    best_length = np.argmax(by_length - penalty, axis=0)
    score = np.max(by_length - penalty, axis=0)
    intro_end = min(INTRO_SECONDS, INTRO_SHARE * units[-1].end)
    found: list[Candidate] = []
    for first in np.argsort(-score, kind="stable")[: CANDIDATES * 10]:
        span = _trim(int(first), min(int(first) + int(best_length[first]), len(units) - 1), held, weights)
        candidate = _weigh(question, units, span, _share(held, weights, *span), intro_end)
        if all(abs(candidate.start - other.start) >= APART_SECONDS for other in found):
            found.append(candidate)
        if len(found) == CANDIDATES:
            break
    return sorted(found, key=lambda candidate: -candidate.log_odds)


def _trim(first: int, last: int, held: Matrix, weights: Matrix) -> tuple[int, int]:
    """Drop sentences at the edges that add next to nothing to what the rest holds of the question."""
    while first < last and _share(held, weights, first, last) - _share(held, weights, first + 1, last) < EDGE_SHARE:
        first += 1
    while first < last and _share(held, weights, first, last) - _share(held, weights, first, last - 1) < EDGE_SHARE:
        last -= 1
    return first, last


def _share(held: Matrix, weights: Matrix, first: int, last: int) -> float:
    """The weighted share of the question that units ``first`` to ``last`` hold together."""
    return float(weights @ held[:, first : last + 1].max(axis=1))


def _weigh(question: str, units: Sequence[Unit], span: tuple[int, int], share: float, intro_end: float) -> Candidate:
    first, last = span
    start = units[first].sentence_start
    text = " ".join(unit.text for unit in units[first : last + 1])
    return Candidate(
        first=first,
        last=last,
        start=start,
        end=units[_asked_until(units, last)].end,
        coverage=share,
        fuzz=fuzz.token_set_ratio(question.lower(), text.lower()) / 100,
        asks=_CUES.search(text) is not None,
        intro=start < intro_end,
    )


def _asked_until(units: Sequence[Unit], last: int) -> int:
    """The asking goes on with the questions that directly follow, though they may hold few of the published words."""
    for unit, following in pairwise(units[last : last + 1 + MORE_UNITS]):
        if not following.text.endswith("?") or following.start - unit.end > MORE_PAUSE_SECONDS:
            break
        last += 1
    return last
