"""Storing what the aligner found in a transcript. What of it counts is told by ``labels``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from pipeline.archive.database import immediate
from pipeline.archive.questions.labels import insert_matches, relabel
from pipeline.model import FollowUp, Match


def alignment_key(db: Database, transcript_id: int) -> str | None:
    """Return the key of a transcript's last alignment, if it was aligned."""
    found = db.execute("select key from alignments where transcript = ?", [transcript_id]).fetchone()
    return found[0] if found else None


def save_matches(
    db: Database,
    episode: str,
    transcript_id: int,
    matches: Sequence[Match],
    *,
    follow_ups: Sequence[FollowUp] = (),
    key: str,
    now: str,
) -> tuple[Match, ...]:
    """Replace a transcript's matches, and return the matches in force, with editors' corrections applied.

    Args:
        db: the database.
        episode: the episode's id.
        transcript_id: the transcript that was aligned.
        matches: one for each published question.
        follow_ups: what was asked besides the list, in order of time.
        key: identifies the alignment's inputs; see ``alignment_key``.
        now: the moment, UTC ISO 8601.
    """
    with immediate(db):
        for table in ("matches", "follow_ups"):
            db.execute(f"delete from {table} where transcript = ?", [transcript_id])
        insert_matches(db, "matches", episode, ((transcript_id, match) for match in matches))
        db.conn.executemany(
            """insert into follow_ups (transcript, n, question, start, "end", answer_end, text)
               select ?, ?, id, ?, ?, ?, ? from questions where episode = ? and number = ?""",
            (
                (transcript_id, n, one.start, one.end, one.answer_end, one.text, episode, one.after)
                for n, one in enumerate(follow_ups, 1)
            ),
        )
        db.execute(
            """insert into alignments (transcript, key, made_at) values (?, ?, ?)
               on conflict (transcript) do update set key = excluded.key, made_at = excluded.made_at""",
            [transcript_id, key, now],
        )
        return relabel(db, episode)
