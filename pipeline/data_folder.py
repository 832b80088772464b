"""The layout of the data folder beside the database, and the paths of content-addressed files in it."""

from __future__ import annotations

from pathlib import Path

from pipeline.files import write_file

# The parts of an archive besides its database; vectors can be recomputed.
AUDIO, FEEDS, TRANSCRIPTS, VECTORS = FOLDERS = ("audio", "feeds", "transcripts", "vectors")
MODELS = "models"  # weights that were converted: no part of the archive


def recording_path(sha256: str, ending: str) -> str:
    """Return where a recording lies, relative to the data folder; ``ending`` begins with a dot."""
    return f"{AUDIO}/{sha256[:2]}/{sha256}{ending}"


def snapshot_path(sha256: str) -> str:
    """Return where the body of a feed lies, relative to the data folder."""
    return f"{FEEDS}/{sha256}.xml"


def publishers_path(sha256: str) -> str:
    """Return where a publisher's transcript lies as it came, relative to the data folder."""
    return f"{TRANSCRIPTS}/{sha256}.published"


def keep_bytes(path: Path, content: bytes) -> None:
    """Write a content-addressed file, unless it already exists."""
    if not path.exists():
        write_file(path, content)
