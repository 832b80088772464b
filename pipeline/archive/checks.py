"""Passages that a person has listened to: recording, undoing, reading them. Changes no words and shows nothing.

Rows are only ever added. A check belongs to a recording (by its sha256) and a time, not to a transcript, so it outlives
every new transcription.
"""

from __future__ import annotations

import sqlite3

from pipeline.archive.database import named_rows
from pipeline.model import Check

__all__ = ["Check", "checks_of"]


def checks_of(connection: sqlite3.Connection, rendition: str) -> tuple[Check, ...]:
    """Return a recording's checks in force in order of time; no two overlap."""
    if not _has_checks(connection):
        return ()
    rows = named_rows(connection).execute(
        """select id, rendition, start, "end", text, machine, note, editor, made_at from checks_in_force
           where rendition = ? order by start""",
        [rendition],
    )
    return tuple(Check(**dict(row)) for row in rows)


def _has_checks(connection: sqlite3.Connection) -> bool:
    """Tell whether an archive has the table, which one that an older version made has not."""
    return connection.execute("select 1 from sqlite_master where name = 'checks_in_force'").fetchone() is not None
