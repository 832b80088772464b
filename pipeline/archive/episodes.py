"""The episodes of a feed: which there are, and storing those that it lists, with what has changed.

A poll of a large feed reads each table once and writes only what changed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlite_utils import Database

from pipeline.archive.database import named_rows
from pipeline.archive.questions.lists import published_lists, save_questions
from pipeline.feeds.identity import Known, match, place_of
from pipeline.model import UNTITLED, Episode, FeedEpisode, Person, TranscriptLink
from pipeline.times import timestamp

# The publisher's columns. Changes to the derived ``notes_text`` and to the unreliable ``enclosure_length`` are not
# history.
_HISTORY = ("title", "published", "link", "enclosure_url", "enclosure_type", "declared_duration", "notes_html")
PUBLISHED = (*_HISTORY, "notes_text", "enclosure_length")
_NOTHING = (None, "", UNTITLED)  # what columns have where the feed says nothing


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of storing a poll: how many episodes are new, changed and known.

    ``recognised`` are the titles of known episodes that came with a different guid, ``doubtful`` those of new episodes
    that resemble a known one. ``unlisted`` are the titles of those whose list has lost a question that an editor had
    corrected.
    """

    new: int
    changed: int = 0
    known: int = 0
    recognised: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One changed value; ``field`` is a column of ``episodes``, or ``guid`` for an additional guid."""

    field: str
    was: str | None
    became: str
    noticed_at: str


def episodes(db: Database, slug: str) -> list[Episode]:
    """Return a feed's episodes, newest first; undated ones by when they were first seen, in feed order."""
    rows = db.execute(
        """select id, feed, title, enclosure_url, published, enclosure_length, declared_duration
           from episodes where feed = ? order by datetime(coalesce(published, first_seen)) desc, rowid""",
        [slug],
    )
    return [Episode(*row) for row in rows]


def all_ids(db: Database) -> frozenset[str]:
    """Return the ids of all episodes."""
    return frozenset(row[0] for row in db.execute("select id from episodes"))


def ids_of(db: Database, slug: str, names: Iterable[str]) -> frozenset[str]:
    """Return the ids of a feed's episodes that are named by their id or by any guid they ever had."""
    wanted = set(names)
    rows = db.execute(
        """select e.id, g.guid from episodes e left join episode_guids g on g.episode = e.id where e.feed = ?""", [slug]
    )
    return frozenset(id_ for id_, guid in rows if not wanted.isdisjoint({id_, guid}))


def people_of(db: Database, episode: str) -> tuple[Person, ...]:
    """Return the people whom an episode's feed names in elements of their own."""
    rows = db.execute("select name, role from episode_people where episode = ? order by rowid", [episode])
    return tuple(Person(*row) for row in rows)


def notes_of(db: Database, episode: str) -> tuple[str, tuple[TranscriptLink, ...]]:
    """Return an episode's notes as plain text, and the publisher's transcripts that its feed names."""
    (notes,) = db.execute("select notes_text from episodes where id = ?", [episode]).fetchone()
    links = db.execute(
        "select url, type, language, rel from transcript_links where episode = ? order by rowid", [episode]
    )
    return notes, tuple(TranscriptLink(*link) for link in links)


def enclosure_of(db: Database, episode: str) -> str | None:
    """Return the address of an episode's audio, as its feed last gave it."""
    (url,) = db.execute("select enclosure_url from episodes where id = ?", [episode]).fetchone()
    return str(url) if url else None


def history(connection: sqlite3.Connection, episode: str) -> tuple[Change, ...]:
    """Return what its publisher changed of an episode after it was first seen, the newest first."""
    rows = named_rows(connection).execute(
        "select field, was, became, noticed_at from episode_history where episode = ? order by id desc", [episode]
    )
    return tuple(Change(**dict(row)) for row in rows)


def has_episode(db: Database, episode: str) -> bool:
    """Tell whether there is an episode of this id."""
    return db.execute("select 1 from episodes where id = ?", [episode]).fetchone() is not None


def save_episodes(db: Database, feed: str, listed: Sequence[FeedEpisode], *, now: str) -> Saved:
    """Store the items of a feed, inside the caller's transaction.

    An item that matches a known episode updates it, and the old values go into ``episode_history``. A value that the
    feed no longer gives (date, title, notes) is kept. Any other item becomes a new episode.
    """
    known = known_episodes(db, feed)
    matching = match(known, listed)
    pairs = {id_: item for id_, item in zip(matching.episodes, listed, strict=True) if id_ is not None}
    new = [item for id_, item in zip(matching.episodes, listed, strict=True) if id_ is None]
    saved = _save(db, feed, known, pairs, _enter(db, feed, new, now), now)
    return replace(saved, doubtful=tuple(listed[place].title for place in matching.doubts))


