"""Full-text search, one function for the command line, the site and the JSON route. Only reads.

Words are looked for in single segments and ranked. A quotation is looked for in whole transcripts, because it often
runs across two segments; its hit is the quotation itself, with the second of its first and last word.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.archive.query import Query, compile_query, fold
from pipeline.archive.search import passages, words
from pipeline.archive.search.hits import (
    ANYTHING,
    END,
    MARK,
    MARKED,
    ORDERS,
    UNMARK,
    Filters,
    Hit,
    Order,
    Position,
    Results,
    marked,
)
from pipeline.archive.search.passages import Span
from pipeline.archive.search.scope import Scope

__all__ = ["ORDERS", "PAGE_SIZE", "Filters", "Hit", "Order", "Results", "search"]

PAGE_SIZE = 20


def search(
    connection: sqlite3.Connection,
    text: str,
    filters: Filters = ANYTHING,
    *,
    order: Order = "relevance",
    page: str | int | None = None,
    size: int = PAGE_SIZE,
) -> Results:
    """Search the preferred transcripts.

    Args:
        connection: an open archive; its row factory does not matter.
        text: what the user typed; see ``pipeline.archive.query``.
        filters: further conditions.
        order: of the hits. Quotations, and words that are too common to be ranked, come newest first.
        page: what ``Results.next`` gave, or a number counting from 1; None for the first.
        size: hits a page.
    """
    query = compile_query(text)
    if not query.match and not query.narrows and filters == ANYTHING:
        return Results(order=order)
    cursor = connection.cursor()
    cursor.row_factory = None
    scope, at = Scope.of(cursor, filters, query), Position.parse(None if page is None else str(page))
    if query.crosses:
        return _passages(connection, scope, query, order, at, size)
    # A sentence pasted without its quotes may begin in one segment and end in another.
    phrase = query.as_phrase
    if phrase and query.is_sentence and (found := _passages(connection, scope, phrase, order, at, size)).hits:
        return found
    segments = words.find(scope, query, order, at, size) if query.match else words.everything(scope, order, at, size)
    if phrase and not segments.total:
        return _passages(connection, scope, phrase, order, at, size)
    whole = [Span(segment, 0, segment, 0, whole=True) for segment in segments.segments]
    return Results(
        hits=tuple(hits_of(connection, whole, query)),
        total=segments.total,
        exact=segments.exact,
        order=segments.order,
        next=_next(at, whole[-1] if whole else None, segments.more, segments.resume),
        searched=segments.searched,
    )


def _passages(
    connection: sqlite3.Connection, scope: Scope, query: Query, order: Order, at: Position, size: int
) -> Results:
    found = passages.find(scope, query, order, at, size)
    return Results(
        hits=tuple(hits_of(connection, found.spans, query)),
        total=found.total,
        exact=found.exact,
        order="oldest" if order == "oldest" else "newest",
        next=_next(at, found.spans[-1] if found.spans else None, found.more, found.resume),
        searched=found.searched,
    )


def _next(at: Position, last: Span | None, more: bool, resume: int | None) -> str | None:
    if more and resume is not None:
        return at.following(resume, END)
    return at.following(last.first, last.begin) if more and last else None


def hits_of(connection: sqlite3.Connection, spans: Sequence[Span], query: Query) -> Iterator[Hit]:
    """Turn spans into hits, in their order."""
    if not spans:
        return
    cursor = connection.cursor()
    cursor.row_factory = None
    lines = _lines(cursor, {one for span in spans for one in range(span.first - 1, span.last + 2)})
    recordings = _recordings(cursor, {lines[span.first].transcript for span in spans})
    terms = [term for alternative in query.alternatives for term in alternative.terms]
    beginnings = tuple(term.begins for term in terms) if all(term.begins for term in terms) else ()
    highlit = _highlit(cursor, [span.first for span in spans if span.whole], query)
    for span in spans:
        opening, closing = lines[span.first], lines[span.last]
        before, after = lines.get(span.first - 1), lines.get(span.last + 1)
        if span.whole:
            start, end, text = opening.start, opening.end, opening.text
            marks = _marks(highlit.get(span.first, ""), opening.text, beginnings)
        else:
            text = " ".join(lines[one].text for one in range(span.first, span.last + 1))
            start = _word_time(cursor, span.first, opening, span.begin, which=0)
            end = _word_time(cursor, span.last, closing, span.end - 1, which=1)
            marks = [(span.begin, len(text) - len(closing.text) + span.end)]
        yield Hit(
            *recordings[opening.transcript],
            speaker=opening.speaker,
            role=opening.role,
            question=opening.question,
            start=start,
            end=end,
            text=text,
            html=marked(text, marks),
            before=before.text if before and before.is_said_with(opening) else "",
            after=after.text if after and after.is_said_with(closing) else "",
        )


class _Line(NamedTuple):
    """A segment as search needs it."""

    transcript: int
    start: float
    end: float
    text: str
    speaker: str | None
    role: str
    question: int | None

    def is_said_with(self, other: _Line) -> bool:
        """Tell whether it is of the same recording and speaker."""
        return (self.transcript, self.speaker) == (other.transcript, other.speaker)


def _lines(cursor: sqlite3.Cursor, segments: Iterable[int]) -> dict[int, _Line]:
    rows = cursor.execute(
        """select id, transcript, start, "end", text, speaker, role, question from segments
        where id in (select value from json_each(?))""",
        [json.dumps(list(segments))],
    )
    return {segment: _Line(*rest) for segment, *rest in rows}


def _recordings(cursor: sqlite3.Cursor, transcripts: Iterable[int]) -> dict[int, tuple[str, str, str, str | None]]:
    """What each of these transcripts is of, as ``Hit`` begins."""
    rows = cursor.execute(
        f"""select t.id, e.id, t.rendition, e.title, e.published from transcripts t
        join episodes e on e.id = t.episode where t.id in ({_listed(transcripts)})"""
    )
    return {transcript: tuple(rest) for transcript, *rest in rows}


def _highlit(cursor: sqlite3.Cursor, segments: Sequence[int], query: Query) -> Mapping[int, str]:
    """The texts of segments with the words that were looked for between marks."""
    match = query.match
    if query.crosses:  # what is quoted is elsewhere in the episode, if not here
        match = " OR ".join(f"({alternative.marks})" for alternative in query.alternatives)
    if not segments or not match:
        return {}
    # The index looks each segment up anew, and puts beginnings of words together each time: unless a plus sign keeps
    # the condition from it, and it reads all that fits.
    rows = cursor.execute(
        f"""select rowid, highlight(segments_fts, 0, '{MARK}', '{UNMARK}') from segments_fts
        where segments_fts match ? and {"+" if query.begins else ""}rowid in ({_listed(segments)})""",
        [match],
    )
    return dict(rows.fetchall())


def _marks(highlit: str, text: str, beginnings: tuple[str, ...]) -> list[tuple[int, int]]:
    """The spans of characters of a text that stand between marks in it, as they are counted without the marks.

    Where only beginnings were looked for, those of words that do not begin so but have the same stem are left out.
    """
    places = MARKED.finditer(highlit)
    marks = [(place.start() - 2 * n, place.start() - 2 * n + len(place[1])) for n, place in enumerate(places)]
    return [(begin, end) for begin, end in marks if not beginnings or fold(text[begin:end]).startswith(beginnings)]


def _word_time(cursor: sqlite3.Cursor, segment: int, line: _Line, character: int, *, which: int) -> float:
    """The start (``which`` 0) or end (1) of the word that covers a character of a segment's text."""
    (words,) = cursor.execute("select words from segments where id = ?", [segment]).fetchone()
    position = 0
    for word in json.loads(words):
        place = line.text.find(word[2], position)
        if place < 0:
            continue
        position = place + len(word[2])
        if character < position:
            return float(word[which])
    return line.start if which == 0 else line.end


def _listed(ids: Iterable[int]) -> str:
    # Written out: SQLite bounds the number of values, not the length of a list of numbers.
    return ",".join(map(str, ids))
