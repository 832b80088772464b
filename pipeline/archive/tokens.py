"""Words as the index has them, but for stemming. Pure text; touches no database."""

from __future__ import annotations

import re
import unicodedata

# An accent may be a character of its own, and is part of the word then.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")


def folded_words(text: str) -> list[tuple[str, int, int]]:
    """Return a text's words as the index sees them but for stemming, each with its character span.

    Letters are compared without case and accents, as FTS5's ``unicode61 remove_diacritics 2`` does.
    """
    return [(fold(word[0]), word.start(), word.end()) for word in _WORD.finditer(text)]


def fold(word: str) -> str:
    """Return text without capitals and accents; letters that fold to two, as ß does, stay one, as in the index."""
    if word.isascii():
        return word.lower()
    folded = "".join(one if len(one := letter.casefold()) == 1 else letter.lower() for letter in word)
    return "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
