"""Finding phrases and NEAR expressions in whole transcripts, since they may span several segments.

The index of whole transcripts tells which episodes match; the position within an episode is found in its segments.
"""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import accumulate, islice

from pipeline.archive.database import plain_rows
from pipeline.archive.search import said
from pipeline.archive.search.near import near
from pipeline.archive.search.paging import Page, Position, Span, Wanted, walk
from pipeline.archive.search.query import Alternative, Query
from pipeline.archive.search.said import Ways, words_of
from pipeline.archive.search.scope import Place, Scope
from pipeline.archive.search.terms import SPELLINGS, Term
from pipeline.archive.search.words import fitting, verified, within
from pipeline.archive.tokens import quoted_words

EPISODES = 200  # searched for one page
_TRIED, _ONE_IN = 10, 5  # minimum of transcripts probed one by one; probing goes on while one in so many matches
_FEW = 20  # candidate segments of an episode up to which no narrower index query is made
_OPENING = 6  # leading words of a phrase that are looked up in the index before all of it is compared


def find(scope: Scope, query: Query, wanted: Wanted) -> Page:
    """Find the passages of one page."""
    begun = scope.place_of(wanted.at.segment)

    def look(place: Place, after: Position, _: int) -> tuple[list[Span], int]:
        beyond = (after.segment or 0, after.begin)
        return [span for span in in_transcript(scope, query, place) if span[:2] > beyond], 0

    return walk(_holding(scope, query.match, begun, oldest=wanted.oldest), look, wanted, begun, most=EPISODES)


def _holding(scope: Scope, match: str, begun: Place | None, *, oldest: bool) -> Iterator[Place]:
    """Yield the transcripts that match an FTS5 expression, in order, starting with ``begun``.

    If many match, a page is soon full, and looking up all of them first would be slow; so they are probed one by one
    while many match. For a rare expression probing is slow, because FTS5 scans on to the next match, however far.
    """
    sql = "select rowid from transcripts_fts where transcripts_fts match ?"
    rows = plain_rows(scope.cursor.connection).execute(sql, [match])  # read on while the others are probed
    fits = [transcript for (transcript,) in islice(rows, _TRIED)]
    asked, holding, last = 0, 0, None
    if len(fits) == _TRIED and fits[-1] < _TRIED * _ONE_IN:
        for place in scope.places(after=begun, oldest=oldest):
            if asked >= _TRIED and holding * _ONE_IN < asked:
                break
            asked, last = asked + 1, place
            if _holds(scope.cursor, match, place):
                holding += 1
                yield place
    fits += [transcript for (transcript,) in rows]
    for place in scope.among(fits, oldest=oldest):
        is_asked = last is not None and not place.comes_after(last, oldest=oldest)
        if not is_asked and (begun is None or not begun.comes_after(place, oldest=oldest)):
            yield place


def in_transcript(scope: Scope, query: Query, place: Place) -> list[Span]:
    """Return the spans of one transcript that match the query, in order; their first segment must be in scope.

    Of nested spans only the longest is returned, and a phrase takes precedence over the whole segment it is in.
    """
    several = len(query.alternatives) > 1
    holding = [one for one in query.alternatives if not several or _holds(scope.cursor, one.match, place)]
    look: Callable[[Term], list[Span]] = partial(_places_of, scope, place)
    if several:
        look = cache(look)
    found = set[Span]()
    for one in holding:
        if not _is_fitting(scope.cursor, one, place):
            continue
        places = [(term.crosses, look(term)) for term in one.shown]
        if all(some for crosses, some in places if crosses):
            found.update(*(some for _, some in places))
    if scope.segment_sql[0] and found:
        inside = set(within(scope, None, place))
        found = {span for span in found if span.first in inside}
    quoted = {segment for span in found if not span.whole for segment in range(span.first, span.last + 1)}
    kept: list[Span] = []
    for span in sorted(found, key=lambda one: (one.first, one.begin, -one.last, -one.end)):
        if span.whole and span.first in quoted:
            continue
        if not kept or span.whole or (span.last, span.end) > (kept[-1].last, kept[-1].end):
            kept.append(span)
    return kept


def _is_fitting(cursor: sqlite3.Cursor, side: Alternative, place: Place) -> bool:
    """Tell whether a transcript has what is asked for beside quotations and NEAR, and nothing that is excluded."""
    if not side.excluded and all(term.crosses for term in side.terms):
        return True
    barring = tuple(one for one in side.excluded if one.is_doubtful and _holds(cursor, one.match, place))
    besides = Alternative(tuple(term for term in side.terms if not term.crosses), barring)
    if not besides.is_doubtful:
        return True
    text = " ".join(line for _, line in _lines(cursor, place))
    return bool(fitting(cursor, besides, {place.transcript: text}, index="transcripts_fts", is_known=True))


def _places_of(scope: Scope, place: Place, term: Term) -> list[Span]:
    if term.exact:
        return list(phrases(scope.cursor, term, place))
    if term.near:
        return list(_near(scope.cursor, term, place))
    alone = Query(match=term.fts, alternatives=(Alternative((term,)),))
    return [Span.of(one) for one in verified(scope.cursor, alone, within(scope, term.fts, place))]


def phrases(cursor: sqlite3.Cursor, phrase: Term, place: Place) -> Iterator[Span]:
    """Find a phrase in a transcript, word for word."""
    seen: set[Span] = set()
    anchors = _anchors(cursor, phrase.spellings, place)
    pieces = words_of(phrase.spellings)
    for anchor in _likely(cursor, pieces, anchors, place):
        for span in _phrases_about(cursor, phrase, anchor, place):
            if span not in seen:
                seen.add(span)
                yield span


