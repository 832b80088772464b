"""The layout of the data folder beside the database, and the paths of content-addressed files in it."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.files import write_file

# The parts of an archive besides its database; vectors can be recomputed.
AUDIO, FEEDS, TRANSCRIPTS, VECTORS = FOLDERS = ("audio", "feeds", "transcripts", "vectors")
MODELS = "models"  # weights that were converted: no part of the archive
_EARLIER = re.compile(rf"({TRANSCRIPTS}/[0-9a-f]{{64}}\.[0-9a-f]{{12}})\.([0-9a-f]{{12}})\.json")
_NAMELESS = re.compile(
    rf"{TRANSCRIPTS}/(?:.*/)?[0-9a-f]{{64}}\.[0-9a-f]{{12}}\.unfinished\.jsonl|{VECTORS}/(?:.*/)?[0-9a-f]{{32}}\.npy"
)


def recording_path(sha256: str, ending: str) -> str:
    """Return where a recording lies, relative to the data folder; ``ending`` begins with a dot."""
    return f"{AUDIO}/{sha256[:2]}/{sha256}{ending}"


def snapshot_path(sha256: str) -> str:
    """Return where the body of a feed lies, relative to the data folder."""
    return f"{FEEDS}/{sha256}.xml"


def transcript_path(sha256: str, key: str) -> str:
    """Return where the transcript of a recording lies, relative to the data folder; ``key`` tells how it was made."""
    return f"{TRANSCRIPTS}/{sha256}.{key}.json"


def journal_path(sha256: str, key: str) -> str:
    """Return where the journal of an unfinished transcript lies, relative to the data folder."""
    return f"{TRANSCRIPTS}/{sha256}.{key}.unfinished.jsonl"


def earlier_wording(path: str) -> tuple[str, str] | None:
    """Return where the transcript lies that replaced the one at a path, and the digest in the name of that.

    None if it is no file of an earlier wording, which lies beside the later one and is named by its content.
    """
    found = _EARLIER.fullmatch(path)
    return (f"{found[1]}.json", found[2]) if found else None


def needs_no_name(path: str) -> bool:
    """Tell whether a file is work in progress or a cache, which no table names."""
    return _NAMELESS.fullmatch(path) is not None


def publishers_path(sha256: str) -> str:
    """Return where a publisher's transcript lies as it came, relative to the data folder."""
    return f"{TRANSCRIPTS}/{sha256}.published"


def keep_bytes(path: Path, content: bytes) -> None:
    """Write a content-addressed file, unless it already exists."""
    if not path.exists():
        write_file(path, content)
