"""Episodes as lists, newest first and a page at a time. Reads no transcript."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.archive.database import named_rows
from pipeline.archive.joins import BEYOND, NEWEST_FIRST
from pipeline.archive.reading import ITEMS, Item, items


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of episodes; ``before`` is the cursor of the next page, None on the last."""

    episodes: tuple[Item, ...]
    before: str | None


def listing(
    connection: sqlite3.Connection, limit: int, *, feed: str | None = None, before: str | None = None
) -> Listing:
    """Return the episodes published last, of one feed or of all.

    Args:
        connection: an open archive.
        limit: how many at most.
        feed: a feed's slug.
        before: the id of the last episode of the previous page; an unknown id gives the first page.
    """
    cursor = named_rows(connection)
    rows = cursor.execute(
        f"{ITEMS} where (:feed is null or e.feed = :feed) and {BEYOND} order by {NEWEST_FIRST} limit :limit",
        {"feed": feed, "before": before, "limit": limit + 1},
    ).fetchall()
    episodes = items(connection, rows[:limit])
    return Listing(episodes, episodes[-1].id if len(rows) > limit else None)


def arrivals(connection: sqlite3.Connection, episodes: Iterable[str]) -> dict[str, str]:
    """Return for each episode when its transcript was created, or else when it was first seen."""
    wanted = sorted(set(episodes))
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(
        f"""select e.id, coalesce(t.created, e.first_seen) from episodes e
        left join transcripts t on t.episode = e.id and t.preferred = 1
        where e.id in ({marks})""",
        wanted,
    )
    return {row[0]: row[1] for row in rows}


def changes(connection: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
    """Return every episode's id, newest first, with the moment at which its page last changed."""
    rows = connection.execute(
        f"""select e.id, max(e.first_seen, coalesce(t.created, ''), coalesce(a.made_at, ''), coalesce(k.made_at, ''),
            coalesce(c.made_at, ''), coalesce(p.made_at, ''))
        from episodes e
        left join transcripts t on t.episode = e.id and t.preferred = 1
        left join alignments a on a.transcript = t.id
        left join (select rendition, max(made_at) as made_at from checks group by 1) k on k.rendition = t.rendition
        left join (
            select rendition, max(made_at) as made_at from attributions group by 1
        ) p on p.rendition = t.rendition
        left join (
            select q.episode, max(o.made_at) as made_at from corrections o join questions q on q.id = o.question
            group by 1
        ) c on c.episode = e.id
        order by {NEWEST_FIRST}"""
    )
    return tuple((row[0], row[1]) for row in rows)
