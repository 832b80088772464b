"""Facets: counting a search's hits by show, speaker, role, question and month."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from pipeline.archive.database import plain_rows
from pipeline.archive.search import passages, words
from pipeline.archive.search.hits import ANYTHING, Filters
from pipeline.archive.search.query import Query, as_meant
from pipeline.archive.search.scope import Place, Scope

_NEWEST = 1_000  # hits that are counted if there are too many to count them all
_QUOTED = 100  # episodes that are searched for quotations


@dataclass(frozen=True, slots=True)
class Facets:
    """How many hits there are of each value, the most frequent first.

    ``counted`` is the number of hits examined: all of them, or those of the newest episodes if not ``complete``.
    ``months`` gives for each month (``2026-05``), in order, the number of episodes with hits. If not ``complete`` it
    counts the episodes whose whole transcript matches, which is nearly the same; it is empty if that would be
    misleading, that is, with conditions on speaker, role or question, or with excluded words.
    """

    counted: int = 0
    complete: bool = True
    feeds: tuple[tuple[str, int], ...] = ()
    speakers: tuple[tuple[str, int], ...] = ()
    roles: tuple[tuple[str, int], ...] = ()
    questions: tuple[tuple[int, int], ...] = ()
    months: tuple[tuple[str, int], ...] = ()


def facets(connection: sqlite3.Connection, query: Query, filters: Filters = ANYTHING) -> Facets:
    """Count the hits of a search, narrowed by ``filters``."""
    cursor = plain_rows(connection)
    scope = Scope.of(cursor, filters, query)
    if not query.match and scope.is_everything:
        return Facets()
    query, (segments, complete) = as_meant(query, partial(_segments, scope), is_found=lambda found: bool(found[0]))
    number = Counter(segments)
    listed = ",".join(map(str, number))
    rows = cursor.execute(
        f"""select s.id, e.id, coalesce(substr(e.published, 1, 7), ''), e.feed, s.speaker, s.role,
            s.questions
        from segments s join episodes e on e.id = s.episode where s.id in ({listed})"""
    )
    spread = [Counter[Any]() for _ in range(4)]
    episodes: dict[str, str] = {}
    for segment, episode, month, feed, speaker, role, about in rows:
        episodes[episode] = month
        values = ([feed], [speaker] if speaker is not None else [], [role], json.loads(about))
        for counter, some in zip(spread, values, strict=True):
            for value in some:
                counter[value] += number[segment]
    if not complete:
        episodes = {place.episode: place.month for place in _holding(scope, query)}
    feeds, speakers, roles, questions = map(_ordered, spread)
    months = tuple(sorted(Counter(filter(None, episodes.values())).items()))
    return Facets(len(segments), complete, feeds, speakers, roles, questions, months)


def _ordered(counted: Counter[Any]) -> tuple[tuple[Any, int], ...]:
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _holding(scope: Scope, query: Query) -> list[Place]:
    """The transcripts that match as a whole; none if that would differ much from those with hits."""
    by_segment = scope.segment_sql[0] or (query.excludes and not query.crosses)
    return scope.holding(query.match) if query.match and not by_segment else []


def _segments(scope: Scope, query: Query) -> tuple[list[int], bool]:
    """The first segment of each hit, and whether these are all hits."""
    if not query.crosses and query.match:
        segments = words.matching(scope.cursor, query.match, words.MANY + 1)
        if len(segments) <= words.MANY:
            return words.verified(scope.cursor, query, scope.kept(segments)), True
    found: list[int] = []
    places = iter(scope.holding(query.match)) if query.crosses else scope.places()
    for place in islice(places, _QUOTED if query.crosses else words.EPISODES):
        if query.crosses:
            found += [span.first for span in passages.in_transcript(scope, query, place)]
        else:
            limit = -1 if query.is_checked else _NEWEST - len(found)
            some = words.within(scope, query.match or None, place, without=query.surely_excluded, limit=limit)
            found += words.verified(scope.cursor, query, some)
        if len(found) >= _NEWEST:
            break
    return found, next(places, None) is None and (query.crosses or len(found) < _NEWEST)
