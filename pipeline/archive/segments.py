"""The rows of a transcript's segments: the machine's version, overlaid with editors' checks and attributions.

Without edits the two are the same. Rows are never added or removed here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from pipeline.archive.listened import attributions_of, checks_of
from pipeline.archive.questions.labels import relabel
from pipeline.archive.questions.lists import reword_detected
from pipeline.archive.voices import machine_speakers, save_speakers
from pipeline.editing.attributing import attributed, deciding, speakers_in_force
from pipeline.editing.checking import is_checked, with_checked_words
from pipeline.model import Segment, Word
from pipeline.text import WORD_EDGE


def read_segments(db: Database | sqlite3.Connection, transcript_id: int) -> tuple[Segment, ...]:
    """Return a transcript's segments in order, as in force (with editors' changes)."""
    rows = db.execute(
        'select start, "end", text, words, speaker, confidence, flags from segments where transcript = ? order by n',
        [transcript_id],
    )
    return tuple(
        Segment(start, end, text, _words(json.loads(words)), speaker, confidence, tuple(json.loads(flags)))
        for start, end, text, words, speaker, confidence, flags in rows
    )


def heard(db: Database | sqlite3.Connection, transcript_id: int) -> tuple[Segment, ...]:
    """Return a transcript's segments in order as the machine heard them."""
    return stated_and_heard(db, transcript_id)[1]


def stated_and_heard(
    db: Database | sqlite3.Connection, transcript_id: int
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Return what ``read_segments`` does, and what ``heard`` does: they have the same numbers."""
    stated = read_segments(db, transcript_id)
    rows = db.execute("select machine from segments where transcript = ? order by n", [transcript_id])
    return stated, tuple(
        segment if machine is None else _from_json(machine, segment.speaker)
        for (machine,), segment in zip(rows, stated, strict=True)
    )


def restate_all(db: Database, rendition: str) -> None:
    """Apply the checks and attributions in force to every transcript of a recording, those set aside included.

    Question labels are recomputed too: they depend on who speaks, since the host's words are never an answer.
    """
    rows = db.execute("select id, episode from transcripts where rendition = ?", [rendition]).fetchall()
    for transcript, _ in rows:
        restate(db, transcript)
    for episode in {episode for _, episode in rows}:
        relabel(db, episode)


def restate(db: Database, transcript_id: int) -> None:
    """Recompute a transcript's segments and speakers from the machine's version and the edits, and reindex them.

    Must be called within a transaction.
    """
    rendition, episode, preferred = db.execute(
        "select rendition, episode, preferred from transcripts where id = ?", [transcript_id]
    ).fetchone()
    checks, attributions = checks_of(db.conn, rendition), attributions_of(db.conn, rendition)
    stated, machine = stated_and_heard(db, transcript_id)
    told = attributed(machine, attributions)
    by = [one.id if one else None for one in deciding(machine, attributions)]
    before = zip(stated, *_marks(db, transcript_id), strict=True)
    after = [
        (segment, is_checked(segment, checks), told_by)
        for segment, told_by in zip(with_checked_words(told, checks), by, strict=True)
    ]
    changed = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    if changed:
        _rewrite(db, transcript_id, {n: _columns(*after[n], machine[n]) for n in changed})
        if preferred:
            reword_detected(db, episode, stated, [segment for segment, _, _ in after])
    speakers = machine_speakers(db, transcript_id)
    named = speakers_in_force(speakers, machine, attributions) if attributions else speakers
    save_speakers(db, transcript_id, named, machine=speakers)


def _rewrite(db: Database, transcript_id: int, rows: Mapping[int, tuple[Any, ...]]) -> None:
    """Update segments by number, and the search index with them."""
    unindex(db, transcript_id)
    db.conn.executemany(
        """update segments set start = ?, "end" = ?, text = ?, words = ?, speaker = ?, confidence = ?, flags = ?,
               checked = ?, attributed = ?, machine = ?
           where transcript = ? and n = ?""",
        ((*columns, transcript_id, n) for n, columns in rows.items()),
    )
    index(db, transcript_id)


def index(db: Database, transcript_id: int) -> None:
    """Add the whole text of a transcript to the search index; triggers add each segment to its own."""
    db.execute(
        "insert into transcripts_fts (rowid, text) select id, text from transcript_texts where id = ?", [transcript_id]
    )


def unindex(db: Database, transcript_id: int) -> None:
    """Take a transcript out of the search index, before any of its segments changes.

    An external-content FTS5 table must be given the exact old text to delete it.
    """
    db.execute(
        """insert into transcripts_fts (transcripts_fts, rowid, text)
           select 'delete', id, text from transcript_texts where id = ?""",
        [transcript_id],
    )


def is_outside_questions(
    connection: sqlite3.Connection, transcript_id: int, stretches: Sequence[tuple[float, float]]
) -> bool:
    """Tell whether stretches of time (seconds) lie outside all questions and answers of a transcript.

    False if no segment is labelled yet, since it is unknown then.
    """
    told = """select "end" - start, start, "end" from segments
        where transcript = ? and (role != 'other' or question is not null)"""
    spoken = connection.execute(told, [transcript_id]).fetchall()
    return bool(spoken) and not any(
        min(end, stretch[1]) - max(start, stretch[0]) > min(WORD_EDGE, length / 2)
        for length, start, end in spoken
        for stretch in stretches
    )


def _marks(db: Database, transcript_id: int) -> tuple[list[bool], list[int | None]]:
    """For each segment whether it is fully checked, and the id of the attribution that names its speaker."""
    rows = db.execute("select checked, attributed from segments where transcript = ? order by n", [transcript_id])
    found = rows.fetchall()
    return [bool(checked) for checked, _ in found], [attributed for _, attributed in found]


def _columns(segment: Segment, checked: bool, told_by: int | None, machine: Segment) -> tuple[Any, ...]:
    return (
        segment.start,
        segment.end,
        segment.text,
        json.dumps(segment.words, ensure_ascii=False),
        segment.speaker,
        segment.confidence,
        json.dumps(segment.flags),
        checked,
        told_by,
        None if segment == machine else _to_json(machine),
    )


def _to_json(segment: Segment) -> str:
    names = ("start", "end", "text", "words", "speaker", "confidence", "flags")
    return json.dumps({name: getattr(segment, name) for name in names}, ensure_ascii=False)


def _from_json(machine: str, speaker: str | None) -> Segment:
    facts = {"speaker": speaker, **json.loads(machine)}  # rows of older versions have no speaker
    return Segment(**{**facts, "words": _words(facts["words"]), "flags": tuple(facts["flags"])})


def _words(words: Sequence[Sequence[Any]]) -> tuple[Word, ...]:
    return tuple(Word(*word) for word in words)
