"""What lies beside the database: the folders, and the place of each file that is kept under its own SHA-256."""

from __future__ import annotations

from pathlib import Path

from pipeline.files import new_file

# What an archive consists of besides its database, and what it can make anew.
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
    """Write a file whose name says what is in it, unless it is there already."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            file.write(content)
