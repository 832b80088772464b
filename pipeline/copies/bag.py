"""A bag of an archive, and the archive from it again. How a bag is written is ``pipeline.copies.bagit``'s to know."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline import __version__
from pipeline.archive.database import any_reader, bring_up_to_date, explained, locked
from pipeline.archive.files import Named, PublishersFile, TranscriptFile, named_files
from pipeline.archive.published_copy import is_published
from pipeline.archive.soundness import refuse_unsound, snapshot
from pipeline.copies.bagit import PAYLOAD, Entry, entries, validated, write_tags
from pipeline.data_folder import FOLDERS
from pipeline.errors import BagError, ConfigError, DatabaseError
from pipeline.files import linked, new_file, unfinished
from pipeline.progress import Begin, unseen
from pipeline.proof.listing import belonging, present
from pipeline.proof.problems import Bench, problem_of
from pipeline.text import amount

_DATABASE = "Interview-Archive-Database"  # in bag-info.txt: which of the files it is
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bagged:
    """What was made: the folder, its files and their bytes, and what is wrong with some of the archive's own."""

    folder: Path
    files: int
    bytes: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the database, the files and their bytes."""

    database: Path
    files: int
    bytes: int


def bag(database: Path, folder: Path, *, now: str, workers: int, progress: Begin = unseen) -> Bagged:
    """Make a bag of a whole archive, also while a run is writing to it: the database of one moment, and its files.

    The folder appears when the bag is complete. Files are hard links where the file system can. One that is missing, or
    is not what was recorded, is told; the latter is in the bag as it is.

    Args:
        database: the archive.
        folder: the bag to be; it must not be there yet.
        now: the moment, UTC ISO 8601.
        workers: how many files to read at a time.
        progress: called with the number of files; what it returns, with the number of those read so far.

    Raises:
        ConfigError: the folder is there already, or the archive is a published copy.
        DatabaseError: the database is damaged, or something cannot be read or written.
    """
    if folder.exists():
        raise ConfigError(f"{folder}: is there already. Name a folder that is not.")
    if is_published(database):
        raise ConfigError(f"{database}: is a published copy, without feeds and transcripts. Bag the archive itself.")
    bring_up_to_date(database)
    data = database.parent
    part = unfinished(folder)
    shutil.rmtree(part, ignore_errors=True)  # in a container, one that was killed may have had the same number
    try:
        (part / PAYLOAD).mkdir(parents=True)
        copy = part / PAYLOAD / database.name
        named, about = _copy_database(database, copy)
        paths = belonging(present(data), named)
        for path in paths:
            linked(data / path, part / PAYLOAD / path)
        inside = [f"{PAYLOAD}/{path}" for path in (database.name, *paths)]
        payload = entries(part, inside, workers=workers, progress=progress)
        size = sum(entry.bytes for entry in payload)
        info = {
            "Bag-Software-Agent": f"interview-archive {__version__}",
            "Bagging-Date": now[:10],
            "Bag-Size": f"{size / 1e6:.1f} MB",
            "External-Description": about,
            "Interview-Archive-Moment": now,
            _DATABASE: f"{PAYLOAD}/{database.name}",
        }
        write_tags(part, payload, info)
        part.rename(folder)
    except OSError as error:
        raise DatabaseError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    inside_it = Bench(folder / PAYLOAD, (folder / PAYLOAD / database.name).resolve())
    return Bagged(folder, len(payload), size, _problems(inside_it, named, payload))


def restore(folder: Path, database: Path, *, workers: int, progress: Begin = unseen) -> Restored:
    """Make an archive from a bag: the same tables, the same files. The bag is proven first, and left unchanged.

    Files that are there already and are the same are left be, so that a restoration that was interrupted can go on.
    The database comes last; no run can make another one meanwhile.

    Args:
        folder: the bag.
        database: the archive to be; its files go into its folder.
        workers: how many files to read at a time.
        progress: as of ``bag``, while the bag is proven.

    Raises:
        BagError: it is no valid bag, or none of an archive.
        ConfigError: something else is there already that would have to be overwritten.
        LockedError: another process is writing to the database to be.
        DatabaseError: a newer version made the archive, or something cannot be written.
    """
    payload, info = validated(folder, workers=workers, progress=progress)
    source = _database_of(folder, payload, info)
    with any_reader(folder / source.path):
        pass
    targets = {entry: _target(folder, entry, database) for entry in payload if entry != source}
    _refuse_overwriting(database, targets)
    with locked(database):
        _refuse_database(database)  # a run may have made one since
        try:
            for entry, target in (*targets.items(), (source, database)):
                if not target.exists():
                    _copy(folder / entry.path, target, entry.sha256)
        except OSError as error:
            raise DatabaseError(f"{database}: cannot be restored ({error.strerror or error}).") from error
    return Restored(database, len(payload), sum(entry.bytes for entry in payload))


def _copy_database(database: Path, copy: Path) -> tuple[tuple[Named, ...], str]:
    """Copy the database of one moment; return the files that it names, and a sentence about it.

    Raises:
        DatabaseError: it is not sound.
    """
    snapshot(database, copy)
    with explained(database), closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        refuse_unsound(connection, database)
        shows, episodes, kept = connection.execute(
            "select (select count(*) from feeds), (select count(*) from episodes), "
            "(select count(distinct sha256) from renditions)"
        ).fetchone()
        held = (amount(shows, "show"), amount(episodes, "episode"), amount(kept, "recording"))
        about = f"An interview archive: {', '.join(held)}."
        return named_files(connection), about


def _problems(bench: Bench, named: Iterable[Named], payload: Iterable[Entry]) -> tuple[str, ...]:
    """What of the files that the tables name is not in the bag, or is not what they say."""
    found = {entry.path.removeprefix(f"{PAYLOAD}/"): entry.sha256 for entry in payload}
    problems = []
    for one in named:
        if isinstance(one, TranscriptFile | PublishersFile):  # whose names say not all of what is in them
            problem = problem_of(bench, one)
            if problem:
                reason = "is missing" if problem.kind == "missing" else problem.reason
                problems.append(f"{problem.what}: {reason}")
        elif one.path not in found:
            problems.append(f"{one.path}: is missing")
        elif found[one.path] != one.sha256:
            problems.append(f"{one.path}: its SHA-256 is not the one that was recorded")
    return tuple(dict.fromkeys(problems))


def _database_of(folder: Path, payload: Iterable[Entry], info: Mapping[str, str]) -> Entry:
    for entry in payload:
        if entry.path == info.get(_DATABASE):
            return entry
    raise BagError(f"{folder}: is a bag, but bag-info.txt names no database of an interview archive in it")


def _target(folder: Path, entry: Entry, database: Path) -> Path:
    path = Path(entry.path).relative_to(PAYLOAD)
    if path.parts[0] not in FOLDERS:
        raise BagError(f"{folder / entry.path}: is no file of an interview archive")
    return database.parent / path


def _refuse_overwriting(database: Path, targets: Mapping[Entry, Path]) -> None:
    _refuse_database(database)
    for entry, target in targets.items():
        if target.exists() and (target.stat().st_size != entry.bytes or not _is(target, entry.sha256)):
            raise ConfigError(f"{target}: is there already with other content, and is not overwritten.")


def _refuse_database(database: Path) -> None:
    # What SQLite left of another database would be taken for this one's.
    for path in (database, *(database.with_name(database.name + ending) for ending in ("-wal", "-shm", "-journal"))):
        if path.exists():
            raise ConfigError(f"{path}: is there already, and is not overwritten. Name another --db.")


def _is(path: Path, sha256: str) -> bool:
    return entries(path.parent, [path.name], workers=1)[0].sha256 == sha256


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy a file that takes its name only if it is the one that was proven."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as old, new_file(target) as new:
        while chunk := old.read(_CHUNK):
            digest.update(chunk)
            new.write(chunk)
        if digest.hexdigest() != sha256:
            raise BagError(f"{source}: changed while it was copied")
