"""The methods of finding published questions that are compared: this project's, and simpler ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from benchmarks.align_data import FOLDER, Interview, interviews, remembered
from benchmarks.align_fit import learn_from, learn_hints
from pipeline.align import align, aligner
from pipeline.align.evidence import HintWeights, Weights
from pipeline.align.meaning import Encode, directions
from pipeline.align.units import Unit, cut
from pipeline.model import Match

System = Callable[[Interview], Sequence[Match]]
Grid = NDArray[np.float64]  # (questions, sentences)

# Thresholds of the simple methods, below which a question is not asked: chosen on these same interviews, in their
# favour.
FUZZY_ENOUGH, NEAR_ENOUGH = 0.88, 0.6
LONGER = 0.03  # the least that another sentence must add


def ours(interview: Interview) -> Sequence[Match]:
    """This project's aligner, as the pipeline calls it."""
    return align(interview.questions, interview.segments, encode=_encode()).matches


def by_wording(interview: Interview) -> Sequence[Match]:
    """The same without sentence vectors."""
    return align(interview.questions, interview.segments).matches


def held_out(interview: Interview) -> Sequence[Match]:
    """This project's aligner, with weights fitted on the other sources only."""
    with (
        patch.object(aligner, "BY_MEANING", learnt_without(interview.source, by_meaning=True)),
        patch.object(aligner, "OTHER_WORDS", hints_without(interview.source)),
    ):
        return ours(interview)


def held_out_by_wording(interview: Interview) -> Sequence[Match]:
    """The same without sentence vectors."""
    with patch.object(aligner, "BY_WORDS", learnt_without(interview.source, by_meaning=False)):
        return by_wording(interview)


def best_fuzzy(interview: Interview) -> Sequence[Match]:
    """For each question the one to three sentences of the most similar spelling (rapidfuzz ``partial_ratio``)."""
    units = cut(interview.segments)
    texts = [
        [" ".join(unit.text for unit in units[n : n + long]).lower() for n in range(len(units))] for long in (1, 2, 3)
    ]
    scores = np.array(
        [
            [
                # Every window around a question contains its words, so the shortest is preferred.
                max(fuzz.partial_ratio(q.text.lower(), some[n]) / 100 - LONGER * k for k, some in enumerate(texts))
                for n in range(len(units))
            ]
            for q in interview.questions
        ]
    )
    return _each_best(interview, units, scores, FUZZY_ENOUGH)


def best_embedding(interview: Interview) -> Sequence[Match]:
    """For each question the sentence nearest in meaning, by the same sentence vectors."""
    units, scores = _nearness(interview)
    return _each_best(interview, units, scores, NEAR_ENOUGH)


def monotone(interview: Interview) -> Sequence[Match]:
    """The assignment in list order with the highest total nearness in meaning; questions may be left out."""
    units, scores = _nearness(interview)
    gains = scores - NEAR_ENOUGH
    best = np.zeros((len(gains) + 1, len(units) + 1))
    for q, row in enumerate(gains):
        for n, gain in enumerate(row):
            best[q + 1, n + 1] = max(best[q, n + 1], best[q + 1, n], best[q, n] + gain)
    chosen: list[int | None] = [None] * len(gains)
    q, n = len(gains), len(units)
    while q and n:
        if best[q, n] == best[q - 1, n]:
            q -= 1
        elif best[q, n] == best[q, n - 1]:
            n -= 1
        else:
            q, n = q - 1, n - 1
            chosen[q] = n
    return [_match(interview, units, q, n, scores) for q, n in enumerate(chosen)]


SYSTEMS: dict[str, System] = {
    "ours": ours,
    "ours, held out": held_out,
    "ours, by wording alone": by_wording,
    "ours, by wording alone, held out": held_out_by_wording,
    "best fuzzy": best_fuzzy,
    "best embedding": best_embedding,
    "monotone embeddings": monotone,
}


@cache
def learnt_without(source: str, *, by_meaning: bool) -> Weights:
    """The weights of the evidence, fitted on all interviews except one source's."""
    return learn_from(interviews(FOLDER), _encode() if by_meaning else None, left_out=source)


@cache
def hints_without(source: str) -> HintWeights:
    """The weights of the hints, fitted on all interviews except one source's."""
    weights = learnt_without(source, by_meaning=True)
    return learn_hints(interviews(FOLDER), _encode(), weights, left_out=source)


@cache
def _encode() -> Encode:
    return remembered()


def _nearness(interview: Interview) -> tuple[tuple[Unit, ...], Grid]:
    units, encode = cut(interview.segments), _encode()
    spoken = directions(encode([unit.text for unit in units]))
    wanted = directions(encode([question.text for question in interview.questions]))
    return units, np.asarray(wanted @ spoken.T, float)


def _each_best(interview: Interview, units: Sequence[Unit], scores: Grid, enough: float) -> list[Match]:
    best = scores.argmax(axis=1).tolist()
    return [_match(interview, units, q, n if scores[q, n] >= enough else None, scores) for q, n in enumerate(best)]


def _match(interview: Interview, units: Sequence[Unit], q: int, n: int | None, scores: Grid) -> Match:
    number = interview.questions[q].number
    if n is None:
        return Match(number, "not_asked", confidence=1 - float(scores[q].max().clip(0, 1)))
    start, end = units[n].sentence_start, units[n].end
    return Match(number, "asked", start, end, end, float(scores[q, n].clip(0, 1)))
