"""Where kept recordings are on disk. Paths from the database are untrusted and are validated here.

The folder for recordings, those in it and the files may be links, as to another disk; out of the folder a link is
followed only to a file with the same name, a SHA-256, so that none leads to somebody's secrets.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlite_utils import Database

from pipeline.archive.renditions import current_rendition
from pipeline.data_folder import AUDIO, recording_path
from pipeline.errors import AudioError
from pipeline.model import Rendition

_SHA256 = re.compile(r"[0-9a-f]{64}")


def kept_path(data: Path, path: str) -> Path:
    """Return the absolute path of an existing recording, links followed.

    Args:
        data: the folder of the database.
        path: relative to that, from the database, which may come from somebody else (restored from a bag).

    Raises:
        AudioError: the recording is missing, or would lie outside of the folder for recordings.
    """
    whole = (data / path).resolve()
    is_named_so = _SHA256.fullmatch(whole.stem) is not None and path == recording_path(whole.stem, whole.suffix)
    if not whole.is_relative_to((data / AUDIO).resolve()) and not is_named_so:
        raise AudioError(f"{path} is not where recordings are kept: check where this database comes from")
    if not whole.is_file():
        raise AudioError(f"{whole} is missing: run `download` again, or restore it from a copy")
    return whole


def is_kept(data: Path, path: str) -> bool:
    """Tell whether ``kept_path`` finds the recording."""
    try:
        kept_path(data, path)
    except AudioError:
        return False
    return True


def kept_rendition(db: Database, data: Path, episode: str) -> Rendition | None:
    """Return an episode's current recording, if its file is there."""
    current = current_rendition(db, episode)
    return current if current and is_kept(data, current.path) else None


def kept_file(data: Path, kept: Rendition) -> Path | None:
    """Return the absolute path of a recording; None if it is missing or has a different size."""
    try:
        path = kept_path(data, kept.path)
    except AudioError:
        return None
    return path if path.stat().st_size == kept.bytes else None
