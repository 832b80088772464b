"""What people who listened to a recording said of its words and speakers, as it counts. Only reads."""

from __future__ import annotations

import sqlite3

from pipeline.archive.database import named_rows
from pipeline.model import Attribution, Check


def checks_of(connection: sqlite3.Connection, rendition: str) -> tuple[Check, ...]:
    """Return a recording's checks in force in order of time; no two overlap."""
    if not has(connection, "checks_in_force"):
        return ()
    rows = named_rows(connection).execute(
        """select id, rendition, start, "end", text, machine, note, editor, made_at from checks_in_force
           where rendition = ? order by start""",
        [rendition],
    )
    return tuple(Check(**dict(row)) for row in rows)


def attributions_of(connection: sqlite3.Connection, rendition: str) -> tuple[Attribution, ...]:
    """Return a recording's attributions that were not undone, the oldest first: the later ones count.

    One that was carried over is as old as that which it comes from.
    """
    if not has(connection, "attributions"):
        return ()
    rows = named_rows(connection).execute(
        """select id, rendition, start, "end", name, machine, everywhere, note, editor, made_at from attributions a
           where rendition = ? and undoes is null and not exists (select 1 from attributions where undoes = a.id)
           order by made_at, id""",
        [rendition],
    )
    return tuple(Attribution(**{**dict(row), "everywhere": bool(row["everywhere"])}) for row in rows)


def has(connection: sqlite3.Connection, table: str) -> bool:
    """Tell whether an archive has a table or view, which one that an older version made may not have."""
    return connection.execute("select 1 from sqlite_master where name = ?", [table]).fetchone() is not None
