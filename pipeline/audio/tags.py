"""What an audio file says of itself: title, date, guid and length. It is believed in nothing, and decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen

# The names in ID3, MP4 and Vorbis comments. TGID and egid are what podcast programs write for the guid.
_TITLE = ("TIT2", "\xa9nam", "title")
_DATE = ("TDRL", "TDRC", "\xa9day", "date")
_GUID = ("TGID", "egid")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a file, each None where it has none; ``duration`` in seconds, by its header."""

    title: str | None = None
    date: str | None = None
    guid: str | None = None
    duration: float | None = None


def read_tags(path: Path) -> Tags:
    """Read a file's tags; none where it is no audio that has any."""
    try:
        file = mutagen.File(path)
    except (mutagen.MutagenError, OSError, ValueError):
        return Tags()
    if file is None:
        return Tags()
    tags = file.tags or {}
    length = getattr(file.info, "length", None)
    return Tags(_first(tags, _TITLE), _first(tags, _DATE), _first(tags, _GUID), length or None)


def _first(tags: Any, names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            found = tags.get(name)
        except (ValueError, KeyError):  # a name that this kind of tag cannot have
            continue
        if isinstance(found, list):
            found = found[0] if found else None
        text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found or "")
        if text.strip():
            return text.strip()
    return None
