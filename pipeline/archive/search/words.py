"""Finding words in single segments: ranked, by date, or newest first if there are too many to rank."""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import prod

from pipeline.archive.search.near import near
from pipeline.archive.search.paging import Page, Position, Span, Wanted, walk
from pipeline.archive.search.query import Alternative, Query
from pipeline.archive.search.said import places
from pipeline.archive.search.scope import Place, Scope
from pipeline.archive.tokens import fold

MANY = 5_000  # hits; ranking more is slow, and nobody reads that far
EPISODES = 500  # searched for one page if there are too many hits to count
_BEGINNINGS = 100_000  # prefix hits that are read at once
_FEW = 200  # segments up to which reading the text is faster than another index query
_SAMPLE, _COMMON = 500, 100_000  # occurrences from which a word’s number is estimated, and from which it is common


def matching(cursor: sqlite3.Cursor, match: str, limit: int) -> list[int]:
    """Return the first so many segments that fit an FTS5 expression, by id."""
    rows = cursor.execute("select rowid from segments_fts where segments_fts match ? limit ?", [match, limit])
    return [segment for (segment,) in rows]


def find(scope: Scope, query: Query, wanted: Wanted) -> Page:
    """Find the segments of one page; here it is decided in which way."""
    cursor, by_rank = scope.cursor, wanted.order == "relevance"
    if not query.match:  # only who speaks, where, or about which question
        return _walk(scope, query, wanted)
    if by_rank and wanted.at == Position() and query.is_one_word and scope.is_everything:
        number, is_all = _counted(cursor, query.match)
        if number <= MANY and is_all:
            return _best(cursor, query, wanted, number)
    frequencies = _frequencies(cursor, query) if by_rank or query.is_checked else {}
    estimated = _estimated(cursor, query, frequencies)
    if query.is_checked and estimated > _BEGINNINGS:
        return _walk(scope, query, wanted)
    if by_rank and estimated <= MANY and max(frequencies.values()) <= _COMMON:
        return _as_ranked(scope, query, wanted)
    return _as_read(scope, query, wanted, frequencies)


def _best(cursor: sqlite3.Cursor, query: Query, wanted: Wanted, number: int) -> Page:
    """The first page for a single word with everything in scope: only that page needs to be sorted."""
    misfits = _misfits(cursor, query, _doubtful(cursor, query, 0, _last(cursor))) if query.is_checked else set[int]()
    sql = "select rowid from segments_fts where segments_fts match ? order by bm25(segments_fts), rowid desc limit ?"
    ranked = cursor.execute(sql, [query.match, wanted.size + len(misfits)])
    page = [one for (one,) in ranked if one not in misfits][: wanted.size]
    return _page(page, wanted, 0, number - len(misfits))


def _as_ranked(scope: Scope, query: Query, wanted: Wanted) -> Page:
    """The best first, as FTS5 ranks them."""
    segments = _ranked(scope.cursor, query.match, MANY + 1)
    if len(segments) > MANY:
        return _of_many(scope, query, wanted, segments)
    return _listed(verified(scope.cursor, query, scope.kept(segments)), wanted)


def _as_read(scope: Scope, query: Query, wanted: Wanted, frequencies: Mapping[str, float]) -> Page:
    """All of them read, and then sorted: by date, or by their rarer words."""
    segments = matching(scope.cursor, query.match, (_BEGINNINGS if query.is_checked else MANY) + 1)
    if len(segments) > MANY:
        return _of_many(scope, query, wanted, segments, by_id=True)
    fitting = verified(scope.cursor, query, scope.kept(segments))
    if wanted.order == "relevance":
        return _listed(_best_first(scope.cursor, query, frequencies, fitting), wanted)
    return _listed(scope.by_date(fitting, oldest=wanted.oldest), wanted)


def _of_many(scope: Scope, query: Query, wanted: Wanted, segments: Sequence[int], *, by_id: bool = False) -> Page:
    """The newest or the oldest of more than can be sorted; ``segments`` are what was read until they were too many."""
    if query.is_checked:
        return _walk(scope, query, wanted, known=segments if by_id else ())
    page = _walk(scope, query, wanted)
    if page.exact or not scope.is_everything:
        return page
    return replace(page, total=max(page.total, len(scope.kept(segments[:MANY]))))


def _listed(ordered: Sequence[int], wanted: Wanted) -> Page:
    """A page of segments of which all are known, in their order."""
    begin = (wanted.at.page - 1) * wanted.size
    if wanted.at.segment in ordered:
        begin = ordered.index(wanted.at.segment) + 1
    return _page(ordered[begin : begin + wanted.size], wanted, begin, len(ordered))


