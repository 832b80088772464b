"""Feeds and their episodes in the database: storing poll results, and reading what earlier polls stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from pipeline.archive.database import immediate, named_rows
from pipeline.archive.episodes import Saved, save_episodes
from pipeline.archive.redact import without_paths
from pipeline.feeds.memory import Memory, Move
from pipeline.model import FeedEpisode, Validators


def ensure_feed(db: Database, slug: str, *, title: str, url: str) -> None:
    """Insert a feed of feeds.yaml, or update its title and configured address."""
    db.execute(
        """insert into feeds (slug, title, url) values (?, ?, ?)
           on conflict (slug) do update set title = excluded.title, url = excluded.url""",
        [slug, title, url],
    )


def known_feeds(db: Database) -> list[tuple[str, str, str]]:
    """Return the slug, title and configured address of every feed ever stored, including those since removed."""
    return [tuple(row) for row in db.execute("select slug, title, url from feeds order by slug")]


def recall(db: Database, slug: str, *, url: str) -> Memory:
    """Return what earlier polls stored; only the moves if feeds.yaml now gives a different address."""
    cursor = named_rows(db.conn)
    row = cursor.execute(
        """select feed_url, etag, last_modified, parser_version, last_status, retry_at, fully_fetched, gone_page
           from feeds where slug = ? and url = ?""",
        [slug, url],
    ).fetchone()
    moves = db.execute("select was, became from feed_moves where feed = ? and became is not null order by id", [slug])
    if row is None:
        return Memory(moves=dict(moves))
    facts = dict(row)
    return Memory(validators=Validators(facts.pop("etag"), facts.pop("last_modified")), moves=dict(moves), **facts)


def resolved_url(db: Database, slug: str) -> str | None:
    """Return the address a feed was last read from."""
    found = db.execute("select feed_url from feeds where slug = ?", [slug]).fetchone()
    return found[0] if found else None


def save_poll(
    db: Database,
    slug: str,
    episodes: Sequence[FeedEpisode],
    *,
    now: str,
    feed_url: str,
    validators: Validators,
    parser_version: int,
    is_whole: bool = True,
) -> Saved:
    """Store the result of a poll in one transaction, and return a summary.

    Nothing is removed: an episode that the feed no longer lists keeps its row and its old ``last_seen``. It counts as
    no longer listed only after a poll that ``is_whole``, with all pages of the feed.
    """
    with immediate(db):
        saved = save_episodes(db, slug, episodes, now=now)
        db.execute(
            """update feeds set feed_url = ?, etag = ?, last_modified = ?, parser_version = ?,
               fully_fetched = coalesce(?, fully_fetched), retry_at = null, last_polled = ?, last_status = 'ok'
               where slug = ?""",
            [
                feed_url,
                validators.etag,
                validators.last_modified,
                parser_version,
                now if is_whole else None,
                now,
                slug,
            ],
        )
    return saved


def save_snapshot(db: Database, slug: str, *, sha256: str, path: str, size: int, now: str) -> None:
    """Record that a feed had this body; ``path`` is relative to the data folder."""
    db.execute(
        """insert into feed_snapshots (feed, sha256, path, bytes, fetched_at) values (?, ?, ?, ?, ?)
           on conflict do nothing""",
        [slug, sha256, path, size, now],
    )


def save_unchanged(db: Database, slug: str, validators: Validators, *, now: str) -> None:
    """Record that a feed is unchanged: all episodes of its last full listing count as seen now.

    An episode that was seen last while the clock was ahead is not in that listing: it would have been seen since.
    """
    with immediate(db):
        db.execute(
            """update episodes set last_seen = ? where feed = ?
               and last_seen between (select fully_fetched from feeds where slug = ?) and ?""",
            [now, slug, slug, now],
        )
        db.execute(
            """update feeds set etag = ?, last_modified = ?, retry_at = null, last_polled = ?,
               last_status = 'unchanged' where slug = ?""",
            [validators.etag, validators.last_modified, now, slug],
        )


def save_failure(db: Database, slug: str, status: str, *, now: str, retry_at: str | None = None) -> None:
    """Record why a feed could not be read (local paths removed) and the earliest time to retry."""
    db.execute(
        "update feeds set last_polled = ?, last_status = ?, retry_at = ? where slug = ?",
        [now, without_paths(status), retry_at, slug],
    )


def save_gone_page(db: Database, slug: str, page: str | None) -> None:
    """Remember the page of a feed that is not there; None: all came."""
    db.execute("update feeds set gone_page = ? where slug = ?", [page, slug])


def save_moves(db: Database, slug: str, moves: Iterable[Move], *, now: str) -> None:
    """Record where a feed moved, unless that is already the latest move recorded for the address."""
    with immediate(db):
        for move in moves:
            known = db.execute(
                "select became from feed_moves where feed = ? and was = ? order by id desc limit 1", [slug, move.was]
            ).fetchone()
            if known != (move.became,):
                db.execute(
                    "insert into feed_moves (feed, was, became, how, noticed_at) values (?, ?, ?, ?, ?)",
                    [slug, move.was, move.became, move.how, now],
                )


def has_moved_from(db: Database, slug: str, address: str) -> bool:
    """Tell whether a feed is known to have moved from this address, and not back."""
    newest = db.execute(
        "select became from feed_moves where feed = ? and was = ? order by id desc limit 1", [slug, address]
    ).fetchone()
    return newest is not None and newest[0] not in {None, address}


def has_moved(db: Database, slug: str, address: str) -> bool:
    """Tell whether a feed came to this address by a move."""
    found = db.execute("select 1 from feed_moves where feed = ? and became = ?", [slug, address]).fetchone()
    return found is not None


def podcast_guid(db: Database, slug: str) -> str | None:
    """Return the show's own guid (podcast:guid), if its feed ever said it."""
    found = db.execute("select podcast_guid from feeds where slug = ?", [slug]).fetchone()
    return found[0] if found else None


def save_podcast_guid(db: Database, slug: str, guid: str | None) -> None:
    """Keep the show's own guid, which it has for life; one that the feed leaves out stays."""
    db.execute("update feeds set podcast_guid = coalesce(?, podcast_guid) where slug = ?", [guid, slug])
