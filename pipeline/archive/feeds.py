"""Feeds and episodes in the database: what polling found, and what is known from before."""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from pipeline.archive.database import immediate
from pipeline.archive.episodes import Saved, save_episodes
from pipeline.model import Episode, FeedEpisode, TranscriptLink


def ensure_feed(db: Database, slug: str, *, title: str, url: str) -> None:
    """Enter a feed of feeds.yaml, or bring its title and configured address up to date."""
    db.execute(
        """insert into feeds (slug, title, url) values (?, ?, ?)
           on conflict (slug) do update set title = excluded.title, url = excluded.url""",
        [slug, title, url],
    )


def validators(db: Database, slug: str, *, feed_url: str, parser_version: int) -> tuple[str | None, str | None]:
    """Return the (ETag, Last-Modified) to send, if they are of this address and this parser."""
    found = db.execute(
        "select etag, last_modified from feeds where slug = ? and feed_url = ? and parser_version = ?",
        [slug, feed_url, parser_version],
    ).fetchone()
    return found or (None, None)


def resolved_url(db: Database, slug: str) -> str | None:
    """Return the address a feed was last read from."""
    found = db.execute("select feed_url from feeds where slug = ?", [slug]).fetchone()
    return found[0] if found else None


def episodes(db: Database, slug: str) -> list[Episode]:
    """Return a feed's episodes, newest first."""
    rows = db.execute(
        "select id, feed, title, enclosure_url from episodes where feed = ? order by published desc, id", [slug]
    )
    return [Episode(*row) for row in rows]


def notes_of(db: Database, episode: str) -> tuple[str, tuple[TranscriptLink, ...]]:
    """Return an episode's notes as plain text, and the publisher's transcripts that its feed names."""
    (notes,) = db.execute("select notes_text from episodes where id = ?", [episode]).fetchone()
    links = db.execute(
        "select url, type, language, rel from transcript_links where episode = ? order by rowid", [episode]
    )
    return notes, tuple(TranscriptLink(*link) for link in links)


def has_episode(db: Database, episode: str) -> bool:
    """Tell whether there is an episode of this id."""
    return db.execute("select 1 from episodes where id = ?", [episode]).fetchone() is not None


def save_poll(
    db: Database,
    slug: str,
    episodes: Sequence[FeedEpisode],
    *,
    now: str,
    feed_url: str,
    etag: str | None,
    last_modified: str | None,
    parser_version: int,
) -> Saved:
    """Store what a poll read, in one transaction, and say what came of it.

    Nothing is removed: an episode that the feed no longer lists keeps its row and its old ``last_seen``.
    """
    with immediate(db):
        saved = save_episodes(db, slug, episodes, now=now)
        db.execute(
            """update feeds set feed_url = ?, etag = ?, last_modified = ?, parser_version = ?,
               fully_fetched = ?, retry_at = null, last_polled = ?, last_status = 'ok' where slug = ?""",
            [feed_url, etag, last_modified, parser_version, now, now, slug],
        )
    return saved


def save_snapshot(db: Database, slug: str, *, sha256: str, path: str, size: int, now: str) -> None:
    """Record that a feed had this body; ``path`` is relative to the data folder."""
    db.execute(
        """insert into feed_snapshots (feed, sha256, path, bytes, fetched_at) values (?, ?, ?, ?, ?)
           on conflict do nothing""",
        [slug, sha256, path, size, now],
    )


def save_status(db: Database, slug: str, status: str, *, now: str) -> None:
    """Record how a poll ended that read nothing new; after a 304 every listed episode still counts as seen."""
    with db.atomic():
        if status == "unchanged":
            db.execute(
                """update episodes set last_seen = ? where feed = ?
                   and last_seen = (select max(last_seen) from episodes where feed = ?)""",
                [now, slug, slug],
            )
        db.execute("update feeds set last_polled = ?, last_status = ? where slug = ?", [now, status, slug])
