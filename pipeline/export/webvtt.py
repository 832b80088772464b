"""WebVTT syntax: timestamps, escapes, the document (https://www.w3.org/TR/webvtt1/). Independent of the content."""

from __future__ import annotations

import html
from collections.abc import Iterable


def stamp(milliseconds: int, point: str = ".") -> str:
    """Format a time as ``hh:mm:ss.mmm``; SubRip has a comma as its ``point``."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{point}{rest:03}"


def escaped(text: str) -> str:
    """Escape markup, which also removes any ``-->``, forbidden in cues (section 4.2.2)."""
    return html.escape(text, quote=False)


def document(cues: Iterable[tuple[int, int, str]]) -> str:
    """Join cues of (start, end, escaped text) to a document; times in milliseconds, no text contains an empty line."""
    blocks = (f"{stamp(start)} --> {stamp(end)}\n{text}\n" for start, end, text in cues)
    return "\n".join(("WEBVTT\n", *blocks))
