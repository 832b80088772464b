"""Parsing JSON transcripts: the podcast namespace's format, and similar ones with other key names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pipeline.errors import NotATranscriptError
from pipeline.feeds.names import as_speaker
from pipeline.feeds.transcripts.turns import PublishedTurn, bounded, clock_seconds, passages

# The podcast namespace's key first, then those of Podlove and Whisper.
_START = ("startTime", "start")
_END = ("endTime", "end")
_SPEAKER = ("voice", "speaker")
_TEXT = ("body", "text")


def read_json(text: str) -> tuple[PublishedTurn, ...]:
    """Return the transcript's segments, with single words joined into passages.

    Raises:
        NotATranscriptError: it is not JSON, or has no list of segments.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotATranscriptError(f"it is not well-formed JSON ({error})") from error
    segments = data.get("segments") if isinstance(data, Mapping) else data
    if not isinstance(segments, Sequence) or isinstance(segments, str):
        raise NotATranscriptError("it is JSON without a list of segments")
    return passages(_pieces(segments))


def _pieces(segments: Sequence[object]) -> Iterator[PublishedTurn]:
    speaker = None
    for segment in segments:
        if not isinstance(segment, Mapping):
            continue
        text = _first(segment, _TEXT)
        start, end = (_seconds(_first(segment, names)) for names in (_START, _END))
        # Many files name a speaker only at changes; an explicit empty or unknown speaker ends the previous one.
        if any(name in segment for name in _SPEAKER):
            speaker = as_speaker(_first(segment, _SPEAKER))
        if start is None or (end is not None and end < start):
            end = None
        yield PublishedTurn(start, end, speaker, " ".join(text.split()) if isinstance(text, str) else "")


def _first(segment: Mapping[str, object], names: Sequence[str]) -> object:
    return next((segment[name] for name in names if segment.get(name) is not None), None)


def _seconds(value: object) -> float | None:
    """Parse a time given as a number, a number in quotes, or a clock time."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and ":" in value:
        return clock_seconds(value)
    if not isinstance(value, int | float | str):
        return None
    try:
        return bounded(float(value))
    except (ValueError, OverflowError):
        return None
