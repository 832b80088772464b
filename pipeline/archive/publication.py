"""Reading what is exported: an episode with its words and questions, and the episodes of a feed. Formats nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipeline.archive.checks import checked_passages
from pipeline.archive.database import named_rows
from pipeline.archive.joins import NEWEST_FIRST
from pipeline.archive.questions.asked import questions_of
from pipeline.archive.reading import ITEMS, Item, item_facts, items
from pipeline.archive.segments import read_segments
from pipeline.model import Segment


@dataclass(frozen=True, slots=True)
class Publication(Item):
    """An episode with everything an exporter needs; ``segments`` are those in which something is said.

    ``checked`` is the number of fully checked passages.
    """

    segments: tuple[Segment, ...]
    checked: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A feed and its episodes, newest first; ``url`` is where it was first published, ``podcast_guid`` its own guid."""

    slug: str
    title: str
    url: str
    items: tuple[Item, ...]
    podcast_guid: str | None = None


def publication(connection: sqlite3.Connection, episode_id: str) -> Publication | None:
    """Return one episode whole, or None if there is no such episode."""
    row = named_rows(connection).execute(f"{ITEMS} where e.id = ?", [episode_id]).fetchone()
    if row is None:
        return None
    return Publication(
        **item_facts(row),
        questions=questions_of(connection, [episode_id])[episode_id],
        segments=tuple(one for one in read_segments(connection, row["transcript"]) if one.text),
        checked=len(checked_passages(connection, episode_id)),
    )


def channel(connection: sqlite3.Connection, slug: str) -> Channel | None:
    """Return a feed with its episodes, or None if there is no such feed."""
    cursor = named_rows(connection)
    feed = cursor.execute(
        """select title, podcast_guid, coalesce(
               (select was from feed_moves where feed = slug and became is not null order by id limit 1), feed_url, url
           ) as url
           from feeds where slug = ?""",
        [slug],
    ).fetchone()
    if feed is None:
        return None
    rows = cursor.execute(f"{ITEMS} where e.feed = ? order by {NEWEST_FIRST}", [slug]).fetchall()
    return Channel(slug, feed["title"], feed["url"], items(connection, rows), feed["podcast_guid"])


def slugs(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the slugs of all feeds."""
    return tuple(row[0] for row in connection.execute("select slug from feeds order by slug"))


def episode_ids(connection: sqlite3.Connection, feed: str) -> tuple[str, ...]:
    """Return the ids of a feed's episodes in the order of their publication."""
    rows = connection.execute("select id from episodes where feed = ? order by datetime(published), id", [feed])
    return tuple(row[0] for row in rows)
