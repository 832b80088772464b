"""Tokenising text as FTS5 does, but without stemming. Pure functions."""

from __future__ import annotations

import re
import unicodedata

# Combining accents are part of the word.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")

_FIGURE_BEFORE, _FIGURE_AFTER = re.compile(r"[0-9][.,]$"), re.compile(r"[.,][0-9]")


def folded_words(text: str) -> list[tuple[str, int, int]]:
    """Return a text's words as FTS5 tokenises them, unstemmed, each with its character span.

    Letters are compared without case and accents, as FTS5's ``unicode61 remove_diacritics 2`` does.
    """
    return [(fold(word[0]), word.start(), word.end()) for word in _WORD.finditer(text)]


def quoted_words(text: str) -> list[tuple[str, int, int]]:
    """Return the same with the percent sign as a part of its figure: “20% of them” is not “20 of them”."""
    return [
        (f"{word}%", begin, end + 1) if text.startswith("%", end) else (word, begin, end)
        for word, begin, end in folded_words(text)
    ]


def as_said(text: str, *, inflected: bool = False) -> str:
    """Return a regular expression that finds the words of ``text``, whole, in folded text.

    A figure is found whole as well: no 6 in 2.6, and no 400,000 in 1,400,000.

    Args:
        text: at least one word.
        inflected: allow a final s, as in 2020s.
    """
    words = [word for word, _, _ in quoted_words(text)]
    before = r"(?<![0-9][.,])" if words[0][0].isdigit() else ""
    after = r"(?![.,][0-9])" if words[-1][-1].isdigit() else ""
    together = r"[\W_]+".join(map(re.escape, words)) + ("s?" if inflected else "")
    return rf"(?<![^\W_]){before}{together}(?![^\W_]){after}"


def begins_in_figure(text: str, begin: int) -> bool:
    """Tell whether a word that begins at ``begin`` goes on with a figure, as “6 million” does in “2.6 million”."""
    return text[begin].isdigit() and _FIGURE_BEFORE.search(text, max(0, begin - 2), begin) is not None


def ends_in_figure(text: str, end: int) -> bool:
    """Tell whether a figure goes on after a word that ends at ``end``, as after “1” in “1.4”."""
    return text[end - 1].isdigit() and _FIGURE_AFTER.match(text, end) is not None


def fold(word: str) -> str:
    """Return text in lower case and without accents; letters that fold to two (ß) stay one, as in FTS5."""
    if word.isascii():
        return word.lower()
    folded = "".join(one if len(one := letter.casefold()) == 1 else letter.lower() for letter in word)
    return "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
