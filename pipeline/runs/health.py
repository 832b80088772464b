"""The health file: a small JSON file beside the database, written after each run for monitoring."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.archive.status import status
from pipeline.files import write_file

_log = logging.getLogger(__name__)
FAILURES = 20  # listed at most; there may be thousands, for one reason


def health_file(database: Path) -> Path:
    """Return the path of a database's health file."""
    return database.with_name(f"{database.name}.health.json")


def write_health(database: Path, connection: sqlite3.Connection, *, now: str) -> None:
    """Write the health file atomically. A failure, such as a full disk, is only logged."""
    try:
        content = json.dumps(health(database, connection, now=now), indent=2) + "\n"
        write_file(health_file(database), content.encode())
    except OSError as error:
        _log.warning("%s cannot be written: %s", health_file(database), error)


def health(database: Path, connection: sqlite3.Connection, *, now: str) -> dict[str, Any]:
    """Return the content of the health file: the last run, the backlog of each stage, and disk usage."""
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
    """Return the sizes of the database and the recordings, and the disk's free and total space, in bytes."""
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
