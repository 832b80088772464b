"""Words with the written units they are part of."""

from __future__ import annotations

from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.search.spelt import is_same, spelt
from pipeline.archive.tokens import begins_in_number, ends_in_number, fold, folded_words


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("The children's homes.", ["The", "children's", "homes"]),
        ("“I’m glad”, he said", ["I’m", "glad", "he", "said"]),
        ("£2.6m, or 12% of it", ["£2.6m", "or", "12%", "of", "it"]),
        ("home—and away – nine-to-five", ["home", "and", "away", "nine-to-five"]),
        ("C++ and/or AT&T", ["C++", "and/or", "AT&T"]),
        ("", []),
    ],
)
def test_what_is_written_as_one_is_one(text: str, units: list[str]) -> None:
    assert [spelling for _, spelling in dict.fromkeys((word.unit, word.spelling) for word in spelt(text))] == units


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("£2.6m, or 12% of 1,400. 5", ["2.6m", "or", "12%", "of", "1,400", "5"]),
        ("2.6 million, 20 per cent of 1.4 in per cent", ["2.6 million", "20 per cent", "of", "1.4", "in", "per cent"]),
        ("I’m A1.5 of 24/7", ["I", "m", "A1.5", "of", "24", "7"]),
        ("well-being, well-known, twenty-four - five", ["well-being", "well", "known", "twenty-four", "five"]),
    ],
)
def test_a_figure_is_one_word_and_so_is_what_has_a_hyphen_or_not(text: str, words: list[str]) -> None:
    assert [text[word.begin : word.end] for word in spelt(text)] == words


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("£2.6m", "2.6 million", True),
        ("£2.6m", "$2.6 million", False),
        ("four hundred", "400", True),
        ("20 per cent", "20%", True),
        ("20%", "20", False),
        ("4,000", "4000", True),
        ("Twenty-four", "24", True),
        ("twenty-four", "four", False),
        ("neighbours", "neighbors", True),
        ("Organised", "organized", True),
        ("wellbeing", "well-being", True),
        ("wellbeing", "well being", False),
        ("well-known", "well known", True),
        ("5", "6", False),
    ],
)
def test_what_a_search_takes_for_the_same_word_is_the_same(one: str, other: str, same: bool) -> None:
    keys = zip_longest(*([word.key for word in spelt(text)] for text in (one, other)), fillvalue="")
    assert all(is_same(*pair) for pair in keys) is same


@given(st.text(alphabet="ab1é'’.,-–£% \u0301", max_size=30))
def test_every_word_is_there_and_within_its_unit(text: str) -> None:
    words = spelt(text)
    assert [
        (folded, word.begin + begin, word.begin + end)
        for word in words
        for folded, begin, end in folded_words(text[word.begin : word.end])
    ] == folded_words(text)
    for word in words:
        assert text[word.begin : word.end] in word.spelling
        assert word.spelling in text
        assert not begins_in_number(text, word.begin, fold(text[word.begin : word.end]))
        assert not ends_in_number(text, word.end, fold(text[word.begin : word.end]))
