"""Words with the written units they are part of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.search.spelt import spelt
from pipeline.archive.tokens import begins_in_figure, ends_in_figure, folded_words


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
        ("I’m A1.5 of 24/7", ["i", "m", "a1.5", "of", "24", "7"]),
    ],
)
def test_a_figure_is_one_word(text: str, words: list[str]) -> None:
    assert [word.folded for word in spelt(text)] == words


@given(st.text(alphabet="ab1é'’.,-–£% \u0301", max_size=30))
def test_every_word_is_there_and_within_its_unit(text: str) -> None:
    words = spelt(text)
    assert [folded for word in words for folded, _, _ in folded_words(word.folded)] == [
        folded for folded, _, _ in folded_words(text)
    ]
    for word in words:
        assert text[word.begin : word.end] in word.spelling
        assert word.spelling in text
        assert not begins_in_figure(text, word.begin)
        assert not ends_in_figure(text, word.end)
