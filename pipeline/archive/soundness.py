"""Whether a database is whole: its pages, its references, and that its search indexes hold what its tables do."""

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
from pipeline.errors import DatabaseError

_EXTERNAL = re.compile(r"content\s*=\s*[\"']\w")
_PARTS = ("data", "idx", "docsize", "config")  # the tables in which FTS5 keeps an index of external content
_MOST = 20  # complaints of one kind: a torn file has thousands


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """Give a copy of a database, byte for byte and of one moment, that may be written to; it is deleted afterwards.

    The check of a search index wants to write, although it changes nothing: on a copy that stops no run and no editor,
    and needs no right to write. The copy lies in the folder for temporary files (``TMPDIR``).

    Raises:
        DatabaseError: as of ``reader``, or there is no room.
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
    """Write a copy of an archive of one moment, with what is still in its -wal file, as one file without slack.

    Raises:
        LockedError, DatabaseError: as of ``up_to_date_reader``.
    """
    with up_to_date_reader(database) as archive:
        archive.conn.execute("vacuum into ?", [str(target)])
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("pragma journal_mode = delete")  # so that nobody who reads it puts files beside it


def refuse_unsound(connection: sqlite3.Connection, database: Path) -> None:
    """Let pass a copy of ``database`` in which nothing is wrong; the connection may write, but changes nothing.

    Raises:
        DatabaseError: saying what is.
    """
    wrong = [*faults(connection), *(index_fault(connection, index) for index in indexes(connection))]
    if fault := next(filter(None, wrong), None):
        raise DatabaseError(f"{database}: is damaged ({fault}). `verify --repair` mends what can be mended.")


def indexes(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the search indexes."""
    rows = connection.execute(
        """select name from sqlite_master where type = 'table' and sql like 'create virtual table%using fts5(%'
           order by name"""
    )
    return tuple(row[0] for row in rows)


def faults(connection: sqlite3.Connection) -> list[str]:
    """Say what is wrong with pages and references; nothing where all is well."""
    try:
        rows = [str(row[0]) for row in connection.execute(f"pragma integrity_check({_MOST})")]
        broken = Counter((row[0], row[2]) for row in connection.execute("pragma foreign_key_check"))
    except sqlite3.DatabaseError as error:
        return [str(error)]
    found = [row for row in rows if row != "ok"]
    return found + [f"{count} rows of {table} name rows of {other} that are not there"
                    for (table, other), count in sorted(broken.items())]  # fmt: skip


def check_index(connection: sqlite3.Connection, index: str) -> None:
    """Let pass a search index that holds exactly the words of its table.

    Args:
        connection: one that may write; nothing is changed.
        index: its name, one of ``indexes``.

    Raises:
        sqlite3.DatabaseError: it does not.
    """
    # Without a rank of 1 an index is not compared with the table whose words it holds.
    connection.execute(f"insert into {index} ({index}, rank) values ('integrity-check', 1)")  # noqa: S608 - its own name


def index_fault(connection: sqlite3.Connection, index: str) -> str | None:
    """Say what is wrong with a search index, as ``check_index`` finds it; None where nothing is."""
    try:
        check_index(connection, index)
    except sqlite3.DatabaseError as error:
        return str(error)
    return None


def rebuild(db: Database, index: str) -> str | None:
    """Make a search index anew from its table; say what is wrong with it even so."""
    try:
        with immediate(db):
            (sql,) = db.execute("select sql from sqlite_master where name = ?", [index]).fetchone()
            if _EXTERNAL.search(sql):  # it keeps no words of its own: nothing is lost
                _forget(db.conn, index)
                db.conn.execute(sql)
            db.conn.execute(f"insert into {index} ({index}) values ('rebuild')")  # noqa: S608 - its own name
            check_index(db.conn, index)
    except sqlite3.DatabaseError as error:
        return str(error)
    return None


def _forget(connection: sqlite3.Connection, index: str) -> None:
    """Drop an index as if it were no virtual table: SQLite opens that to drop it, and cannot where much is missing."""
    connection.execute("pragma writable_schema = on")
    connection.execute("delete from sqlite_master where name = ?", [index])
    connection.execute("pragma writable_schema = reset")
    for part in _PARTS:
        connection.execute(f"drop table if exists {index}_{part}")
