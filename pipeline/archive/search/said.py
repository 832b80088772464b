"""Where a text has what is searched for, exactly: the index has false positives. Pure text; touches no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.archive.tokens import begins_in_number, ends_in_number, quoted_words

Ways = Sequence[tuple[str, ...]]  # the words of a piece of a phrase in each of its spellings


def phrases(pieces: Sequence[Ways], text: str) -> Iterator[tuple[int, int]]:
    """Yield the character spans of a phrase in a text, word for word."""
    words = quoted_words(text)
    said = [word for word, _, _ in words]
    opening = {way[0] for way in pieces[0]}
    for first, word in enumerate(said):
        if word in opening and (end := _end(pieces, said, first)):
            (_, begun, _), (last, _, ended) = words[first], words[end - 1]
            if not begins_in_number(text, begun, word) and not ends_in_number(text, ended, last):
                yield begun, ended


def _end(pieces: Sequence[Ways], said: Sequence[str], begin: int) -> int:
    """Where a phrase ends that begins at this word; 0 if none does."""
    ends = {begin}
    for ways in pieces:
        ends = {end + len(way) for end in ends for way in ways if tuple(said[end : end + len(way)]) == way}
    return max(ends, default=0)


def words_of(spellings: Sequence[Sequence[str]]) -> list[Ways]:
    """Return the folded words of a phrase's pieces."""
    return [[tuple(word for word, _, _ in quoted_words(text)) for text in ways] for ways in spellings]
