"""Opening the archive's database for the single writer, for editors and for readers. Independent of the schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from sqlite_utils import Database

from pipeline.archive.published_copy import is_published, refuse_published
from pipeline.archive.schema import migrations
from pipeline.errors import ArchiveError, DatabaseError, LockedError

T = TypeVar("T")
BUSY_SECONDS = 10.0
# Connections that write have no ``isolation_level``: what is written outside of ``immediate`` is kept at once. With
# Python's own, a single insert would open a transaction, which the next ``immediate`` would join and nobody commit.
_MAGIC = b"SQLite format 3\0"
_FILE_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database: name another with --db, or restore it from a copy",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore it from a copy",
    sqlite3.SQLITE_CORRUPT_VTAB: "a search index is damaged: `verify --repair` rebuilds it",
    sqlite3.SQLITE_FULL: "the disk is full: free some space and run again",
    sqlite3.SQLITE_BUSY: "another program has locked it: close that and run again",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: its folder must exist, and you need permission to write there",
    sqlite3.SQLITE_READONLY: "cannot be written to: check the permissions of the file and its folder",
    sqlite3.SQLITE_PERM: "cannot be opened: check the permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check that its disk is connected, sound and not full",
}


@contextmanager
def writer(path: Path) -> Iterator[Database]:
    """Open ``path`` for writing, creating or migrating it as needed; only one process at a time may hold it.

    The lock is the operating system's, so it is released however the process ends.

    Raises:
        ConfigError: it is a published copy.
        LockedError: another process is writing.
        DatabaseError: the file is not writable, not an archive, or from a newer version (it is left unchanged).
    """
    refuse_published(path)
    with (
        explained(path),
        locked(path),
        closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection,
    ):
        _refuse_foreign(connection, path)
        _refuse_newer(connection, path)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma foreign_keys = on")
        db = Database(connection)
        migrations.apply(db)
        yield db


@contextmanager
def editor(path: Path) -> Iterator[Database]:
    """Open ``path`` for short writes while a run or other editors are writing; transactions wait for each other.

    Raises:
        ConfigError: it is a published copy.
        LockedError: an older version made it, and another process is writing.
        DatabaseError: see ``reader``; or the file is not writable.
    """
    refuse_published(path)
    bring_up_to_date(path)
    with (
        explained(path),
        closing(
            sqlite3.connect(f"{existing(path).as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection,
    ):
        connection.execute("pragma foreign_keys = on")
        yield Database(connection)


@contextmanager
def up_to_date_reader(path: Path) -> Iterator[Database]:
    """Open ``path`` read-only, migrating an archive of an older version first.

    A published copy is never changed: if it is from an older version, a temporary copy is migrated and opened instead.

    Raises:
        LockedError, DatabaseError: see ``bring_up_to_date``.
    """
    bring_up_to_date(path)
    with any_reader(path) as connection:
        if is_current(connection):
            yield Database(connection)
            return
        with closing(sqlite3.connect("")) as copy:  # a file of SQLite's own, gone once it is closed
            connection.backup(copy)
            try:
                migrations.apply(Database(copy))
            except sqlite3.OperationalError as error:
                raise DatabaseError(f"{path}: {outdated(path)}") from error
            copy.row_factory = sqlite3.Row
            yield Database(copy)


def bring_up_to_date(path: Path) -> None:
    """Migrate an archive of an older version; leave a current archive or a published copy untouched.

    Raises:
        LockedError, DatabaseError: see ``reader``; or it needs migrating and is not writable.
    """
    with any_reader(path) as connection:
        current = is_current(connection)
    if not current and not is_published(path):
        with writer(path):
            pass


@contextmanager
def immediate(db: Database) -> Iterator[None]:
    """Run the block in a ``begin immediate`` transaction, or join the one already open.

    A deferred transaction that reads first fails at its first write if another connection wrote in between.
    """
    if db.conn.in_transaction:
        yield
        return
    db.conn.execute("begin immediate")
    with db.conn:
        yield


@contextmanager
def reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open ``path`` read-only; rows come as ``sqlite3.Row``.

    Raises:
        DatabaseError: there is no such file, or it is no archive of this version.
    """
    with any_reader(path) as connection:
        if not is_current(connection):
            raise DatabaseError(f"{path}: {outdated(path)}")
        yield connection


@contextmanager
def any_reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open ``path`` read-only, even if its schema is from an older version.

    Raises:
        DatabaseError: there is no such file, or it is no archive of a version that this program knows.
    """
    with (
        explained(path),
        closing(sqlite3.connect(_read_only_uri(path), uri=True, timeout=BUSY_SECONDS)) as connection,
    ):
        _refuse_newer(connection, path)
        if not is_archive(connection):
            raise DatabaseError(f"{path}: is not an interview archive. Name another with --db.")
        connection.row_factory = sqlite3.Row
        yield connection


def archives_in(folder: Path) -> Iterator[Path]:
    """Yield the archives and published copies in a folder; none that is unfinished, or if there is no such folder."""
    for path in sorted(path for path in folder.glob("*") if path.suffix != ".part"):
        with suppress(OSError, ArchiveError, sqlite3.DatabaseError):
            with path.open("rb") as file:
                is_database = file.read(len(_MAGIC)) == _MAGIC
            if is_database:
                with any_reader(path):
                    yield path


def named_rows(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """Return a cursor that yields ``sqlite3.Row``, whatever the connection's own row factory."""
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor


