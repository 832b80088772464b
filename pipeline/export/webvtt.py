"""WebVTT as text: its times, its escapes, its frame (https://www.w3.org/TR/webvtt1/). Knows not what the cues say."""

from __future__ import annotations

import html
from collections.abc import Iterable


def stamp(milliseconds: int, point: str = ".") -> str:
    """Write a time as ``hh:mm:ss.mmm``, which SubRip does with a comma."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{point}{rest:03}"


def escaped(text: str) -> str:
    """Write text so that none of it is markup; no ``-->``, which may not stand in a cue, is left (section 4.2.2)."""
    return html.escape(text, quote=False)


def document(cues: Iterable[tuple[int, int, str]]) -> str:
    """Put (start, end, escaped text) together; times in milliseconds, no text with an empty line."""
    blocks = (f"{stamp(start)} --> {stamp(end)}\n{text}\n" for start, end, text in cues)
    return "\n".join(("WEBVTT\n", *blocks))
