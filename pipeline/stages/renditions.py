"""Comparing a new recording with an episode's current one, and storing it beside that."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from pipeline.archive.database import immediate
from pipeline.archive.kept import kept_path
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.rendition_choice import account, choose
from pipeline.archive.renditions import chosen_by, current_rendition, save_rendition
from pipeline.archive.segments import is_outside_questions
from pipeline.audio.compare import compare
from pipeline.errors import AudioError
from pipeline.model import Comparison, KeptAudio, Rendition
from pipeline.times import clock

_LEAST_LOST = 1.0  # seconds; the ends of many files are torn


def damage(audio: KeptAudio) -> list[str]:
    """Return a remark if some of a new file cannot be decoded, else nothing."""
    return [f"{clock(audio.lost)} of it is damaged and cannot be decoded"] if audio.lost >= _LEAST_LOST else []


def compare_with_current(data: Path, current: Rendition | None, audio: KeptAudio) -> Comparison | None:
    """Compare a new file with the current recording. Reads no database.

    Args:
        data: the folder in which both lie.
        current: the one that counts.
        audio: the one that has come.

    Returns:
        The comparison; None where there is nothing to compare, or the earlier file is lost or damaged.
    """
    if current is None or current.sha256 == audio.sha256:
        return None
    try:
        earlier, later = kept_path(data, current.path), kept_path(data, audio.path)
        return compare(earlier, later, names=(current.sha256, audio.sha256))
    except (AudioError, OSError):
        return None


def keep_beside(db: Database, episode: str, audio: KeptAudio, comparison: Comparison | None) -> str | None:
    """Store a new recording, and describe it relative to the current one; None if it is the first."""
    with immediate(db):  # a person may choose meanwhile
        current = current_rendition(db, episode)
        if current is None or current.sha256 == audio.sha256:
            save_rendition(db, episode, audio)
            return None
        transcript = preferred_transcript(db.conn, episode)
        if transcript and transcript.rendition != current.sha256:
            transcript = None
        choice = choose(
            comparison,
            transcribed=transcript is not None,
            chosen_by=chosen_by(db, episode),
            beside=bool(transcript and comparison and is_outside_questions(db.conn, transcript.id, comparison.gone)),
        )
        save_rendition(db, episode, audio, choice=choice, comparison=comparison)
    counts = "it is used from now on" if choice.replaces else "the earlier one is still used"
    found = f"{account(comparison)}; " if comparison else ""
    return f"another recording: {found}{counts}: {choice.reason}"
