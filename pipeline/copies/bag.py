"""Making a bag of an archive, and restoring the archive from it. ``pipeline.copies.bagit`` writes the bag format."""

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
from pipeline.archive.kept import is_kept
from pipeline.archive.published_copy import is_published
from pipeline.archive.soundness import refuse_unsound, room_in, snapshot
from pipeline.copies.bagit import PAYLOAD, Entry, entries, validated, write_tags
from pipeline.data_folder import AUDIO, FOLDERS
from pipeline.errors import BagError, ConfigError, DatabaseError
from pipeline.files import linked, new_file, sha256_of, unfinished
from pipeline.progress import Begin, unseen
from pipeline.proof.listing import belonging, present
from pipeline.proof.problems import Bench, problem_of
from pipeline.text import amount

_DATABASE = "Interview-Archive-Database"  # in bag-info.txt: the path of the database
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bagged:
    """The result: the folder, its number of files and bytes, and problems with some of the archive's own files."""

    folder: Path
    files: int
    bytes: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """The result: the database, and the number of files and bytes."""

    database: Path
    files: int
    bytes: int


def bag(database: Path, folder: Path, *, now: str, workers: int, progress: Begin = unseen) -> Bagged:
    """Make a bag of a whole archive, even during a run: a snapshot of the database, and the files.

    The folder appears when the bag is complete. Files are hard links if the file system supports them. Missing files,
    and files that are not as recorded, are reported as problems; the latter are in the bag as they are.

    Args:
        database: the archive.
        folder: the bag to make; it must not exist yet.
        now: the moment, UTC ISO 8601.
        workers: how many files to read at a time.
        progress: called with the number of files; returns a function that is called with the number read so far.

    Raises:
        ConfigError: the folder exists, or the archive is a published copy.
        DatabaseError: the database is damaged, or something cannot be read or written.
    """
    if folder.exists():
        raise ConfigError(f"{folder}: already exists. Name a new folder.")
    if is_published(database):
        raise ConfigError(f"{database}: is a published copy, without feeds and transcripts. Bag the archive itself.")
    bring_up_to_date(database)
    data = database.parent
    part = unfinished(folder)
    shutil.rmtree(part, ignore_errors=True)  # in a container, a killed process may have had the same id
    try:
        (part / PAYLOAD).mkdir(parents=True)
        copy = part / PAYLOAD / database.name
        with room_in(folder, "Free some space there, or name another folder."):
            named, about = _copy_database(database, copy)
        paths = [path for path in belonging(present(data), named) if not _leads_away(data, path)]
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
    """Make an archive from a bag: the same tables, the same files. The bag is validated first, and not changed.

    Identical files that already exist are kept, so that an interrupted restoration can be continued. The database is
    copied last, under a lock that keeps a run from creating one meanwhile.

    Args:
        folder: the bag.
        database: the archive to make; the files go into its folder.
        workers: how many files to read at a time.
        progress: as for ``bag``, while the bag is validated.

    Raises:
        BagError: it is not a valid bag, or not one of an archive.
        ConfigError: something else exists that would have to be overwritten.
        LockedError: another process is writing to this database.
        DatabaseError: the archive was made by a newer version, or something cannot be written.
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


def _leads_away(data: Path, path: str) -> bool:
    """Tell whether it is a recording's link that is not followed."""
    return path.startswith(f"{AUDIO}/") and not is_kept(data, path)


def _copy_database(database: Path, copy: Path) -> tuple[tuple[Named, ...], str]:
    """Copy a snapshot of the database; return the files it names, and a sentence about it.

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
    """The files named in the tables that are not in the bag, or are not as recorded."""
    found = {entry.path.removeprefix(f"{PAYLOAD}/"): entry.sha256 for entry in payload}
    problems = []
    for one in named:
        if isinstance(one, TranscriptFile | PublishersFile):  # whose names do not determine their content
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
        raise BagError(f"{folder / entry.path}: is not a file of an interview archive")
    return database.parent / path


def _refuse_overwriting(database: Path, targets: Mapping[Entry, Path]) -> None:
    _refuse_database(database)
    for entry, target in targets.items():
        if target.exists() and (target.stat().st_size != entry.bytes or sha256_of(target) != entry.sha256):
            raise ConfigError(f"{target}: already exists with different content, and is not overwritten.")


def _refuse_database(database: Path) -> None:
    # SQLite would take leftover files of another database for this one's.
    for path in (database, *(database.with_name(database.name + ending) for ending in ("-wal", "-shm", "-journal"))):
        if path.exists():
            raise ConfigError(f"{path}: already exists, and is not overwritten. Name another --db.")


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy a file, which appears only if it has the validated hash.

    Raises:
        BagError: it has another one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as old, new_file(target) as new:
        while chunk := old.read(_CHUNK):
            digest.update(chunk)
            new.write(chunk)
        if digest.hexdigest() != sha256:
            raise BagError(f"{source}: changed while it was copied")
