"""Full-text search, one function for the command line, the site and the JSON route. Only reads.

Words are searched in single segments and ranked. A quotation is searched in whole transcripts, because it often spans
two segments; its hit is the quotation itself, from the start of its first to the end of its last word.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from pipeline.archive.database import plain_rows
from pipeline.archive.search import passages, words
from pipeline.archive.search.hits import (
    ANYTHING,
    ORDERS,
    Filters,
    Hit,
    Order,
    Results,
    Turn,
)
from pipeline.archive.search.marks import as_html, highlit, marked, unmarked
from pipeline.archive.search.paging import Page, Position, Span, Wanted
from pipeline.archive.search.query import Query, as_meant, compile_query
from pipeline.archive.search.scope import Scope
from pipeline.archive.search.terms import Term
from pipeline.archive.tokens import folded_words

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
        text: what the user typed; see ``pipeline.archive.search.query``.
        filters: further conditions.
        order: of the hits; ``relevance`` falls back to newest first for quotations and for words too common to rank.
        page: a value of ``Results.next``, or a page number from 1; None for the first page.
        size: hits a page.
    """
    query = compile_query(text)
    if not query.match and not query.narrows and filters == ANYTHING:
        return Results(order=order)
    scope = Scope.of(plain_rows(connection), filters, query)
    wanted = Wanted(order, Position.parse(None if page is None else str(page)), size)

    def find(query: Query) -> Page:
        return (passages.find if query.crosses else words.find)(scope, query, wanted)

    query, found = as_meant(query, find, is_found=lambda found: bool(found.total or found.spans))
    hits = hits_of(connection, found.spans, query, few=found.few)
    return Results(hits, found.total, found.exact, found.order, found.next, found.searched)


def hits_of(
    connection: sqlite3.Connection, spans: Sequence[Span], query: Query, *, few: bool = False
) -> tuple[Hit, ...]:
    """Turn spans into hits, in their order; ``few`` if few segments of the archive match the query at all."""
    cursor = plain_rows(connection)
    whole = [span.first for span in spans if span.whole]
    found = dict(zip(whole, _whole(cursor, whole, query, few=few), strict=True))
    quoted = _quoted(cursor, [span for span in spans if not span.whole])
    return tuple(found[span.first] if span.whole else next(quoted) for span in spans)


def _whole(cursor: sqlite3.Cursor, segments: Sequence[int], query: Query, *, few: bool) -> list[Hit]:
    """Whole segments as hits, in the given order."""
    if not segments:
        return []
    found, marked_words = _highlit(cursor, segments, query, few=few), query.marked_words
    rows = cursor.execute(_OF_SEGMENTS, [json.dumps(segments)]).fetchall()
    rows.sort()  # by list position; faster than in SQLite, since they are nearly always in order
    hits = []
    for segment, (_, *facts, text, before, after, listed, flags, heard) in zip(segments, rows, strict=True):
        shown = _marked(found.get(segment, text), marked_words)
        hits.append(Hit(*(*facts, text, shown, before, after, (), *_known(listed, flags, heard))))
    return hits


def _quoted(cursor: sqlite3.Cursor, spans: Sequence[Span]) -> Iterator[Hit]:
    """Spans that are not whole segments as hits, in the given order."""
    if not spans:
        return
    ends = json.dumps([(span.first, span.last) for span in spans])
    rows = cursor.execute(_OF_SPANS, [ends]).fetchall()
    rows.sort()
    for span, (_, *facts, start, end, opening, closing, text, before, after, listed, flags, heard) in zip(
        spans, rows, strict=True
    ):
        begun = _word_time(cursor, span.first, opening, span.begin, which=0, otherwise=start)
        ended = _word_time(cursor, span.last, closing, span.end - 1, which=1, otherwise=end)
        mark = (span.begin, len(text) - len(closing) + span.end)
        turns = tuple(_turns(cursor, span, mark)) if span.first != span.last else ()
        yield Hit(
            *(*facts, begun, ended, text, marked(text, [mark]), before, after, turns, *_known(listed, flags, heard))
        )


def _known(questions: str, flags: str, checked: int) -> tuple[tuple[int, ...], tuple[str, ...], bool]:
    """Decode a row's questions, quality flags and whether it is checked."""
    return tuple(json.loads(questions)), tuple(json.loads(flags)) if flags != "[]" else (), bool(checked)


