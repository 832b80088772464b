"""Tokenising text as FTS5 does, but without stemming. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import islice

from pipeline.archive import numbers

# Combining accents are part of the word.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")

_PERCENT = ("%", " %", "\u00a0%", "\u202f%")
_PARTS = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")  # most of a long text takes no care


def folded_words(text: str) -> list[tuple[str, int, int]]:
    """Return a text's words as FTS5 tokenises them, unstemmed, each with its character span.

    Letters are compared without case and accents, as FTS5's ``unicode61 remove_diacritics 2`` does.
    """
    return [(fold(word[0]), word.start(), word.end()) for word in _WORD.finditer(text)]


def has_more_words(number: int, text: str, begin: int, end: int) -> bool:
    """Tell whether more than so many words stand in a part of a text, however long that is."""
    return next(islice(_WORD.finditer(text, begin, end), number, None), None) is not None


def quoted_words(text: str) -> list[tuple[str, int, int]]:
    """Return the same with the percent sign as a part of its figure: “20% of” and “20 % of” are not “20 of”."""
    return [
        (f"{word}%", begin, text.index("%", end) + 1) if text.startswith(_PERCENT, end) else (word, begin, end)
        for word, begin, end in folded_words(text)
    ]


def as_said(text: str, *, as_typed: bool = False, inflected: bool = False) -> str:
    """Return a regular expression that finds the words of ``text``, whole, in folded text.

    A number is found whole as well: no 6 in 2.6, no 400,000 in 1,400,000, no four in twenty-four.

    Args:
        text: at least one word.
        as_typed: it is what was typed, and not another spelling of it: “five” is found in “five million”, which says
            it, but for “5” that is another number.
        inflected: allow the plural, as in 2020s and twenties.
    """
    words = [word for word, _, _ in quoted_words(text)]
    before, after = numbers.begins(words[0]), numbers.ends(words[-1])
    if not as_typed and (words[-1][-1].isdigit() or words[-1] in numbers.NUMBERS):
        after += numbers.BEFORE_SCALE
    *others, last = (re.escape(word).replace("%", r"\s?%") for word in words)
    if inflected:
        last = f"{last[:-1]}(?:y|ies)" if words[-1] in numbers.TENS else f"{last}(?:e?s)?"
    if before:  # only where the word is: looking back is slow
        before = f"(?={re.escape(words[0])[:-1]}){before}"
    together = r"[\W_]+".join([*others, last])
    return rf"(?<![^\W_]){before}{together}(?![^\W_]){after}"


def begins_in_number(text: str, begin: int, word: str) -> bool:
    """Tell whether a folded word at ``begin`` goes on with a number, as “6 million” does in “2.6 million”."""
    begins = numbers.begins(word)
    return bool(begins) and not re.compile(begins, re.IGNORECASE).match(text, begin)


def ends_in_number(text: str, end: int, word: str) -> bool:
    """Tell whether a number goes on after a folded word that ends at ``end``, as after “1” in “1.4”."""
    ends = numbers.ends(word)
    return bool(ends) and not re.compile(ends, re.IGNORECASE).match(text, end)


def fold(word: str) -> str:
    """Return text in lower case and without accents; letters that fold to two (ß) stay one, as in FTS5."""
    if word.isascii():
        return word.lower()
    return "".join(part.lower() if part.isascii() else _unaccented(part) for part in _PARTS.findall(word))


@lru_cache(maxsize=10_000)
def _unaccented(letters: str) -> str:
    folded = "".join(one if len(one := letter.casefold()) == 1 else letter.lower() for letter in letters)
    return "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
