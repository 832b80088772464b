"""Words as they are compared with a quotation, with the written unit they are part of: the m of I’m. Pure functions.

A figure is one word with its unit: £2.6 million, 20 per cent. So is what is also written without its hyphen.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from pipeline.archive.money import SIGNS
from pipeline.archive.search.variants import MEASURE, measures, otherwise_written
from pipeline.archive.tokens import begins_in_number, fold, quoted_words

_APART = "–—…"  # what joins no two words to one, though there is no space
_SIGNS = ("Sc", "Sm", "So")  # categories of characters such as £ and +, which are a part of what they stand beside
_AFTER = "%‰"


class Spelt(NamedTuple):
    """A word and its span; ``spelling`` is the whole written unit it is part of, which begins at ``unit``.

    ``key`` is the same for all spellings that a search takes for the same word; that of a sum begins with its sign.
    """

    key: str
    begin: int
    end: int
    unit: int
    spelling: str


def spelt(text: str) -> list[Spelt]:
    """Return a text's words in order."""
    units: list[list[tuple[int, int]]] = []
    for begin, end in _words(text):
        between = text[units[-1][-1][1] : begin] if units else " "
        if len(between) == 1 and not between.isspace() and between not in _APART:
            units[-1].append((begin, end))
        else:
            units.append([(begin, end)])
    return [
        Spelt(_key(text, begin, end), begin, end, unit[0][0], _spelling(text, unit[0][0], unit[-1][1]))
        for unit in units
        for begin, end in unit
    ]


def is_same(key: str, other: str) -> bool:
    """Tell whether two keys are of the same word: 5 million is £5 million, which is not $5 million."""
    if key[:1] in SIGNS and other[:1] in SIGNS:
        return key == other
    return key.lstrip(SIGNS) == other.lstrip(SIGNS)


def spellings(word: str) -> tuple[str, ...]:
    """Return a word in all spellings that a search takes for the same."""
    if measure := MEASURE.fullmatch(word):
        return measures(measure)
    other = otherwise_written(word)
    return (word, other) if other else (word,)


def _key(text: str, begin: int, end: int) -> str:
    sign = text[begin - 1] if begin and text[begin - 1] in SIGNS else ""
    return sign + _any_spelling(text[begin:end])


@lru_cache(maxsize=10_000)
def _any_spelling(word: str) -> str:
    return min(map(fold, spellings(word)))


def _words(text: str) -> list[tuple[int, int]]:
    """The spans of what is compared as one word."""
    spans: list[tuple[int, int]] = []
    words = quoted_words(text)
    for (word, begin, end), following in zip_longest(words, words[1:]):
        if spans and (begin < spans[-1][1] or begins_in_number(text, begin, word)):
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        elif measure := MEASURE.match(text[begin:]):
            spans.append((begin, begin + measure.end()))
        elif following and text[end : following[1]] == "-" and _is_hyphened(text[begin : following[2]]):
            spans.append((begin, following[2]))
        else:
            spans.append((begin, end))
    return spans


def _is_hyphened(word: str) -> bool:
    """Tell whether a word is also written without its hyphen, or in digits: well-being, twenty-four."""
    other = otherwise_written(word)
    return other is not None and otherwise_written(other) == fold(word)


def _spelling(text: str, begin: int, end: int) -> str:
    while begin and unicodedata.category(text[begin - 1]) in _SIGNS:
        begin -= 1
    while end < len(text) and (text[end] in _AFTER or unicodedata.category(text[end]) in _SIGNS):
        end += 1
    return text[begin:end]
