"""Where kept audio lies on the disk. Reads no database: what that says of a path is not believed."""

from __future__ import annotations

from pathlib import Path

from pipeline.archive.reading import Rendition

FOLDER = "audio"


def kept_file(data: Path, kept: Rendition) -> Path | None:
    """Return the path of a kept file in a data folder; None if it is gone, has another size, or would lie elsewhere."""
    path = (data / kept.path).resolve()
    if not path.is_relative_to((data / FOLDER).resolve()) or not path.is_file():
        return None
    return path if path.stat().st_size == kept.bytes else None
