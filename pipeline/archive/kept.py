"""Where kept recordings lie on the disk. Reads no database: what that says of a path is not believed."""

from __future__ import annotations

from pathlib import Path

from pipeline.data_folder import AUDIO
from pipeline.errors import AudioError
from pipeline.model import Rendition


def kept_path(data: Path, path: str) -> Path:
    """Return the whole path of a kept recording that is there.

    Args:
        data: the folder of the database.
        path: as the database has it, relative to that. It may be another's database, restored from a bag.

    Raises:
        AudioError: the recording is missing, or would lie outside of the folder for recordings.
    """
    whole = (data / path).resolve()
    if not whole.is_relative_to((data / AUDIO).resolve()):
        raise AudioError(f"{path} is where no recording is kept: see where this database comes from")
    if not whole.is_file():
        raise AudioError(f"{whole} is missing: run `download` again, or restore it from a copy")
    return whole


def is_kept(data: Path, path: str) -> bool:
    """Tell whether there is a recording where the database says, as of ``kept_path``."""
    try:
        kept_path(data, path)
    except AudioError:
        return False
    return True


def kept_file(data: Path, kept: Rendition) -> Path | None:
    """Return the whole path of a kept recording; None if there is none, or one of another size."""
    try:
        path = kept_path(data, kept.path)
    except AudioError:
        return None
    return path if path.stat().st_size == kept.bytes else None
