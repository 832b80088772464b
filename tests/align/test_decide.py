"""The joint decision on all questions of an episode: exact, compared with all possible answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align.candidates import Candidate
from pipeline.align.decide import (
    INVERSION_COST,
    SAME_TIME,
    SHARED_PLACE_COST,
    TWINS_COST,
    Decision,
    decide,
    probabilities_of,
)
from pipeline.align.evidence import BY_WORDS, Closeness, Evidence, Weights

NOTHING = Closeness(0, 0, 0)
# Weights under which a test can set the log-odds of a place directly.
AS_GIVEN = Weights(0.0, Evidence(1, 0, 0, 0, 0, 0), NOTHING, NOTHING)


def place(start: float, log_odds: float, *, seconds: float = 5.0) -> Candidate:
    return Candidate(
        0, 0, start, start + seconds, Evidence(log_odds, 0, 0, 0, 0, 0), wording="the same", filled=1.0, asks=True
    )


places = st.lists(st.builds(place, st.integers(0, 40).map(float), st.floats(-4, 4)), max_size=3)


def worth(answer: tuple[Candidate | None, ...]) -> float:
    chosen = [one for one in answer if one]
    total = sum(one.evidence.coverage for one in chosen)
    for before, after in itertools.pairwise(chosen):
        total -= INVERSION_COST * (before.start > after.start + SAME_TIME)
        shared = before.start < after.end and before.end > after.start
        total -= (SHARED_PLACE_COST + TWINS_COST * max(0.0, before.filled + after.filled - 1)) * shared
    return total


@given(options=st.lists(places, max_size=4))
def test_a_place_is_as_likely_as_all_answers_together_make_it(options: list[list[Candidate]]) -> None:
    answers = list(itertools.product(*([None, *range(len(some))] for some in options)))
    chances = np.exp([worth(tuple(k if k is None else options[n][k] for n, k in enumerate(a))) for a in answers])
    chances /= chances.sum()
    scores = [np.array([one.evidence.coverage for one in some]) for some in options]
    for n, probabilities in enumerate(probabilities_of(options, scores)):
        for k, probability in enumerate(probabilities):
            expected = sum(chance for chance, answer in zip(chances, answers, strict=True) if answer[n] == k)
            assert probability == pytest.approx(expected, abs=1e-9)


@given(options=st.lists(places, max_size=4))
def test_places_come_likeliest_first_and_no_likelier_than_being_asked_at_all(options: list[list[Candidate]]) -> None:
    for some, decision in zip(options, decide(options, AS_GIVEN), strict=True):
        shares = [one.probability for one in decision.places]
        assert shares == sorted(shares, reverse=True)
        assert all(share <= 1 - decision.not_asked + 1e-9 for share in shares)
        assert {one.candidate.start for one in decision.places} <= {one.start for one in some}


def test_without_places_nothing_is_asked() -> None:
    assert decide([], BY_WORDS) == []
    assert decide([[], []], BY_WORDS) == [Decision((), 1.0, BY_WORDS.usual)] * 2


def test_order_decides_between_places_that_are_alike() -> None:
    first, second = place(100, 4.0), place(300, 4.0)
    alike = [place(50, 1.0), place(200, 1.0), place(400, 1.0)]
    decided = decide([[first], alike, [second]], AS_GIVEN)
    assert [one.places[0].candidate for one in decided] == [first, alike[1], second]


def test_what_is_certain_moves_its_neighbours() -> None:
    early, late = place(50, 1.0), place(400, 1.0)
    options = [[place(200, -6.0)], [early, late]]
    assert decide(options, AS_GIVEN)[0].places[0].probability < 0.1
    decided = decide(options, AS_GIVEN, certain={0})
    assert decided[0].places[0].probability == pytest.approx(1)
    assert decided[1].places[0].candidate == late


def test_a_host_who_keeps_to_the_wording_is_expected_to_go_on_so() -> None:
    def spoken(start: float, closeness: float) -> Candidate:
        return Candidate(
            0,
            0,
            start,
            start + 5,
            Evidence(closeness, closeness, 4.0, 0, 0, 0),
            wording="the same",
            filled=1.0,
            asks=True,
        )

    close, free = [[spoken(100.0 * n, 1.0)] for n in range(5)], [[spoken(100.0 * n, 0.5)] for n in range(5)]
    one = [[spoken(600.0, 0.5)]]
    assert decide(close + one, BY_WORDS)[-1].not_asked > decide(free + one, BY_WORDS)[-1].not_asked + 0.1


def test_one_of_few_askings_says_less_where_the_order_of_two_others_is_against_it() -> None:
    few = [
        Candidate(n, n, at, at + 5, Evidence(-2, 0, 0, 0, 0, 1), wording="the same", filled=1.0, asks=True)
        for n, at in enumerate((50.0, 150.0, 250.0), 1)
    ]
    others = [[place(at, 9.0)] for at in (100, 200, 300, 400)]
    decided = decide([*others[:2], few, *others[2:]], AS_GIVEN)[2]
    scarce = {one.candidate.start: one.candidate.evidence.scarce for one in decided.places}
    assert scarce[250.0] == pytest.approx(1, abs=0.01)
    assert scarce[150.0] == pytest.approx(1, abs=0.01)  # it may have changed places with its neighbour
    assert scarce[50.0] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("filled", [0.25, 1.0])
def test_one_of_few_askings_says_the_less_the_more_of_it_another_question_takes_up(filled: float) -> None:
    sure = Candidate(1, 1, 50.0, 60.0, Evidence(12, 0, 0, 0, 0, 1), wording="", filled=filled, asks=True)
    other = Candidate(1, 1, 50.0, 60.0, Evidence(1, 0, 0, 0, 0, 1), wording="the same", filled=1.0, asks=True)
    (found,) = decide([[sure], [other]], AS_GIVEN)[1].places
    assert found.candidate.evidence.scarce == pytest.approx(1 - filled, abs=0.01)
