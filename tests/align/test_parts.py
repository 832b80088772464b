"""Questions with several parts: splitting them, and what is found if the host asks only some parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.align import align
from pipeline.align.candidates import Candidate, Wanted, candidate_at
from pipeline.align.for_fitting import places_of
from pipeline.align.parts import MOST_PARTS, parts_of
from pipeline.align.units import Unit
from pipeline.align.windows import Windows
from pipeline.model import Question, Segment
from tests.align.test_evidence import FILLER, at, units


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
        # Generic phrases are no parts, nor are statements, nor continuations of the preceding part.
        (
            "Greenhaven was rated poor – what has changed for families – which inspectors praised – since then?",
            ("what has changed for families",),
        ),
        ("1. How have caseloads been kept manageable?", ("How have caseloads been kept manageable?",)),
        ("How is that and what do you do about it in Greenhaven?", ()),
        ("Which councils have a restorative approach, which Northbridge has taken up?", ()),
        ("How did Dr. Winter and Will Smith of the U.S. government take the news?", ()),
        ("How do you help people who come here and have no family?", ()),
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
        # A statement may be left out; the asking still begins with the question itself.
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


def test_of_very_many_parts_the_first_count_and_what_is_said_twice_is_one() -> None:
    asked = [f"How are caseloads number {n} managed?" for n in range(100)]
    assert tuple(part.text for part in parts_of(" ".join(asked))) == tuple(asked[:8])
    assert tuple(part.text for part in parts_of(" ".join([asked[1], asked[0], asked[1]]))) == (asked[1], asked[0])


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


def test_where_its_speaker_goes_on_with_a_part_at_once_that_is_no_other_place() -> None:
    said = units(
        ("Inspectors asked for better plans for young people leaving care.", "host"),
        ("What has been done about that so far?", "host"),
        ("And who is leading the work?", "host"),
        ("Three young people.", "guest"),
        *FILLER,
        apart=10.0,
    )
    question = (
        "Inspectors asked for better plans for young people leaving care – what has been done, and who is leading "
    )
    found = places(said, f"{question}the work?")
    assert found[0].start == 0.0
    assert {one.evidence.left_out for one in found if one.first <= 2} == {0.0}


def test_a_common_phrase_at_the_end_of_a_question_is_no_place_of_it() -> None:
    question = (
        "How did Greenhaven embed motivational interviewing in its fostering teams? What were the biggest challenges?"
    )
    said = units(
        ("We have moved into another building.", "guest"), ("What were the biggest challenges?", "host"), *FILLER
    )
    assert {one.wording for one in places(said, question)} == {question}
    one, other = question.partition("? ")[::2]
    assert other in {one.wording for one in places(said, f"{other} {one}?")}


def test_a_known_place_is_of_the_part_that_is_asked_there() -> None:
    asked = "How have caseloads been kept manageable?"
    windows = Windows.of(units((asked, "host"), *FILLER), None)
    wanted = Wanted(TWO, None, 0.5, 1, parts=(Wanted(asked, None, 0.5, 1),))
    found = candidate_at(wanted, windows, 0.4, None)
    assert (found.wording, found.start, found.evidence.coverage) == (asked, 0.4, 1.0)


def test_what_holds_all_the_words_of_a_question_is_no_part_of_it() -> None:
    question = "How and why did Greenhaven change its front door?"
    said = units(("Why did Greenhaven change its front door?", "host"), *FILLER)
    assert [part.text for part in parts_of(question)] == ["why did Greenhaven change its front door?"]
    assert {one.wording for one in places(said, question)} == {question}


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


def test_a_statement_in_the_introduction_is_not_where_its_question_is_asked() -> None:
    context = "Greenhaven was rated poor in 2019 and told to improve."
    segments = interview(
        (f"Welcome. {context}", "host"), ("Thank you for having me here today.", "guest"),
        ("What is a restorative approach to you?", "host"), *ANSWER,
        ("And turning the service around, what did that take?", "host"), *ANSWER,
    )  # fmt: skip
    questions = [Question(1, "What is a restorative approach to you?"), Question(2, f"{context} How did that go?")]
    assert align(questions, segments).matches[1].status != "asked"


def test_the_guest_who_speaks_of_another_part_does_not_ask() -> None:
    segments = interview(
        ("What is a restorative approach to you?", "host"), *ANSWER,
        ("And that is what the inspectors say about our foster carers in Northbridge.", "guest"),
        ("How have caseloads been kept manageable?", "host"), *ANSWER,
    )  # fmt: skip
    questions = [Question(1, "What is a restorative approach to you?"), Question(2, TWO)]
    assert align(questions, segments).matches[1].start == 96.0


def test_two_questions_that_are_asked_in_one_sentence_are_both_found_there() -> None:
    segments = interview(
        *ANSWER,
        ("How have caseloads been kept manageable and what did the inspectors say about foster carers?", "host"),
        *ANSWER,
        ("What is a restorative approach to you?", "host"),
        *ANSWER,
    )
    questions = [
        Question(1, "How have caseloads been kept manageable? Who pays for it?"),
        Question(2, "What did the inspectors say about foster carers?"),
        Question(3, "What is a restorative approach to you?"),
    ]
    matches = align(questions, segments).matches
    assert [(match.status, match.start) for match in matches[:2]] == [("merged", 72.0)] * 2
    assert min(match.confidence for match in matches[:2]) > 0.9


def test_a_question_that_shares_no_part_is_not_asked() -> None:
    segments = interview(*ANSWER, ("What is a restorative approach to you?", "host"), *ANSWER)
    (match,) = align([Question(1, TWO)], segments).matches
    assert match.status == "not_asked"


def test_no_sentence_holds_parts_of_nothing() -> None:
    assert places((), TWO) == []
    assert places((Unit(0.0, 1.0, "", None, 0.0),), TWO)[0].evidence.coverage == 0.0
