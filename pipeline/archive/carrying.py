"""Carry editors' corrections, checks and attributions over to another recording where the sound is the same.

Rows are only added. A carried row keeps its editor and time, and refers to the original (``carried_from``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlite_utils import Database

from pipeline.archive.database import immediate, named_rows
from pipeline.archive.listened import attributions_of, checks_of
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.questions.labels import relabel
from pipeline.archive.records import Table, append
from pipeline.archive.renditions import passage_in, sound_besides, translate
from pipeline.archive.segments import read_segments, restate_all
from pipeline.editing.refinding import middle
from pipeline.model import Attribution, Check
from pipeline.text import amount, timed_words


@dataclass(frozen=True, slots=True)
class Carried:
    """How many rows of each kind were carried over, and how many were ``left`` with the earlier recording.

    ``undone`` are those of this recording that were undone in the earlier one, and now are here.
    """

    corrections: int = 0
    checks: int = 0
    attributions: int = 0
    left: int = 0
    undone: int = 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return sentences about it for the run report."""
        counted = (
            (self.corrections, "correction", "corrections"),
            (self.checks, "check", "checks"),
            (self.attributions, "name of a speaker", "names of speakers"),
        )
        done = [amount(*one) for one in counted if one[0]]
        remarks = [f"{' and '.join(done)} carried over from the earlier recording"] if done else []
        if self.left:
            left = amount(self.left, "edit")
            remarks.append(
                f"{left} stayed with the earlier recording: this one lacks part of what they refer to, or has more "
                "sound, in which a host may ask what was not asked"
            )
        if self.undone:
            remarks.append(f"{amount(self.undone, 'edit')} undone in the earlier recording, and so here, too")
        return tuple(remarks)


def carry(db: Database, episode: str, origin: str, target: str) -> Carried:
    """Copy the rows in force for one recording to another, translated to the other's times.

    A row is not copied where the target already has a newer one for the same question or passage. What was carried
    from the target before, and undone in the origin since, is undone in the target, too.

    Args:
        db: the database.
        episode: the episode's id.
        origin: the sha256 of the recording to copy from.
        target: the sha256 of the recording to copy to.
    """
    with immediate(db):
        undone = sum([_undo_carried(db, table, origin, target) for table in ("corrections", "checks", "attributions")])
        checks, left_checks = _carry_heard(db, "checks", checks_of(db.conn, origin), target)
        attributions, left_names = _carry_heard(db, "attributions", attributions_of(db.conn, origin), target)
        if checks or attributions or undone:
            restate_all(db, target)
        corrections, left = _carry_corrections(db, episode, origin, target)  # who speaks matters to these
        if corrections or undone:
            relabel(db, episode)
        return Carried(corrections, checks, attributions, left + left_checks + left_names, undone)


def _undo_carried(db: Database, table: Table, origin: str, target: str) -> int:
    """Undo the target's rows that were undone in the origin; return how many.

    Rows are the same if they were carried over from the same one, by whatever recordings in between.
    """
    question = ", question" if table == "corrections" else ""
    return db.execute(
        f"""insert into {table} (rendition{question}, undoes, note, editor, made_at)
           with recursive same(id, rendition, first) as (
               select id, rendition, id from {table} where undoes is null and carried_from is null
               union all select row.id, row.rendition, first from {table} row join same on row.carried_from = same.id
           )
           select row.rendition{question.replace(", ", ", row.")}, row.id, undo.note, undo.editor, undo.made_at
           from same there join same here on here.first = there.first and here.rendition = :target
           join {table} row on row.id = here.id
           join {table} undo on undo.undoes = there.id
           where there.rendition = :origin and not exists (select 1 from {table} where undoes = row.id)
           group by row.id""",
        {"origin": origin, "target": target},
    ).rowcount


def _carry_corrections(db: Database, episode: str, origin: str, target: str) -> tuple[int, int]:
    found = named_rows(db.conn).execute(
        """select c.id as carried_from, c.question, c.start, c."end", c.answer_end, c.status, c.note, c.editor,
               c.made_at
           from corrections_in_force c join questions q on q.id = c.question
           where q.episode = ? and c.rendition = ? and not exists (
               select 1 from corrections later
               where later.question = c.question and later.rendition = ? and later.made_at >= c.made_at
           ) order by c.id""",
        [episode, origin, target],
    )
    rows = found.fetchall()
    carried, is_all_known = 0, not _hosts_say_more(db, episode, origin, target)
    for row in rows:
        if row["start"] is None:
            times: tuple[float | None, ...] = (None, None, None)
            holds = is_all_known
        else:
            times = _times(db.conn, origin, target, row["start"], (row["end"], row["answer_end"]))
            holds = times[0] is not None
        if holds:
            carried += 1
            moved = dict(zip(("start", "end", "answer_end"), times, strict=True))
            append(db, "corrections", dict(row) | moved | {"rendition": target})
    return carried, len(rows) - carried


def _hosts_say_more(db: Database, episode: str, origin: str, target: str) -> bool:
    """Tell whether hosts may say something in the target that an editor of the origin has not heard.

    An advertisement that others speak asks nothing. Where no host is known to speak, anybody may be one.
    """
    besides = sound_besides(db.conn, origin, target)
    if not besides:
        return besides is None
    transcript = preferred_transcript(db.conn, episode)
    if transcript is None or transcript.rendition != target:
        return True
    speakers = db.execute("select role, label from speakers where transcript = ?", [transcript.id]).fetchall()
    others = {label for role, label in speakers if role != "host"}
    return len(others) == len(speakers) or any(
        start < middle(word) < end
        for segment in read_segments(db, transcript.id)
        if segment.speaker not in others
        for word in timed_words(segment)
        for start, end in besides
    )


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


def _carry_heard(
    db: Database, table: Literal["checks", "attributions"], heard: Iterable[Check | Attribution], target: str
) -> tuple[int, int]:
    carried = left = 0
    (last,) = db.execute(f"select coalesce(max(id), 0) from {table}").fetchone()
    for one in heard:
        passage = passage_in(db.conn, one.rendition, one.start, one.end, target)
        if passage is None or not passage.whole:
            left += 1
            continue
        # ``made_at`` has whole seconds: do not take the rows inserted by this loop for newer ones.
        later = db.execute(
            f"""select 1 from {table}
               where rendition = ? and start < ? and "end" > ? and made_at >= ? and id <= ?""",
            [target, passage.end, passage.start, one.made_at, last],
        ).fetchone()
        if later:
            continue
        carried += 1
        there = {"id": None, "rendition": target, "start": passage.start, "end": passage.end, "carried_from": one.id}
        append(db, table, asdict(one) | there)
    return carried, left
