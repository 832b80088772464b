"""Reading the archive for display: shows and totals, question lists, whole episodes. Writes and formats nothing."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.archive.database import made, named_rows
from pipeline.archive.joins import NEWEST_FIRST, PLAYED, SPEAKING
from pipeline.archive.questions.asked import ListedQuestion, questions_of
from pipeline.errors import UnknownEpisodeError
from pipeline.model import Rendition, Word
from pipeline.text import placed

NAMED = 5  # episodes listed in the error for an ambiguous name
_STRAIGHT = str.maketrans("‘’“”–", "''\"\"-")
_OWN_ADDRESS = re.compile(r"/-/(?:episode|export)/([^/?#]+/[0-9a-f]{8})(?![0-9a-z])")


@dataclass(frozen=True, slots=True)
class Show:
    """What the archive holds of one feed; ``seconds`` of kept audio."""

    slug: str
    title: str
    episodes: int
    transcribed: int
    seconds: float
    newest: str | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the archive holds as a whole; ``people`` are those who are known by name."""

    shows: tuple[Show, ...]
    people: int

    @property
    def episodes(self) -> int:
        """Return the number of episodes."""
        return sum(show.episodes for show in self.shows)

    @property
    def transcribed(self) -> int:
        """Return the number of episodes that have a transcript."""
        return sum(show.transcribed for show in self.shows)

    @property
    def seconds(self) -> float:
        """Return the seconds of audio kept."""
        return sum(show.seconds for show in self.shows)


class PlacedWord(NamedTuple):
    """A word and where it stands in its passage: ``length`` characters from ``offset``; times in seconds."""

    offset: int
    length: int
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A segment for display; ``questions`` are the numbers of the questions it asks or answers."""

    n: int
    start: float
    end: float
    text: str
    speaker: str | None
    role: str
    questions: tuple[int, ...]
    flags: tuple[str, ...]
    words: tuple[PlacedWord, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a transcript comes from; ``rendition`` is the sha256 of the file that was transcribed.

    ``options`` are the engine's settings; ``word_error_rate`` is against the publisher's own transcript, if there is
    one.
    """

    source: str
    engine: str
    model: str
    language: str
    created: str
    rendition: str
    options: Mapping[str, Any] = field(default_factory=dict)
    word_error_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """An episode without its words; ``provenance`` is its transcript's, without ``options``.

    ``audio`` is the kept file that all times belong to: the one that was transcribed, or else the current one.
    ``duration`` in seconds is as decoded, else as the feed declares it.
    """

    id: str
    feed: str
    show: str
    guid: str
    title: str
    published: str | None
    link: str | None
    notes_html: str
    duration: float | None
    audio: Rendition | None
    provenance: Provenance | None
    questions: tuple[ListedQuestion, ...]

    @property
    def transcribed(self) -> bool:
        """Tell whether it has a transcript."""
        return self.provenance is not None

    @property
    def standings(self) -> dict[str, int]:
        """Return the number of questions by status in words; merged questions count as asked."""
        return dict(Counter("asked" if one.status == "merged" else one.standing for one in self.questions))


@dataclass(frozen=True, slots=True)
class Episode(Item):
    """One episode whole, with the ``options`` of its transcript.

    ``newer_audio`` tells whether a newer file than ``audio`` was kept, which is not yet transcribed.
    """

    enclosure_url: str | None
    newer_audio: bool
    passages: tuple[Passage, ...]


# Rows for ``item_facts``: episodes ``e``, their shows, and what their pages play.
ITEMS = f"""
select e.id, e.feed, f.title as show, e.guid, e.title, e.published, e.link, e.notes_html, e.enclosure_url,
    coalesce(r.duration, e.declared_duration) as lasts,
    t.id as transcript, t.source, t.engine, t.model, t.language, t.created, t.rendition,
    r.sha256, r.path, r.bytes, r.content_type, r.duration
from episodes e
join feeds f on f.slug = e.feed
{PLAYED}
"""


def shows(connection: sqlite3.Connection) -> tuple[Show, ...]:
    """Return the archive's shows by title."""
    rows = named_rows(connection).execute(
        """select f.slug, f.title, count(e.id) as episodes, count(t.id) as transcribed,
            coalesce(sum(r.duration), 0) as seconds, max(e.published) as newest
        from feeds f
        left join episodes e on e.feed = f.slug
        left join renditions r on r.episode = e.id and r.current = 1
        left join transcripts t on t.episode = e.id and t.preferred = 1
        group by f.slug order by f.title, f.slug"""
    )
    return tuple(Show(**dict(row)) for row in rows)


def show(connection: sqlite3.Connection, slug: str) -> Show | None:
    """Return one show, or None if there is no such feed."""
    return next((one for one in shows(connection) if one.slug == slug), None)


def holdings(connection: sqlite3.Connection) -> Holdings:
    """Return what the archive holds."""
    people = connection.execute(f"select count(distinct p.name) from {SPEAKING}").fetchone()[0]
    return Holdings(shows(connection), people)


