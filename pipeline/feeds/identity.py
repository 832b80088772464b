"""Matching the items of a feed with the episodes of the archive. Pure decisions: no database, no network, no clock.

A guid is trusted unless the rest of the item plainly belongs to something else. If guids change, are missing or are
shared, an item is identified by two properties that agree, and only if no other episode and no other item has the same
two: many episodes share titles such as “Bonus”, files called ``default.mp3``, dates without a time and durations in
whole minutes. In doubt an item becomes a new episode: a duplicate can be seen and corrected, whereas an episode
mistaken for another is lost.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pipeline.model import FeedEpisode
from pipeline.net.urls import without_signature
from pipeline.times import in_utc

# Publishers shift a date by hours, because of a time zone or a schedule; the next edition of a news show comes a day
# later.
_SAME_DATE = timedelta(hours=20)
_SAME_LENGTH, _SAME_LENGTH_SHARE = 30.0, 0.05  # in seconds, or as a share of the longer one
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?")
AUDIO_ENDINGS = (".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav")
_FILE_ENDINGS = (*AUDIO_ENDINGS, ".php", ".aspx", ".html")


@dataclass(frozen=True, slots=True)
class Known:
    """An episode of the archive: ``guids`` are all it ever had, the other properties as last published by its feed."""

    id: str
    guids: frozenset[str]
    title: str
    published: str | None
    enclosure_url: str | None
    declared_duration: float | None


@dataclass(frozen=True, slots=True)
class Matching:
    """The episode id of each item, None if new; ``doubts`` are the new ones that resemble a known episode.

    ``episodes`` is in the order of the items, ``doubts`` are positions in that order.
    """

    episodes: tuple[str | None, ...]
    doubts: tuple[int, ...] = ()


class _Signs(NamedTuple):
    """The properties that identify an item or episode; ``place`` is the URL without its variable parts."""

    guids: frozenset[str]
    url: str | None
    place: str | None
    title: str
    moment: str | None
    duration: float | None


# The properties that must agree, the most reliable first. None equals None only with the same guid, or as the date with
# the same URL and title.
_ROUNDS: tuple[tuple[str, ...], ...] = (
    ("guid", "url", "title", "moment"),
    ("guid",),
    ("guid", "url"),
    ("guid", "place", "title"),
    ("guid", "moment", "title"),
    ("guid", "title"),
    ("guid", "moment"),
    ("url", "title", "moment"),
    ("url", "title"),
    ("place", "title"),
    ("url", "moment"),
    ("title", "moment"),
    ("moment", "duration"),
    ("title", "duration"),
)
_WITHOUT_ADDRESS = {("title", "moment"), ("moment", "duration"), ("title", "duration")}


def match(known: Sequence[Known], listed: Sequence[FeedEpisode]) -> Matching:
    """Match each item of a feed with an episode.

    No two items are matched with the same episode. The result does not depend on the order of either list, and matching
    again gives the same result.
    """
    ours = {episode.id: _signs_of_known(episode) for episode in known}
    theirs = {place: _signs_of_item(item) for place, item in enumerate(listed)}
    pairs: dict[int, str] = {}
    doubts: set[int] = set()
    taken: set[str] = set()
    for fields in _ROUNDS:
        claims: defaultdict[str, list[int]] = defaultdict(list)
        for place, ids, is_alone in _agreeing(fields, ours, theirs):
            if place in pairs or not ids - taken:
                continue
            doubts.add(place)
            (first, *others) = ids
            if is_alone and not others and _may_be(fields, ours[first], theirs[place]):
                claims[first].append(place)
        for id_, places in claims.items():
            if len(places) == 1:
                pairs[places[0]] = id_
                taken.add(id_)
        if len(pairs) == len(theirs):
            break
    return Matching(tuple(pairs.get(place) for place in theirs), tuple(sorted(doubts - pairs.keys())))


def place_of(url: str) -> str:
    """Return a URL without scheme, query, signature and the tracking services in front of the host that has the file.

    Such services prefix the URL: ``https://count.example/track/media.example.org/1.mp3``.
    """
    try:
        parts = urlsplit(url)
        host, path = (parts.hostname or "").lower(), unquote(without_signature(parts.path))
    except ValueError:
        return url
    steps = path.split("/")
    for number in range(len(steps) - 2, 0, -1):
        step = steps[number].lower()
        if _HOST.fullmatch(step) and not step.endswith(_FILE_ENDINGS):
            return "/".join([step, *steps[number + 1 :]])
    return host + path


def _agreeing(
    fields: Sequence[str], ours: Mapping[str, _Signs], theirs: Mapping[int, _Signs]
) -> Iterator[tuple[int, set[str], bool]]:
    """Yield each item with the episodes that agree with it, and whether no other item has the same properties."""
    episodes: defaultdict[Hashable, set[str]] = defaultdict(set)
    for id_, signs in ours.items():
        for key in _keys(fields, signs):
            episodes[key].add(id_)
    items: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, signs in theirs.items():
        for key in _keys(fields, signs):
            items[key].append(place)
    for key, places in items.items():
        for place in places:
            yield place, episodes.get(key, set()), len(places) == 1


def _keys(fields: Sequence[str], signs: _Signs) -> list[Hashable]:
    rest = tuple(getattr(signs, field) for field in fields if field != "guid")
    if "guid" in fields:
        return [(guid, *rest) for guid in signs.guids]
    if fields == ("url", "title", "moment"):
        return [rest] if signs.url is not None else []
    if None in rest or (fields in _WITHOUT_ADDRESS and not _is_telling(fields, signs)):
        return []
    return [rest]


def _is_telling(fields: Sequence[str], signs: _Signs) -> bool:
    """Tell whether a date has a time, and a duration seconds: without those they may coincide by chance."""
    has_time = signs.moment is not None and not signs.moment.endswith("T00:00:00Z")
    return ("moment" not in fields or has_time) and ("duration" not in fields or _is_exact(signs.duration))


def _is_exact(duration: float | None) -> bool:
    return bool(duration) and round(duration or 0) % 60 != 0


def _may_be(fields: Sequence[str], ours: _Signs, theirs: _Signs) -> bool:
    """Tell whether nothing contradicts the match."""
    same_length = _is_exact(ours.duration) and ours.duration == theirs.duration
    if fields == ("title", "duration"):
        # A new host of a feed changes guids, addresses and dates; the next edition of a news show stays on the same
        # host.
        return _host(ours) != _host(theirs) and not _are_far_apart(ours.moment, theirs.moment)
    if _are_far_apart(ours.moment, theirs.moment):
        by_guid = "guid" in fields and (ours.title == theirs.title or ours.place == theirs.place)
        return by_guid or same_length
    if fields == ("place", "title") and ours.url != theirs.url:
        # If the path names a file, a differing query is a token; otherwise it may be the episode's number.
        is_file = (ours.place or "").lower().endswith(AUDIO_ENDINGS)
        return same_length or is_file or None not in (ours.moment, theirs.moment)
    if fields == ("title", "moment"):
        return not _differ_in_length(ours.duration, theirs.duration)
    return True


def _host(signs: _Signs) -> str:
    return (signs.place or "").partition("/")[0]


def _differ_in_length(one: float | None, other: float | None) -> bool:
    """Tell whether two durations, in seconds, differ by more than rounding and exchanged advertisements explain."""
    if one is None or other is None:
        return False
    return abs(one - other) > max(_SAME_LENGTH, _SAME_LENGTH_SHARE * max(one, other))


def _are_far_apart(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) > _SAME_DATE


def _signs_of_known(known: Known) -> _Signs:
    # A made guid is only an address or a title, and is compared as such.
    guids = frozenset(guid for guid in known.guids if not guid.startswith("made:"))
    url = known.enclosure_url or next(iter(sorted(known.guids - guids)), None)
    return _signs(guids, url, known.title, known.published, known.declared_duration)


def _signs_of_item(item: FeedEpisode) -> _Signs:
    guids = frozenset() if item.guid_made else frozenset([item.guid])
    url = item.enclosure_url or (item.guid if item.guid_made else None)
    return _signs(guids, url, item.title, item.published, item.declared_duration)


def _signs(guids: frozenset[str], url: str | None, title: str, moment: str | None, duration: float | None) -> _Signs:
    place = place_of(url) if url else None
    at = in_utc(moment) if moment else None
    return _Signs(guids, url, place, " ".join(title.casefold().split()), at, duration)
