"""Repairing what ``verify`` found: only bytes that were recorded are restored, and nothing is deleted."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlite_utils import Database

from pipeline.archive.database import writer
from pipeline.archive.feeds import resolved_url
from pipeline.archive.files import PublishersFile, Snapshot, TranscriptFile, sources
from pipeline.archive.soundness import rebuild
from pipeline.archive.transcripts import stored_transcript
from pipeline.audio.keep import keep
from pipeline.audio.transfer import Limits
from pipeline.config import Feed
from pipeline.data_folder import AUDIO, publishers_path
from pipeline.errors import ArchiveError, RepairError
from pipeline.feeds.fetch import FeedBody, fetch
from pipeline.feeds.paging import Pages, all_pages, read_page
from pipeline.feeds.private import body_without_secrets, secrets_of
from pipeline.files import moved, write_file
from pipeline.model import Rendition, Validators
from pipeline.net.local_files import local_file, local_folder
from pipeline.net.urls import scheme, shown
from pipeline.proof.problems import Bench, Problem, problem_of
from pipeline.speech import transcript_file
from pipeline.text import amount


@dataclass(frozen=True, slots=True)
class Mended:
    """The outcome for a problem: whether it is ``done``, and ``how``, or why not."""

    problem: Problem
    done: bool
    how: str


@dataclass(frozen=True, slots=True)
class _Workshop:
    db: Database
    bench: Bench
    feed: Callable[[str], Feed]
    client: Callable[[Feed], httpx.Client]
    now: str
    trusted: bool  # whether the database is sound; otherwise nothing is restored from it
    pages: dict[str, Pages] = field(default_factory=dict)  # of each feed that was fetched

    @property
    def data(self) -> Path:
        return self.bench.data


def repair(
    database: Path,
    problems: Iterable[Problem],
    *,
    feed: Callable[[str], Feed],
    client: Callable[[Feed], httpx.Client],
    now: str,
) -> Iterator[Mended]:
    """Repair what can be repaired, one problem after the other, while no run can write.

    A missing or damaged file is fetched from its source, and restored only if it has the recorded SHA-256. A
    transcript's file is rewritten from the tables, an index rebuilt from its table.

    Args:
        database: the archive.
        problems: what ``verify`` found.
        feed: returns a feed's settings by its slug.
        client: returns a feed's HTTP client; it is not closed.
        now: the moment, UTC ISO 8601.

    Raises:
        ConfigError: it is a published copy.
        LockedError, DatabaseError: the database cannot be written.
    """
    problems = list(problems)
    trusted = all(problem.kind != "database" for problem in problems)
    with writer(database) as db:
        workshop = _Workshop(db, Bench(database.parent, database.resolve()), feed, client, now, trusted)
        for problem in problems:
            yield _mended(workshop, problem)


def _mended(workshop: _Workshop, problem: Problem) -> Mended:
    try:
        return Mended(problem, done=True, how=_mend(workshop, problem))
    except (ArchiveError, OSError) as error:
        return Mended(problem, done=False, how=str(error))


def _mend(workshop: _Workshop, problem: Problem) -> str:
    """Repair a problem and say how.

    Raises:
        ArchiveError, OSError: it cannot be repaired; ``RepairError`` if that is known beforehand.
    """
    file = problem.file if problem.kind in {"missing", "damaged"} else None
    if file is not None and problem_of(workshop.bench, file) is None:  # already repaired for another row
        return "it is already as recorded"
    match file:
        case Rendition():
            return _fetch_recording(workshop, file)
        case Snapshot():
            return _fetch_snapshot(workshop, file)
        case PublishersFile():
            return _fetch_publishers(workshop, file)
        case TranscriptFile() if workshop.trusted:
            return _write(workshop, file)
        case None if problem.kind == "index" and workshop.trusted:
            return _rebuild(workshop, problem.what)
        case None if problem.kind == "orphan":
            raise RepairError("nothing is deleted: check whether you need it")
    if workshop.trusted:
        raise RepairError("it cannot be recreated: restore it from a copy")
    raise RepairError("the database is damaged: restore it from a copy first")


def _fetch_recording(workshop: _Workshop, file: Rendition) -> str:
    tried = []
    apart = workshop.data / AUDIO / ".repair"
    limits = Limits(max_bytes=max(file.bytes, Limits().max_bytes))
    for slug, episode, url in sources(workshop.db.conn, file.sha256):
        client, root = workshop.client(workshop.feed(slug)), local_folder(resolved_url(workshop.db, slug))
        shutil.rmtree(apart, ignore_errors=True)  # also what a killed process left
        try:
            audio = keep(url, client, apart, name=episode, now=workshop.now, local_root=root, limits=limits)
            if audio and audio.sha256 == file.sha256:
                moved(apart / audio.path, workshop.data / file.path)
                return f"fetched again from {shown(url)}"
            tried.append(f"{shown(url)} now gives another file (SHA-256 {audio and audio.sha256}), which was not used")
        except ArchiveError as error:
            tried.append(str(error))
        finally:
            shutil.rmtree(apart, ignore_errors=True)
    raise RepairError("; ".join(dict.fromkeys(tried)))


def _fetch_snapshot(workshop: _Workshop, file: Snapshot) -> str:
    """Fetch a feed with all of its pages: what is missing may be any of them."""
    feed, url = workshop.feed(file.feed), resolved_url(workshop.db, file.feed) or ""
    url = feed.url if url == shown(feed.url) else url  # with its login, which is stored nowhere
    if file.feed not in workshop.pages:
        client = workshop.client(feed)
        workshop.pages[file.feed] = all_pages(*read_page(url, client), client)
    pages = workshop.pages[file.feed]
    for body in pages.bodies:
        content = body_without_secrets(body, secrets_of(feed.url))
        if hashlib.sha256(content).hexdigest() == file.sha256:
            write_file(workshop.data / file.path, content)
            return f"fetched again from {shown(url)}"
    where = f"{shown(url)}, with {amount(len(pages.bodies), 'page')},"
    raise RepairError("; ".join(filter(None, [f"{where} now gives something else, which was not used", pages.missing])))


def _fetch_publishers(workshop: _Workshop, file: PublishersFile) -> str:
    feed, url = workshop.feed(file.feed), file.where
    if scheme(url) == "file":
        local_file(url, local_folder(resolved_url(workshop.db, file.feed)))
    body = fetch(url, workshop.client(feed), Validators())
    content = body_without_secrets(body.content if isinstance(body, FeedBody) else b"", secrets_of(feed.url))
    sha256 = hashlib.sha256(content).hexdigest()
    if not sha256.startswith(file.prefix):
        raise RepairError(f"{shown(url)} now gives something else (SHA-256 {sha256}), which was not used")
    write_file(workshop.data / publishers_path(sha256), content)
    return f"fetched again from {shown(url)}"


def _write(workshop: _Workshop, file: TranscriptFile) -> str:
    transcript = stored_transcript(workshop.db, file.id)
    write = transcript_file.write_earlier if file.is_earlier else transcript_file.write
    return f"rewritten from the tables, as {write(workshop.data, transcript, file.key).name}"


def _rebuild(workshop: _Workshop, index: str) -> str:
    fault = rebuild(workshop.db, index)
    if fault:
        raise RepairError(f"it was rebuilt, but is no better: {fault}")
    return "rebuilt"
