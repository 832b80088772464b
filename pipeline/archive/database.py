"""Opening the archive's database, for one writer or for any number of readers. Knows no table's meaning."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlite_utils import Database

from pipeline.archive.schema import migrations
from pipeline.errors import DatabaseError, LockedError

BUSY_SECONDS = 10.0
_FILE_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is no SQLite database: name another with --db, or restore it from a copy",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore it from a copy",
    sqlite3.SQLITE_FULL: "the disk is full: free some space and run again",
    sqlite3.SQLITE_BUSY: "another program keeps it locked: close that and run again",
}


@contextmanager
def writer(path: Path) -> Iterator[Database]:
    """Open ``path`` for writing, made or migrated as needed; only one process at a time gets it.

    The lock is the operating system's: it goes with the process, however that ends.

    Raises:
        LockedError: another process is writing.
        DatabaseError: the file is no database, or a newer version made it (it is left unchanged).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"{path}: another run is writing to this database. Wait until it has ended, or use another --db."
        ) from None
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection, _explained(path):
            _refuse_newer(connection, path)
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute("pragma foreign_keys = on")
            db = Database(connection)
            migrations.apply(db)
            yield db
    finally:
        lock.release()


@contextmanager
def reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open ``path`` read-only; rows come as ``sqlite3.Row``.

    Raises:
        DatabaseError: there is no such file, or it is no archive of a version that this program knows.
    """
    if not path.is_file():
        raise DatabaseError(f"{path}: no such database. Make it with `make ingest`, or name another with --db.")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection, _explained(path):
        _refuse_newer(connection, path)
        if not is_archive(connection):
            raise DatabaseError(f"{path}: is not an interview archive. Name another with --db.")
        connection.row_factory = sqlite3.Row
        yield connection


def is_archive(connection: sqlite3.Connection) -> bool:
    """Tell whether a database has this project's tables."""
    wanted = ("episodes", "renditions", "segments", "transcripts_fts")
    marks = ", ".join("?" * len(wanted))
    sql = f"select count(*) from sqlite_master where name in ({marks})"  # noqa: S608 - only question marks
    return bool(connection.execute(sql, wanted).fetchone()[0] == len(wanted))


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    if not connection.execute("select 1 from sqlite_master where name = '_sqlite_migrations'").fetchone():
        return
    applied = connection.execute(
        "select name from _sqlite_migrations where migration_set = ?", [migrations.name]
    ).fetchall()
    known = {migration.name for migration in migrations._migrations}  # it has no public list
    newer = sorted(name for (name,) in applied if name not in known)
    if newer:
        raise DatabaseError(
            f"{path}: was made by a newer version of this program ({newer[-1]}) and is left unchanged. "
            "Install that version, or name another database with --db."
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's own errors about the file as a whole into sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code not in _FILE_PROBLEMS:
            raise
        raise DatabaseError(f"{path}: {_FILE_PROBLEMS[code]} ({error}).") from error
