"""Checks: passages whose words an editor has listened to. Storing, undoing and reading them; renders nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlite_utils import Database

from pipeline.archive import records
from pipeline.archive.database import immediate, made, named_rows
from pipeline.archive.listened import checks_of
from pipeline.archive.preferred import passages_of, require_transcript
from pipeline.archive.records import Together, append
from pipeline.archive.segments import restate_all
from pipeline.editing.checking import Stretch, clean, overlap
from pipeline.errors import CorrectionError
from pipeline.model import Check, Segment, Signature


@dataclass(frozen=True, slots=True)
class CheckedTogether(Together):
    """Passages that are checked together.

    ``text`` is the wording in effect, ``machine`` what the machine heard; ``checks`` are those in force there.
    """

    text: str
    machine: str
    checks: tuple[Check, ...]


class _Span(NamedTuple):
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class CheckEntry:
    """A row of a recording's history: a check, or an undo, which has the times of the check it ``undoes``.

    ``text`` is the wording the editor heard, None for an undo; ``counts`` is true if the row is in force.
    """

    id: int
    start: float
    end: float
    text: str | None
    machine: str | None
    note: str | None
    editor: str | None
    made_at: str
    undoes: int | None
    undone: bool
    counts: bool

    @property
    def summary(self) -> str:
        """Return a one-line description of the change."""
        if self.text is None:
            return "undone"
        if self.text == self.machine:
            return "confirmed"
        return f"heard as “{self.text}”" if self.text else "heard: nothing is said"

    @property
    def instead(self) -> str:
        """Return what the machine heard instead, as text; empty if it heard the same."""
        return f"the machine heard “{self.machine}”" if self.text is not None and self.text != self.machine else ""


def checked_passages(connection: sqlite3.Connection, episode: str) -> frozenset[int]:
    """Return the numbers of the fully checked passages in an episode's preferred transcript."""
    rows = connection.execute(
        """select n from segments
           where checked = 1 and transcript = (select id from transcripts where episode = ? and preferred = 1)""",
        [episode],
    )
    return frozenset(row[0] for row in rows)


def history(connection: sqlite3.Connection, rendition: str) -> tuple[CheckEntry, ...]:
    """Return all checks of a recording and their undos, newest first."""
    rows = named_rows(connection).execute(
        """select c.id, coalesce(c.start, o.start) as start, coalesce(c."end", o."end") as "end", c.text, c.machine,
               c.note, c.editor, c.made_at, c.undoes, exists (select 1 from checks where undoes = c.id) as undone,
               c.id in (select id from checks_in_force where rendition = c.rendition) as counts
           from checks c left join checks o on o.id = c.undoes where c.rendition = ? order by c.id desc""",
        [rendition],
    )
    return tuple(made(CheckEntry, row, "undone", "counts") for row in rows)


def place(connection: sqlite3.Connection, episode: str, first: int, last: int) -> CheckedTogether:
    """Return passages ``first`` to ``last``, extended to all passages that must be checked together with them.

    That is whatever overlaps in time, and everything covered by an overlapping check: a new check thus always replaces
    whole checks.

    Raises:
        CorrectionError: there is no transcript, or no such passage.
    """
    rendition, segments, machine = passages_of(connection, episode, first, last)
    checks = checks_of(connection, rendition)
    stretches: list[Stretch] = [*segments, *checks]
    before, grown = None, _hull(segments[first : last + 1])
    while grown != before:
        before = grown
        grown = _hull([one for one in stretches if overlap(one, before)])
    numbers = [n for n, segment in enumerate(segments) if overlap(segment, grown)]
    return CheckedTogether(
        episode=episode,
        rendition=rendition,
        first=numbers[0],
        last=numbers[-1],
        start=grown.start,
        end=grown.end,
        text=_joined(segments[n] for n in numbers),
        machine=_joined(machine[n] for n in numbers),
        checks=tuple(check for check in checks if overlap(check, grown)),
    )


def check(
    db: Database,
    episode: str,
    passages: tuple[int, int],
    text: str | None,
    signature: Signature,
    *,
    seen: str,
) -> None:
    """Store a check and apply it to every transcript of the recording.

    Args:
        db: the database.
        episode: the episode's id.
        passages: the numbers of the first and the last passage of a ``place``.
        text: the words as heard; empty if nothing is said, None to confirm the current words.
        signature: of who heard it.
        seen: the seal of that place when the editor looked at it.

    Raises:
        CorrectionError: there is no such place, it has changed meanwhile, or a value makes no sense.
    """
    with immediate(db):
        here = place(db.conn, episode, *passages)
        if here.seal != seen:
            raise CorrectionError("the words there have changed since you looked at them; look at them again")
        said = {"text": clean(here.text if text is None else text), "machine": here.machine, **asdict(signature)}
        append(db, "checks", {"rendition": here.rendition, "start": here.start, "end": here.end, **said})
        restate_all(db, here.rendition)


def undo(
    db: Database, episode: str, number: int, signature: Signature, *, passages: tuple[int, int] | None = None
) -> None:
    """Undo a check that is in force; the checks it replaced come back into force.

    Args:
        db: the database.
        episode: the episode's id.
        number: the check's id.
        signature: of who undoes it.
        passages: the numbers of the first and the last passage that it has to be of; None for any.

    Raises:
        CorrectionError: it is not in force, or not there.
    """
    with immediate(db):
        rendition = require_transcript(db.conn, episode).rendition
        there = place(db.conn, episode, *passages).checks if passages else checks_of(db.conn, rendition)
        records.undo(db, "checks", number, signature, among={one.id for one in there}, of={"rendition": rendition})
        restate_all(db, rendition)


def _hull(stretches: Sequence[Stretch]) -> _Span:
    return _Span(min(one.start for one in stretches), max(one.end for one in stretches))


def _joined(segments: Iterable[Segment]) -> str:
    return " ".join(segment.text for segment in segments if segment.text)
