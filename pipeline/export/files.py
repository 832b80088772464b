"""Exports as files: which ones a command asks for, their names, and writing them atomically."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.addresses import Addresses
from pipeline.archive.publication import Channel, channel, episode_ids, publication, slugs
from pipeline.archive.reading import episode_named
from pipeline.errors import ConfigError, ExportError, UnknownEpisodeError
from pipeline.export import FORMATS, id3
from pipeline.export.feed import feed
from pipeline.files import new_file

FEED_FORMAT = "xml"
AUDIO_FORMAT = "mp3"
CHOICES = (*FORMATS, AUDIO_FORMAT, FEED_FORMAT)


@dataclass(frozen=True, slots=True)
class Job:
    """One file to write: of an episode (by id), or of a feed (by slug) if ``form`` is ``xml``."""

    subject: str
    form: str

    @property
    def is_text(self) -> bool:
        """Tell whether it can be written to a terminal."""
        return self.form != AUDIO_FORMAT

    def path(self, folder: Path) -> Path:
        """Return its path below a folder, with the same name as on the site.

        Raises:
            ExportError: it would not be below the folder; ids are ours, but the database may come from anywhere.
        """
        path = folder / f"{self.subject}.{self.form}"
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ExportError(f"{self.subject}: is not an id that can name a file.")
        return path


def jobs(connection: sqlite3.Connection, target: str | None, forms: Collection[str]) -> tuple[Job, ...]:
    """Return the files to write.

    Args:
        connection: the archive.
        target: a feed's slug, or anything that ``episode_named`` accepts; None for everything.
        forms: formats, of ``CHOICES``.

    Raises:
        UnknownEpisodeError: the target is not a feed, and matches no episode or several.
        ConfigError: the feed format is requested for an episode.
    """
    known = slugs(connection)
    if target is None or target in known:
        feeds = known if target is None else (target,)
        return tuple(job for slug in feeds for job in _jobs_of(connection, slug, forms))
    try:
        episode = episode_named(connection, target)
    except UnknownEpisodeError as error:
        raise UnknownEpisodeError(f"{error}\n(the feeds are: {', '.join(known) or 'none'})") from error
    if FEED_FORMAT in forms:
        raise ConfigError(f"{FEED_FORMAT} is for a whole feed: name a feed, or leave that format out.")
    return tuple(Job(episode, form) for form in forms)


def write(connection: sqlite3.Connection, job: Job, file: BinaryIO, *, addresses: Addresses, data: Path) -> None:
    """Write one export.

    Args:
        connection: the archive.
        job: what to write.
        file: where to write it.
        addresses: makes the URLs of links to the site.
        data: the folder of the database, which contains the audio folder.

    Raises:
        ExportError: there is nothing to write; nothing has been written.
    """
    read = channel if job.form == FEED_FORMAT else publication
    found = read(connection, job.subject)
    if found is None:
        raise ExportError(f"{job.subject}: is no longer in the archive.")
    if isinstance(found, Channel):
        file.write(feed(found, addresses).encode())
    elif job.form == AUDIO_FORMAT:
        id3.write(found, data, file)
    else:
        file.write(FORMATS[job.form].render(found, addresses).encode())


def save(connection: sqlite3.Connection, job: Job, folder: Path, *, addresses: Addresses, data: Path) -> Path:
    """Write one export atomically to its own file, and return the path.

    Raises:
        ExportError: there is nothing to write, or it cannot be written; an existing file is kept.
    """
    path = job.path(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            write(connection, job, file, addresses=addresses, data=data)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror or error}).") from error
    return path


def _jobs_of(connection: sqlite3.Connection, slug: str, forms: Collection[str]) -> Iterator[Job]:
    for episode_id in episode_ids(connection, slug):
        yield from (Job(episode_id, form) for form in forms if form != FEED_FORMAT)
    if FEED_FORMAT in forms:
        yield Job(slug, FEED_FORMAT)
