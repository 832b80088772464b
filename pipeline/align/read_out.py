"""Detecting where several questions of a list are read out in a row, as in a teaser: nobody answers them there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from pipeline.align.candidates import Candidate
from pipeline.align.units import Unit

PLAINLY = 1.55  # the least sum of ``coverage`` and ``in_order``, each of which is at most 1
FEWEST = 3  # questions: two may really be asked together
WORDS_BETWEEN = 14  # at most


def with_read_out(options: Sequence[Sequence[Candidate]], units: Sequence[Unit]) -> list[list[Candidate]]:
    """Return the candidates of each question, with the evidence ``read_out`` set for those in such a series."""
    inside = {n for first, last in _lists(options, units) for n in range(first, last + 1)}
    return [
        [
            replace(place, evidence=place.evidence._replace(read_out=1.0))
            if inside.issuperset(range(place.first, place.last + 1))
            else place
            for place in places
        ]
        for places in options
    ]


def _lists(options: Sequence[Sequence[Candidate]], units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """The first and the last unit of each series that is read out."""
    until = [0, *accumulate(len(unit.text.split()) for unit in units)]
    plain = sorted(
        (place.first, place.last, n)
        for n, places in enumerate(options)
        for place in places
        if place.evidence.coverage + place.evidence.in_order >= PLAINLY and not place.evidence.left_out
    )
    run: list[tuple[int, int, int]] = []
    for one in [*plain, None]:
        end = max((last for _, last, _ in run), default=0)
        if one is not None and run and until[one[0]] - until[end + 1] <= WORDS_BETWEEN:
            run.append(one)
            continue
        if min(len({n for _, _, n in run}), len({first for first, _, _ in run})) >= FEWEST:
            yield run[0][0], end
        run = [one] if one is not None else []
