"""Episodes' web pages in the database: which to fetch, and the result of the last visit. Fetches nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlite_utils import Database

from pipeline.archive.database import named_rows
from pipeline.archive.redact import without_paths


@dataclass(frozen=True, slots=True)
class PageVisit:
    """How the last visit to an episode's page ended; the columns of ``episode_pages``."""

    episode: str
    link: str
    address: str | None
    visited_at: str
    etag: str | None
    last_modified: str | None
    questions: int
    problem: str | None
    parser_version: int


def links(db: Database, slug: str) -> list[tuple[str, str, bool]]:
    """Return (episode, link, has a question list in its notes) for each episode of a feed that has a link."""
    rows = db.execute(
        """select id, link, exists (select 1 from questions
                                    where episode = episodes.id and number is not null and source = 'notes')
           from episodes where feed = ? and link is not null and link is not enclosure_url""",
        [slug],
    )
    return [(episode, link, bool(has_list)) for episode, link, has_list in rows]


def visits(db: Database, slug: str) -> dict[str, PageVisit]:
    """Return the last visits to the pages of a feed's episodes, by episode."""
    rows = named_rows(db.conn).execute(
        "select p.* from episode_pages p join episodes e on e.id = p.episode where e.feed = ?", [slug]
    )
    return {row["episode"]: PageVisit(**dict(row)) for row in rows}


def other_episode_of(db: Database, address: str, episode: str) -> str | None:
    """Return another episode whose page is at this address, if there is one."""
    found = db.execute(
        "select episode from episode_pages where address = ? and episode <> ?", [address, episode]
    ).fetchone()
    return str(found[0]) if found else None


def save_visit(db: Database, visit: PageVisit) -> None:
    """Store a visit, replacing the previous one; local paths are removed."""
    row = {**asdict(visit), "problem": visit.problem and without_paths(visit.problem)}
    db.table("episode_pages").insert(row, pk="episode", replace=True)