def _anchors(cursor: sqlite3.Cursor, spellings: tuple[tuple[str, ...], ...], place: Place) -> list[int]:
    """Candidate segments: every occurrence of the phrase overlaps at least one of them."""
    sql = "select rowid from segments_fts where segments_fts match ? and rowid between ? and ? limit ?"
    typed = words_of(spellings, folded=False)
    longest = max(([max(way, key=len) for way in ways] for ways in typed), key=lambda words: min(map(len, words)))
    match = " OR ".join(f'"{word}"' for word in longest)  # rare, as a rule
    having = cursor.execute(sql, [match, place.first, place.last, _FEW + 1]).fetchall()
    if len(having) > _FEW:
        # The phrase lies within a segment, or the segment that it ends in begins with its last words.
        openings = _openings(typed)
        ends = (f'^"{" ".join(words[n:])}"' for words in openings for n in range(1, len(words)))
        match = " OR ".join([*(f'"{" ".join(words)}"' for words in openings), *ends])
        having = cursor.execute(sql, [match, place.first, place.last, -1]).fetchall()
    return [anchor for (anchor,) in having]


def _openings(typed: Sequence[Ways]) -> list[list[str]]:
    """The leading words of a phrase: fewer where they have many spellings."""
    openings = [list[str]()]
    for ways in typed:
        if openings[0] and len(openings) * len(ways) > SPELLINGS:
            break
        openings = [[*words, *way] for words in openings for way in ways]
        if min(map(len, openings)) >= _OPENING:
            break
    return [words[:_OPENING] for words in openings]


def _likely(cursor: sqlite3.Cursor, pieces: Sequence[Ways], anchors: Sequence[int], place: Place) -> list[int]:
    """Filter the anchors by a regular expression over their text and that of their neighbours.

    Text that is not ASCII, or whose neighbours are so short that the phrase may extend beyond them, always passes.
    """
    beside = {one for anchor in anchors for one in (anchor - 1, anchor, anchor + 1) if place.first <= one <= place.last}
    sql = "select id, text from segments where id in (select value from json_each(?))"
    texts = dict(cursor.execute(sql, [json.dumps(list(beside))]).fetchall())
    spelt = [[r"\W+".join(map(re.escape, way)) for way in ways] for ways in pieces]
    any_of = (ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})" for ways in spelt)
    phrase = re.compile(r"\b" + r"\W+".join(any_of) + r"(?!\w)")
    enough = re.compile(rf"(?:[^A-Za-z0-9]*[A-Za-z0-9]+(?![A-Za-z0-9])){{{_length(pieces) - 1}}}")  # plain words

    def may_be(anchor: int) -> bool:
        sides = [one for one in (anchor - 1, anchor + 1) if one in texts]
        if not all(enough.match(texts[one]) for one in sides):
            return True
        text = " ".join(texts[one] for one in (anchor - 1, anchor, anchor + 1) if one in texts)
        return not text.isascii() or phrase.search(text.lower().replace("_", " ")) is not None

    return [anchor for anchor in anchors if may_be(anchor)]


def _phrases_about(cursor: sqlite3.Cursor, phrase: Term, anchor: int, place: Place) -> Iterator[Span]:
    """Find a phrase in a segment and as many neighbouring segments as it may extend into."""
    reach, needed = 1, _length(words_of(phrase.spellings)) - 1
    while True:
        low, high = max(place.first, anchor - reach), min(place.last, anchor + reach)
        sql = "select id, text from segments where id between ? and ? order by id"
        lines = cursor.execute(sql, [low, high]).fetchall()
        starts = _starts(lines)
        words = quoted_words(text := " ".join(line for _, line in lines))
        begin, end = (starts[bisect_left(lines, (segment,))] for segment in (anchor, anchor + 1))
        begins = [begun for _, begun, _ in words]
        before, after = bisect_left(begins, begin), len(words) - bisect_left(begins, end)
        if (before >= needed or low == place.first) and (after >= needed or high == place.last):
            break
        reach *= 2
    return _spans(lines, said.phrases(phrase, text, words))


def _length(pieces: Sequence[Ways]) -> int:
    """The number of words of a phrase in its longest spelling."""
    return sum(max(map(len, ways)) for ways in pieces)


def _spans(lines: Sequence[tuple[int, str]], places: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Character spans in segments’ texts, joined by single spaces, as spans from one segment to another."""
    starts = _starts(lines)
    for begin, end in places:
        first = bisect_right(starts, begin) - 1
        last = bisect_right(starts, end - 1) - 1
        yield Span(lines[first][0], begin - starts[first], lines[last][0], end - starts[last])


def _starts(lines: Sequence[tuple[int, str]]) -> list[int]:
    """Where each segment begins in their joined text, and where another would."""
    return list(accumulate((len(text) + 1 for _, text in lines), initial=0))


def _near(cursor: sqlite3.Cursor, term: Term, place: Place) -> Iterator[Span]:
    """Find words near each other, from the first to the last of them."""
    lines = _lines(cursor, place)
    text = " ".join(line for _, line in lines)
    return _spans(lines, near(cursor, term, text, place.transcript, index="transcripts_fts"))


def _lines(cursor: sqlite3.Cursor, place: Place) -> list[tuple[int, str]]:
    """A transcript’s segments; joined by single spaces they are its whole text."""
    sql = "select id, text from segments where id between ? and ? order by id"
    return cursor.execute(sql, [place.first, place.last]).fetchall()


def _holds(cursor: sqlite3.Cursor, match: str, place: Place) -> bool:
    sql = "select 1 from transcripts_fts where transcripts_fts match ? and rowid = ?"
    return cursor.execute(sql, [match, place.transcript]).fetchone() is not None
