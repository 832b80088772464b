"""Finding words in single segments: ranked, by date, or newest first if there are too many to rank."""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

from pipeline.archive.search.hits import Order, Position
from pipeline.archive.search.query import Query
from pipeline.archive.search.scope import Place, Scope
from pipeline.archive.tokens import fold

MANY = 5_000  # hits; ranking more is slow, and nobody reads that far
EPISODES = 500  # searched for one page if there are too many hits to count
_BEGINNINGS = 100_000  # prefix hits that are read at once
_READ = 5_000  # candidate segments of a prefix that are read for one page
_FEW = 200  # segments up to which reading the text is faster than another index query
_SAMPLE, _COMMON = 500, 100_000  # occurrences from which a word’s number is estimated, and from which it is common


@dataclass(frozen=True, slots=True)
class Found:
    """The segments of one page; the other fields are those of ``Results``.

    ``few`` is true if all matching segments of the archive were read, in scope or not.
    """

    segments: tuple[int, ...]
    total: int
    exact: bool
    order: Order
    more: bool
    searched: int | None = None
    resume: int | None = None  # the last segment that was looked at, where it is none of those found
    few: bool = False


def matching(cursor: sqlite3.Cursor, match: str, limit: int) -> list[int]:
    """Return the first so many segments that fit an FTS5 expression, by id."""
    rows = cursor.execute("select rowid from segments_fts where segments_fts match ? limit ?", [match, limit])
    return [segment for (segment,) in rows]


def find(scope: Scope, query: Query, order: Order, at: Position, size: int) -> Found:
    """Find the segments of one page."""
    if order == "relevance" and at == Position() and query.is_one_word and scope.is_everything:
        number, is_all = _counted(scope.cursor, query.match)
        if number <= MANY and is_all:
            return _best(scope.cursor, query, number, size)
    frequencies = _frequencies(scope.cursor, query) if order == "relevance" or query.is_checked else {}
    estimated = _estimated(scope.cursor, query, frequencies)
    ranked = order == "relevance" and max(frequencies.values()) <= _COMMON and estimated <= MANY
    if query.is_checked and estimated > _BEGINNINGS:
        return _walk(scope, query, order, at, size)
    if ranked:
        segments = _ranked(scope.cursor, query.match, MANY + 1)
    else:
        segments = matching(scope.cursor, query.match, (_BEGINNINGS if query.is_checked else MANY) + 1)
    if len(segments) > MANY:
        found = _walk(scope, query, order, at, size, known=segments if query.is_checked and not ranked else None)
        if found.exact or query.is_checked or not scope.is_everything:
            return found
        return replace(found, total=max(found.total, len(scope.kept(segments[:MANY]))))
    ordered = verified(scope.cursor, query, scope.kept(segments))
    if order != "relevance":
        ordered = scope.by_date(ordered, oldest=order == "oldest")
    elif not ranked:
        ordered = _best_first(scope.cursor, query, frequencies, ordered)
    begin = (at.page - 1) * size
    if at.segment in ordered:
        begin = ordered.index(at.segment) + 1
    page = tuple(ordered[begin : begin + size])
    return Found(page, len(ordered), exact=True, order=order, more=begin + size < len(ordered), few=True)


def _best(cursor: sqlite3.Cursor, query: Query, number: int, size: int) -> Found:
    """The first page for a single word with everything in scope: only that page needs to be sorted."""
    misfits = _misfits(cursor, query, _doubtful(cursor, query, 0, _last(cursor))) if query.is_checked else set[int]()
    sql = "select rowid from segments_fts where segments_fts match ? order by bm25(segments_fts), rowid desc limit ?"
    ranked = cursor.execute(sql, [query.match, size + len(misfits)])
    page = [one for (one,) in ranked if one not in misfits][:size]
    total = number - len(misfits)
    return Found(tuple(page), total, exact=True, order="relevance", more=total > size, few=True)


def everything(scope: Scope, query: Query, order: Order, at: Position, size: int) -> Found:
    """Find the segments of one page where no words are asked for, only who speaks, where, or about which question.

    Words may be left out.
    """
    return _walk(scope, Query(excluded=query.excluded), order, at, size)


