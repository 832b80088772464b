"""Verifying a whole archive, in parallel, also while it is in use. Repairs nothing."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from pipeline.archive.database import bring_up_to_date
from pipeline.archive.files import PublishersFile, Snapshot, TranscriptFile, named_files, unfinished_since
from pipeline.archive.published_copy import is_published, published_fault
from pipeline.archive.soundness import copied, faults, index_fault, indexes
from pipeline.audio.in_processes import checks_in_processes
from pipeline.data_folder import AUDIO
from pipeline.model import Rendition
from pipeline.progress import Begin, unseen
from pipeline.proof.listing import earlier, orphans, present
from pipeline.proof.problems import Bench, Earlier, File, Problem, problem_of

_AHEAD = 4  # files queued per thread


@dataclass(frozen=True, slots=True)
class Verified:
    """The number of files checked of each kind, the bytes of the recordings, and the problems.

    The problems are in the order database, files, orphans, each by name.
    """

    recordings: int
    audio_bytes: int
    feeds: int
    transcripts: int
    problems: tuple[Problem, ...]


def verify(database: Path, *, decode: bool, workers: int, progress: Begin = unseen) -> Verified:
    """Check the database and every file, also during a run. Nothing is changed.

    Of a copy that ``publish`` made only what it contains is checked: its database, and its recordings if there are any.

    Args:
        database: the archive.
        decode: whether to decode every recording, too, and compare its duration.
        workers: how many files to read at a time.
        progress: called with the total bytes of all files; returns a function that is called with the bytes read so
            far.

    Raises:
        DatabaseError: the database cannot be opened at all.
    """
    bring_up_to_date(database)
    there = present(database.parent)  # before the tables, so that files that a run adds meanwhile are no orphans
    # On Ctrl-C the processes end first, so that no thread waits for one of them.
    with copied(database) as copy, ThreadPoolExecutor(workers + 1) as pool, checks_in_processes(workers) as check:
        whole = pool.submit(_database_problems, database, copy)
        try:
            with closing(sqlite3.connect(copy)) as connection:
                named, unfinished = named_files(connection), unfinished_since(connection)
        except sqlite3.DatabaseError as error:
            unread = Problem("database", database.name, f"the list of files cannot be read from it: {error}")
            return _verified((), [*whole.result(), unread])
        if is_published(database):
            folders = {AUDIO} if (database.parent / AUDIO).is_dir() else set()
            files: tuple[File, ...] = tuple(one for one in named if Path(one.path).parts[0] in folders)
            strange: tuple[Problem, ...] = ()
        else:
            files = (*named, *earlier(there, named))
            strange = orphans(database, there, named, unfinished=unfinished)
        bench = Bench(database.parent, copy, check if decode else None)
        told = progress(sum(map(_weight, files)))
        found = list(_checked(files, partial(problem_of, bench), pool, workers * _AHEAD, told))
        return _verified(files, [*whole.result(), *found, *strange])


def _verified(files: Iterable[File], problems: Iterable[Problem]) -> Verified:
    files = list(files)
    sizes = {one.sha256: one.bytes for one in files if isinstance(one, Rendition)}
    return Verified(
        recordings=len(sizes),
        audio_bytes=sum(sizes.values()),
        feeds=sum(isinstance(one, Snapshot) for one in files),
        transcripts=len({one.path for one in files if isinstance(one, TranscriptFile | PublishersFile | Earlier)}),
        problems=tuple(problems),
    )


def _database_problems(database: Path, copy: Path) -> list[Problem]:
    found = [published_fault(database)] if is_published(database) else []
    with closing(sqlite3.connect(copy)) as connection:
        found += faults(connection)
        problems = [Problem("database", database.name, fault) for fault in found if fault]
        with suppress(sqlite3.DatabaseError):  # the list of tables cannot be read: reported above
            checked = [(index, index_fault(connection, index)) for index in indexes(connection)]
            problems += [Problem("index", index, fault) for index, fault in checked if fault]
    return problems


def _checked(
    files: Iterable[File],
    check: Callable[[File], Problem | None],
    pool: Executor,
    ahead: int,
    told: Callable[[float], None],
) -> Iterator[Problem]:
    """Check files in several threads, and yield the problems in order; at most ``ahead`` files are queued."""
    rest, done = iter(files), 0
    waiting: deque[tuple[File, Future[Problem | None]]] = deque()
    try:
        while True:
            waiting += [(one, pool.submit(check, one)) for one in islice(rest, ahead - len(waiting))]
            if not waiting:
                return
            one, future = waiting.popleft()
            problem = future.result()
            done += _weight(one)
            told(done)
            if problem:
                yield problem
    finally:
        for _, future in waiting:
            future.cancel()


def _weight(file: File) -> int:
    return file.bytes if isinstance(file, Rendition | Snapshot) else 0
