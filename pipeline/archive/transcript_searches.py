"""The last search for each episode's publisher's transcript, as stored. Does not search."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlite_utils import Database

from pipeline.archive.database import made, named_rows


@dataclass(frozen=True, slots=True)
class TranscriptSearch:
    """The last search for an episode's publisher's transcript; the columns of ``transcript_searches``."""

    episode: str
    offered: str
    searched_at: str
    failed: bool


def last_search(db: Database, episode: str) -> TranscriptSearch | None:
    """Return an episode's last search, if there was one."""
    row = named_rows(db.conn).execute("select * from transcript_searches where episode = ?", [episode]).fetchone()
    return made(TranscriptSearch, row, "failed") if row else None


def save_search(db: Database, search: TranscriptSearch) -> None:
    """Store a search, replacing the episode's previous one."""
    db.table("transcript_searches").insert(asdict(search), pk="episode", replace=True)
