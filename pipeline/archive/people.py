"""Speakers who are known by name, and what they say. A label such as ``Speaker 2`` is not a person."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipeline.archive.checks import checked_passages
from pipeline.archive.database import named_rows
from pipeline.archive.joins import BEYOND, NEWEST_FIRST, SPEAKING
from pipeline.archive.reading import Passage, passage


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, over all episodes: in how many they are host or guest, and the ``seconds`` that they speak."""

    name: str
    episodes: int
    hosted: int
    guest: int
    seconds: float
    newest: str | None


@dataclass(frozen=True, slots=True)
class Appearance:
    """One episode in which somebody speaks, and what they say there, in order.

    ``checked`` are the numbers of the episode's fully checked passages.
    """

    episode: str
    title: str
    show: str
    published: str | None
    role: Literal["host", "guest", "unknown"]
    seconds: float
    language: str
    passages: tuple[Passage, ...]
    checked: frozenset[int]


@dataclass(frozen=True, slots=True)
class Appearances:
    """A page of appearances, newest episode first; ``before`` is the cursor of the next page, None on the last."""

    appearances: tuple[Appearance, ...]
    before: str | None


_PEOPLE = f"""
select p.name, count(distinct t.episode) as episodes,
    count(distinct case p.role when 'host' then t.episode end) as hosted,
    count(distinct case p.role when 'guest' then t.episode end) as guest,
    sum(p.seconds) as seconds, max(e.published) as newest
from {SPEAKING}
join episodes e on e.id = t.episode
"""


def people(connection: sqlite3.Connection, limit: int, *, after: str = "") -> tuple[Person, ...]:
    """Return at most ``limit`` people by name, those that come ``after`` a name."""
    rows = named_rows(connection).execute(
        f"{_PEOPLE} where p.name > ? group by p.name order by p.name limit ?", [after, limit]
    )
    return tuple(Person(**dict(row)) for row in rows)


def person(connection: sqlite3.Connection, name: str) -> Person | None:
    """Return somebody by their whole name, or None if nobody of that name speaks in the archive."""
    row = named_rows(connection).execute(f"{_PEOPLE} where p.name = ? group by p.name", [name]).fetchone()
    return Person(**dict(row)) if row else None


def renamed(connection: sqlite3.Connection, name: str) -> str | None:
    """Return how editors last named a voice that the machine knew by this name, if they did and that person speaks."""
    row = connection.execute(
        f"""select a.name from attributions a
        where a.machine = ? and a.everywhere and not exists (select 1 from attributions where undoes = a.id)
            and exists (select 1 from {SPEAKING} where p.name = a.name)
        order by a.id desc limit 1""",
        [name],
    ).fetchone()
    return row[0] if row else None


def appearances(connection: sqlite3.Connection, name: str, limit: int, *, before: str | None = None) -> Appearances:
    """Return what somebody says, episode by episode.

    Args:
        connection: an open archive.
        name: who.
        limit: how many episodes at most.
        before: the id of the last episode of the previous page; an unknown id gives the first page.
    """
    cursor = named_rows(connection)
    rows = cursor.execute(
        f"""select e.id as episode, e.title, f.title as show, e.published, p.role, p.seconds,
            t.language, t.id as transcript
        from {SPEAKING}
        join episodes e on e.id = t.episode
        join feeds f on f.slug = e.feed
        where p.name = :name and {BEYOND}
        order by {NEWEST_FIRST} limit :limit""",
        {"name": name, "before": before, "limit": limit + 1},
    ).fetchall()
    found = []
    for row in rows[:limit]:
        facts = dict(row)
        said = _said(cursor, facts.pop("transcript"), name)
        found.append(Appearance(**facts, passages=said, checked=checked_passages(connection, row["episode"])))
    return Appearances(tuple(found), found[-1].episode if len(rows) > limit else None)


def heard(connection: sqlite3.Connection, episode: str) -> frozenset[str]:
    """Return the names of those who speak in an episode."""
    rows = connection.execute(
        f"""select p.name from {SPEAKING}
        where t.episode = ? and p.name is not null""",
        [episode],
    )
    return frozenset(row[0] for row in rows)


def known(connection: sqlite3.Connection, labels: Iterable[str | None]) -> frozenset[str]:
    """Return the speaker labels among these that are names of people."""
    wanted = sorted({label for label in labels if label})
    rows = connection.execute(
        f"""select distinct p.name from {SPEAKING}
        where p.name in (select value from json_each(?))""",
        [json.dumps(wanted)],
    )
    return frozenset(row[0] for row in rows)


def names(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of everybody, in order."""
    rows = connection.execute(
        f"""select distinct p.name from {SPEAKING}
        where p.name is not null order by p.name"""
    )
    return tuple(row[0] for row in rows)


def _said(cursor: sqlite3.Cursor, transcript: int, name: str) -> tuple[Passage, ...]:
    rows = cursor.execute(
        """select n, start, "end", text, speaker, role, questions, flags, '[]' as words from segments
        where transcript = ? and speaker = ? and text != '' order by n""",
        [transcript, name],
    )
    return tuple(map(passage, rows))
