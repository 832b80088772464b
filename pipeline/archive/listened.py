"""Reading the editors' corrections, checks and attributions in force for a recording."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pipeline.archive.database import made, named_rows
from pipeline.model import Attribution, Check, Correction


def corrections_of(connection: sqlite3.Connection, episode: str, rendition: str) -> Mapping[int, Correction]:
    """Return a recording's corrections in force, by question number."""
    rows = connection.execute(
        """select q.number, coalesce(c.status, 'asked'), c.start, c."end", c.answer_end, c.note, c.editor, c.made_at
           from corrections_in_force c join questions q on q.id = c.question
           where q.episode = ? and q.number is not null and c.rendition = ? order by q.number""",
        [episode, rendition],
    )
    return {row[0]: Correction(*row[:-2], editor=row[-2], made_at=row[-1]) for row in rows}


def checks_of(connection: sqlite3.Connection, rendition: str) -> tuple[Check, ...]:
    """Return a recording's checks in force in order of time; no two overlap."""
    rows = named_rows(connection).execute(
        """select id, rendition, start, "end", text, machine, note, editor, made_at from checks_in_force
           where rendition = ? order by start""",
        [rendition],
    )
    return tuple(Check(**dict(row)) for row in rows)


def attributions_of(connection: sqlite3.Connection, rendition: str) -> tuple[Attribution, ...]:
    """Return a recording's attributions that were not undone, oldest first: later ones override earlier ones.

    A carried-over attribution keeps the time of its original.
    """
    rows = named_rows(connection).execute(
        """select id, rendition, start, "end", name, machine, everywhere, note, editor, made_at from attributions a
           where rendition = ? and undoes is null and not exists (select 1 from attributions where undoes = a.id)
           order by made_at, id""",
        [rendition],
    )
    return tuple(made(Attribution, row, "everywhere") for row in rows)
