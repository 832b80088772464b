"""The files that an archive's tables refer to. Does not touch the file system."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from pipeline.archive.database import named_rows
from pipeline.data_folder import TRANSCRIPTS, transcript_path
from pipeline.model import Rendition


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A feed's body as it was fetched; ``path`` is relative to the data folder, here and below."""

    path: str
    sha256: str
    bytes: int
    feed: str


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """The file of a Whisper transcript; ``id`` is its row in ``transcripts``.

    A superseded transcript (``is_earlier``) has a file named by its content, which the tables do not record: ``path``
    is then that of the transcript that replaced it.
    """

    path: str
    id: int
    rendition: str
    key: str
    is_earlier: bool


@dataclass(frozen=True, slots=True)
class PublishersFile:
    """A publisher's transcript as it came from ``where``; ``prefix`` is what its SHA-256 begins with."""

    prefix: str
    where: str
    feed: str

    @property
    def path(self) -> str:
        """Return the beginning of its path."""
        return f"{TRANSCRIPTS}/{self.prefix}"


Named = Rendition | Snapshot | TranscriptFile | PublishersFile


def named_files(connection: sqlite3.Connection) -> tuple[Named, ...]:
    """Return all files that an archive names, each once, in the order of their folders and names."""
    return (*_recordings(connection), *_snapshots(connection), *_heard(connection), *_published(connection))


def _recordings(connection: sqlite3.Connection) -> tuple[Rendition, ...]:
    """Return the kept recordings; rows that disagree about one file yield one each."""
    rows = named_rows(connection).execute(
        """select sha256, path, bytes, min(content_type) as content_type, duration from renditions
           group by sha256, path, bytes, duration order by path, duration"""
    )
    return tuple(Rendition(**dict(row)) for row in rows)


def _snapshots(connection: sqlite3.Connection) -> tuple[Snapshot, ...]:
    """Return every distinct body that a feed had; two feeds may have had the same one."""
    rows = named_rows(connection).execute(
        "select path, sha256, bytes, min(feed) as feed from feed_snapshots group by path, sha256, bytes order by path"
    )
    return tuple(Snapshot(**dict(row)) for row in rows)


def sources(connection: sqlite3.Connection, sha256: str) -> tuple[tuple[str, str, str], ...]:
    """Return (feed, episode, address) triples from which a recording may be fetched again.

    The feed's current address comes first, since it has any access token; then the requested and the final address.
    """
    rows = connection.execute(
        """select e.feed, r.episode, e.enclosure_url, r.url, r.final_url
           from renditions r join episodes e on e.id = r.episode
           where r.sha256 = ? order by r.fetched_at desc, r.episode""",
        [sha256],
    )
    found = [(feed, episode, address) for feed, episode, *addresses in rows for address in addresses if address]
    return tuple(dict.fromkeys(found))


def unfinished_since(connection: sqlite3.Connection) -> str | None:
    """Return when the last run began if it is unfinished (still running or killed); else None."""
    found = connection.execute("select started, finished from runs order by id desc limit 1").fetchone()
    return found[0] if found and found[1] is None else None


def _heard(connection: sqlite3.Connection) -> tuple[TranscriptFile, ...]:
    """One row a transcript; several where episodes share a recording: all have to agree with the file."""
    rows = connection.execute(
        "select id, rendition, key from transcripts where source = 'whisper' order by rendition, key, id"
    )
    found = []
    for id_, rendition, key in rows:
        current, _, set_aside = key.partition(".")
        path = transcript_path(rendition, current)
        found.append(TranscriptFile(path, id_, rendition, current, is_earlier=bool(set_aside)))
    return tuple(found)


def _published(connection: sqlite3.Connection) -> tuple[PublishersFile, ...]:
    """Those that came from an address; one inside the notes has no file."""
    rows = connection.execute(
        """select t.key, t.options, min(e.feed) from transcripts t join episodes e on e.id = t.episode
           where t.source = 'publisher' group by t.key, t.options order by t.key"""
    )
    named = [PublishersFile(key, json.loads(options).get("where", "notes"), feed) for key, options, feed in rows]
    return tuple(one for one in named if one.where != "notes")
