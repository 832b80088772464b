"""An episode's preferred transcript and its recording, and the passages spoken at a given time."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from pipeline.archive.segments import read_segments, stated_and_heard
from pipeline.editing.pointing import ROUNDING, begun_at, numbers_at
from pipeline.errors import CorrectionError
from pipeline.model import Segment
from pipeline.times import exactly


class PreferredTranscript(NamedTuple):
    """The id of an episode's preferred transcript, and the sha256 of the recording it was made from.

    That need not be the current recording: a newer one may still be waiting to be transcribed.
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
    """Return the preferred transcript, or raise.

    Raises:
        CorrectionError: there is none.
    """
    found = preferred_transcript(connection, episode)
    if found is None:
        raise CorrectionError(f"{episode} is not transcribed yet: there are no passages to listen to")
    return found


def passages_of(
    connection: sqlite3.Connection, episode: str, first: int, last: int
) -> tuple[str, tuple[Segment, ...], tuple[Segment, ...]]:
    """Return the recording of the preferred transcript, and all its segments as in force and as the machine heard them.

    Raises:
        CorrectionError: there is no transcript, or it has no segments of the numbers ``first`` to ``last``.
    """
    transcript, rendition = require_transcript(connection, episode)
    stated, machine = stated_and_heard(connection, transcript)
    if not 0 <= first <= last < len(stated):
        raise CorrectionError(f"{episode} has no such passage; load its page again")
    return rendition, stated, machine


def passages_at(
    connection: sqlite3.Connection, episode: str, start: float, end: float | None, *, of_a_clock: bool = False
) -> tuple[int, int]:
    """Return the numbers of the first and last passage spoken between two times, or at one time.

    With ``of_a_clock``, ``start`` is a whole second as displayed on the page, and selects the passage shown with it.
    Two times in the pauses around passages select these.

    Raises:
        CorrectionError: there is no transcript, or it has nothing there, as in a pause between two passages.
    """
    segments = read_segments(connection, require_transcript(connection, episode).id)
    begun = begun_at(segments, start, end) if of_a_clock else start
    found = numbers_at(segments, begun, end)
    if not found:
        raise CorrectionError(f"at: nothing is said in {episode} at {exactly(start)}")
    before = segments[found[0]]
    if before.end + ROUNDING < begun:
        if len(found) == 1:
            after = next((one for one in segments if one.start > begun), None)
            around = [f"the passage before ends at {exactly(before.end)}"]
            around += [f"the next one begins at {exactly(after.start)}"] if after else []
            raise CorrectionError(f"at: nothing is said in {episode} at {exactly(start)}; {', '.join(around)}")
        found = found[1:]
    return found[0], found[-1]
