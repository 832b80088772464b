"""The archive that Datasette serves: finding the database, who may see it, reading it, and locating its audio."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.archive.database import is_archive, is_current, outdated
from pipeline.archive.kept import kept_file
from pipeline.archive.published_copy import is_published
from pipeline.errors import DatabaseError, QueryError
from pipeline.model import Rendition

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette
    from datasette.database import Database

PLUGIN = "interview-archive"
# Datasette's own limit of one second applies to a single statement; a phrase search reads transcript after transcript.
READ_SECONDS = 5.0
# The site shows the contents of these tables, so it is closed to anybody who may not see all of them.
_SHOWN = (
    *("feeds", "episodes", "renditions", "transcripts", "segments", "speakers"),
    *("questions", "matches", "corrections", "checks", "checks_in_force", "attributions"),
    *("rendition_comparisons", "renditions_map", "episode_history"),
)
_INSTRUCTIONS_BETWEEN_CHECKS = 10_000  # of SQLite's virtual machine; under a millisecond

T = TypeVar("T")
Actor = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive among Datasette's databases."""

    datasette: Datasette
    database: Database

    @property
    def title(self) -> str:
        """Return the name of the site."""
        return str(_settings(self.datasette).get("title") or "Interview archive")

    @property
    def is_fixed(self) -> bool:
        """Tell whether it never changes: it is opened as immutable, or is a published copy."""
        path = self.database.path
        return not self.database.is_mutable or (path is not None and is_published(Path(path)))

    @property
    def robots(self) -> str:
        """Return the ``robots`` setting: what search engines may visit."""
        return str(_settings(self.datasette).get("robots", "pages"))

    async def ensure_visible(self, actor: Actor, *also: str) -> None:
        """Raise unless the actor may view the database, the tables shown on the site, and the tables ``also``.

        Raises:
            Forbidden: Datasette's own exception, so that plugins can offer a login.
        """
        name = self.database.name
        await ensure_database_visible(self.datasette, name, actor)
        if is_1_0(self.datasette):
            from datasette.resources import TableResource  # noqa: PLC0415 - 0.65 has none

            for table in (*_SHOWN, *also):
                await self.datasette.ensure_permission(
                    action="view-table", resource=TableResource(name, table), actor=actor
                )
            return
        whole = [("view-database", name), "view-instance"]
        for table in (*_SHOWN, *also):
            await self.datasette.ensure_permissions(actor, [("view-table", (name, table)), *whole])

    async def read(self, function: Callable[[sqlite3.Connection], T], *, seconds: float | None = None) -> T:
        """Call a function with a connection, in one of Datasette's threads and within one read transaction.

        Raises:
            QueryError: it took longer than ``seconds`` (default ``READ_SECONDS``).
            DatabaseError: the archive was made by an older version.
        """

        def limited(connection: sqlite3.Connection) -> T:
            with _time_limit(connection, READ_SECONDS if seconds is None else seconds), _snapshot(connection):
                if not is_current(connection):
                    raise DatabaseError(outdated(Path(self.database.path or self.database.name)))
                return function(connection)

        result: T = await self.database.execute_fn(limited)
        return result

    def audio_file(self, kept: Rendition) -> Path | None:
        """Return the path of a kept file; None if it is missing, has another size, or would lie outside ``audio``."""
        return None if self.database.path is None else kept_file(Path(self.database.path).resolve().parent, kept)


def is_1_0(datasette: Datasette) -> bool:
    """Tell whether this is Datasette 1.0, whose permissions are asked for in another way than those of 0.65."""
    return hasattr(datasette, "allowed")


async def find_archive(datasette: Datasette) -> Archive | None:
    """Return the configured database, or else the first that is an archive; None if there is none."""
    named = _settings(datasette).get("database")
    for name, database in datasette.databases.items():
        if named in {None, name} and await database.execute_fn(is_archive):
            return Archive(datasette, database)
    return None


async def ensure_database_visible(datasette: Datasette, name: str, actor: Actor) -> None:
    """Raise unless the actor may view a database, whether or not it is an archive.

    Raises:
        Forbidden: Datasette's own exception.
    """
    if is_1_0(datasette):
        from datasette.resources import DatabaseResource  # noqa: PLC0415 - 0.65 has none

        await datasette.ensure_permission(action="view-database", resource=DatabaseResource(name), actor=actor)
    else:
        await datasette.ensure_permissions(actor, [("view-database", name), "view-instance"])


def _settings(datasette: Datasette) -> Mapping[str, Any]:
    return datasette.plugin_config(PLUGIN) or {}


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold a read transaction, so that concurrent writes are not seen halfway."""
    connection.execute("begin")
    try:
        yield
    finally:
        connection.rollback()


@contextmanager
def _time_limit(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt SQLite when the time is up, as Datasette does for its own queries."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS_BETWEEN_CHECKS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise QueryError(
            f"That took longer than {seconds:g} seconds and was stopped. Use rarer words, or narrow the search down."
        ) from error
    finally:
        connection.set_progress_handler(None, 0)
