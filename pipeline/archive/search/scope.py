"""The scope of a search: which transcripts and segments pass its filters. Independent of the search terms."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.archive.database import plain_rows
from pipeline.archive.joins import MOMENT, SPEAKING
from pipeline.archive.search.hits import ANYTHING, Filters
from pipeline.archive.search.query import Query
from pipeline.archive.tokens import fold

_AS_TYPED = str.maketrans({
    **dict.fromkeys("'’‘ʼ`´"), "‐": "-", "‑": "-", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d",
    "Ð": "D", "ħ": "h", "Ħ": "H", "ı": "i", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "þ": "th", "Þ": "Th",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A transcript in scope: its segments have the ids ``first`` to ``last``.

    ``moment`` is when its episode was published, in UTC; ``month`` is that by the publisher's own date (``YYYY-MM``).
    """

    transcript: int
    first: int
    last: int
    episode: str
    moment: str
    month: str

    def comes_after(self, other: Place, *, oldest: bool) -> bool:
        """Tell whether it comes after another, in order newest first or ``oldest`` first."""
        here, there = (self.moment, self.episode), (other.moment, other.episode)
        return here > there if oldest else here < there


@dataclass(frozen=True)
class Scope:
    """The preferred transcripts that pass some filters. ``labels`` are the speakers to include; None for all.

    A speaker filter is a full name, as in links; if nobody has that name, it matches part of a name, as if typed.
    """

    cursor: sqlite3.Cursor
    filters: Filters
    labels: tuple[str, ...] | None
    feeds: tuple[str, ...] = ()
    questions: tuple[int, ...] = ()

    @classmethod
    def of(cls, cursor: sqlite3.Cursor, filters: Filters, query: Query) -> Scope:
        """Combine what was chosen beside the search box with what was typed into it; both must hold."""
        labels = None
        if filters.speaker:
            whole = cursor.execute(f"select 1 from {SPEAKING} where p.label = ? limit 1", [filters.speaker]).fetchone()
            labels = None if whole else _meant(cursor, [filters.speaker])
            labels = labels or (filters.speaker,)
        if query.speakers:
            labels = tuple(name for name in _meant(cursor, query.speakers) if labels is None or name in labels)
        return cls(
            cursor,
            filters,
            labels,
            feeds=tuple(slug.lower() for slug in query.feeds),
            questions=query.questions,
        )

    @property
    def is_everything(self) -> bool:
        """Tell whether every preferred transcript is in scope, and every segment of it."""
        return self.labels is None and self.filters == ANYTHING and not (self.feeds or self.questions)

    @property
    def segment_sql(self) -> tuple[str, list[str | int]]:
        """Return the conditions (beginning with ``and``) on a segment ``s``, and their values."""
        sql, values = "", list[str | int]()
        if self.labels is not None:
            sql += f" and s.speaker in ({', '.join('?' * len(self.labels))})"
            values += self.labels
        if self.filters.role:
            sql += " and s.role = ?"
            values.append(self.filters.role)
        for numbers in ([self.filters.question] if self.filters.question is not None else [], self.questions):
            if numbers:
                marks = ", ".join("?" * len(numbers))
                sql += f" and exists (select 1 from json_each(s.questions) where value in ({marks}))"
                values += numbers
        return sql, values

    def places(self, *, after: Place | None = None, oldest: bool = False) -> Iterator[Place]:
        """Yield the transcripts from the newest on (or from the oldest), beginning with ``after`` itself."""
        sql, values = self._transcript_sql
        comparison, direction = (">=", "asc") if oldest else ("<=", "desc")
        if after is not None:
            sql += f" and ({MOMENT}, e.id) {comparison} (?, ?)"
            values = [*values, after.moment, after.episode]
        yield from self._places(f"{sql} order by {MOMENT} {direction}, e.id {direction}", values)

    def holding(self, match: str) -> list[Place]:
        """Return the transcripts whose whole text matches an FTS5 expression, newest first."""
        rows = self.cursor.execute("select rowid from transcripts_fts where transcripts_fts match ?", [match])
        return self.among([transcript for (transcript,) in rows])

    def among(self, transcripts: Sequence[int], *, oldest: bool = False) -> list[Place]:
        """Return those of these transcripts that are in scope, the newest or the oldest first."""
        sql, values = self._transcript_sql
        direction = "asc" if oldest else "desc"
        sql += f""" and t.id in (select value from json_each(?))
            order by {MOMENT} {direction}, e.id {direction}"""
        return list(self._places(sql, [*values, json.dumps(transcripts)]))

    def place_of(self, segment: int | None) -> Place | None:
        """Return the transcript that a segment is of, if it is one in scope."""
        if segment is None:
            return None
        index = bisect_right(self._firsts, segment) - 1
        place = self._by_segment[index] if index >= 0 else None
        return place if place and segment <= place.last else None

    def kept(self, segments: Sequence[int]) -> list[int]:
        """Return those of these segments that are in scope, in their order."""
        if self.is_everything:
            begins, ends = self._others
            return [one for one in segments if not begins or ends[bisect_right(begins, one) - 1] < one]
        within = [one for one in segments if self.place_of(one)]
        sql, values = self.segment_sql
        if not sql or not within:
            return within
        # Written out: SQLite bounds the number of values, not the length of a list of numbers.
        listed = ",".join(map(str, within))
        fits = {
            one for (one,) in self.cursor.execute(f"select s.id from segments s where s.id in ({listed}){sql}", values)
        }
        return [one for one in within if one in fits]

    def by_date(self, segments: Iterable[int], *, oldest: bool = False) -> list[int]:
        """Return segments by the date of their episodes, the newest or the oldest first, then in order of time."""
        dated = {place: n for n, place in enumerate(self.places(oldest=oldest))}
        known = ((self.place_of(one), one) for one in segments)
        return [one for place, one in sorted((dated[place], one) for place, one in known if place)]

    @cached_property
    def _others(self) -> tuple[list[int], list[int]]:
        """The first and last segment ids of the transcripts that are not preferred, in order."""
        rows = self.cursor.execute(
            """select first_segment, last_segment from transcripts
            where preferred = 0 and first_segment is not null order by first_segment"""
        ).fetchall()
        # A sentinel, so that ``bisect_right(...) - 1`` is always a valid index.
        return ([-1, *(first for first, _ in rows)], [-1, *(last for _, last in rows)]) if rows else ([], [])

    @cached_property
    def _by_segment(self) -> list[Place]:
        return sorted(self.places(), key=lambda place: place.first)

    @cached_property
    def _firsts(self) -> list[int]:
        return [place.first for place in self._by_segment]

    @property
    def _transcript_sql(self) -> tuple[str, list[str]]:
        sql, values = "where t.first_segment is not null", list[str]()
        for condition, value in (
            ("e.feed = ?", self.filters.feed),
            ("substr(e.published, 1, 10) >= ?", self.filters.since),
            ("substr(e.published, 1, 10) <= ?", self.filters.until),
        ):
            if value:
                sql += f" and {condition}"
                values.append(value)
        if self.feeds:
            sql += f" and lower(e.feed) in ({', '.join('?' * len(self.feeds))})"
            values += self.feeds
        if self.labels is not None:
            marks = ", ".join("?" * len(self.labels))
            # A transcript may have no rows in ``speakers``, as if other programs wrote its segments.
            sql += f""" and (t.id in (select transcript from speakers where label in ({marks}))
                or not exists (select 1 from speakers p where p.transcript = t.id))"""
            values += self.labels
        return sql, values

    def _places(self, sql: str, values: Sequence[str]) -> Iterator[Place]:
        rows = plain_rows(self.cursor.connection).execute(  # read while others are asked
            f"""select t.id, t.first_segment, t.last_segment, e.id, {MOMENT}, coalesce(substr(e.published, 1, 7), '')
            from episodes e join transcripts t on t.episode = e.id and t.preferred = 1 {sql}""",
            values,
        )
        for row in rows:
            yield Place(*row)


def is_anybody(cursor: sqlite3.Cursor, name: str) -> bool:
    """Tell whether any speaker has this in their name, including names that occur only in segments."""
    if _meant(cursor, [name]):
        return True
    unlisted = """select 1 from transcripts t join segments s on s.id between t.first_segment and t.last_segment
        where not exists (select 1 from speakers p where p.transcript = t.id) and s.speaker = ? limit 1"""
    return cursor.execute(unlisted, [name]).fetchone() is not None


def _meant(cursor: sqlite3.Cursor, parts: Iterable[str]) -> tuple[str, ...]:
    """Return the speakers whose names have one of these parts, without regard to case and accents."""
    wanted = [folded for part in parts if (folded := folded_name(part).strip())]
    return tuple(name for name in speaking(cursor) if any(part in folded_name(name) for part in wanted))


def speaking(cursor: sqlite3.Cursor) -> list[str]:
    """Return the labels of everybody who speaks."""
    return [label for (label,) in cursor.execute(f"select distinct p.label from {SPEAKING}") if label]


def folded_name(name: str) -> str:
    """Return a name as it is compared: people type the apostrophe of O’Brien and the letters of Łukasz as they can."""
    return fold(name.translate(_AS_TYPED))
