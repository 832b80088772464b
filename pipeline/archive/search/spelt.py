"""Index words with the written unit they are part of: the m of I’m, the 2 of £2.6m. Pure functions."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from pipeline.archive.tokens import folded_words

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
    units: list[list[tuple[str, int, int]]] = []
    for word in folded_words(text):
        between = text[units[-1][-1][2] : word[1]] if units else " "
        if len(between) == 1 and not between.isspace() and between not in _APART:
            units[-1].append(word)
        else:
            units.append([word])
    return [
        Spelt(folded, begin, end, unit[0][1], _spelling(text, unit[0][1], unit[-1][2]))
        for unit in units
        for folded, begin, end in unit
    ]


def _spelling(text: str, begin: int, end: int) -> str:
    while begin and unicodedata.category(text[begin - 1]) in _SIGNS:
        begin -= 1
    while end < len(text) and (text[end] in _AFTER or unicodedata.category(text[end]) in _SIGNS):
        end += 1
    return text[begin:end]