def made(cls: Callable[..., T], row: sqlite3.Row | Mapping[str, Any], *flags: str, **others: object) -> T:
    """Make an object of a row whose columns are its fields; ``flags`` are those that are 0 or 1 in the database."""
    return cls(**{**dict(row), **{name: bool(row[name]) for name in flags}, **others})


def plain_rows(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """Return a cursor that yields tuples, whatever the connection's own row factory."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor


def is_archive(connection: sqlite3.Connection) -> bool:
    """Tell whether a database has this project's tables."""
    wanted = ("episodes", "renditions", "segments", "transcripts_fts")
    marks = ", ".join("?" * len(wanted))
    sql = f"select count(*) from sqlite_master where name in ({marks})"
    return bool(connection.execute(sql, wanted).fetchone()[0] == len(wanted))


def is_current(connection: sqlite3.Connection) -> bool:
    """Tell whether all of this version's migrations have been applied."""
    return _known() <= _applied(connection)


def outdated(path: Path) -> str:
    """Return the message for an archive that is not current: what it is, and what to do."""
    if is_published(path):
        return "This copy was made by an older version and cannot be updated: publish it again from its archive."
    return "An older version made this archive. Any run brings it up to date, and so does “python -m pipeline serve”."


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the writer's lock, a file beside the database; create the folder as needed.

    Raises:
        LockedError: another process is writing.
        DatabaseError: the lock file cannot be created.
    """
    _refuse_folder(path)
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"{path}: another run is writing to this database. Wait until it has ended, or use another --db."
        ) from None
    except OSError as error:
        raise DatabaseError(
            f"{path}: cannot be written ({error.strerror or error}). "
            "Check the permissions of its folder, or name another database with --db."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _read_only_uri(path: Path) -> str:
    """The read-only SQLite URI of an existing database."""
    whole = existing(path)
    uri = f"{whole.as_uri()}?mode=ro"
    # SQLite needs a -shm file to read a WAL database and cannot create one in a read-only folder. Without a pending
    # -wal file nobody is writing, and ``immutable`` lets it do without.
    frozen = not os.access(whole.parent, os.W_OK) and not whole.with_name(whole.name + "-wal").exists()
    return f"{uri}&immutable=1" if frozen else uri


def existing(path: Path) -> Path:
    """Return the whole path of a database that is there.

    Raises:
        DatabaseError: it is not there, or is a folder.
    """
    _refuse_folder(path)
    try:
        found, whole = path.is_file(), path.resolve()
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be read ({error.strerror or error}).") from error
    if not found:
        raise DatabaseError(
            f"{path}: no such database. Make it with `make ingest`, or name another with --db: "
            "the sample show’s is db/demo.db, which `make demo` makes."
        )
    return whole


def _refuse_folder(path: Path) -> None:
    try:
        folder = path.is_dir()
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be opened ({error.strerror or error}).") from error
    if folder:
        raise DatabaseError(f"{path}: is a folder. Name the database file in it with --db.")


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise if the file holds tables of another program; an empty database is accepted."""
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type in ('table', 'view')")}
    # A run killed before its first migration leaves only an empty migrations table.
    if tables - {"_sqlite_migrations", "sqlite_sequence"} and not _applied(connection):
        raise DatabaseError(
            f"{path}: has tables that are not an interview archive's, and is left unchanged. Name another with --db."
        )


def _applied(connection: sqlite3.Connection) -> set[str]:
    """The names of our migrations applied to a database."""
    if not connection.execute("select 1 from sqlite_master where name = '_sqlite_migrations'").fetchone():
        return set()
    rows = connection.execute("select name from _sqlite_migrations where migration_set = ?", [migrations.name])
    return {name for (name,) in rows}


def _known() -> set[str]:
    return {migration.name for migration in migrations._migrations}  # it has no public list


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    newer = sorted(_applied(connection) - _known())
    if newer:
        raise DatabaseError(
            f"{path}: was made by a newer version of this program ({newer[-1]}) and is left unchanged. "
            "Install that version, or name another database with --db."
        )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Translate SQLite errors about the file itself into messages that name ``path`` and the remedy.

    Raises:
        DatabaseError: instead of such an error.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0)
        problem = _FILE_PROBLEMS.get(code) or _FILE_PROBLEMS.get(code & 0xFF)  # the upper bits are finer distinctions
        if problem is None:
            raise
        raise DatabaseError(f"{path}: {problem} ({error}).") from error
