"""Finding words near each other in a text: where they are by the index, or by the text where the index is not exact."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from heapq import merge

from pipeline.archive.search.marks import highlit, unmarked
from pipeline.archive.search.said import places
from pipeline.archive.search.terms import Term
from pipeline.archive.tokens import has_more_words


def near(cursor: sqlite3.Cursor, term: Term, text: str, row: int, *, index: str) -> Iterator[tuple[int, int]]:
    """Yield the character spans of a NEAR term, from the first to the last of its words.

    ``text`` is that of a row of an index.
    """
    found = Counter[tuple[tuple[int, int], ...]]()
    for part, times in Counter(term.parts).items():
        spans = {place for one in part if one.is_doubtful for place in places(one, text)}
        if known := [one.fts for one in part if not one.is_doubtful]:
            sql = f"select {highlit(index)} from {index} where {index} match ? and rowid = ?"
            for (marked,) in cursor.execute(sql, [" OR ".join(known), row]):
                spans.update(unmarked(marked)[1])
        if not spans:
            return
        found[tuple(sorted(spans))] += times  # a word that is asked for twice has to be said twice
    yield from _together(text, found, term.near)


def _together(text: str, places: Mapping[tuple[tuple[int, int], ...], int], distance: int) -> Iterator[tuple[int, int]]:
    """Yield minimal, disjoint character spans that contain a match of every operand.

    Args:
        text: the whole text.
        places: for each operand the sorted spans of its matches, and how many of them are required.
        distance: maximum number of words between the first and the last match.
    """
    latest = {kind: deque[tuple[int, int]](maxlen=wanted) for kind, wanted in places.items()}
    for place, kind in merge(*([(place, kind) for place in kind] for kind in places)):
        latest[kind].append(place)
        held = [one for kept in latest.values() for one in kept]
        if len(held) < sum(places.values()):
            continue
        first, last = min(held), max(held)
        if not has_more_words(distance, text, first[1], last[0]):
            yield first[0], max(end for _, end in held)
            for kept in latest.values():
                kept.clear()
