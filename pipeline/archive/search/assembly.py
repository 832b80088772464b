"""Assembling hits: reading what is shown of the spans that were found, and marking the words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from pipeline.archive.database import plain_rows
from pipeline.archive.search.hits import Hit, Turn
from pipeline.archive.search.marks import as_html, highlit, marked, unmarked
from pipeline.archive.search.paging import Span
from pipeline.archive.search.query import Query
from pipeline.archive.search.said import places
from pipeline.archive.search.terms import Term


def hits_of(
    connection: sqlite3.Connection, spans: Sequence[Span], query: Query, *, few: bool = False
) -> tuple[Hit, ...]:
    """Turn spans into hits, in their order; ``few`` if few segments of the archive match the query at all."""
    cursor = plain_rows(connection)
    whole = [span.first for span in spans if span.whole]
    found = dict(zip(whole, _whole(cursor, whole, query, few=few), strict=True))
    quoted = _quoted(cursor, [span for span in spans if not span.whole])
    return tuple(found[span.first] if span.whole else next(quoted) for span in spans)


def _whole(cursor: sqlite3.Cursor, segments: Sequence[int], query: Query, *, few: bool) -> Iterator[Hit]:
    """Whole segments as hits, in the given order."""
    found, besides = _highlit(cursor, segments, query, few=few), query.marked_words
    rows = _facts(cursor, _OF_SEGMENTS, segments)
    for segment, (_, *facts, start, end, text) in zip(segments, rows, strict=True):
        yield _hit(facts, start=start, end=end, text=text, html=_marked(found.get(segment, text), besides))


def _quoted(cursor: sqlite3.Cursor, spans: Sequence[Span]) -> Iterator[Hit]:
    """Spans that are not whole segments as hits, in the given order."""
    rows = _facts(cursor, _OF_SPANS, [(span.first, span.last) for span in spans])
    for span, (_, *facts, start, end, text, opening, closing) in zip(spans, rows, strict=True):
        mark = (span.begin, len(text) - len(closing) + span.end)
        yield _hit(
            facts,
            start=_word_time(cursor, span.first, opening, span.begin, which=0, otherwise=start),
            end=_word_time(cursor, span.last, closing, span.end - 1, which=1, otherwise=end),
            text=text,
            html=marked(text, [mark]),
            turns=tuple(_turns(cursor, span, mark)) if span.first != span.last else (),
        )


def _facts(cursor: sqlite3.Cursor, sql: str, places: Sequence[object]) -> list[tuple[Any, ...]]:
    """The facts of segments or spans, in the given order."""
    rows = cursor.execute(sql, [json.dumps(places)]).fetchall() if places else []
    rows.sort()  # by list position; faster than in SQLite, since they are nearly always in order
    return rows


def _hit(facts: Sequence[Any], *, start: float, end: float, text: str, html: str, turns: tuple[Turn, ...] = ()) -> Hit:
    # In the order of ``_FACTS``: to ask each row for its columns by name takes longer than all the rest of this.
    episode, rendition, title, published, speaker, role, question, before, after, questions, flags, checked = facts
    return Hit(
        episode=episode, rendition=rendition, title=title, published=published, speaker=speaker, role=role,
        question=question, start=start, end=end, text=text, html=html, before=before, after=after, turns=turns,
        questions=_listed(questions), flags=_listed(flags), checked=bool(checked),
    )  # fmt: skip


@lru_cache(maxsize=1_000)
def _listed(text: str) -> tuple[Any, ...]:
    """A stored list; that of most segments is one of the same few."""
    return tuple(json.loads(text))


def _turns(cursor: sqlite3.Cursor, span: Span, mark: tuple[int, int]) -> Iterator[Turn]:
    """A span's text by speaker, with the characters of ``mark`` marked; nothing if one speaker says it all."""
    rows = cursor.execute(
        "select speaker, text from segments where id between ? and ? and text != '' order by id",
        [span.first, span.last],
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
select span.key, e.id, t.rendition, e.title, e.published, s.speaker, s.role, s.question, coalesce(b.text, ''),
    coalesce(a.text, ''), s.questions, {flags}, {checked}, s.start, {last}."end", {texts}
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
    texts="""case when s.id = l.id then s.text else (
        select group_concat(text, ' ')
        from (select text from segments where id between s.id and l.id and text != '' order by id)
    ) end, s.text, l.text""",
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
    if query.crosses or query.marked_words or any(one.excluded != query.unwanted for one in query.alternatives):
        shown = (term for alternative in query.alternatives for term in alternative.shown if not term.check)
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
    for mark in sorted({place for term in besides for place in places(term, text)}):
        if not any(begin < mark[1] and mark[0] < end for begin, end in marks):
            marks.append(mark)
    return marked(text, sorted(marks))


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
