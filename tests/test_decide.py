"""The decision over all questions of an episode: exact, against all answers there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.candidates import Candidate, Evidence
from pipeline.align.decide import INVERSION_COST, SAME_START, SAME_TIME, SHARED_PLACE_COST, Decision, decide


class Place(Candidate):
    """A candidate whose log-odds are given; they are kept where its evidence would be."""

    @property
    def log_odds(self) -> float:
        return self.evidence.coverage


def place(start: float, log_odds: float, *, seconds: float = 5.0) -> Place:
    return Place(0, 0, start, start + seconds, Evidence(log_odds, 0, 0, 0, 0, 0))


places = st.lists(st.builds(place, st.integers(0, 40).map(float), st.floats(-4, 4)), max_size=3)


def worth(answer: tuple[Place | None, ...]) -> float:
    found = [one for one in answer if one]
    total = sum(one.log_odds for one in found)
    for before, after in itertools.pairwise(found):
        total -= INVERSION_COST * (before.start > after.start + SAME_TIME)
        total -= SHARED_PLACE_COST * (before.start < after.end and before.end > after.start)
    return total


@given(options=st.lists(places, max_size=4))
def test_the_decision_is_the_likeliest_of_all_answers_and_knows_how_likely_it_is(options: list[list[Place]]) -> None:
    answers = list(itertools.product(*([None, *some] for some in options)))
    chances = np.exp([worth(answer) for answer in answers])
    chances /= chances.sum()
    decisions = decide(options)
    chosen = tuple(decision.candidate for decision in decisions)
    assert worth(chosen) == pytest.approx(max(map(worth, answers)))
    for n, decision in enumerate(decisions):
        none = sum(chance for chance, answer in zip(chances, answers, strict=True) if answer[n] is None)
        assert decision.not_asked == pytest.approx(none, abs=1e-9)
        here = decision.candidate
        near = [here and answer[n] and abs(answer[n].start - here.start) <= SAME_START for answer in answers]
        assert decision.probability == pytest.approx(
            sum(c for c, is_near in zip(chances, near, strict=True) if is_near)
        )


def test_without_places_nothing_is_asked() -> None:
    assert decide([]) == []
    assert decide([[], []]) == [Decision(None, 0.0, 1.0)] * 2


def test_order_decides_between_places_that_are_alike() -> None:
    first, second = place(100, 2.0), place(300, 2.0)
    alike = [place(50, 1.0), place(200, 1.0), place(400, 1.0)]
    assert [decision.candidate for decision in decide([[first], alike, [second]])] == [first, alike[1], second]
