"""A copy of an archive that is only read: one folder that Datasette serves as it is. Changes nothing in the archive."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.archive.database import archives_in, explained
from pipeline.archive.kept import kept_file
from pipeline.archive.published_copy import INSPECTED, MADE, is_published
from pipeline.archive.reading import renditions
from pipeline.archive.soundness import indexes, refuse_unsound, snapshot
from pipeline.data_folder import AUDIO
from pipeline.errors import ConfigError, DatabaseError
from pipeline.files import linked, new_file, sha256_of
from pipeline.model import Rendition

_SETTINGS = {"allow_download": False}
# What is the owner's to change is written once. Datasette 0.65 reads settings.json, 1.0 datasette.json.
_TO_EDIT: dict[str, dict[str, Any]] = {
    "metadata.json": {
        "title": "Interview archive",
        "plugins": {"interview-archive": {"title": "Interview archive", "robots": "pages"}},
    },
    "settings.json": _SETTINGS,
    "datasette.json": {"settings": _SETTINGS},
}
# What went wrong at home, and how, is told there; a voice print knows a person again.
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

What the site is called, who may see it and what search engines may visit is yours to say in `metadata.json`; it and the
settings are not written again when the copy is made anew. After that, start Datasette again.

Mind whose words and recordings these are before you put them where anybody can find them. The addresses of feeds and
audio are in the tables as they were fetched: that of a private feed, too.
"""


@dataclass(frozen=True, slots=True)
class Published:
    """What was made: the database, its size and that of the audio in bytes, and how many recordings were missing."""

    database: Path
    bytes: int
    recordings: int
    audio_bytes: int
    missing: int


def publish(database: Path, folder: Path, *, audio: bool, now: str) -> Published:
    """Make or replace the copy in ``folder``, also while a run is writing to the archive.

    The database gets its name only if it is sound, and when its recordings are there: what is served knows no file that
    is not there yet. After that, the recordings go that an older copy had and this one does not name.

    Args:
        database: the archive.
        folder: where the copy is to lie; made as needed.
        audio: whether to have the recordings there, by hard links where the file system can.
        now: the moment, UTC ISO 8601.

    Raises:
        ConfigError: the folder is the archive's own, or holds another one.
        DatabaseError: the archive or the copy cannot be read or written, or is damaged.
    """
    if folder.resolve() == database.resolve().parent:
        raise ConfigError(f"--out {folder}: is the folder of the archive itself. Name another one.")
    target = folder / database.name
    is_replaced = is_published(target)
    others = set(archives_in(folder)) - ({target} if is_replaced else set())
    if others or (target.exists() and not is_replaced):
        raise ConfigError(
            f"--out {folder}: holds {min(others, default=target).name}, which is no earlier copy of this archive, "
            "and is left as it is. Name another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with new_file(target) as file:
            part = Path(file.name)
            snapshot(database, part)
            with explained(database):
                kept, counts = _finish(part, database)
            sizes = [_have(one, database.parent, folder) for one in kept] if audio else []
            _describe(folder, database.name, part, counts, now=now, is_replaced=is_replaced)
        if is_replaced:
            _remove_others(folder, kept if audio else ())
    except OSError as error:
        raise DatabaseError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    found = [size for size in sizes if size is not None]
    return Published(target, target.stat().st_size, len(found), sum(found), len(sizes) - len(found))


def _finish(part: Path, database: Path) -> tuple[tuple[Rendition, ...], dict[str, int]]:
    """Take out what is private, and check the rest; return the recordings, and how many rows each table has."""
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        for statement in _PRIVATE:
            connection.execute(statement)
        for index in indexes(connection):
            connection.execute(f"insert into {index} ({index}) values ('optimize')")  # noqa: S608 - its own names
        connection.execute("analyze")
        connection.execute("vacuum")  # what was taken out is then nowhere in the file
        refuse_unsound(connection, database)
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        counts = {
            table: int(connection.execute(f'select count(*) from "{table}"').fetchone()[0])  # noqa: S608 - its own names
            for table in tables
        }
        return renditions(connection), counts


def _have(kept: Rendition, data: Path, folder: Path) -> int | None:
    """Have a recording in the copy, and return its size; None if it is missing in the archive."""
    source = kept_file(data, kept)
    if source is None:
        return None
    target = folder / AUDIO / source.relative_to((data / AUDIO).resolve())
    if not target.is_file() or target.stat().st_size != kept.bytes:
        target.unlink(missing_ok=True)
        linked(source, target)
    return kept.bytes


def _remove_others(folder: Path, kept: Iterable[Rendition]) -> None:
    """Remove the recordings of an older copy that are not among these; no file that is called otherwise."""
    audio = folder / AUDIO
    named = {Path(one.path) for one in kept}
    for path in list(audio.glob("*/*")):
        # A folder that is a link may lead to the archive's own recordings.
        is_here = path.parent.resolve().is_relative_to(folder.resolve())
        if is_here and _RECORDING.fullmatch(path.name) and path.relative_to(folder) not in named:
            path.unlink()
    for emptied in (*audio.glob("*"), audio):
        with suppress(OSError):  # there is something in it, or it is no folder
            emptied.rmdir()


def _describe(folder: Path, name: str, part: Path, counts: dict[str, int], *, now: str, is_replaced: bool) -> None:
    inspected = {
        MADE: now,
        "hash": sha256_of(part),
        "size": part.stat().st_size,
        "file": name,
        "tables": {table: {"count": count} for table, count in counts.items()},
    }
    _write(folder / INSPECTED, _json({Path(name).stem: inspected}))
    if is_replaced or not (folder / "README.md").exists():
        _write(folder / "README.md", [_README.format(now=now, name=name)])
    for file_name, content in _TO_EDIT.items():
        if not (folder / file_name).exists():
            _write(folder / file_name, _json(content))


def _json(content: dict[str, Any]) -> list[str]:
    return [json.dumps(content, indent=2), "\n"]


def _write(path: Path, pieces: Iterable[str]) -> None:
    with new_file(path) as file:
        for piece in pieces:
            file.write(piece.encode())
