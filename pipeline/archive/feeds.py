"""Feeds and episodes in the database: what polling found, and what is known from before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlite_utils import Database

from pipeline.archive.database import immediate
from pipeline.model import Episode, FeedEpisode, Question, TranscriptLink


def ensure_feed(db: Database, slug: str, *, title: str, url: str) -> None:
    """Enter a feed of feeds.yaml, or bring its title and configured address up to date."""
    db.execute(
        """insert into feeds (slug, title, url) values (?, ?, ?)
           on conflict (slug) do update set title = excluded.title, url = excluded.url""",
        [slug, title, url],
    )


def last_read(db: Database, slug: str, *, parser_version: int) -> tuple[str | None, str | None, str | None]:
    """Return the (address, ETag, Last-Modified) of what was last read, if this parser read it."""
    found = db.execute(
        "select feed_url, etag, last_modified from feeds where slug = ? and parser_version = ?", [slug, parser_version]
    ).fetchone()
    return found or (None, None, None)


def resolved_url(db: Database, slug: str) -> str | None:
    """Return the address a feed was last read from."""
    found = db.execute("select feed_url from feeds where slug = ?", [slug]).fetchone()
    return found[0] if found else None


def episodes(db: Database, slug: str) -> list[Episode]:
    """Return a feed's episodes, newest first."""
    rows = db.execute(
        """select id, feed, title, enclosure_url, published, enclosure_length, declared_duration
           from episodes where feed = ? order by published desc, id""",
        [slug],
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
    episodes: Iterable[FeedEpisode],
    *,
    now: str,
    feed_url: str,
    etag: str | None,
    last_modified: str | None,
    parser_version: int,
) -> int:
    """Store what a poll read, in one transaction, and return how many episodes are new.

    Nothing is removed: an episode that the feed no longer lists keeps its row and its old ``last_seen``.
    """
    with immediate(db):
        new = sum(_save_episode(db, slug, episode, now) for episode in episodes)
        db.execute(
            """update feeds set feed_url = ?, etag = ?, last_modified = ?, parser_version = ?,
               last_polled = ?, last_status = 'ok' where slug = ?""",
            [feed_url, etag, last_modified, parser_version, now, slug],
        )
    return new


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


def _save_episode(db: Database, slug: str, episode: FeedEpisode, now: str) -> bool:
    known = _known_id(db, slug, episode)
    episode_id = known or _free_id(db, slug, episode.guid)
    values = {
        "guid_made": int(episode.guid_made),
        "title": episode.title,
        "published": episode.published,
        "link": episode.link,
        "enclosure_url": episode.enclosure_url,
        "enclosure_type": episode.enclosure_type,
        "enclosure_length": episode.enclosure_length,
        "declared_duration": episode.declared_duration,
        "notes_html": episode.notes_html,
        "notes_text": episode.notes_text,
        "last_seen": now,
    }
    if known:
        db.table("episodes").update(episode_id, values)
    else:
        db.table("episodes").insert({"id": episode_id, "feed": slug, "guid": episode.guid, "first_seen": now, **values})
    db.conn.executemany(
        """insert into transcript_links (episode, url, type, language, rel) values (?, ?, ?, ?, ?)
           on conflict (episode, url) do update
           set type = excluded.type, language = excluded.language, rel = excluded.rel""",
        [(episode_id, link.url, link.type, link.language, link.rel) for link in episode.transcripts],
    )
    if episode.questions:
        save_questions(db, episode_id, episode.questions)
    return not known


def _known_id(db: Database, slug: str, episode: FeedEpisode) -> str | None:
    """The id of a known episode with this guid; of several that share it, the one with this audio.

    Where items share a guid, parsing gave all but the oldest ``<guid>#<suffix>``. When the feed drops the oldest,
    another one comes with the plain guid: it must not take over the oldest one's row.
    """
    same = db.execute("select id, enclosure_url from episodes where feed = ? and guid = ?", [slug, episode.guid])
    plain = same.fetchone()
    if plain and plain[1] == episode.enclosure_url:
        return str(plain[0])
    suffixed = db.execute(
        """select id from episodes
           where feed = :feed and enclosure_url = :url and substr(guid, 1, length(:guid) + 1) = :guid || '#'""",
        {"feed": slug, "guid": episode.guid, "url": episode.enclosure_url},
    ).fetchone()
    found = suffixed or plain
    return str(found[0]) if found else None


def _free_id(db: Database, slug: str, guid: str) -> str:
    """``<slug>/<8 hex>``; 10,000 episodes have a 1 % chance of two alike, so a taken id is not used again."""
    salt = 0
    while True:
        digest = hashlib.sha256((guid + (f"#{salt}" if salt else "")).encode()).hexdigest()[:8]
        episode_id = f"{slug}/{digest}"
        if not db.execute("select 1 from episodes where id = ?", [episode_id]).fetchone():
            return episode_id
        salt += 1


def save_questions(db: Database, episode_id: str, questions: Iterable[Question], *, source: str = "notes") -> None:
    """Store a list of questions, in place of an older one.

    A question keeps its id, matches and corrections as long as its text stays the same.

    An id is ``<episode id>/q<8 hex of the text's hash>``: when the publisher inserts a question, no other one inherits
    what was found or corrected for its number.
    """
    listed: dict[str, Question] = {}
    for question in questions:
        key = _question_id(episode_id, question.text)
        listed[f"{key}-{question.number}" if key in listed else key] = question  # the same text twice is two questions
    known = {row[0]: tuple(row[1:]) for row in db.execute(
        "select id, number, text, source from questions where episode = ?", [episode_id]
    )}  # fmt: skip
    if known == {key: (question.number, question.text, source) for key, question in listed.items()}:
        return
    for gone in known.keys() - listed.keys():
        for table in ("matches", "follow_ups"):
            db.execute(f"delete from {table} where question = ?", [gone])  # noqa: S608 - names from this line
        # A corrected question stays, out of the list: somebody's work is never thrown away.
        corrected = db.execute("select 1 from corrections where question = ?", [gone]).fetchone()
        db.execute("update questions set number = null where id = ?" if corrected else
                   "delete from questions where id = ?", [gone])  # fmt: skip
    db.execute("update questions set number = null where episode = ?", [episode_id])  # numbers may change places
    for key, question in listed.items():
        db.execute(
            """insert into questions (id, episode, number, text, source) values (?, ?, ?, ?, ?)
               on conflict (id) do update
               set number = excluded.number, text = excluded.text, source = excluded.source""",
            [key, episode_id, question.number, question.text, source],
        )
    db.execute(
        "delete from alignments where transcript in (select id from transcripts where episode = ?)", [episode_id]
    )


def _question_id(episode_id: str, text: str) -> str:
    words = " ".join(text.casefold().split())
    return f"{episode_id}/q{hashlib.sha256(words.encode()).hexdigest()[:8]}"
