"""Checking a whole archive, in parallel, beside whatever else is done to it. Mends nothing."""

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
from pipeline.archive.files import PublishersFile, Recording, Snapshot, TranscriptFile, named_files, unfinished_since
from pipeline.archive.published_copy import is_published, published_fault
from pipeline.archive.soundness import copied, faults, index_fault, indexes
from pipeline.audio.in_processes import checks_in_processes
from pipeline.data_folder import AUDIO
from pipeline.progress import Begin, unseen
from pipeline.proof.listing import earlier, orphans, present
from pipeline.proof.problems import Bench, Earlier, File, Problem, problem_of

_AHEAD = 4  # files a thread that wait their turn


@dataclass(frozen=True, slots=True)
class Verified:
    """How many files of each kind were looked at, the bytes of the recordings, and what is wrong.

    Problems come in the order of the database, its files and orphans, each by name.
    """

    recordings: int
    audio_bytes: int
    feeds: int
    transcripts: int
    problems: tuple[Problem, ...]


def verify(database: Path, *, decode: bool, workers: int, progress: Begin = unseen) -> Verified:
    """Check every file and the database, also while a run writes to it. Nothing is changed.

    A copy that ``publish`` made is checked for what there is in it: its database, and its recordings if it has any.

    Args:
        database: the archive.
        decode: whether to decode every recording, too, and to compare how long it is.
        workers: how many files to read at a time.
        progress: called with the bytes of all files together; what it returns, with those that were read so far.

    Raises:
        DatabaseError: the database cannot be opened at all.
    """
    bring_up_to_date(database)
    there = present(database.parent)  # before the tables are read: what a run adds meanwhile is no orphan
    # At Ctrl-C the processes end first: no thread then waits for what one of them decodes.
    with copied(database) as copy, ThreadPoolExecutor(workers + 1) as pool, checks_in_processes(workers) as check:
        whole = pool.submit(_database_problems, database, copy)
        try:
            with closing(sqlite3.connect(copy)) as connection:
                named, unfinished = named_files(connection), unfinished_since(connection)
        except sqlite3.DatabaseError as error:
            unread = Problem("database", database.name, f"which files there are cannot be read from it: {error}")
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
    sizes = {one.sha256: one.bytes for one in files if isinstance(one, Recording)}
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
        with suppress(sqlite3.DatabaseError):  # which tables there are cannot be read: said above
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
    """Check files in several threads, and give what is wrong in their order; few wait, however many there are."""
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
    return file.bytes if isinstance(file, Recording | Snapshot) else 0
