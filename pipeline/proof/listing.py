"""Listing the files in the archive's folders, and those that no table refers to. Deletes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.archive.database import any_reader, archives_in
from pipeline.archive.files import Named, named_files
from pipeline.data_folder import FOLDERS, TRANSCRIPTS, earlier_wording, needs_no_name
from pipeline.errors import ArchiveError
from pipeline.files import as_text
from pipeline.proof.problems import Earlier, Problem
from pipeline.times import timestamp


def present(data: Path) -> tuple[str, ...]:
    """Return the paths of all files in the archive's own folders.

    Hidden files, such as unfinished downloads, are left out. Files beside the folders, such as ``feeds.yaml``, do not
    belong to the archive. Links are followed, but for those to folders where the archive has none, which may lead in a
    circle.
    """
    found = []
    for folder in FOLDERS:
        for where, below, names in os.walk(data / folder, followlinks=True):
            path = Path(where)
            is_top = path == data / folder
            below[:] = [name for name in below if name[0] != "." and (is_top or not (path / name).is_symlink())]
            found += [path / name for name in names if name[0] != "." and os.path.isfile(path / name)]  # noqa: PTH113 - never raises
    paths = [path.relative_to(data).as_posix() for path in found]
    return tuple(sorted(paths, key=lambda path: (FOLDERS.index(Path(path).parts[0]), path)))


def earlier(there: Iterable[str], named: Iterable[Named]) -> tuple[Earlier, ...]:
    """Return the files of superseded transcripts."""
    names = _names(named)
    found = ((path, earlier_wording(path)) for path in there)
    return tuple(Earlier(path, one[1]) for path, one in found if one and one[0] in names)


def belonging(there: Iterable[str], named: Iterable[Named]) -> tuple[str, ...]:
    """Return the files that are an archive's own and cannot be made again."""
    names = _names(named)
    return tuple(path for path in there if _is_named(path, names))


def orphans(
    database: Path, there: Iterable[str], named: Iterable[Named], *, unfinished: str | None
) -> tuple[Problem, ...]:
    """Return the files that no archive in this folder refers to (there may be several, such as the sample show's).

    Args:
        database: the archive.
        there: all files, listed before the tables were read.
        named: what the tables name.
        unfinished: when the last run began, if it has not ended; newer files are ignored, since that run or the next
            one will store them.
    """
    names = _names(named)
    strange = [path for path in there if not (_is_named(path, names) or needs_no_name(path))]
    if not strange:
        return ()
    others = _names(one for archive in _others(database) for one in archive)
    since = timestamp(unfinished) if unfinished else None
    found = []
    for path in strange:
        with suppress(FileNotFoundError):  # deleted meanwhile
            if not _is_named(path, others) and (since is None or (database.parent / path).stat().st_mtime < since):
                found.append(Problem("orphan", as_text(path), "no table refers to it"))
    return tuple(found)


def _names(named: Iterable[Named]) -> frozenset[str]:
    return frozenset(one.path for one in named)


def _is_named(path: str, names: frozenset[str]) -> bool:
    """Tell whether the tables refer to a file, by its full path or by a prefix of its name."""
    if path in names:
        return True
    if path.endswith(".published"):
        return f"{TRANSCRIPTS}/{Path(path).name[:12]}" in names
    wording = earlier_wording(path)
    return wording is not None and wording[0] in names


def _others(database: Path) -> Iterator[tuple[Named, ...]]:
    """What other archives in the same folder name."""
    for path in archives_in(database.parent):
        if path != database:
            with suppress(ArchiveError, sqlite3.DatabaseError), any_reader(path) as connection:
                yield named_files(connection)
