"""A read-only copy of an archive: a folder that Datasette serves as it is. Changes nothing in the archive."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.archive.database import archives_in, explained
from pipeline.archive.kept import kept_file
from pipeline.archive.published_copy import INSPECTED, MADE, is_published
from pipeline.archive.reading import renditions
from pipeline.archive.soundness import indexes, refuse_unsound, room_in, snapshot
from pipeline.data_folder import AUDIO
from pipeline.errors import ConfigError, DatabaseError
from pipeline.files import linked, new_file, sha256_of, write_file
from pipeline.model import Rendition

_SETTINGS = {"allow_download": False}
# Files for the owner to edit are written only if missing. Datasette 0.65 reads settings.json, 1.0 datasette.json.
_TO_EDIT: dict[str, dict[str, Any]] = {
    "metadata.json": {
        "title": "Interview archive",
        "plugins": {"interview-archive": {"title": "Interview archive", "robots": "pages"}},
    },
    "settings.json": _SETTINGS,
    "datasette.json": {"settings": _SETTINGS},
}
# Errors of runs are private, and a voice print can identify a person.
_PRIVATE = (
    "delete from run_items",
    "delete from runs",
    "update feeds set last_status = 'failed' where last_status not in ('ok', 'unchanged')",
    "update episode_pages set problem = 'it was not read' where problem is not null",
    "update speakers set voice = null where voice is not null",
    """update transcripts set machine_speakers = (
           select json_group_array(json_set(value, '$.voice', json('[]'))) from json_each(machine_speakers)
       ) where machine_speakers is not null""",
)
_RECORDING = re.compile(r"[0-9a-f]{64}\.[a-z0-9]+")
_README = """# A copy of an interview archive, to be read

Made {now}. Serve it where interview-archive is installed, from the folder that this page is in:

    datasette . --port 8001

Datasette sees in `inspect-data.json` that `{name}` never changes. To serve that file beside others:

    datasette -i {name} --metadata metadata.json --setting allow_download off

What the site is called, who may see it and what search engines may visit is up to you, in `metadata.json`; it and the
settings are not overwritten when the copy is made again. After that, start Datasette again.

Mind whose words and recordings these are before you put them where anybody can find them. The addresses of feeds and
audio are in the tables as they were fetched, including that of a private feed.
"""


@dataclass(frozen=True, slots=True)
class Published:
    """The result: the database, its size and the audio's in bytes, and the number of recordings copied and missing."""

    database: Path
    bytes: int
    recordings: int
    audio_bytes: int
    missing: int


def publish(database: Path, folder: Path, *, audio: bool, now: str) -> Published:
    """Make or replace the copy in ``folder``, even during a run.

    The database appears under its name only once it is known to be sound and its recordings are present, so that it
    never refers to a file that is not there yet. Afterwards, recordings of an earlier copy that this one does not name
    are removed.

    Args:
        database: the archive.
        folder: the folder of the copy; created if needed.
        audio: whether to include the recordings, as hard links if the file system supports them.
        now: the moment, UTC ISO 8601.

    Raises:
        ConfigError: the folder is the archive's own, or contains another archive.
        DatabaseError: the archive or the copy cannot be read or written, or is damaged.
    """
    if folder.resolve() == database.resolve().parent:
        raise ConfigError(f"--out {folder}: is the folder of the archive itself. Name another one.")
    target = folder / database.name
    is_replaced = is_published(target)
    others = set(archives_in(folder)) - ({target} if is_replaced else set())
    if others or (target.exists() and not is_replaced):
        raise ConfigError(
            f"--out {folder}: holds {min(others, default=target).name}, which is not an earlier copy of this archive, "
            "and is left as it is. Name another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="interview-archive-") as apart, new_file(target) as file:
            made = Path(apart) / database.name  # what is private is never in a folder that may be served
            with room_in(made.parent, "Free some space there, or name another folder in TMPDIR."):
                snapshot(database, made)
                with explained(database):
                    kept, counts = _finish(made, database)
            with made.open("rb") as finished:
                shutil.copyfileobj(finished, file)
            sizes = [_have(one, database.parent, folder) for one in kept] if audio else []
            _describe(folder, made, counts, now=now, is_replaced=is_replaced)
        if is_replaced:
            _remove_others(folder, kept if audio else ())
    except OSError as error:
        raise DatabaseError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    found = [size for size in sizes if size is not None]
    return Published(target, target.stat().st_size, len(found), sum(found), len(sizes) - len(found))


def _finish(made: Path, database: Path) -> tuple[tuple[Rendition, ...], dict[str, int]]:
    """Remove private data and check the rest; return the recordings, and the number of rows of each table."""
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        for statement in _PRIVATE:
            connection.execute(statement)
        for index in indexes(connection):
            connection.execute(f"insert into {index} ({index}) values ('optimize')")  # noqa: S608 - its own names
        connection.execute("analyze")
        connection.execute("vacuum")  # so that deleted data is nowhere in the file
        refuse_unsound(connection, database)
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        counts = {
            table: int(connection.execute(f'select count(*) from "{table}"').fetchone()[0])  # noqa: S608 - its own names
            for table in tables
        }
        return renditions(connection), counts


def _have(kept: Rendition, data: Path, folder: Path) -> int | None:
    """Put a recording into the copy if needed, and return its size; None if the archive lacks the file."""
    source = kept_file(data, kept)
    if source is None:
        return None
    target = folder / kept.path
    if not (target.is_file() and (target.samefile(source) or sha256_of(target) == kept.sha256)):
        target.unlink(missing_ok=True)
        linked(source, target)
    return kept.bytes


def _remove_others(folder: Path, kept: Iterable[Rendition]) -> None:
    """Remove the recordings of an earlier copy that are not among these, and no files with other names."""
    audio = folder / AUDIO
    named = {Path(one.path) for one in kept}
    for path in list(audio.glob("*/*")):
        # A folder may be a link to the archive's own recordings.
        is_here = path.parent.resolve().is_relative_to(folder.resolve())
        if is_here and _RECORDING.fullmatch(path.name) and path.relative_to(folder) not in named:
            path.unlink()
    for emptied in (*audio.glob("*"), audio):
        with suppress(OSError):  # not empty, or not a folder
            emptied.rmdir()


def _describe(folder: Path, made: Path, counts: dict[str, int], *, now: str, is_replaced: bool) -> None:
    inspected = {
        MADE: now,
        "hash": sha256_of(made),
        "size": made.stat().st_size,
        "file": made.name,
        "tables": {table: {"count": count} for table, count in counts.items()},
    }
    write_file(folder / INSPECTED, _json({made.stem: inspected}))
    if is_replaced or not (folder / "README.md").exists():
        write_file(folder / "README.md", _README.format(now=now, name=made.name).encode())
    for file_name, content in _TO_EDIT.items():
        if not (folder / file_name).exists():
            write_file(folder / file_name, _json(content))


def _json(content: dict[str, Any]) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()
