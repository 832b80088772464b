"""Carry editors' corrections, checks and attributions over to another recording where the sound is the same.

Rows are only added. A carried row keeps its editor and time, and refers to the original (``carried_from``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from pipeline.archive.database import immediate
from pipeline.archive.labels import relabel
from pipeline.archive.listened import attributions_of, checks_of
from pipeline.archive.renditions import has_nothing_new, passage_in, translate
from pipeline.archive.segments import restate_all


@dataclass(frozen=True, slots=True)
class Carried:
    """How many rows of each kind were carried over, and how many were ``left`` with the earlier recording."""

    corrections: int = 0
    checks: int = 0
    attributions: int = 0
    left: int = 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return sentences about it for the run report."""
        counted = (
            (self.corrections, "correction", "corrections"),
            (self.checks, "check", "checks"),
            (self.attributions, "name of a speaker", "names of speakers"),
        )
        done = [f"{count} {one if count == 1 else several}" for count, one, several in counted if count]
        remarks = [f"{' and '.join(done)} carried over from the earlier recording"] if done else []
        if self.left:
            remarks.append(f"{self.left} stayed with the earlier recording: not all that they are of is in this one")
        return tuple(remarks)


def carry(db: Database, episode: str, origin: str, target: str) -> Carried:
    """Copy the rows in force for one recording to another, translated to the other's times.

    A row is not copied where the target already has a newer one for the same question or passage.

    Args:
        db: the database.
        episode: the episode's id.
        origin: the sha256 of the recording to copy from.
        target: the sha256 of the recording to copy to.
    """
    with immediate(db):
        corrections, left = _carry_corrections(db, episode, origin, target)
        checks, left_checks = _carry_checks(db, origin, target)
        attributions, left_attributions = _carry_attributions(db, origin, target)
        if checks or attributions:
            restate_all(db, target)
        if corrections:
            relabel(db, episode)
        return Carried(corrections, checks, attributions, left + left_checks + left_attributions)


def _carry_corrections(db: Database, episode: str, origin: str, target: str) -> tuple[int, int]:
    rows = db.execute(
        """select c.id, c.question, c.start, c."end", c.answer_end, c.status, c.note, c.editor, c.made_at
           from corrections_in_force c join questions q on q.id = c.question
           where q.episode = ? and c.rendition = ? and not exists (
               select 1 from corrections later
               where later.question = c.question and later.rendition = ? and later.made_at >= c.made_at
           ) order by c.id""",
        [episode, origin, target],
    ).fetchall()
    carried = 0
    for id_, question, start, end, answer_end, *said in rows:
        if start is None:  # “not asked” carries over only if the target has no sound that the editor has not heard
            times: tuple[float | None, ...] = (None, None, None)
            holds = has_nothing_new(db.conn, origin, target)
        else:
            times = _times(db.conn, origin, target, start, (end, answer_end))
            holds = times[0] is not None
        if not holds:
            continue
        carried += 1
        db.execute(
            """insert into corrections (question, rendition, start, "end", answer_end, status, note, editor, made_at,
                   carried_from)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [question, target, *times, *said, id_],
        )
    return carried, len(rows) - carried


def _times(
    connection: sqlite3.Connection, origin: str, target: str, start: float, ends: Sequence[float | None]
) -> tuple[float | None, ...]:
    """Translate a correction's start and ends to another recording; None for a time that is not in it.

    A time at which an advertisement was inserted maps to both sides of it. Translating start and end as one passage
    resolves this: a passage that ends there ends before the advertisement, one that begins there begins after it.
    """
    begins = translate(connection, origin, start, target)
    found: list[float | None] = []
    for end in ends:
        passage = None
        if end is not None and None not in {begins, translate(connection, origin, end, target)}:
            passage = passage_in(connection, origin, start, end, target)
        begins = passage.start if passage and passage.start is not None else begins
        found.append(passage.end if passage else None)
    return (begins, *found)


def _carry_checks(db: Database, origin: str, target: str) -> tuple[int, int]:
    carried = left = 0
    for check in checks_of(db.conn, origin):
        passage = passage_in(db.conn, origin, check.start, check.end, target)
        if passage is None or not passage.whole:
            left += 1
            continue
        later = db.execute(
            """select 1 from checks where rendition = ? and start < ? and "end" > ? and made_at >= ?""",
            [target, passage.end, passage.start, check.made_at],
        ).fetchone()
        if later:
            continue
        carried += 1
        db.execute(
            """insert into checks (rendition, start, "end", text, machine, note, editor, made_at, carried_from)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                target,
                passage.start,
                passage.end,
                check.text,
                check.machine,
                check.note,
                check.editor,
                check.made_at,
                check.id,
            ],
        )
    return carried, left


def _carry_attributions(db: Database, origin: str, target: str) -> tuple[int, int]:
    carried = left = 0
    (last,) = db.execute("select coalesce(max(id), 0) from attributions").fetchone()
    for one in attributions_of(db.conn, origin):
        passage = passage_in(db.conn, origin, one.start, one.end, target)
        if passage is None or not passage.whole:
            left += 1
            continue
        # ``made_at`` has whole seconds: do not take the rows inserted by this loop for newer ones.
        later = db.execute(
            """select 1 from attributions where rendition = ? and start < ? and "end" > ?
                   and (made_at > ? or (made_at = ? and id <= ?))""",
            [target, passage.end, passage.start, one.made_at, one.made_at, last],
        ).fetchone()
        if later:
            continue
        carried += 1
        db.execute(
            """insert into attributions (rendition, start, "end", name, machine, everywhere, note, editor, made_at,
                   carried_from)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                target,
                passage.start,
                passage.end,
                one.name,
                one.machine,
                one.everywhere,
                one.note,
                one.editor,
                one.made_at,
                one.id,
            ],
        )
    return carried, left
