"""Measures of an alignment: which questions were found where they are asked, and how well it is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.align_data import Interview
from pipeline.model import Match

TOLERANCES = (2.0, 5.0)  # seconds
BINS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one question: the truth and the result.

    Attributes:
        kind: See ``Asked.kind``.
        asked: Whether it really is asked.
        told: Whether the result has a time.
        off: The distance in seconds from the result to the true span; 0 inside; None if there is no span or no time.
        confidence: The confidence of the result.
        offered: Whether the time found or that of the runner-up is right within 2 seconds.
        answer_off: The error of the end of the answer, in seconds; None if either is not known.
    """

    kind: str
    asked: bool
    told: bool
    off: float | None
    confidence: float
    offered: bool = False
    answer_off: float | None = None

    def is_right(self, tolerance: float) -> bool:
        """Tell whether the time is right, or the question correctly has none."""
        return self.off is not None and self.off <= tolerance if self.asked else not self.told


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of several questions, 0 to 1; NaN if there is nothing to count."""

    precision: float
    recall: float
    f1: float


def outcomes(interview: Interview, matches: Sequence[Match]) -> list[Outcome]:
    """Compare an alignment with the truth."""
    found = {match.number: match for match in matches}
    return [
        Outcome(
            one.kind,
            one.span is not None,
            (match := found[one.question.number]).start is not None,
            None
            if one.span is None or match.start is None
            else max(one.span[0] - match.start, match.start - one.span[1], 0),
            match.confidence,
            one.span is not None
            and any(
                time is not None and one.span[0] - TOLERANCES[0] <= time <= one.span[1] + TOLERANCES[0]
                for time in (match.start, match.runner_up)
            ),
            None if one.answer_end is None or match.answer_end is None else abs(match.answer_end - one.answer_end),
        )
        for one in interview.asked
    ]


def score(results: Sequence[Outcome], tolerance: float) -> Score:
    """Precision, recall and F1 of the times; a wrong time is both a false positive and a false negative."""
    right = sum(one.asked and one.is_right(tolerance) for one in results)
    precision = _share(right, sum(one.told for one in results))
    recall = _share(right, sum(one.asked for one in results))
    return Score(
        precision, recall, _share(2 * right, sum(one.told for one in results) + sum(one.asked for one in results))
    )


def refused(results: Sequence[Outcome], kinds: Sequence[str]) -> float:
    """The share of questions of these kinds that are not asked and correctly have no time."""
    nulls = [one for one in results if not one.asked and one.kind in kinds]
    return _share(sum(not one.told for one in nulls), len(nulls))


def rephrased(results: Sequence[Outcome], kind: str = "rephrased") -> tuple[float, float]:
    """Of questions that are published in other words, the share that was found, and that was at least offered."""
    some = [one for one in results if one.kind == kind]
    found, offered = sum(one.is_right(TOLERANCES[0]) for one in some), sum(one.offered for one in some)
    return _share(found, len(some)), _share(offered, len(some))


def typical_error(results: Sequence[Outcome], within: float = 30.0) -> float:
    """The median error of the times with an error of at most ``within``, in seconds."""
    errors = [one.off for one in results if one.off is not None and one.off <= within]
    return median(errors) if errors else float("nan")


def answer_end_error(results: Sequence[Outcome]) -> float:
    """The median error of the ends of answers, in seconds."""
    errors = [one.answer_off for one in results if one.answer_off is not None]
    return median(errors) if errors else float("nan")


def calibration(results: Sequence[Outcome], tolerance: float = 5.0) -> tuple[float, float]:
    """Expected calibration error in ``BINS`` equal bins (arXiv 1706.04599, section 2), and the Brier score."""
    confidence = np.array([one.confidence for one in results])
    right = np.array([one.is_right(tolerance) for one in results], float)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[place == n].sum() - right[place == n].sum()) for n in range(BINS)]
    return float(sum(gaps) / len(results)), float(((confidence - right) ** 2).mean())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
