"""Editors' attributions of who speaks: storing, undoing and reading them. Renders nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass

from sqlite_utils import Database

from pipeline.archive import records
from pipeline.archive.database import immediate, made, named_rows
from pipeline.archive.listened import attributions_of
from pipeline.archive.preferred import passages_of, require_transcript
from pipeline.archive.records import Together, append
from pipeline.archive.segments import restate_all
from pipeline.editing.attributing import concerning, deciding, speaker_name, voice_in
from pipeline.errors import CorrectionError
from pipeline.model import Attribution, Signature


@dataclass(frozen=True, slots=True)
class SpokenTogether(Together):
    """Consecutive passages whose speaker an editor may set.

    ``speakers`` are the speakers in effect there, in order. ``machine`` is the one label the diarisation gave them, or
    None if it gave none or several. ``attributions`` are those in force that overlap the passages or name a voice heard
    in them; ``counting`` are the ids of the ones that currently decide the speaker.
    """

    speakers: tuple[str | None, ...]
    machine: str | None
    attributions: tuple[Attribution, ...]
    counting: tuple[int, ...]

    @property
    def speaker(self) -> str:
        """Return the speakers as text: ``Ann, then Bo``."""
        return ", then ".join(name or "somebody" for name in self.speakers)


@dataclass(frozen=True, slots=True)
class AttributionEntry:
    """A row of a recording's history: an attribution, or an undo, which has the times of the attribution it ``undoes``.

    ``name`` is None for an undo. ``told`` is true if at least one segment currently has its speaker from this row.
    """

    id: int
    start: float
    end: float
    name: str | None
    machine: str | None
    everywhere: bool
    note: str | None
    editor: str | None
    made_at: str
    undoes: int | None
    undone: bool
    told: bool

    @property
    def counts(self) -> bool:
        """Tell whether it is in force."""
        return self.told and not self.undone

    @property
    def summary(self) -> str:
        """Return a one-line description of the change."""
        if self.name is None:
            return "who speaks: undone"
        if not self.name:
            return "nobody named as the speaker"
        return f"{self.name} named as the speaker" + (" wherever this voice is heard" if self.everywhere else "")

    @property
    def instead(self) -> str:
        """Return what the machine had instead, as text; empty if it had the same."""
        told = self.name is not None and self.machine is not None and self.machine != self.name
        return f"the machine labelled it {self.machine}" if told else ""


def history(connection: sqlite3.Connection, rendition: str) -> tuple[AttributionEntry, ...]:
    """Return all attributions of a recording and their undos, newest first."""
    rows = named_rows(connection).execute(
        """select a.id, coalesce(a.start, o.start) as start, coalesce(a."end", o."end") as "end", a.name,
               coalesce(a.machine, o.machine) as machine, coalesce(o.everywhere, a.everywhere) as everywhere, a.note,
               a.editor, a.made_at, a.undoes, exists (select 1 from attributions where undoes = a.id) as undone,
               exists (
                   select 1 from transcripts t join segments s on s.transcript = t.id
                   where t.rendition = a.rendition and t.preferred = 1 and s.attributed = a.id
               ) as told
           from attributions a left join attributions o on o.id = a.undoes where a.rendition = ? order by a.id desc""",
        [rendition],
    )
    return tuple(made(AttributionEntry, row, "everywhere", "undone", "told") for row in rows)


def speech(connection: sqlite3.Connection, episode: str, first: int, last: int) -> SpokenTogether:
    """Return the passages from number ``first`` to ``last``.

    Raises:
        CorrectionError: there is no transcript, or no such passage.
    """
    rendition, segments, machine = passages_of(connection, episode, first, last)
    here, as_heard = segments[first : last + 1], machine[first : last + 1]
    people = attributions_of(connection, rendition)
    told = deciding(machine, people)[first : last + 1]
    return SpokenTogether(
        episode=episode,
        rendition=rendition,
        first=first,
        last=last,
        start=min(one.start for one in here),
        end=max(one.end for one in here),
        speakers=tuple(dict.fromkeys(one.speaker for one in here)),
        machine=voice_in(as_heard) if len({one.speaker for one in as_heard}) == 1 else None,
        attributions=concerning(machine, people, first, last),
        counting=tuple(dict.fromkeys(one.id for one in told if one)),
    )


def attribute(
    db: Database,
    episode: str,
    passages: tuple[int, int],
    name: str,
    signature: Signature,
    *,
    seen: str,
    everywhere: bool,
) -> None:
    """Store an attribution and apply it to every transcript of the recording.

    Args:
        db: the database.
        episode: the episode's id.
        passages: the numbers of the first and the last passage of a ``speech``.
        name: who speaks there; empty to name nobody.
        signature: of who heard it.
        seen: the seal of that speech when the editor looked at it.
        everywhere: whether to name that voice throughout the recording, not only in these passages.

    Raises:
        CorrectionError: there is no such passage, something has changed there meanwhile, or a value makes no sense.
    """
    name = speaker_name(name)
    with immediate(db):
        here = speech(db.conn, episode, *passages)
        if here.seal != seen:
            raise CorrectionError("who speaks there has changed since you looked at it; look at it again")
        if everywhere and not (name and here.machine):
            missing = "the machine heard no single voice there" if name else "speaker: is missing"
            raise CorrectionError(f"{missing}; only a single voice can be named everywhere")
        said = {"name": name, "machine": here.machine, "everywhere": everywhere, **asdict(signature)}
        append(db, "attributions", {"rendition": here.rendition, "start": here.start, "end": here.end, **said})
        restate_all(db, here.rendition)


def undo(
    db: Database, episode: str, number: int, signature: Signature, *, passages: tuple[int, int] | None = None
) -> None:
    """Undo an attribution that is in force; those before it count again.

    Args:
        db: the database.
        episode: the episode's id.
        number: the attribution's id.
        signature: of who undoes it.
        passages: the numbers of the first and the last passage that it has to concern; None for any.

    Raises:
        CorrectionError: it is not in force, or not there.
    """
    with immediate(db):
        rendition = require_transcript(db.conn, episode).rendition
        there = speech(db.conn, episode, *passages).attributions if passages else attributions_of(db.conn, rendition)
        records.undo(
            db, "attributions", number, signature, among={one.id for one in there}, of={"rendition": rendition}
        )
        restate_all(db, rendition)
