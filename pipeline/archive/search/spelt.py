"""Words with the written unit they are part of: the m of I’m. A figure is one word: 2.6m, 20%. Pure functions."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from pipeline.archive.tokens import begins_in_figure, fold, quoted_words

_APART = "–—…"  # what joins no two words to one, though there is no space
_SIGNS = ("Sc", "Sm", "So")  # categories of characters such as £ and +, which are a part of what they stand beside
_AFTER = "%‰"


class Spelt(NamedTuple):
    """A folded word and its span; ``spelling`` is the whole written unit it is part of, which begins at ``unit``."""

    folded: str
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
        Spelt(fold(text[begin:end]), begin, end, unit[0][0], _spelling(text, unit[0][0], unit[-1][1]))
        for unit in units
        for begin, end in unit
    ]


def _words(text: str) -> list[tuple[int, int]]:
    """The spans of words and whole figures."""
    spans: list[tuple[int, int]] = []
    for _, begin, end in quoted_words(text):
        if begins_in_figure(text, begin):
            spans[-1] = spans[-1][0], end
        else:
            spans.append((begin, end))
    return spans


def _spelling(text: str, begin: int, end: int) -> str:
    while begin and unicodedata.category(text[begin - 1]) in _SIGNS:
        begin -= 1
    while end < len(text) and (text[end] in _AFTER or unicodedata.category(text[end]) in _SIGNS):
        end += 1
    return text[begin:end]
