"""Paths of this computer in sentences: what goes into the database, which everybody may read, has none."""

from __future__ import annotations

import re
from collections.abc import Mapping

# An address of the web, or a path of this computer: `/a/b`, `~/a`, `C:\a`, `file:///a`, and all of what is in quotes.
_PATH = re.compile(
    r"(https?://\S+)|“(?:~|[A-Za-z]:)?[/\\][^”]+|file:[^\s;,)]+"
    r"|(?<![\w<:/.~-])(?:~|[A-Za-z]:)?[/\\][^\s;,:)”]+(?: [^\s;,:)”/\\]*[/\\][^\s;,:)”]+)*"  # folders with spaces
)


def without_paths(text: str) -> str:
    """Return a sentence with ``…`` in the place of each path of this computer; addresses of the web stay."""
    return _PATH.sub(lambda found: found[1] or ("“…" if found[0].startswith("“") else "…"), text)


def without_paths_within(value: object) -> object:
    """Return what JSON can hold, with ``without_paths`` for each of its strings."""
    match value:
        case str():
            return without_paths(value)
        case Mapping():
            return {without_paths_within(name): without_paths_within(one) for name, one in value.items()}
        case list():
            return [without_paths_within(one) for one in value]
    return value
