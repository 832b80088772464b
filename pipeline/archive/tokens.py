"""Tokenising text as FTS5 does, but without stemming. Pure functions."""

from __future__ import annotations

import re
import unicodedata

# Combining accents are part of the word.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")


def folded_words(text: str) -> list[tuple[str, int, int]]:
    """Return a text's words as FTS5 tokenises them, unstemmed, each with its character span.

    Letters are compared without case and accents, as FTS5's ``unicode61 remove_diacritics 2`` does.
    """
    return [(fold(word[0]), word.start(), word.end()) for word in _WORD.finditer(text)]


def fold(word: str) -> str:
    """Return text in lower case and without accents; letters that fold to two (ß) stay one, as in FTS5."""
    if word.isascii():
        return word.lower()
    folded = "".join(one if len(one := letter.casefold()) == 1 else letter.lower() for letter in word)
    return "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
