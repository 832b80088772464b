"""Reading what publishers changed in their episodes after these were first seen."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipeline.archive.database import named_rows


@dataclass(frozen=True, slots=True)
class Change:
    """One changed value; ``field`` is a column of ``episodes``, or ``guid`` for an additional guid."""

    field: str
    was: str | None
    became: str
    noticed_at: str


def changes(connection: sqlite3.Connection, episode: str) -> tuple[Change, ...]:
    """Return what was changed of an episode, the newest first."""
    rows = named_rows(connection).execute(
        "select field, was, became, noticed_at from episode_history where episode = ? order by id desc", [episode]
    )
    return tuple(Change(**dict(row)) for row in rows)
