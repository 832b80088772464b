"""The rows of a transcript's speakers: those of the diarisation, overlaid with editors' attributions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlite_utils import Database

from pipeline.model import Speaker


def machine_speakers(db: Database, transcript_id: int) -> tuple[Speaker, ...]:
    """Return a transcript's speakers in order, as diarised."""
    (kept,) = db.execute("select machine_speakers from transcripts where id = ?", [transcript_id]).fetchone()
    if kept is not None:
        return tuple(_speaker(**facts) for facts in json.loads(kept))
    rows = db.execute(
        "select label, name, role, seconds, voice from speakers where transcript = ? order by rowid", [transcript_id]
    )
    return tuple(
        _speaker(label, name, role, seconds, json.loads(voice or "[]")) for label, name, role, seconds, voice in rows
    )


def save_speakers(
    db: Database, transcript_id: int, speakers: Sequence[Speaker], *, machine: Sequence[Speaker] | None = None
) -> None:
    """Replace a transcript's speakers; the diarised ones (``machine``) are kept beside them if they differ."""
    kept = None
    if machine is not None and list(machine) != list(speakers):
        kept = json.dumps([asdict(one) for one in machine], ensure_ascii=False)
    db.execute("delete from speakers where transcript = ?", [transcript_id])
    db.conn.executemany(
        "insert into speakers (transcript, label, name, role, seconds, voice) values (?, ?, ?, ?, ?, ?)",
        [
            (transcript_id, one.label, one.name, one.role, one.seconds, json.dumps(one.voice) if one.voice else None)
            for one in speakers
        ],
    )
    db.execute("update transcripts set machine_speakers = ? where id = ?", [kept, transcript_id])


def _speaker(label: str, name: str | None, role: Any, seconds: float, voice: Sequence[float]) -> Speaker:
    return Speaker(label, name, role, seconds, tuple(voice))
