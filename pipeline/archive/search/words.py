"""Words found in single segments: ranked, by date, or – where there are too many to rank – newest first."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pipeline.archive.query import Query
from pipeline.archive.search.hits import Order, Position
from pipeline.archive.search.scope import Place, Scope

MANY = 5_000  # hits; to rank more takes too long, and nobody reads so far
EPISODES = 500  # looked through for one page where hits are too many to be counted
_BEGINNINGS = 100_000  # hits of beginnings of words that are read at once
_SAMPLE, _COMMON = 500, 20_000  # occurrences from which a word’s number is estimated, and from which it is common


@dataclass(frozen=True, slots=True)
class Found:
    """The segments of one page, and what ``Results`` says of them."""

    segments: tuple[int, ...]
    total: int
    exact: bool
    order: Order
    more: bool
    searched: int | None = None


def matching(cursor: sqlite3.Cursor, match: str, limit: int) -> list[int]:
    """Return the first so many segments that fit an FTS5 expression, by id."""
    rows = cursor.execute("select rowid from segments_fts where segments_fts match ? limit ?", [match, limit])
    return [segment for (segment,) in rows]


def find(scope: Scope, query: Query, order: Order, at: Position, size: int) -> Found:
    """Find the segments of one page."""
    segments = matching(scope.cursor, query.match, MANY + 1)
    if len(segments) > MANY:
        return _walk(scope, query.match, order, at, size)
    kept = scope.kept(segments)
    if order == "relevance":
        ranks = _ranks(scope.cursor, query, kept)
        ordered = sorted(kept, key=lambda one: (ranks[one], -one))
    else:
        ordered = scope.by_date(kept, oldest=order == "oldest")
    begin = (at.page - 1) * size
    if at.segment in ordered:
        begin = ordered.index(at.segment) + 1
    page = tuple(ordered[begin : begin + size])
    return Found(page, len(kept), exact=True, order=order, more=begin + size < len(kept))


def everything(scope: Scope, order: Order, at: Position, size: int) -> Found:
    """Find the segments of one page where no words are asked for, only who speaks, where, or about which question."""
    return _walk(scope, None, order, at, size)


def within(scope: Scope, match: str | None, place: Place, *, beyond: int = 0, limit: int = -1) -> list[int]:
    """Return the segments of one transcript in scope that fit an FTS5 expression, in order of time.

    Args:
        scope: what else must hold of a segment.
        match: the expression; None for all segments.
        place: the transcript.
        beyond: only segments after this one.
        limit: so many at most; -1 for all.
    """
    conditions, values = scope.segment_sql
    first = max(place.first, beyond + 1)
    if match is None:
        sql = f"select s.id from segments s where s.id between ? and ?{conditions} order by s.id limit ?"
        return [one for (one,) in scope.cursor.execute(sql, [first, place.last, *values, limit])]
    hits = "select rowid from segments_fts where segments_fts match ? and rowid between ? and ?"
    if conditions:
        hits = f"select s.id from ({hits}) h cross join segments s on s.id = h.rowid where 1{conditions}"
    sql = f"{hits} limit ?"
    return [one for (one,) in scope.cursor.execute(sql, [match, first, place.last, *values, limit])]


def _walk(scope: Scope, match: str | None, order: Order, at: Position, size: int) -> Found:
    """Walk from episode to episode, the newest or the oldest first, until the page is full."""
    begun = scope.place_of(at.segment) if at.segment is not None else None
    skipped = (at.page - 1) * size if at.segment is None else 0
    found: list[int] = []
    places = scope.places(after=begun, oldest=order == "oldest")
    known = _beginning(scope, match) if match and '"*' in match else None
    looked = 0
    for place in islice(places, EPISODES):
        looked += 1
        beyond = at.segment if place == begun and at.segment else 0
        if known is None:
            found += within(scope, match, place, beyond=beyond, limit=skipped + size + 1 - len(found))
        else:
            first = bisect_left(known, max(place.first, beyond + 1))
            found += scope.kept(known[first : bisect_right(known, place.last)])
        if len(found) > skipped + size:
            break
    full = len(found) > skipped + size
    cut = not full and next(places, None) is not None
    before = (at.page - 1) * size - skipped
    least = MANY if match and scope.is_everything else 0
    return Found(
        tuple(found[skipped : skipped + size]),
        max(before + len(found), least),
        exact=not full and not cut,
        order="oldest" if order == "oldest" else "newest",
        more=full or cut,
        searched=looked if cut else None,
    )


def _beginning(scope: Scope, match: str) -> list[int] | None:
    """The segments that fit an expression with beginnings of words, by id; None if they are too many to be read.

    To find a beginning FTS5 first puts together all words that begin so, which it would do again for each episode.
    """
    found = matching(scope.cursor, match, _BEGINNINGS + 1)
    return found if len(found) <= _BEGINNINGS else None


def _ranks(cursor: sqlite3.Cursor, query: Query, segments: Sequence[int]) -> dict[int, float]:
    """Return the BM25 score of each of these segments, the best lowest.

    To weigh a word FTS5 reads all of its occurrences. Common ones weigh next to nothing, so where there are rarer words
    beside them, these alone are weighed.
    """
    wanted = set(segments)
    for match in dict.fromkeys((_rare(cursor, query) if segments else query.match, query.match)):
        sql = "select rowid, rank from segments_fts where segments_fts match ? limit ?"
        rows = cursor.execute(sql, [match, 4 * MANY])
        ranks = {segment: rank for segment, rank in rows if segment in wanted}
        if len(ranks) == len(wanted):
            break
    return ranks


def _rare(cursor: sqlite3.Cursor, query: Query) -> str:
    """The query without its common words, unless nothing would be left of one side of an OR."""
    (last,) = cursor.execute("select max(id) from segments").fetchone()
    if (last or 0) <= _COMMON or all(len(alternative.terms) == 1 for alternative in query.alternatives):
        return query.match
    sides = []
    for alternative in query.alternatives:
        rare = [term.fts for term in alternative.terms if not _is_common(cursor, term.fts, last)]
        sides.append(f"({' AND '.join(rare)})" if rare else alternative.match)
    return " OR ".join(sides)


def _is_common(cursor: sqlite3.Cursor, match: str, last: int) -> bool:
    """Tell whether a word is in many of all segments, judging by how soon it has been in some."""
    sample = matching(cursor, match, _SAMPLE)
    return len(sample) == _SAMPLE and _SAMPLE / sample[-1] * last > _COMMON
