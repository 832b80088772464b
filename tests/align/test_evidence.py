"""Each feature alone, on the smallest transcript that shows it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.align.candidates import Candidate, Wanted, candidate_at, candidates
from pipeline.align.lexical import in_order
from pipeline.align.units import Unit
from pipeline.align.windows import Windows

QUESTION = "How have caseloads been kept manageable for practitioners?"


def units(*said: tuple[str, str | None], apart: float = 100.0) -> tuple[Unit, ...]:
    """Sentences of nine seconds with their speakers, so far apart that each is a window of its own."""
    return tuple(Unit(apart * n, apart * n + 9, text, who, apart * n) for n, (text, who) in enumerate(said))


def places(
    said: tuple[Unit, ...], question: str = QUESTION, *, expected: float = 0.5, listed: int = 5
) -> list[Candidate]:
    return candidates(Wanted(question, None, expected, listed), Windows.of(said, None))


FILLER = [("The weather was dreadful and the trains were worse.", "guest")] * 4
HOST = [("How are you this morning?", "host"), *FILLER]


def at(start: float, found: list[Candidate]) -> Candidate:
    return next(one for one in found if one.start == start)


def test_rare_words_weigh_more_than_common_ones() -> None:
    said = units(("Caseloads were the trouble.", None), ("Practitioners, practitioners.", None),
                 *[("All practitioners were there.", None)] * 6)  # fmt: skip
    found = places(said)
    assert at(0.0, found).evidence.coverage > at(100.0, found).evidence.coverage


def test_a_misheard_word_counts_in_part() -> None:
    found = places(units(("Manageable caseloads.", None), ("Managable caselodes.", None), *FILLER))
    assert at(0.0, found).evidence.coverage > at(100.0, found).evidence.coverage > 0.2


def test_an_answer_that_shuffles_the_words_holds_fewer_in_order() -> None:
    assert in_order(QUESTION, QUESTION.upper()) == 1.0
    assert in_order(QUESTION, "For practitioners we kept the caseloads manageable.") < 0.5
    assert in_order("", "Anything.") == 0.0


@pytest.mark.parametrize(
    ("text", "who", "asks"),
    [
        ("Were caseloads kept manageable?", "host", True),
        ("The next question is on caseloads.", "host", True),
        ("So tell us about caseloads.", "host", True),
        ("Caseloads were kept manageable.", "host", False),
        ("Were caseloads kept manageable?", "guest", False),
    ],
)
def test_what_sounds_like_the_host_asking_is_rarer_than_what_does_not(text: str, who: str, asks: bool) -> None:
    said = units(*HOST, *HOST, *HOST, (text, who), *FILLER)
    found = at(1500.0, places(said))
    assert (found.evidence.common < np.log(6)) == asks


def test_without_question_marks_the_form_of_words_tells() -> None:
    said = units(("how have caseloads been kept", None), ("we hired some people", None), ("caseloads fell", None))
    found = places(said)
    assert at(0.0, found).evidence.common < at(200.0, found).evidence.common


def test_where_the_list_lets_expect_it_is_nearer() -> None:
    said = units((QUESTION, None), *[("The trains.", None)] * 8, (QUESTION, None))
    found = places(said, expected=0.9)
    assert at(0.0, found).evidence.misplaced > at(900.0, found).evidence.misplaced


def test_a_window_of_another_length_is_unlike() -> None:
    found = places(units((QUESTION, None), ("The trains.", None), ("Caseloads.", None)))
    assert at(0.0, found).evidence.unlike_long == 0
    assert at(200.0, found).evidence.unlike_long > 2


def test_askings_are_scarce_where_the_host_asks_hardly_more_than_the_list_has() -> None:
    said = units(*HOST, ("Were caseloads kept manageable?", "host"), *FILLER)
    assert at(500.0, places(said, listed=5)).evidence.scarce == 1
    assert at(500.0, places(said, listed=1)).evidence.scarce == 0
    assert at(600.0, places(said, "Was the weather dreadful?", listed=5)).evidence.scarce == 0


def test_meaning_stands_out_and_the_answer_speaks_of_it() -> None:
    texts = ["Trains.", "How is the weather?", "It rained.", "Trains.", "Trains."]
    vectors = {"Trains.": [1.0, 0, 0], "How is the weather?": [0, 1.0, 0.2], "It rained.": [0, 1.0, 0]}
    windows = Windows.of(
        units(*[(text, None) for text in texts], apart=50.0),
        lambda some: np.array([vectors[t] for t in some], np.float32),
    )
    vector = np.array([0, 1.0, 0], np.float32)
    found = candidates(Wanted("Did it rain?", vector, 0.5, 1), windows)
    best = max(found, key=lambda one: one.evidence.nearness)
    assert best.start in {50.0, 100.0}
    assert best.evidence.stands_out > 1
    assert at(50.0, found).evidence.answered > 0


def test_a_known_place_is_the_sentence_that_an_editor_meant() -> None:
    said = units(("The trains.", None), (QUESTION, None), ("The weather.", None))
    wanted, windows = Wanted(QUESTION, None, 0.5, 1), Windows.of(said, None)
    for start in (99.8, 100.0, 102.5):
        found = candidate_at(wanted, windows, start, None)
        assert (found.first, found.start) == (1, start)
        assert found.end == 109.0


def test_a_known_place_has_the_sentences_of_one_speaker_and_ends_where_an_editor_says() -> None:
    said = units(
        ("Were caseloads", "host"), ("kept manageable?", "host"), ("Yes, caseloads were.", "guest"), apart=10.0
    )
    wanted, windows = Wanted(QUESTION, None, 0.5, 1), Windows.of(said, None)
    assert candidate_at(wanted, windows, 0.0, None).last == 1
    assert candidate_at(wanted, windows, 0.0, 8.0).last == 0
    assert candidate_at(wanted, windows, 0.0, 8.0).end == 8.0


def test_an_asking_begins_with_the_short_sentence_that_comes_to_it_and_ends_with_its_last_question() -> None:
    said = units(
        ("The trains.", "guest"),
        ("Turning to your staff.", "host"),
        (QUESTION, "host"),
        ("Is that right?", "host"),
        ("Do you mean this year?", "guest"),
        apart=10.0,
    )
    found = next(one for one in places(said) if one.first <= 2 <= one.last and one.start == 10.0)
    assert (found.start, found.end) == (10.0, 39.0)


@pytest.mark.parametrize(
    ("who", "answered_by", "share"),
    [
        ("host", "guest", 0.0),
        ("guest", "host", 1.0),
        ("advertisement", "host", 1.0),
        ("somebody in the audience", "guest", 0.0),
        (None, "guest", 0.0),
    ],
)
def test_what_is_said_by_who_does_not_ask_here_counts_as_that(who: str | None, answered_by: str, share: float) -> None:
    answer = ("We have hired more of them than ever before.", answered_by)
    said = units(*HOST, *HOST, (QUESTION, who), answer, *FILLER)
    assert at(1000.0, places(said)).evidence.by_others == share
