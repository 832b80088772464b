"""Full-text search, one function for the command line, the site and the JSON route. Only reads.

Words are looked for in single segments and ranked. A quoted phrase is looked for in whole transcripts, because a
quote often runs across two segments; its hit is the phrase itself, with the second of its first and last word.
"""

from __future__ import annotations

import bisect
import html
import json
import math
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate

from pipeline.archive.database import named_rows
from pipeline.archive.query import Alternative, Query, compile_query, folded_words
from pipeline.model import clock

PAGE_SIZE = 20
MAX_PAGE = 100_000
_MARK, _UNMARK = "\x02", "\x03"


@dataclass(frozen=True, slots=True)
class Filters:
    """What else must hold. ``since`` and ``until`` are ISO dates (inclusive) of publication."""

    feed: str | None = None
    speaker: str | None = None
    role: str | None = None
    since: str | None = None
    until: str | None = None

    def sql(self) -> tuple[str, list[str]]:
        """Return conditions (beginning with ``and``) over segments ``s`` and episodes ``e``, and their values."""
        conditions = {
            "e.feed = ?": self.feed,
            "s.speaker = ?": self.speaker,
            "s.role = ?": self.role,
            "substr(e.published, 1, 10) >= ?": self.since,
            "substr(e.published, 1, 10) <= ?": self.until,
        }
        used = {sql: value for sql, value in conditions.items() if value}
        return "".join(f" and {sql}" for sql in used), list(used.values())


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage. ``start`` and ``end`` are seconds; ``html`` is ``text`` escaped, with the hit in ``<mark>``."""

    episode: str
    title: str
    published: str | None
    speaker: str | None
    role: str
    question: int | None
    start: float
    end: float
    text: str
    html: str

    @property
    def path(self) -> str:
        """Return the site's address of the passage, without the site's base."""
        tenths = math.floor(self.start * 10) / 10  # rounding up would cut the first sound off
        return f"/-/episode/{self.episode}?t={tenths}"

    @property
    def clock(self) -> str:
        """Return the start as ``m:ss`` or ``h:mm:ss``."""
        return clock(self.start)


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits; ``next`` is the number of the next page, if there is one."""

    hits: tuple[Hit, ...] = ()
    total: int = 0
    next: int | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the page as it is printed with --json and sent by the JSON route."""
        hits = [{**asdict(hit), "url": hit.path} for hit in self.hits]
        return {"hits": hits, "total": self.total, "next": self.next}


@dataclass(frozen=True, slots=True)
class _Line:
    """A segment row as search needs it."""

    start: float
    end: float
    text: str
    speaker: str | None
    role: str
    question: int | None
    words: list[tuple[float, float, str, float]]


def search(
    connection: sqlite3.Connection,
    text: str,
    filters: Filters = Filters(),
    *,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Results:
    """Search the preferred transcripts.

    Args:
        connection: an open archive; its row factory does not matter.
        text: what the user typed; see ``pipeline.archive.query``.
        filters: further conditions.
        page: counts from 1.
        size: hits a page.
    """
    query = compile_query(text)
    if not query.match:
        return Results()
    cursor = named_rows(connection)
    page = min(max(page, 1), MAX_PAGE)
    first = (page - 1) * size
    find = _phrase_hits if query.has_phrase else _word_hits
    hits, total = find(cursor, query, filters, first, size)
    return Results(tuple(hits), total, page + 1 if first + size < total else None)


def _word_hits(cursor: sqlite3.Cursor, query: Query, filters: Filters, first: int, size: int) -> tuple[list[Hit], int]:
    conditions, values = filters.sql()
    source = f"""
        from hits
        join segments s on s.id = hits.rowid
        join transcripts t on t.id = s.transcript and t.preferred = 1
        join episodes e on e.id = s.episode
        where 1{conditions}"""
    hits_of = "with hits as materialized (select rowid, rank from segments_fts where segments_fts match ?)"
    total = cursor.execute(f"{hits_of} select count(*) {source}", [query.match, *values]).fetchone()[0]
    rows = cursor.execute(
        f"""{hits_of} select s.*, e.title, e.published {source}
        order by hits.rank, e.published desc, s.id limit ? offset ?""",
        [query.match, *values, size, first],
    ).fetchall()
    marks = ",".join("?" * len(rows))
    marked = dict(
        cursor.execute(
            f"""select rowid, highlight(segments_fts, 0, '{_MARK}', '{_UNMARK}') from segments_fts
            where segments_fts match ? and rowid in ({marks})""",
            [query.match, *(row["id"] for row in rows)],
        ).fetchall()
    )
    return [
        Hit(
            episode=row["episode"],
            title=row["title"],
            published=row["published"],
            speaker=row["speaker"],
            role=row["role"],
            question=row["question"],
            start=row["start"],
            end=row["end"],
            text=row["text"],
            html=_to_html(marked.get(row["id"], row["text"])),
        )
        for row in rows
    ], int(total)


def _phrase_hits(
    cursor: sqlite3.Cursor, query: Query, filters: Filters, first: int, size: int
) -> tuple[list[Hit], int]:
    """The places where a query with quoted phrases holds, newest episode first, then in order of time.

    Only the places of the page asked for are turned into hits, unless a filter needs to know who speaks there.
    """
    needs_all = bool(filters.speaker or filters.role)
    hits: list[Hit] = []
    total = 0
    for transcript, spans in _spans_by_transcript(cursor, query, filters):
        wanted = spans if needs_all else spans[max(0, first - total) : max(0, first + size - total)]
        total += len(spans)
        if wanted:
            whole = _whole_text(cursor, transcript["id"])
            hits += [whole.hit(begin, end, transcript) for begin, end in wanted]
    if not needs_all:
        return hits, total
    hits = [hit for hit in hits if filters.speaker in {None, "", hit.speaker} and filters.role in {None, "", hit.role}]
    return hits[first : first + size], len(hits)


def _spans_by_transcript(
    cursor: sqlite3.Cursor, query: Query, filters: Filters
) -> Iterator[tuple[sqlite3.Row, list[tuple[int, int]]]]:
    """Each transcript in which the query holds, with the character spans of its hits, in order."""
    conditions, values = replace(filters, speaker=None, role=None).sql()
    transcripts = cursor.execute(
        f"""select t.id, e.id as episode, e.title, e.published
        from (select rowid from transcripts_fts where transcripts_fts match ?) hits
        join transcripts t on t.id = hits.rowid and t.preferred = 1
        join episodes e on e.id = t.episode
        where 1{conditions}
        order by e.published desc, e.id""",
        [query.match, *values],
    ).fetchall()
    for transcript in transcripts:
        spans: set[tuple[int, int]] = set()
        for alternative in query.alternatives:
            spans.update(_alternative_spans(cursor, alternative, transcript["id"]))
        if spans:
            yield transcript, sorted(spans)


def _alternative_spans(cursor: sqlite3.Cursor, alternative: Alternative, transcript: int) -> Iterator[tuple[int, int]]:
    """The character spans of one side of an OR in one transcript, quoted phrases word for word."""
    holds = "select 1 from transcripts_fts where transcripts_fts match ? and rowid = ?"
    if not cursor.execute(holds, [alternative.match, transcript]).fetchone():
        return
    (marked,) = cursor.execute(
        f"""select highlight(transcripts_fts, 0, '{_MARK}', '{_UNMARK}') from transcripts_fts
        where transcripts_fts match ? and rowid = ?""",
        [alternative.marks, transcript],
    ).fetchone()
    # The nth place has 2n marks before it, which are no characters of the text.
    for n, place in enumerate(re.finditer(f"{_MARK}([^{_UNMARK}]*){_UNMARK}", marked)):
        begin = place.start() - 2 * n
        if not alternative.exact:
            yield begin, begin + len(place[1])
            continue
        words = folded_words(place[1])
        spoken = [word for word, _, _ in words]
        for phrase in alternative.exact:
            for at in range(len(words) - len(phrase) + 1):
                if tuple(spoken[at : at + len(phrase)]) == phrase:
                    yield begin + words[at][1], begin + words[at + len(phrase) - 1][2]


@dataclass(frozen=True, slots=True)
class _WholeText:
    """A transcript's segments, and where each begins in their text joined by single spaces."""

    lines: Sequence[_Line]
    starts: Sequence[int]

    def hit(self, begin: int, end: int, transcript: sqlite3.Row) -> Hit:
        """Turn a character span of the whole text into the segments and seconds that it covers."""
        first = bisect.bisect_right(self.starts, begin) - 1
        last = max(first, bisect.bisect_left(self.starts, end) - 1)
        text = " ".join(line.text for line in self.lines[first : last + 1])
        begin_in, end_in = begin - self.starts[first], end - self.starts[first]
        opening, closing = self.lines[first], self.lines[last]
        return Hit(
            episode=transcript["episode"],
            title=transcript["title"],
            published=transcript["published"],
            speaker=opening.speaker,
            role=opening.role,
            question=opening.question,
            start=_word_time(opening, begin_in, which=0),
            end=_word_time(closing, end - self.starts[last] - 1, which=1),
            text=text,
            html=_to_html(text[:begin_in] + _MARK + text[begin_in:end_in] + _UNMARK + text[end_in:]),
        )


def _whole_text(cursor: sqlite3.Cursor, transcript: int) -> _WholeText:
    rows = cursor.execute(
        """select start, "end", text, speaker, role, question, words from segments
        where transcript = ? order by n""",
        [transcript],
    )
    lines = [
        _Line(
            start=row["start"],
            end=row["end"],
            text=row["text"],
            speaker=row["speaker"],
            role=row["role"],
            question=row["question"],
            words=json.loads(row["words"]),
        )
        for row in rows
    ]
    return _WholeText(lines, list(accumulate((len(line.text) + 1 for line in lines), initial=0)))


def _word_time(line: _Line, character: int, *, which: int) -> float:
    """The start (``which`` 0) or end (1) of the word that covers a character of a segment's text."""
    position = 0
    for word in line.words:
        place = line.text.find(word[2], position)
        if place < 0:
            continue
        position = place + len(word[2])
        if character < position:
            return float(word[which])
    return line.start if which == 0 else line.end


def _to_html(marked: str) -> str:
    return html.escape(marked).replace(_MARK, "<mark>").replace(_UNMARK, "</mark>")