def within(
    scope: Scope, match: str | None, place: Place, *, without: str = "", beyond: int = 0, limit: int = -1
) -> list[int]:
    """Return the segments of one transcript in scope that fit an FTS5 expression, in order of time.

    Args:
        scope: what else must hold of a segment.
        match: the expression; None for all segments.
        place: the transcript.
        without: an expression to exclude, used only without ``match`` (which contains its own exclusions).
        beyond: only segments with a greater id.
        limit: maximum number; -1 for all.
    """
    conditions, values = scope.segment_sql
    first = max(place.first, beyond + 1)
    if match is None:
        if without:
            unwanted = "select rowid from segments_fts where segments_fts match ? and rowid between ? and ?"
            conditions += f" and s.id not in ({unwanted})"
            values += [without, first, place.last]
        sql = (
            f"select s.id from segments s where s.id between ? and ? and s.text != ''{conditions} order by s.id limit ?"
        )
        return [one for (one,) in scope.cursor.execute(sql, [first, place.last, *values, limit])]
    hits = "select rowid from segments_fts where segments_fts match ? and rowid between ? and ?"
    if conditions:
        hits = f"select s.id from ({hits}) h cross join segments s on s.id = h.rowid where 1{conditions}"
    sql = f"{hits} limit ?"
    return [one for (one,) in scope.cursor.execute(sql, [match, first, place.last, *values, limit])]


def _walk(
    scope: Scope, query: Query, order: Order, at: Position, size: int, *, known: list[int] | None = None
) -> Found:
    """Search episode by episode, newest or oldest first, until the page is full.

    ``known`` are all matching segments by id, if they were read already: a prefix query is expanded by FTS5 anew each
    time, so it must not be repeated per episode.
    """
    if known is not None and len(known) > _BEGINNINGS:
        known = None
    begun = scope.place_of(at.segment) if at.segment is not None else None
    skipped = 0 if begun else (at.page - 1) * size
    wanted = skipped + size
    found: list[int] = []
    places = scope.places(after=begun, oldest=order == "oldest")
    looked, read, last = 0, 0, None
    reach = 1 if begun else at.page  # a page asked for by its number is reached through all before it
    for place in islice(places, EPISODES * reach):
        looked, last = looked + 1, place
        beyond = at.segment if place == begun and at.segment else 0
        if known is None:
            limit = -1 if query.is_checked else wanted + 1 - len(found)
            some = within(scope, query.match or None, place, without=query.excluded, beyond=beyond, limit=limit)
        else:
            first = bisect_left(known, max(place.first, beyond + 1))
            some = scope.kept(known[first : bisect_right(known, place.last)])
        found += verified(scope.cursor, query, some)
        read += len(some) if query.is_checked else 0
        if len(found) > wanted or read > _READ * reach:
            break
    full = len(found) > wanted
    cut = not full and next(places, None) is not None
    before = (at.page - 1) * size - skipped
    return Found(
        tuple(found[skipped:wanted]),
        before + len(found),
        exact=not full and not cut,
        order="oldest" if order == "oldest" else "newest",
        more=full or cut,
        searched=looked if cut else None,
        resume=last.last if cut and last else None,
    )


def verified(cursor: sqlite3.Cursor, query: Query, segments: Sequence[int]) -> list[int]:
    """Return the segments, in their order, whose text passes the checks of at least one alternative."""
    if not segments or not query.is_checked:
        return list(segments)
    first, last = min(segments), max(segments)
    if len(segments) > _FEW:  # few are rather read than the index asked once more
        doubtful = set(segments).intersection(_doubtful(cursor, query, first, last))
    else:
        others = " OR ".join(one.match for one in query.alternatives if not any(term.check for term in one.terms))
        doubtful = set(segments).difference(_between(cursor, others, first, last) if others else ())
    misfits = _misfits(cursor, query, doubtful)
    return [one for one in segments if one not in misfits]


def _doubtful(cursor: sqlite3.Cursor, query: Query, first: int, last: int) -> Collection[int]:
    """Matching segments from ``first`` to ``last`` whose text must be checked."""
    return _between(cursor, f"({query.match}) NOT ({query.surely})", first, last)