def speakers(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the labels that searches can be narrowed to, in order."""
    rows = connection.execute(f"select distinct p.label from {SPEAKING} order by p.label")
    return tuple(row[0] for row in rows)


def rendition(connection: sqlite3.Connection, sha256: str) -> Rendition | None:
    """Return a kept file by its SHA-256, from any of the episodes it belongs to."""
    cursor = named_rows(connection)
    row = cursor.execute(
        "select sha256, path, bytes, content_type, duration from renditions where sha256 = ?", [sha256]
    ).fetchone()
    return Rendition(**dict(row)) if row else None


def renditions(connection: sqlite3.Connection) -> tuple[Rendition, ...]:
    """Return all kept files, each once."""
    rows = named_rows(connection).execute(
        "select sha256, path, bytes, content_type, duration from renditions group by sha256 order by sha256"
    )
    return tuple(Rendition(**dict(row)) for row in rows)


def passage(row: sqlite3.Row) -> Passage:
    """Return a passage from those columns of ``segments`` that it has fields for."""
    words = [Word(*word) for word in json.loads(row["words"])]
    return made(
        Passage,
        row,
        questions=tuple(json.loads(row["questions"])),
        flags=tuple(json.loads(row["flags"])),
        words=tuple(
            PlacedWord(place, len(word.text), word.start, word.end, word.probability)
            for place, word in placed(row["text"], words)
        ),
    )


def provenance_of(row: sqlite3.Row) -> Provenance:
    """Return a provenance without ``options`` from those columns of ``transcripts``."""
    return Provenance(*(row[name] for name in ("source", "engine", "model", "language", "created", "rendition")))


def item_facts(row: sqlite3.Row) -> dict[str, Any]:
    """Return the fields of an ``Item``, but for its questions, from a row of ``ITEMS``."""
    audio = ("sha256", "path", "bytes", "content_type", "duration")
    return {
        **{name: row[name] for name in ("id", "feed", "show", "guid", "title", "published", "link", "notes_html")},
        "duration": row["lasts"],
        "audio": None if row["sha256"] is None else Rendition(*(row[name] for name in audio)),
        "provenance": None if row["transcript"] is None else provenance_of(row),
    }


def items(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> tuple[Item, ...]:
    """Return episodes from rows of ``ITEMS``."""
    questions = questions_of(connection, [row["id"] for row in rows])
    return tuple(Item(**item_facts(row), questions=questions[row["id"]]) for row in rows)


def episode(connection: sqlite3.Connection, episode_id: str) -> Episode | None:
    """Return one episode with its questions and its preferred transcript, or None if there is no such episode."""
    cursor = named_rows(connection)
    row = cursor.execute(f"{ITEMS} where e.id = ?", [episode_id]).fetchone()
    if row is None:
        return None
    newer = cursor.execute(
        "select 1 from renditions where episode = ? and current = 1 and sha256 != ?", [episode_id, row["sha256"]]
    ).fetchone()
    return Episode(
        **item_facts(row) | {"provenance": _provenance(cursor, row["transcript"])},
        questions=questions_of(connection, [episode_id])[episode_id],
        enclosure_url=row["enclosure_url"],
        newer_audio=newer is not None,
        passages=_passages(cursor, row["transcript"]),
    )


def episode_named(connection: sqlite3.Connection, name: str) -> str:
    """Return the id of the episode with this id, link or title, or else with this text in its title.

    The id may omit the feed, and may be taken from an address of the site: ``/-/episode/show/0a1b2c3d?t=3.7``.

    Raises:
        UnknownEpisodeError: no episode matches, or several do.
    """
    rows = connection.execute(f"select id, title, link from episodes e order by {NEWEST_FIRST}").fetchall()
    wanted = _plain(name)
    address = _OWN_ADDRESS.search(name)
    names = {name, address[1] if address else name}
    fits = [
        (id_, title)
        for id_, title, link in rows
        if not names.isdisjoint({id_, id_.rpartition("/")[2], link}) or wanted == _plain(title)
    ] or [(id_, title) for id_, title, _ in rows if wanted and wanted in _plain(title)]
    if len(fits) == 1:
        return str(fits[0][0])
    if not fits:
        raise UnknownEpisodeError(f"no episode matches “{name}”: give an id, a part of a title, or a link")
    listed = "".join(f"\n  {id_}  {title}" for id_, title in fits[:NAMED])
    more = f"\n  and {len(fits) - NAMED} more" if len(fits) > NAMED else ""
    raise UnknownEpisodeError(f"“{name}” fits {len(fits)} episodes; give an id, or more of the title:{listed}{more}")


def _plain(title: str) -> str:
    """A title normalised for comparison: lower case, straight quotes, single spaces."""
    return " ".join(title.casefold().translate(_STRAIGHT).split())


def _provenance(cursor: sqlite3.Cursor, transcript: int | None) -> Provenance | None:
    row = cursor.execute(
        """select source, engine, model, language, created, rendition, options, word_error_rate
        from transcripts where id = ?""",
        [transcript],
    ).fetchone()
    return made(Provenance, row, options=json.loads(row["options"])) if row else None


def _passages(cursor: sqlite3.Cursor, transcript: int | None) -> tuple[Passage, ...]:
    rows = cursor.execute(
        """select n, start, "end", text, speaker, role, questions, flags, words
        from segments where transcript = ? order by n""",
        [transcript],
    )
    return tuple(map(passage, rows))
