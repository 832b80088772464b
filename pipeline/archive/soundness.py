"""Integrity checks of a database: pages, foreign keys, and search indexes against their tables."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from pipeline.archive.database import any_reader, immediate, up_to_date_reader
from pipeline.errors import DatabaseError, is_full

_EXTERNAL = re.compile(r"content\s*=\s*[\"']\w")
_PARTS = ("data", "idx", "docsize", "config")  # the tables in which FTS5 keeps an index of external content
_MOST = 20  # complaints of one kind: a torn file has thousands


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """Yield a consistent, writable temporary copy of a database; it is deleted afterwards.

    FTS5's integrity check needs write access although it changes nothing. On a copy it blocks no run or editor and
    works on read-only archives. The copy is made in the folder for temporary files (``TMPDIR``).

    Raises:
        DatabaseError: see ``reader``; or there is no room for the copy.
    """
    with tempfile.TemporaryDirectory(prefix="interview-archive-") as folder, any_reader(path) as source:
        copy = Path(folder) / "copy.db"
        try:
            with closing(sqlite3.connect(copy)) as target:
                source.backup(target)
        except sqlite3.OperationalError as error:
            raise DatabaseError(
                f"{folder}: there is no room for a copy of {path} ({error}). Name another folder in TMPDIR."
            ) from error
        yield copy


def snapshot(database: Path, target: Path) -> None:
    """Write a consistent copy of an archive as one compact file, including what is still in its -wal file.

    Raises:
        LockedError, DatabaseError: see ``up_to_date_reader``.
    """
    with up_to_date_reader(database) as archive:
        archive.conn.execute("vacuum into ?", [str(target)])
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("pragma journal_mode = delete")  # so that nobody who reads it puts files beside it


@contextmanager
def room_in(folder: Path, remedy: str) -> Iterator[None]:
    """Name ``folder`` if a copy of a database does not fit there: the database itself may be on another disk.

    Raises:
        DatabaseError: the disk is full; it ends with ``remedy``, a sentence.
    """
    try:
        yield
    except (sqlite3.Error, DatabaseError) as error:
        if not is_full(error):
            raise
        raise DatabaseError(f"{folder}: the disk is full: the copy of the database does not fit. {remedy}") from error


def refuse_unsound(connection: sqlite3.Connection, database: Path) -> None:
    """Raise if a copy of ``database`` is damaged; the connection must be writable, but nothing is changed.

    Raises:
        DatabaseError: names the first fault.
    """
    wrong = [*faults(connection), *(index_fault(connection, index) for index in indexes(connection))]
    if fault := next(filter(None, wrong), None):
        raise DatabaseError(f"{database}: is damaged ({fault}). `verify --repair` repairs what can be repaired.")


def indexes(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the search indexes."""
    rows = connection.execute(
        """select name from sqlite_master where type = 'table' and sql like 'create virtual table%using fts5(%'
           order by name"""
    )
    return tuple(row[0] for row in rows)


def faults(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with pages and foreign keys; empty if nothing is."""
    try:
        rows = [str(row[0]) for row in connection.execute(f"pragma integrity_check({_MOST})")]
        broken = Counter((row[0], row[2]) for row in connection.execute("pragma foreign_key_check"))
    except sqlite3.DatabaseError as error:
        return [str(error)]
    found = [row for row in rows if row != "ok"]
    return found + [f"{count} rows of {table} refer to missing rows of {other}"
                    for (table, other), count in sorted(broken.items())]  # fmt: skip


def _check_index(connection: sqlite3.Connection, index: str) -> None:
    """Raise unless a search index holds exactly the words of its table.

    Args:
        connection: one that may write; nothing is changed.
        index: its name, one of ``indexes``.

    Raises:
        sqlite3.DatabaseError: it does not.
    """
    # Without a rank of 1 an index is not compared with the table whose words it holds.
    connection.execute(f"insert into {index} ({index}, rank) values ('integrity-check', 1)")


def index_fault(connection: sqlite3.Connection, index: str) -> str | None:
    """Return how a search index differs from its table; None if it has exactly the words of it."""
    try:
        _check_index(connection, index)
    except sqlite3.DatabaseError as error:
        return str(error)
    return None


def rebuild(db: Database, index: str) -> str | None:
    """Rebuild a search index from its table; return what is still wrong with it, or None."""
    try:
        with immediate(db):
            (sql,) = db.execute("select sql from sqlite_master where name = ?", [index]).fetchone()
            if _EXTERNAL.search(sql):  # it keeps no words of its own: nothing is lost
                _forget(db.conn, index)
                db.conn.execute(sql)
            db.conn.execute(f"insert into {index} ({index}) values ('rebuild')")
            _check_index(db.conn, index)
    except sqlite3.DatabaseError as error:
        return str(error)
    return None


def _forget(connection: sqlite3.Connection, index: str) -> None:
    """Drop a damaged FTS5 table by editing the schema: ``drop table`` would have to open it, which may fail."""
    connection.execute("pragma writable_schema = on")
    connection.execute("delete from sqlite_master where name = ?", [index])
    connection.execute("pragma writable_schema = reset")
    for part in _PARTS:
        connection.execute(f"drop table if exists {index}_{part}")