def _between(cursor: sqlite3.Cursor, match: str, first: int, last: int) -> Collection[int]:
    sql = "select rowid from segments_fts where segments_fts match ? and rowid between ? and ?"
    return [segment for (segment,) in cursor.execute(sql, [match, first, last])]


def _misfits(cursor: sqlite3.Cursor, query: Query, segments: Collection[int]) -> set[int]:
    """The segments that are false positives: their text fails the checks of every alternative that they match."""
    checked = [one for one in query.alternatives if any(term.check for term in one.terms)]
    if not checked or not segments:
        return set()
    sql = "select id, text from segments where id in (select value from json_each(?))"
    texts = {one: fold(text) for one, text in cursor.execute(sql, [json.dumps(list(segments))])}
    misfits = set(texts)
    for side in checked:
        wanted = [re.compile(term.check) for term in side.terms if term.check]
        fit = {one for one in misfits if all(check.search(texts[one]) for check in wanted)}
        # With one side alone, or where nothing else is asked for, it is known that they fit.
        if fit and len(query.alternatives) > 1 and (len(wanted) < len(side.terms) or side.excluded):
            fit.intersection_update(_between(cursor, side.match, min(fit), max(fit)))
        misfits -= fit
    return misfits


def _frequencies(cursor: sqlite3.Cursor, query: Query) -> dict[str, float]:
    """The document frequency of each term; for common terms extrapolated from their first occurrences."""
    last = _last(cursor)
    sql = "select count(*), max(rowid) from (select rowid from segments_fts where segments_fts match ? limit ?)"
    found = {}
    for term in {term.fts for alternative in query.alternatives for term in alternative.terms}:
        number, reached = cursor.execute(sql, [term, _SAMPLE]).fetchone()
        found[term] = number if number < _SAMPLE else _SAMPLE / reached * last
    return found


def _estimated(cursor: sqlite3.Cursor, query: Query, frequencies: Mapping[str, float]) -> float:
    """The estimated number of matches, assuming that terms occur independently; 0 if unknown."""
    last = max(_last(cursor), 1)
    sides = ([frequencies.get(term.fts, 0) / last for term in alternative.terms] for alternative in query.alternatives)
    return last * sum(map(prod, sides))


def _last(cursor: sqlite3.Cursor) -> int:
    (last,) = cursor.execute("select max(id) from segments").fetchone()
    return last or 0


def _counted(cursor: sqlite3.Cursor, match: str) -> tuple[int, bool]:
    """The number of segments that match, counted up to ``MANY`` + 1, and whether all transcripts are preferred."""
    sql = """select count(*),
            not exists (select 1 from transcripts where preferred = 0 and first_segment is not null)
        from (select 1 from segments_fts where segments_fts match ? limit ?)"""
    number, is_all = cursor.execute(sql, [match, MANY + 1]).fetchone()
    return int(number), bool(is_all)


def _ranked(cursor: sqlite3.Cursor, match: str, limit: int) -> list[int]:
    """The first ``limit`` segments that match, best (BM25) first; ties are broken by the newer id."""
    sql = """select rowid from (select rowid, rank as score from segments_fts where segments_fts match ? limit ?)
        order by score, rowid desc"""
    return [segment for (segment,) in cursor.execute(sql, [match, limit])]


def _best_first(
    cursor: sqlite3.Cursor, query: Query, frequencies: Mapping[str, float], segments: Sequence[int]
) -> list[int]:
    """Rank segments for a query with common words, best first.

    FTS5 reads all occurrences of a term to rank it. Very common terms contribute next to nothing, so if there is a rare
    term beside them, only the rarer terms are ranked.
    """
    sides, is_all = [], not query.excludes
    for alternative in query.alternatives:
        rarer = [term.fts for term in alternative.terms if frequencies[term.fts] <= _COMMON]
        rare = rarer and min(frequencies[fts] for fts in rarer) <= MANY
        sides.append(f"({' AND '.join(rarer)})" if rare else alternative.match)
        is_all = is_all and (not rare or len(rarer) == len(alternative.terms))
    match = query.match if is_all else " OR ".join(sides)
    wanted = set(segments)
    return [segment for segment in _ranked(cursor, match, -1) if segment in wanted]
