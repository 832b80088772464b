"""Other spellings of one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.search.variants import otherwise_written, owner


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4,000", "4000"),
        ("1,250,000", "1250000"),
        ("5", "five"),
        ("20", "twenty"),
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
        ("2.6m", "2.6 million"),
        ("1bn", "1 billion"),
        ("well-being", "wellbeing"),
        ("Five", "5"),
        ("Organise", "organize"),
    ],
)
def test_some_are_written_out_or_together(typed: str, other: str) -> None:
    assert otherwise_written(typed) == other


@pytest.mark.parametrize(
    "word", ["four years", "hour", "for", "size", "rise", "raised", "1", "one", "21", "007", "0", ""]
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


@given(st.text(max_size=30))
def test_no_word_is_its_own_other_spelling(word: str) -> None:
    assert otherwise_written(word) != word


@given(st.integers(1_000, 10**15 - 1))
def test_thousands_are_written_in_two_ways(number: int) -> None:
    assert otherwise_written(str(number)) == f"{number:,}"
    assert otherwise_written(f"{number:,}") == str(number)
