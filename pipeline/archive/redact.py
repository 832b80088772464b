"""Removing local file paths from messages before they are stored in the (possibly public) database."""

from __future__ import annotations

import re
from collections.abc import Mapping

# An address of the web, or a path of this computer: `/a/b`, `~/a`, `C:\a`, `file:///a`, and all of what is in quotes.
_PATH = re.compile(
    r"(https?://\S+)|“(?:~|[A-Za-z]:)?[/\\][^”]+|file:[^\s;,)]+"
    r"|(?<![\w<:/.~-])(?:~|[A-Za-z]:)?[/\\][^\s;,:)”]+(?: [^\s;,:)”/\\]*[/\\][^\s;,:)”]+)*"  # folders with spaces
)


def without_paths(text: str) -> str:
    """Return a message with each local path replaced by ``…``; web addresses are kept."""
    return _PATH.sub(lambda found: found[1] or ("“…" if found[0].startswith("“") else "…"), text)


def without_paths_within(value: object) -> object:
    """Apply ``without_paths`` to every string of a JSON-like value."""
    match value:
        case str():
            return without_paths(value)
        case Mapping():
            return {without_paths_within(name): without_paths_within(one) for name, one in value.items()}
        case list():
            return [without_paths_within(one) for one in value]
    return value
