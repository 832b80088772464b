"""Questions that are several in one: which parts they have, and what is found where the host asks only some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align import align, places_of
from pipeline.align.candidates import Candidate
from pipeline.align.parts import MOST_PARTS, parts_of
from pipeline.align.units import Unit
from pipeline.model import Question, Segment
from tests.test_align_evidence import FILLER, at, units


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("How have caseloads been kept manageable for practitioners?", ()),
        (
            "What did the inspectors praise? Did the grade surprise your staff? Why?",
            ("What did the inspectors praise?", "Did the grade surprise your staff?"),
        ),
        (
            "How do you embed a learning culture – what are the key tools it uses and how are staff encouraged?",
            (
                "How do you embed a learning culture",
                "what are the key tools it uses",
                "how are staff encouraged?",
            ),
        ),
        (
            "Can you tell us more of the front door, how this has enhanced the service, and how partners keep talking?",
            (
                "Can you tell us more of the front door",
                "how this has enhanced the service",
                "how partners keep talking?",
            ),
        ),
        (
            "Has turnover gone down over three years and if so, how have you managed to keep staff?",
            ("Has turnover gone down over three years", "how have you managed to keep staff?"),
        ),
        # What may be said of anything is no part, nor is what only goes on with what came before.
        ("How is that and what do you do about it in Greenhaven?", ()),
        ("Which councils have a restorative approach, which Northbridge has taken up?", ()),
        ("How did Dr. Winter and her colleagues in Greenhaven take the news?", ()),
        ("Is the well-established team working?", ()),
        ("", ()),
    ],
)
def test_sentences_and_clauses_that_ask_by_themselves_are_parts(question: str, parts: tuple[str, ...]) -> None:
    assert tuple(part.text for part in parts_of(question)) == parts


@pytest.mark.parametrize(
    ("question", "before"),
    [
        ("What did the inspectors praise? Did the grade surprise your staff?", "What did the inspectors praise?"),
        ("Can you tell us of the front door – what are the key tools it uses?", "Can you tell us of the front door"),
        # What only says something may be left out, and the asking still begins with what asks.
        ("Ofsted has noted a plan for care leavers – what steps have already been taken?", ""),
        ("Inspectors called supervision thoughtful. How do managers protect an hour for it?", ""),
    ],
)
def test_what_asks_before_a_part_is_known(question: str, before: str) -> None:
    assert parts_of(question)[-1].before == before


@given(
    st.text()
    | st.lists(st.sampled_from(["what", "–", ",", "and", "how", "staff", "said?", "cases.", ";"])).map(" ".join)
)
def test_parts_are_few_different_and_stand_in_the_question(question: str) -> None:
    parts = [part.text for part in parts_of(question)]
    assert len(set(parts)) == len(parts) <= MOST_PARTS
    assert all(part in " ".join(question.split()) for part in parts)


def places(said: tuple[Unit, ...], question: str) -> list[Candidate]:
    (found,) = places_of([Question(1, question)], said, None)
    return found


TWO = "How have caseloads been kept manageable? What did the inspectors say about foster carers in Northbridge?"


def test_a_place_is_compared_with_the_part_that_it_holds() -> None:
    said = units(("How have caseloads been kept manageable?", "host"), *FILLER)
    best = max(places(said, TWO), key=lambda one: one.evidence.in_order)
    assert best.wording == "How have caseloads been kept manageable?"
    assert best.evidence.coverage == 1.0
    assert 0 < best.evidence.left_out < 1


def test_where_the_whole_is_asked_no_part_of_it_is_another_place() -> None:
    context = "Greenhaven was told to improve a year ago and was rated good last autumn."
    question = "How have caseloads been kept manageable for practitioners?"
    said = units((context, "host"), (question, "host"), *FILLER, apart=10.0)
    found = places(said, f"{context} {question}")
    assert {one.wording for one in found if one.first <= 1} == {f"{context} {question}"}
    assert found[0].start == 0.0


def test_what_is_left_out_before_a_part_counts_twice() -> None:
    first, second = "How is weather kept manageable?", "Did inspectors praise your foster carers in Northbridge?"
    said = units((first, "host"), *FILLER, (second, "host"), *FILLER)
    found = places(said, f"{first} {second}")
    assert [at(start, found).wording for start in (0.0, 500.0)] == [first, second]
    one, other = (at(start, found).evidence.left_out for start in (0.0, 500.0))
    assert other == pytest.approx(2 * (1 - one))


def test_what_is_asked_whole_is_compared_whole() -> None:
    said = units((TWO, "host"), *FILLER)
    assert places(said, TWO)[0].wording == TWO
    assert places(said, TWO)[0].evidence.left_out == 0


def interview(*said: tuple[str, str], seconds: float = 12.0) -> list[Segment]:
    return [Segment(seconds * n, seconds * (n + 1), text, speaker=who) for n, (text, who) in enumerate(said)]


ANSWER = [("We looked at the weather and the trains, and then we went home for the day.", "guest")] * 6


@pytest.mark.parametrize("asked", ["How have caseloads been kept manageable?", TWO])
def test_a_question_of_which_only_a_part_is_asked_is_found_like_one_that_is_asked_whole(asked: str) -> None:
    segments = interview(
        ("Welcome to the show, and to our guest.", "host"), *ANSWER, (asked, "host"), *ANSWER,
        ("What is a restorative approach to you?", "host"), *ANSWER,
    )  # fmt: skip
    questions = [Question(1, TWO), Question(2, "What is a restorative approach to you?")]
    matches = align(questions, segments).matches
    assert [(match.status, match.start) for match in matches] == [("asked", 84.0), ("asked", 168.0)]


def test_a_question_that_shares_no_part_is_not_asked() -> None:
    segments = interview(*ANSWER, ("What is a restorative approach to you?", "host"), *ANSWER)
    (match,) = align([Question(1, TWO)], segments).matches
    assert match.status == "not_asked"


def test_no_sentence_holds_parts_of_nothing() -> None:
    assert places((), TWO) == []
    assert places((Unit(0.0, 1.0, "", None, 0.0),), TWO)[0].evidence.coverage == 0.0