def update_episode(db: Database, episode: str, item: FeedEpisode, *, now: str) -> None:
    """Store an item of a feed as what is said of a known episode, inside the caller's transaction."""
    (feed,) = db.execute("select feed from episodes where id = ?", [episode]).fetchone()
    _save(db, feed, known_episodes(db, feed), {episode: item}, {}, now)


def _save(
    db: Database,
    feed: str,
    known: Sequence[Known],
    pairs: Mapping[str, FeedEpisode],
    entered: Mapping[str, FeedEpisode],
    now: str,
) -> Saved:
    """Store the items of known episodes, with what has changed, and what belongs to those that were entered."""
    changes = _changes(db, feed, pairs)
    _record(db, changes, now)
    everything = {**pairs, **entered}
    db.conn.executemany("update episodes set last_seen = ? where id = ?", ((now, id_) for id_ in pairs))
    aliases = _new_guids(known, everything)
    db.conn.executemany(
        "insert into episode_guids (episode, guid, first_seen) values (?, ?, ?)",
        ((id_, guid, now) for id_, guid in aliases),
    )
    recognised = [(id_, guid) for id_, guid in aliases if id_ in pairs]
    db.conn.executemany(
        "insert into episode_history (episode, field, became, noticed_at) values (?, 'guid', ?, ?)",
        ((id_, guid, now) for id_, guid in recognised),
    )
    _save_transcript_links(db, everything)
    _save_people(db, feed, everything)
    unlisted = _save_question_lists(db, feed, everything)
    return Saved(
        new=len(entered),
        changed=len({change.episode for change in changes if change.is_news}),
        known=len(pairs),
        recognised=tuple(pairs[id_].title for id_, _ in recognised),
        unlisted=unlisted,
    )


def known_episodes(db: Database, feed: str) -> list[Known]:
    """Return all episodes of a feed with the facts they are matched by."""
    guids: defaultdict[str, set[str]] = defaultdict(set)
    for episode, guid in db.execute(
        "select g.episode, g.guid from episode_guids g join episodes e on e.id = g.episode where e.feed = ?", [feed]
    ):
        guids[episode].add(guid)
    rows = db.execute(
        "select id, title, published, enclosure_url, declared_duration from episodes where feed = ?", [feed]
    )
    return [Known(row[0], frozenset(guids[row[0]]), *row[1:]) for row in rows]


class _Difference(NamedTuple):
    """What an item says in place of what a column of its episode has."""

    episode: str
    column: str
    was: Any
    became: Any

    @property
    def is_news(self) -> bool:
        """Tell whether it is editorial: no new token in the audio's address, no other offset of the same moment."""
        if self.column == "enclosure_url" and self.was is not None:
            return place_of(self.was) != place_of(self.became)
        if self.column == "published" and self.was is not None:
            return timestamp(self.was) != timestamp(self.became)
        return self.column in _HISTORY


def _changes(db: Database, feed: str, pairs: Mapping[str, FeedEpisode]) -> list[_Difference]:
    """All changes. Rows are streamed: the notes of a large feed need much memory."""
    changes: list[_Difference] = []
    for row in named_rows(db.conn).execute("select * from episodes where feed = ?", [feed]):
        item = pairs.get(row["id"])
        if item is not None:
            found = (_Difference(row["id"], column, row[column], getattr(item, column)) for column in PUBLISHED)
            changes += [one for one in found if one.became not in _NOTHING and one.became != one.was]
    return changes


def _record(db: Database, changes: Sequence[_Difference], now: str) -> None:
    by_column: defaultdict[str, list[_Difference]] = defaultdict(list)
    for change in changes:
        by_column[change.column].append(change)
    for column, of_it in by_column.items():
        db.conn.executemany(
            f"update episodes set {column} = ? where id = ?",
            ((change.became, change.episode) for change in of_it),
        )
    db.conn.executemany(
        "insert into episode_history (episode, field, was, became, noticed_at) values (?, ?, ?, ?, ?)",
        ((*change, now) for change in changes if change.is_news),
    )


