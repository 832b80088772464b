"""Where a text has what is searched for, exactly: the index has false positives. Pure text; touches no database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pipeline.archive.money import is_otherwise_paid
from pipeline.archive.search.terms import Term
from pipeline.archive.tokens import begins_in_number, ends_in_number, fold, folded_words, quoted_words

Ways = Sequence[tuple[str, ...]]  # the words of a piece of a phrase in each of its spellings


def places(term: Term, text: str) -> Iterator[tuple[int, int]]:
    """Yield the character spans of a word that has a check, or of a phrase."""
    return phrases(term, text) if term.exact else _words(term.check, text)


def _words(check: str, text: str) -> Iterator[tuple[int, int]]:
    """The whole words that a regular expression finds in the folded text."""
    folded = fold(text)
    is_same = text.isascii() or all(len(fold(letter)) == 1 for letter in set(text))
    origins = range(len(text)) if is_same else [n for n, letter in enumerate(text) for _ in fold(letter)]
    for found in re.finditer(rf"(?:{check})[^\W_]*", folded):
        end = found.end()
        yield origins[found.start()], origins[end] if end < len(folded) else len(text)


def phrases(phrase: Term, text: str, words: Sequence[tuple[str, int, int]] | None = None) -> Iterator[tuple[int, int]]:
    """Yield the character spans of a phrase in a text, word for word; ``words`` are the text’s, if they are known."""
    words = quoted_words(text) if words is None else words
    pieces = words_of(phrase.spellings)
    said = [word for word, _, _ in words]
    opening = {way[0] for way in pieces[0]}
    for first, word in enumerate(said):
        if word in opening and (end := _end(pieces, said, first)):
            (_, begun, _), (last, _, ended) = words[first], words[end - 1]
            goes_on = begins_in_number(text, begun, word) or ends_in_number(text, ended, last)
            if not goes_on and not is_otherwise_paid(phrase.signs, text, begun, ended):
                yield begun, ended


def _end(pieces: Sequence[Ways], said: Sequence[str], begin: int) -> int:
    """Where a phrase ends that begins at this word; 0 if none does."""
    ends = {begin}
    for ways in pieces:
        ends = {end + len(way) for end in ends for way in ways if tuple(said[end : end + len(way)]) == way}
        if not ends:
            return 0
    return max(ends)


@lru_cache(maxsize=100)
def words_of(spellings: tuple[tuple[str, ...], ...], *, folded: bool = True) -> tuple[Ways, ...]:
    """Return the words of a phrase’s pieces; unless they are ``folded``, as typed and without the percent sign."""
    if folded:
        return tuple([tuple(word for word, _, _ in quoted_words(way)) for way in ways] for ways in spellings)
    return tuple([tuple(way[begin:end] for _, begin, end in folded_words(way)) for way in ways] for ways in spellings)
