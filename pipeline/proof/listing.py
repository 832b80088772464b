"""The files in the archive's own folders: those that its tables name, and those that none does. Deletes nothing."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.archive.database import any_reader, archives_in
from pipeline.archive.files import Named, named_files
from pipeline.data_folder import FOLDERS, TRANSCRIPTS, VECTORS
from pipeline.errors import ArchiveError
from pipeline.proof.problems import Earlier, Problem
from pipeline.times import timestamp

_EARLIER = re.compile(rf"({TRANSCRIPTS}/[0-9a-f]{{64}}\.[0-9a-f]{{12}})\.([0-9a-f]{{12}})\.json")
# What no table has to name: what a run is at, or can make again.
_NAMELESS = {
    TRANSCRIPTS: re.compile(r"[0-9a-f]{64}\.[0-9a-f]{12}\.unfinished\.jsonl"),
    VECTORS: re.compile(r"[0-9a-f]{32}\.npy"),
}


def present(data: Path) -> tuple[str, ...]:
    """Return the paths of all files in the archive's own folders.

    Hidden ones are left out: downloads that have begun are among those. What lies beside the folders is somebody
    else's, as ``feeds.yaml`` may be.
    """
    found = []
    for folder in FOLDERS:
        for where, below, names in os.walk(data / folder):
            below[:] = [name for name in below if not name.startswith(".")]
            found += [Path(where, name).relative_to(data).as_posix() for name in names if not name.startswith(".")]
    return tuple(sorted(found, key=lambda path: (FOLDERS.index(Path(path).parts[0]), path)))


def earlier(there: Iterable[str], named: Iterable[Named]) -> tuple[Earlier, ...]:
    """Return the files with earlier wordings of an archive's transcripts."""
    names = _names(named)
    found = (_EARLIER.fullmatch(path) for path in there)
    return tuple(Earlier(one[0], one[2]) for one in found if one and f"{one[1]}.json" in names)


def belonging(there: Iterable[str], named: Iterable[Named]) -> tuple[str, ...]:
    """Return the files that are an archive's own and cannot be made again."""
    names = _names(named)
    return tuple(path for path in there if _is_named(path, names))


def orphans(
    database: Path, there: Iterable[str], named: Iterable[Named], *, unfinished: str | None
) -> tuple[Problem, ...]:
    """Return the files that neither this archive names nor another one in the same folder, as the sample show's.

    Args:
        database: the archive.
        there: all files, listed before the tables were read.
        named: what the tables name.
        unfinished: when the last run began, if it has not ended: what came since is its own, or for the next one to
            take up.
    """
    names = _names(named)
    strange = [path for path in there if not (_is_named(path, names) or _needs_no_name(path))]
    if not strange:
        return ()
    others = _names(one for archive in _others(database) for one in archive)
    since = timestamp(unfinished) if unfinished else None
    found = []
    for path in strange:
        with suppress(FileNotFoundError):  # it has gone since
            if not _is_named(path, others) and (since is None or (database.parent / path).stat().st_mtime < since):
                found.append(Problem("orphan", path, "no table names it"))
    return tuple(found)


def _names(named: Iterable[Named]) -> frozenset[str]:
    return frozenset(one.path for one in named)


def _is_named(path: str, names: frozenset[str]) -> bool:
    """Tell whether a file is one of those that an archive names, be it only by the beginning of its name."""
    if path in names:
        return True
    if path.endswith(".published"):
        return f"{TRANSCRIPTS}/{Path(path).name[:12]}" in names
    wording = _EARLIER.fullmatch(path)
    return wording is not None and f"{wording[1]}.json" in names


def _needs_no_name(path: str) -> bool:
    kind = _NAMELESS.get(Path(path).parts[0])
    return kind is not None and kind.fullmatch(Path(path).name) is not None


def _others(database: Path) -> Iterator[tuple[Named, ...]]:
    """What other archives in the same folder name."""
    for path in archives_in(database.parent):
        if path != database:
            with suppress(ArchiveError, sqlite3.DatabaseError), any_reader(path) as connection:
                yield named_files(connection)
