"""The aligner's steps one by one, for fitting its weights (``benchmarks/align_fit.py``) and for tests."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.align.aligner import by_wording, places, wanted_of
from pipeline.align.candidates import Candidate
from pipeline.align.evidence import Weights
from pipeline.align.meaning import Encode
from pipeline.align.other_words import Search
from pipeline.align.units import Unit
from pipeline.align.windows import Windows
from pipeline.model import Question


def places_of(
    questions: Sequence[Question], units: Sequence[Unit], encode: Encode | None, *, in_parts: bool = True
) -> list[list[Candidate]]:
    """Return the candidates of each question; without ``in_parts``, only those of whole questions."""
    windows = Windows.of(units, encode)
    return places(wanted_of(questions, encode, in_parts=in_parts), windows)


def left_open(questions: Sequence[Question], units: Sequence[Unit], encode: Encode, weights: Weights) -> Search:
    """Decide by wording, and return the search for the questions that this leaves open."""
    wanted, windows = wanted_of(questions, encode), Windows.of(units, encode)
    return by_wording(wanted, windows, places(wanted, windows), weights)
