"""The sign of life: a small file beside the database, written after each run, for whatever watches over it."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.archive.status import status
from pipeline.files import new_file

_log = logging.getLogger(__name__)
FAILURES = 20  # that are listed; there may be thousands, for one reason


def health_file(database: Path) -> Path:
    """Return where it lies."""
    return database.with_name(f"{database.name}.health.json")


def write_health(database: Path, connection: sqlite3.Connection, *, now: str) -> None:
    """Write it, whole or not at all. A disk on which there is no room for it does not fail the run."""
    try:
        with new_file(health_file(database)) as file:
            file.write((json.dumps(health(database, connection, now=now), indent=2) + "\n").encode())
    except OSError as error:
        _log.warning("%s cannot be written: %s", health_file(database), error)


def health(database: Path, connection: sqlite3.Connection, *, now: str) -> dict[str, Any]:
    """Return what is in it: how the last run went, what waits at each stage, and what is left of the disk."""
    found = status(connection)
    last = found["last_run"] or {"failed": []}
    return {
        "written": now,
        "version": __version__,
        "last_run": {**last, "failed": last["failed"][:FAILURES], "failures": len(last["failed"])},
        "waiting": found["waiting"],
        "disk": disk(database, connection),
    }


def disk(database: Path, connection: sqlite3.Connection) -> dict[str, int]:
    """Return the bytes of the database and the recordings, and those that are free and there are in all on its disk."""
    (recordings,) = connection.execute(
        "select coalesce(sum(bytes), 0) from (select max(bytes) as bytes from renditions group by sha256)"
    ).fetchone()
    files = (database, database.with_name(f"{database.name}-wal"))
    usage = shutil.disk_usage(database.parent)
    return {
        "database": sum(path.stat().st_size for path in files if path.exists()),
        "recordings": recordings,
        "free": usage.free,
        "total": usage.total,
    }
