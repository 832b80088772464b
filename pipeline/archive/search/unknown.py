"""Detecting filters that name nothing in the archive: a mistyped name must not look like a search without hits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz, process

from pipeline.archive.search.hits import Filters
from pipeline.archive.search.query import Query
from pipeline.archive.search.scope import folded_name, is_anybody, speaking

ALIKE = 75  # minimum similarity (0 to 100) for suggesting another name
_LISTED = 5  # shows that are named where none is alike


class Unknown(NamedTuple):
    """A filter value that does not exist: as ``said``, the message to be ``told``, and a suggestion (``meant``)."""

    said: str
    told: str
    meant: str | None = None
    hint: str = ""

    @property
    def sentence(self) -> str:
        """Return the message with the suggestion or hint, as one sentence."""
        return f"{self.told}; did you mean “{self.meant}”?" if self.meant else f"{self.told}{self.hint}."


def unknown_show(connection: sqlite3.Connection, query: Query, filters: Filters) -> Unknown | None:
    """Return the requested show if neither it nor any other requested show is in the archive."""
    slugs = [row[0] for row in connection.execute("select slug from feeds order by slug")]
    folded = {slug.lower() for slug in slugs}
    if filters.feed and filters.feed not in slugs:
        return _no_show(filters.feed, slugs)
    if query.feeds and not any(feed.lower() in folded for feed in query.feeds):
        return _no_show(query.feeds[0], slugs)
    return None


def unknown(cursor: sqlite3.Cursor, query: Query, filters: Filters) -> Iterator[Unknown]:
    """Yield each show, speaker and question that is asked for and that the archive does not have.

    Args:
        cursor: its rows are tuples.
        query: what was typed.
        filters: what was chosen beside.
    """
    show = unknown_show(cursor.connection, query, filters)
    if show:
        yield show
    for name in dict.fromkeys(filter(None, [filters.speaker, *query.speakers])):
        if not is_anybody(cursor, name):
            yield Unknown(name, f"Nobody is called “{name}” in this archive", _meant(name, speaking(cursor)))
    for number in dict.fromkeys([*([] if filters.question is None else [filters.question]), *query.questions]):
        if not cursor.execute("select 1 from questions where number = ? limit 1", [number]).fetchone():
            yield Unknown(str(number), f"No list of questions in this archive has a question {number}")


def _no_show(slug: str, slugs: Sequence[str]) -> Unknown:
    listed = f"; there {'is' if len(slugs) == 1 else 'are'} {', '.join(slugs)}" if 0 < len(slugs) <= _LISTED else ""
    return Unknown(slug, f"There is no show “{slug}” in this archive", _meant(slug, slugs), listed)


def _meant(name: str, known: Sequence[str]) -> str | None:
    found = process.extractOne(name, known, scorer=fuzz.WRatio, processor=folded_name, score_cutoff=ALIKE)
    return found[0] if found else None
