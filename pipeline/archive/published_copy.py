"""Recognising published copies, which are read-only, by the files beside them. Opens no database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.files import sha256_of

INSPECTED = "inspect-data.json"  # Datasette's own file
MADE = "published"  # what it does not have from Datasette's own command


def is_published(database: Path) -> bool:
    """Tell whether a database is a copy that ``publish`` made."""
    return _inspected(database) is not None


def published_fault(database: Path) -> str | None:
    """Return what is wrong if a published copy was modified since; None if it was not, or is no copy."""
    inspected = _inspected(database)
    if inspected is None or inspected["hash"] == sha256_of(database):
        return None
    return f"it has changed since it was published: its SHA-256 is not the one in {INSPECTED}"


def refuse_published(database: Path) -> None:
    """Raise if the database may not be written to.

    Raises:
        ConfigError: it is a copy that ``publish`` made.
    """
    if is_published(database):
        raise ConfigError(
            f"{database}: is a published copy, which cannot change. Name the original archive, "
            "and publish that again when you are done."
        )


def _inspected(database: Path) -> dict[str, Any] | None:
    try:
        whole = database.resolve()  # a link to a copy leads to one
        found = json.loads((whole.parent / INSPECTED).read_bytes())[whole.stem]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, dict) and MADE in found and "hash" in found else None
