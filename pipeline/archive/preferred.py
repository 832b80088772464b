"""Which transcript counts for an episode, of which recording it is, and which of its passages are said at a time."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from pipeline.archive.segments import read_segments
from pipeline.editing.pointing import begun_at, numbers_at
from pipeline.errors import CorrectionError
from pipeline.times import exactly


class PreferredTranscript(NamedTuple):
    """The transcript that counts for an episode, by its id, and the recording that it is of, by its sha256.

    A newer recording may already have been chosen, and wait to be transcribed.
    """

    id: int
    rendition: str


def preferred_transcript(connection: sqlite3.Connection, episode: str) -> PreferredTranscript | None:
    """Return the transcript that counts for an episode; None where there is none yet."""
    found = connection.execute(
        "select id, rendition from transcripts where episode = ? and preferred = 1", [episode]
    ).fetchone()
    return PreferredTranscript(*found) if found else None


def require_transcript(connection: sqlite3.Connection, episode: str) -> PreferredTranscript:
    """Return the same, for what can be done only with a transcript.

    Raises:
        CorrectionError: there is none.
    """
    found = preferred_transcript(connection, episode)
    if found is None:
        raise CorrectionError(f"{episode} is not transcribed yet: there are no passages to listen to")
    return found


def passages_at(
    connection: sqlite3.Connection, episode: str, start: float, end: float | None, *, of_a_clock: bool = False
) -> tuple[int, int]:
    """Return the numbers of the first and the last passage that is said between two times, or at one.

    A start that is ``of_a_clock`` is a whole second, and means the passage of which the page shows that.

    Raises:
        CorrectionError: there is no transcript, or it has nothing there.
    """
    segments = read_segments(connection, require_transcript(connection, episode).id)
    found = numbers_at(segments, begun_at(segments, start, end) if of_a_clock else start, end)
    if not found:
        raise CorrectionError(f"at: nothing is said in {episode} at {exactly(start)}")
    return found[0], found[-1]
