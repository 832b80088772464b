"""The turns that publishers' transcripts are parsed into. Independent of the formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.errors import NotATranscriptError
from pipeline.text import PAUSE_SECONDS, ends_sentence, visible

MAX_TURNS = 50_000
MAX_PASSAGE_SECONDS = 30.0
UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_MAX_SECONDS = 100 * 3600.0
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?", re.ASCII)
_NO_SPACE_BEFORE = re.compile(r"[,.?!;:…%)\]]+(?:\s|$)")


@dataclass(frozen=True, slots=True)
class PublishedTurn:
    """What one speaker says without interruption, or the part of it with a published time of its own.

    ``start`` and ``end`` are in seconds, each None if not published; ``text`` is one line and never empty. ``speaker``
    is the name as published, None if there is none.
    """

    start: float | None
    end: float | None
    speaker: str | None
    text: str


def clock_seconds(text: str) -> float | None:
    """Parse ``3:12``, ``01:02:03``, ``00:03.5`` or ``00:00:03,500`` as seconds; None if it is none of these."""
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        return None
    hours, minutes, seconds, fraction = found.groups(default="0")
    return bounded(int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}"))


def bounded(seconds: float) -> float | None:
    """Return a plausible time in a recording; None for an implausible one (negative, not a number, over 100 hours)."""
    return float(seconds) if 0 <= seconds <= _MAX_SECONDS else None


def passages(pieces: Iterable[PublishedTurn]) -> tuple[PublishedTurn, ...]:
    """Join timed pieces (captions, single words) by the same speaker into passages that end with a sentence.

    A passage also ends at a pause, and after at most half a minute. Pieces without times are kept as they are, empty
    ones are dropped.
    """
    joined: list[PublishedTurn] = []
    for piece in pieces:
        if not piece.text:
            continue
        if joined and _continues(joined[-1], piece):
            space = "" if _NO_SPACE_BEFORE.match(piece.text) else " "
            joined[-1] = replace(joined[-1], end=piece.end, text=f"{joined[-1].text}{space}{piece.text}")
        else:
            joined.append(piece)
    return tuple(joined)


def _continues(passage: PublishedTurn, piece: PublishedTurn) -> bool:
    if passage.start is None or passage.end is None or piece.start is None or piece.end is None:
        return False
    return (
        passage.speaker == piece.speaker
        and -PAUSE_SECONDS < piece.start - passage.end < PAUSE_SECONDS
        and passage.end <= piece.end <= passage.start + MAX_PASSAGE_SECONDS
        and not ends_sentence(passage.text.rsplit(" ", 1)[-1])
    )


def checked(turns: Sequence[PublishedTurn]) -> tuple[PublishedTurn, ...]:
    """Return turns without invisible characters, which JSON and HTML can encode in plain ASCII.

    Raises:
        NotATranscriptError: there are no turns, or implausibly many.
    """
    if len(turns) > MAX_TURNS:
        raise NotATranscriptError(f"it has more than {MAX_TURNS:,} turns: no conversation does")
    shown = showable(turns)
    if not shown:
        raise NotATranscriptError("there are no words in it")
    return shown


def showable(turns: Sequence[PublishedTurn]) -> tuple[PublishedTurn, ...]:
    """Return turns without invisible characters, leaving out those that have no others."""
    return tuple(
        replace(turn, text=text, speaker=_showable(turn.speaker or "") or None)
        for turn in turns
        if (text := _showable(turn.text))
    )


def _showable(text: str) -> str:
    return " ".join(visible(text).split())