def _page(segments: Sequence[int], wanted: Wanted, begin: int, total: int) -> Page:
    following = wanted.at.following(segments[-1]) if begin + wanted.size < total else None
    return Page(tuple(map(Span.of, segments)), total, exact=True, order=wanted.order, next=following, few=True)


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


def _walk(scope: Scope, query: Query, wanted: Wanted, *, known: Sequence[int] = ()) -> Page:
    """Search episode by episode, newest or oldest first, until the page is full.

    ``known`` are all matching segments by id, if they were read already: a prefix query is expanded by FTS5 anew each
    time, so it must not be repeated per episode.
    """
    begun = scope.place_of(wanted.at.segment)
    known = () if len(known) > _BEGINNINGS else known

    def look(place: Place, after: Position, number: int) -> tuple[list[Span], int]:
        beyond = after.segment or 0
        if known:
            first = bisect_left(known, max(place.first, beyond + 1))
            some = scope.kept(known[first : bisect_right(known, place.last)])
        else:
            limit = -1 if query.is_checked else number
            some = within(scope, query.match or None, place, without=query.surely_excluded, beyond=beyond, limit=limit)
        fits = verified(scope.cursor, query, some)
        return [Span.of(one) for one in fits], len(some) if query.is_checked else 0

    page = walk(scope.places(after=begun, oldest=wanted.oldest), look, wanted, begun, most=EPISODES)
    # Of the last episode no more is read than the page takes: if that is full, nobody knows how much there is.
    return replace(page, exact=page.next is None)


def verified(cursor: sqlite3.Cursor, query: Query, segments: Sequence[int]) -> list[int]:
    """Return the segments, in their order, whose text passes the checks of at least one alternative."""
    if not segments or not query.is_checked:
        return list(segments)
    first, last = min(segments), max(segments)
    if len(segments) > _FEW:  # few are rather read than the index asked once more
        doubtful = set(segments).intersection(_doubtful(cursor, query, first, last))
    else:
        others = " OR ".join(one.match for one in query.alternatives if not one.is_doubtful)
        doubtful = set(segments).difference(_between(cursor, others, first, last) if others else ())
    misfits = _misfits(cursor, query, doubtful)
    return [one for one in segments if one not in misfits]


def _doubtful(cursor: sqlite3.Cursor, query: Query, first: int, last: int) -> Collection[int]:
    """Matching segments from ``first`` to ``last`` whose text must be checked."""
    # Without words to find, those that may have what is excluded.
    match, surely = (query.match, query.surely) if query.match else (query.excluded, query.surely_excluded)
    return _between(cursor, f"({match}) NOT ({surely})" if surely else match, first, last)


def _between(
    cursor: sqlite3.Cursor, match: str, first: int, last: int, *, index: str = "segments_fts"
) -> Collection[int]:
    sql = f"select rowid from {index} where {index} match ? and rowid between ? and ?"
    return [segment for (segment,) in cursor.execute(sql, [match, first, last])]


def _misfits(cursor: sqlite3.Cursor, query: Query, segments: Collection[int]) -> set[int]:
    """The segments that are false positives: their text fails the checks of every alternative that they match."""
    sides = [one for one in query.alternatives or [Alternative(excluded=query.unwanted)] if one.is_doubtful]
    if not sides or not segments:
        return set()
    sql = "select id, text from segments where id in (select value from json_each(?))"
    misfits = dict(cursor.execute(sql, [json.dumps(list(segments))]).fetchall())
    for side in sides:
        # With one side alone it is known that they match it.
        for one in fitting(cursor, side, misfits, is_known=len(query.alternatives) <= 1):
            del misfits[one]
    return set(misfits)


def fitting(
    cursor: sqlite3.Cursor,
    side: Alternative,
    texts: Mapping[int, str],
    *,
    index: str = "segments_fts",
    is_known: bool = False,
) -> set[int]:
    """Return which rows of an index, given with their texts, have all terms of an alternative and nothing it excludes.

    ``is_known`` says that they match its expression.
    """
    fit, checks = set(texts), [re.compile(term.check) for term in side.terms if term.check]
    if checks:
        folded = ((one, fold(text)) for one, text in texts.items())
        fit = {one for one, text in folded if all(check.search(text) for check in checks)}
    is_enough = len(checks) == len(side.terms) and all(one.is_doubtful for one in side.excluded)
    if fit and not is_known and not is_enough:
        fit.intersection_update(_between(cursor, side.match, min(fit), max(fit), index=index))
    for term in side.terms:
        if term.exact:
            fit = {one for one in fit if any(places(term, texts[one]))}
        elif term.near:
            fit = {one for one in fit if any(near(cursor, term, texts[one], one, index=index))}
    for other in side.excluded:
        if other.is_doubtful:
            fit -= fitting(cursor, other, {one: texts[one] for one in fit}, index=index)
    return fit


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
