"""Spelling variants of a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.search.variants import MEASURE, measures, otherwise_written, owner


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4,000", "4000"),
        ("1,250,000", "1250000"),
        ("5", "five"),
        ("20", "twenty"),
        ("24", "twenty-four"),
        ("99", "ninety-nine"),
        ("wellbeing", "well-being"),
        ("cooperating", "co-operating"),
        ("email", "e-mail"),
        ("neighbours", "neighbors"),
        ("behavioural", "behavioral"),
        ("organisations", "organizations"),
        ("analysed", "analyzed"),
        ("programmes", "programs"),
        ("dialogue", "dialog"),
        ("counsellor", "counselor"),
        ("centres", "centers"),
        ("licence", "license"),
    ],
)
def test_each_of_two_spellings_has_the_other(one: str, other: str) -> None:
    assert otherwise_written(one) == other
    assert otherwise_written(other) == one


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("re-housing", "rehousing"),
        ("x-ray", "xray"),
        ("Five", "5"),
        ("Organise", "organize"),
    ],
)
def test_some_are_written_out_or_together(typed: str, other: str) -> None:
    assert otherwise_written(typed) == other


@pytest.mark.parametrize(
    "word", ["four years", "hour", "for", "size", "rise", "raised", "1", "one", "100", "007", "0", ""]
)
def test_what_would_be_another_word_has_no_other_spelling(word: str) -> None:
    assert otherwise_written(word) is None


@pytest.mark.parametrize(
    ("word", "whose"),
    [
        ("children's", "children"),
        ("Council’s", "Council"),
        ("LEEDS’S", "LEEDS"),
        ("mother-in-law's", "mother-in-law"),
        ("MP‘s", "MP"),
        ("it's", None),
        ("What’s", None),
        ("let's", None),
        ("don't", None),
        ("councils'", None),
        ("childrens", None),
        ("rock'n'roll's", None),
        ("a's", None),
        ("'s", None),
        ("", None),
    ],
)
def test_a_possessive_tells_whose_and_a_contraction_does_not(word: str, whose: str | None) -> None:
    assert owner(word) == whose


@pytest.mark.parametrize(
    ("typed", "ways"),
    [
        ("2.6m", ("2.6 million", "2.6m", "2.6mn")),
        ("£1bn", ("1 billion", "1bn", "one billion")),
        ("five Million", ("5 million", "5m", "5mn", "five million")),
        ("20 per cent", ("20 per cent", "20 percent", "20%", "twenty per cent", "twenty percent")),
        ("twenty-four per  cent", ("24 per cent", "24 percent", "24%", "twenty-four per cent", "twenty-four percent")),
        ("100%", ("100 per cent", "100 percent", "100%")),
        ("1,400 Million?", ("1,400 million", "1,400m", "1,400mn")),
        ("percent", ("per cent", "percent")),
    ],
)
def test_a_measure_is_written_in_several_ways(typed: str, ways: tuple[str, ...]) -> None:
    found = MEASURE.match(typed)
    assert found
    assert measures(found) == ways


@pytest.mark.parametrize(
    "text", ["20 families", "2.6", "million", "5 miles", "20%ish", "a 20%", "M25", "fives million", "of five million"]
)
def test_what_is_no_measure(text: str) -> None:
    assert MEASURE.match(text) is None


@given(st.text(max_size=30))
def test_no_word_is_its_own_other_spelling(word: str) -> None:
    assert otherwise_written(word) != word


@given(st.integers(1_000, 10**15 - 1))
def test_thousands_are_written_in_two_ways(number: int) -> None:
    assert otherwise_written(str(number)) == f"{number:,}"
    assert otherwise_written(f"{number:,}") == str(number)
