"""The one decision over all questions of an episode: which candidate each takes, if any.

List order is a strong prior, not a law: an inversion costs, but can win. The search is a beam of ``BEAM`` partial
answers over the questions in list order; with ``n`` questions and ``k`` candidates it looks at n·k·BEAM answers, and
it is exact as long as no more than ``BEAM`` partial answers compete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.align.candidates import Candidate

BEAM = 300
REPORT_LOG_ODDS = -0.85  # a place is worth naming from a probability of 0.3 on
INVERSION_COST = 2.0
SHARED_PLACE_COST = 0.8
SHARED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Partial:
    score: float
    chosen: tuple[Candidate | None, ...]


def decide(options: Sequence[Sequence[Candidate]]) -> tuple[Candidate | None, ...]:
    """Choose one candidate, or none, for each question; ``options`` are in list order. Deterministic."""
    beam = [_Partial(0.0, ())]
    for candidates in options:
        grown = [_Partial(partial.score, (*partial.chosen, None)) for partial in beam]
        grown += [
            _Partial(partial.score + _gain(partial.chosen, candidate), (*partial.chosen, candidate))
            for partial in beam
            for candidate in candidates
        ]
        beam = sorted(grown, key=lambda partial: -partial.score)[:BEAM]
    return beam[0].chosen


def _gain(chosen: Sequence[Candidate | None], candidate: Candidate) -> float:
    earlier = [other.start for other in chosen if other is not None]
    inversions = sum(start > candidate.start + SHARED_SECONDS for start in earlier)
    shared = sum(abs(start - candidate.start) <= SHARED_SECONDS for start in earlier)
    return candidate.log_odds - REPORT_LOG_ODDS - INVERSION_COST * inversions - SHARED_PLACE_COST * shared
