"""Reading the tags of an audio file: title, date, guid and duration, all unverified. Decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen

# Tag names in ID3, MP4 and Vorbis comments. Podcast software writes the guid to TGID and egid.
_TITLE = ("TIT2", "\xa9nam", "title")
_DATE = ("TDRL", "TDRC", "\xa9day", "date")
_GUID = ("TGID", "egid")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a file, None where missing; ``duration`` is in seconds, as given by its header."""

    title: str | None = None
    date: str | None = None
    guid: str | None = None
    duration: float | None = None


def read_tags(path: Path) -> Tags:
    """Read a file's tags; all are None if it cannot be read or is not audio."""
    try:
        file = mutagen.File(path)
        if file is None:
            return Tags()
        tags = file.tags or {}
        length = getattr(file.info, "length", None)
        return Tags(_first(tags, _TITLE), _first(tags, _DATE), _first(tags, _GUID), length or None)
    except Exception:  # noqa: BLE001 - of damaged files it raises what it comes upon, as IndexError
        return Tags()


def _first(tags: Any, names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            found = tags.get(name)
        except (ValueError, KeyError):  # a name that this kind of tag does not allow
            continue
        if isinstance(found, list):
            found = found[0] if found else None
        text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found or "")
        if text.strip():
            return text.strip()
    return None