def _turns(cursor: sqlite3.Cursor, span: Span, mark: tuple[int, int]) -> Iterator[Turn]:
    """A span's text by speaker, with the characters of ``mark`` marked; nothing if one speaker says it all."""
    rows = cursor.execute(
        "select speaker, text from segments where id between ? and ? order by id", [span.first, span.last]
    )
    said = [(who, " ".join(text for _, text in group)) for who, group in groupby(rows, key=lambda row: row[0])]
    position = 0
    for who, text in said if len(said) > 1 else ():
        begin, end = (min(max(character - position, 0), len(text)) for character in mark)
        yield Turn(who, marked(text, [(begin, end)] if begin < end else []))
        position += len(text) + 1


# Facts of segments, or of spans given as [first, last] pairs, with their position in the given list. The text around
# them is by the same speaker of the same transcript. ``cross join`` keeps the planner from reordering the joins.
_FACTS = """
select span.key, e.id, t.rendition, e.title, e.published, s.speaker, s.role, s.question, s.start, {last}."end", {texts},
    coalesce(b.text, ''), coalesce(a.text, ''), s.questions, {flags}, {checked}
from json_each(?) span
{segments}
cross join transcripts t on t.id = s.transcript
cross join episodes e on e.id = t.episode
left join segments b on b.id = s.id - 1 and b.transcript = s.transcript and b.speaker is s.speaker
left join segments a on a.id = {last}.id + 1 and a.transcript = s.transcript and a.speaker is {last}.speaker
"""
_OF_SEGMENTS = _FACTS.format(
    last="s",
    texts="s.text",
    flags="s.flags",
    checked="s.checked",
    segments="cross join segments s on s.id = span.value",
)
_OF_SPANS = _FACTS.format(
    last="l",
    texts="""s.text, l.text, case when s.id = l.id then s.text else (
        select group_concat(text, ' ') from (select text from segments where id between s.id and l.id order by id)
    ) end""",
    flags="""(
        select json_group_array(distinct flag.value) from segments p, json_each(p.flags) flag
        where p.id between s.id and l.id
    )""",
    checked="(select min(p.checked) from segments p where p.id between s.id and l.id)",
    segments="""cross join segments s on s.id = json_extract(span.value, '$[0]')
cross join segments l on l.id = json_extract(span.value, '$[1]')""",
)


def _highlit(cursor: sqlite3.Cursor, segments: Sequence[int], query: Query, *, few: bool) -> Mapping[int, str]:
    """The texts of segments with the search words between marks; prefixes (``begin*``) are not marked here."""
    match = query.match
    # A quotation may be elsewhere in the episode, and a word excluded by one alternative may occur in a hit of another.
    if query.crosses or query.marked_words or any(one.excluded for one in query.alternatives):
        shown = (term for alternative in query.alternatives for term in alternative.shown if not term.begins)
        match = " OR ".join(f"({term.fts})" for term in shown)
    if not segments or not match:
        return {}
    # FTS5 looks each rowid up separately, which is slower than reading all matches if these are few: the unary plus
    # disables the rowid lookup.
    few = few and match == query.match
    rows = cursor.execute(
        f"""select rowid, {highlit("segments_fts")} from segments_fts
        where segments_fts match ? and {"+" if few else ""}rowid in (select value from json_each(?))""",
        [match, json.dumps(segments)],
    )
    return dict(rows.fetchall())


def _marked(found: str, besides: Sequence[Term]) -> str:
    """A segment's text as HTML, with the search words in ``<mark>``: those that FTS5 marked, and others besides."""
    if not besides:
        return as_html(found)
    text, marks = unmarked(found)
    begun = [(begin, end) for word, begin, end in folded_words(text) if any(term.has(word) for term in besides)]
    apart = [mark for mark in begun if not any(begin < mark[1] and mark[0] < end for begin, end in marks)]
    return marked(text, sorted([*marks, *apart]))


def _word_time(
    cursor: sqlite3.Cursor, segment: int, text: str, character: int, *, which: int, otherwise: float
) -> float:
    """The start (``which`` 0) or end (1) of the word that covers a character of a segment's text."""
    (words,) = cursor.execute("select words from segments where id = ?", [segment]).fetchone()
    position = 0
    for word in json.loads(words):
        place = text.find(word[2], position)
        if place < 0:
            continue
        position = place + len(word[2])
        if character < position:
            return float(word[which])
    return otherwise
