"""Episodes of one feed that have the same recording: one that only took another's place is that episode."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from pipeline.archive.database import immediate, made, named_rows
from pipeline.archive.episodes import PUBLISHED, notes_of, people_of, update_episode
from pipeline.archive.questions.lists import published_lists
from pipeline.model import FeedEpisode

# What an episode has before its first recording, apart from what is moved to the other.
_TABLES = ("transcript_links", "episode_people", "episode_pages", "transcript_searches", "questions")


@dataclass(frozen=True, slots=True)
class Twin:
    """Another episode with the same recording.

    ``is_replaced`` tells that the feed has dropped it and listed the new one instead, from one reading of the whole
    feed to the next.
    """

    id: str
    title: str
    is_replaced: bool


def twins(db: Database, episode: str, sha256: str) -> tuple[Twin, ...]:
    """Return the other episodes of the feed whose current recording this is; none if the episode has one already."""
    rows = named_rows(db.conn).execute(
        """select k.id, k.title, coalesce(
                k.last_seen >= e.listed_before and k.last_seen < f.fully_fetched and e.last_seen >= f.fully_fetched, 0
            ) as is_replaced
        from episodes e join feeds f on f.slug = e.feed join episodes k on k.feed = e.feed and k.id != e.id
        join renditions r on r.episode = k.id and r.current and r.sha256 = ?
        where e.id = ? and not exists (select 1 from renditions where episode = e.id)
        order by k.id""",
        [sha256, episode],
    )
    return tuple(made(Twin, row, "is_replaced") for row in rows)


def unite(db: Database, episode: str, known: str, *, now: str) -> None:
    """Make an episode without a recording of its own the known one that it is; its row is removed.

    What its feed says of it is the known one's from now on, and what that was goes into ``episode_history``.
    """
    with immediate(db):
        item = _item(db, episode)
        update_episode(db, known, item, now=now)
        db.execute(
            """insert or ignore into episode_guids (episode, guid, first_seen)
               select ?, guid, first_seen from episode_guids where episode = ?""",
            [known, episode],
        )
        db.execute("update episode_history set episode = ? where episode = ?", [known, episode])
        for table in _TABLES:
            db.execute(f"delete from {table} where episode = ?", [episode])
        db.execute("delete from episodes where id = ?", [episode])


def _item(db: Database, episode: str) -> FeedEpisode:
    """What a feed said of an episode that has only just come."""
    row = named_rows(db.conn).execute("select * from episodes where id = ?", [episode]).fetchone()
    (guid,) = db.execute(
        "select guid from episode_guids where episode = ? order by first_seen desc limit 1", [episode]
    ).fetchone()
    _, links = notes_of(db, episode)
    return FeedEpisode(
        **{column: row[column] for column in PUBLISHED},
        guid=guid,
        guid_made=bool(row["guid_made"]),
        questions=published_lists(db, row["feed"]).get(episode, ()),
        transcripts=links,
        people=people_of(db, episode),
    )
