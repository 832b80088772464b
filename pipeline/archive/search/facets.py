"""How the hits of a search spread over shows, speakers, roles, questions and months. Counts; finds nothing itself."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipeline.archive.query import Query, compile_query
from pipeline.archive.search import passages, words
from pipeline.archive.search.hits import ANYTHING, Filters
from pipeline.archive.search.scope import Scope

_NEWEST = 1_000  # hits that are counted where there are too many to count all
_EPISODES = 100  # that are looked through for quotations


@dataclass(frozen=True, slots=True)
class Facets:
    """How many segments with hits there are of each value, the most frequent first.

    ``counted`` segments were looked at: all there are, or, where that is not ``complete``, the newest episodes'.
    """

    counted: int = 0
    complete: bool = True
    feeds: tuple[tuple[str, int], ...] = ()
    speakers: tuple[tuple[str, int], ...] = ()
    roles: tuple[tuple[str, int], ...] = ()
    questions: tuple[tuple[int, int], ...] = ()


def facets(connection: sqlite3.Connection, text: str, filters: Filters = ANYTHING) -> Facets:
    """Count the hits of a search, narrowed by ``filters``."""
    query = compile_query(text)
    if not query.match:
        return Facets()
    cursor = connection.cursor()
    cursor.row_factory = None
    scope = Scope.of(cursor, filters, query)
    segments, complete = _segments(scope, query)
    listed = ",".join(map(str, segments))
    rows = cursor.execute(
        f"""select e.feed, s.speaker, s.role, s.question, count(*) from segments s
        join episodes e on e.id = s.episode where s.id in ({listed}) group by 1, 2, 3, 4"""
    ).fetchall()
    spread = [Counter[Any]() for _ in range(4)]
    for *values, number in rows:
        for counter, value in zip(spread, values, strict=True):
            if value is not None:
                counter[value] += number
    return Facets(sum(number for *_, number in rows), complete, *(_ordered(one) for one in spread))


def _ordered(counted: Counter[Any]) -> tuple[tuple[Any, int], ...]:
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def months(connection: sqlite3.Connection, text: str, filters: Filters = ANYTHING) -> tuple[tuple[str, int], ...]:
    """Return for each month (``2026-05``), in order, in how many of its episodes what is searched for is said.

    Nothing where the search is narrowed to speakers, roles or questions: episodes are counted as a whole.
    """
    query = compile_query(text)
    cursor = connection.cursor()
    cursor.row_factory = None
    scope = Scope.of(cursor, filters, query)
    if not query.match or scope.segment_sql[0]:
        return ()
    counted = Counter(place.published[:7] for place in scope.holding(query.match) if place.published)
    return tuple(sorted(counted.items()))


def _segments(scope: Scope, query: Query) -> tuple[list[int], bool]:
    """The segments in which the hits begin, and whether these are all."""
    found: list[int] = []
    if query.crosses:
        holding = scope.holding(query.match)
        for looked, place in enumerate(holding[:_EPISODES], 1):
            found += [span.first for span in passages.in_transcript(scope, query, place)]
            if len(found) >= _NEWEST:
                return found, looked == len(holding)
        return found, len(holding) <= _EPISODES
    segments = words.matching(scope.cursor, query.match, words.MANY + 1)
    if len(segments) <= words.MANY:
        return scope.kept(segments), True
    places = scope.places()
    for place in islice(places, words.EPISODES):
        found += words.within(scope, query.match, place, limit=_NEWEST - len(found))
        if len(found) >= _NEWEST:
            return found, False
    return found, next(places, None) is None