def _enter(db: Database, feed: str, new: Iterable[FeedEpisode], now: str) -> dict[str, FeedEpisode]:
    """Insert a row with an id for each new item; of items that share a guid, the oldest keeps it unchanged.

    Rows are inserted in feed order, which tells the newest where items have no dates.
    """
    taken = {id_ for (id_,) in db.execute("select id from episodes where feed = ?", [feed])}
    guids = {guid for (guid,) in db.execute("select guid from episodes where feed = ?", [feed])}
    (before,) = db.execute("select fully_fetched from feeds where slug = ?", [feed]).fetchone()
    entered: dict[str, FeedEpisode] = {}
    rows = []
    for place, item in sorted(enumerate(new), key=lambda one: _oldest_first(one[1])):
        guid = _free_guid(item, guids)
        id_ = _free_id(feed, guid, taken)
        guids.add(guid)
        taken.add(id_)
        entered[id_] = item
        values = (getattr(item, column) for column in PUBLISHED)
        rows.append((place, (id_, feed, guid, item.guid_made, *values, now, now, before)))
    db.conn.executemany(
        f"""insert into episodes (id, feed, guid, guid_made, {", ".join(PUBLISHED)}, first_seen, last_seen,
                listed_before)
            values ({", ".join("?" * (len(PUBLISHED) + 7))})""",
        (row for _, row in sorted(rows)),
    )
    return entered


def _oldest_first(item: FeedEpisode) -> tuple[str, str]:
    return item.published or "", item.enclosure_url or item.title


def _free_guid(item: FeedEpisode, taken: set[str]) -> str:
    """The item's guid; if taken, the guid with a hash of the audio's address (or title) appended."""
    guid, salt = item.guid, 0
    while guid in taken:
        apart = (item.enclosure_url or item.title) + (f"#{salt}" if salt else "")
        guid = f"{item.guid}#{hashlib.sha256(apart.encode()).hexdigest()[:8]}"
        salt += 1
    return guid


def _free_id(feed: str, guid: str, taken: set[str]) -> str:
    """``<slug>/<8 hex>``; 10,000 episodes have a 1 % chance of two alike, so a taken id is not used again."""
    id_, salt = episode_id(feed, guid), 0
    while id_ in taken:
        salt += 1
        id_ = episode_id(feed, f"{guid}#{salt}")
    return id_


def episode_id(feed: str, guid: str) -> str:
    """Return the id that an episode gets: ``<slug>/<8 hex>``."""
    return f"{feed}/{hashlib.sha256(guid.encode()).hexdigest()[:8]}"


def _new_guids(known: Iterable[Known], items: Mapping[str, FeedEpisode]) -> list[tuple[str, str]]:
    had = {episode.id: episode.guids for episode in known}
    return [(id_, item.guid) for id_, item in items.items() if item.guid not in had.get(id_, ())]


def _save_transcript_links(db: Database, items: Mapping[str, FeedEpisode]) -> None:
    """Enter the links of each item in place of those that it had; an item without any keeps what it had."""
    db.conn.executemany(
        "delete from transcript_links where episode = ? and url not in (select value from json_each(?))",
        ((id_, json.dumps([link.url for link in item.transcripts])) for id_, item in items.items() if item.transcripts),
    )
    db.conn.executemany(
        """insert into transcript_links (episode, url, type, language, rel) values (?, ?, ?, ?, ?)
           on conflict (episode, url) do update
           set type = excluded.type, language = excluded.language, rel = excluded.rel""",
        (
            (id_, link.url, link.type, link.language, link.rel)
            for id_, item in items.items()
            for link in item.transcripts
        ),
    )


def _save_people(db: Database, feed: str, items: Mapping[str, FeedEpisode]) -> None:
    """Enter the people of each item in place of those that it had."""
    named = {id_: tuple((person.name, person.role) for person in item.people) for id_, item in items.items()}
    known: defaultdict[str, tuple[tuple[str, str], ...]] = defaultdict(tuple)
    rows = db.execute(
        """select p.episode, p.name, p.role from episode_people p join episodes e on e.id = p.episode
           where e.feed = ? order by p.rowid""",
        [feed],
    )
    for id_, name, role in rows:
        known[id_] += ((name, role),)
    changed = {id_: people for id_, people in named.items() if people != known[id_]}
    db.conn.executemany("delete from episode_people where episode = ?", ((id_,) for id_ in changed))
    db.conn.executemany(
        "insert into episode_people (episode, name, role) values (?, ?, ?)",
        ((id_, *person) for id_, people in changed.items() for person in people),
    )


def _save_question_lists(db: Database, feed: str, items: Mapping[str, FeedEpisode]) -> tuple[str, ...]:
    """Store the lists that changed; return the titles of the episodes whose list has lost a corrected question."""
    known = published_lists(db, feed)
    return tuple(
        item.title
        for id_, item in items.items()
        if item.questions and item.questions != known[id_] and save_questions(db, id_, item.questions)
    )
