"""Reading a feed's bytes into episodes. A pure function of its input: no network, no database, no clock."""

from __future__ import annotations

import calendar
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from pipeline.errors import NotAFeedError
from pipeline.feeds.fetch import FeedBody
from pipeline.feeds.notes import sanitise, to_text
from pipeline.feeds.questions import find_questions
from pipeline.model import FeedEpisode, ParsedFeed

# Raise this when parsing changes: validators kept by an older version are then not sent, so that an unchanged
# feed is read anew once.
PARSER_VERSION = 1

_AUDIO_ENDINGS = (".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav")
# feedparser's name for "the bytes were not in the encoding they claimed": it has then found the right one.
_ENCODING_PROBLEMS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


def parse_feed(body: FeedBody) -> ParsedFeed:
    """Read RSS or Atom bytes.

    Raises:
        NotAFeedError: the bytes are HTML, empty, or not well-formed XML; the message says which.
    """
    if not body.content.strip():
        raise NotAFeedError(f"{body.base} sent nothing: the feed is empty")
    headers = {"content-location": body.base}
    if body.content_type:
        headers["content-type"] = body.content_type
    parsed = feedparser.parse(body.content, response_headers=headers)
    warnings = _check(parsed, body)
    episodes, item_warnings = _distinct([_episode(entry, body.base) for entry in parsed.entries])
    without_audio = [episode for episode in episodes if episode.enclosure_url is None]
    if without_audio:
        warnings.append(f"{_some(without_audio)} without audio in the feed: listed, not downloaded")
    made = [episode for episode in episodes if episode.guid_made]
    if made:
        warnings.append(f"{_some(made)} without guid: known by the audio's address instead")
    return ParsedFeed(_plain(parsed.feed.get("title", "")), tuple(episodes), (*warnings, *item_warnings))


def _check(parsed: Any, body: FeedBody) -> list[str]:
    problem = parsed.get("bozo_exception")
    if not parsed.version:
        if re.match(rb"\s*(<!doctype html|<html)", body.content[:500], re.IGNORECASE):
            raise NotAFeedError(f"{body.base} is a web page, not a feed: put the show's RSS address into feeds.yaml")
        raise NotAFeedError(f"{body.base} is not RSS or Atom: put the show's RSS address into feeds.yaml")
    if problem is None:
        return []
    if isinstance(problem, _ENCODING_PROBLEMS):
        return [f"the feed's encoding or type is declared wrongly and was mended in reading ({problem})"]
    raise NotAFeedError(f"{body.base} is not well-formed XML ({problem}); nothing of it was taken")


def _episode(entry: Any, base: str) -> FeedEpisode:
    published = _notes(entry)
    enclosure = _enclosure(entry)
    text = to_text(published)
    url = urljoin(base, enclosure["href"].strip()) if enclosure else None
    guid = str(entry.get("id") or "").strip()
    title = _plain(entry.get("title", "")) or "(untitled)"
    return FeedEpisode(
        guid=guid or _made_guid(url, entry.get("link"), title),
        guid_made=not guid,
        title=title,
        published=_moment(entry.get("published_parsed") or entry.get("updated_parsed")),
        link=_http_only(entry.get("link")),
        enclosure_url=url,
        enclosure_type=(enclosure or {}).get("type") or None,
        declared_duration=duration_seconds(entry.get("itunes_duration")),
        notes_html=sanitise(published),
        notes_text=text,
        questions=find_questions(text),
    )


def _notes(entry: Any) -> str:
    """The fullest form of the notes: feeds give a short description, a long one, or both."""
    candidates = [content.get("value", "") for content in entry.get("content", [])]
    candidates += [entry.get("summary", ""), entry.get("subtitle", "")]
    return str(max(candidates, key=len))


def _enclosure(entry: Any) -> dict[str, str] | None:
    enclosures = [link for link in entry.get("enclosures", []) if link.get("href", "").strip()]

    def is_audio(link: dict[str, str]) -> bool:
        return link.get("type", "").startswith("audio/") or urlsplit(link["href"]).path.lower().endswith(_AUDIO_ENDINGS)

    return next((link for link in enclosures if is_audio(link)), enclosures[0] if enclosures else None)


def _made_guid(enclosure_url: str | None, link: str | None, title: str) -> str:
    """An identity for an item without guid; the query is left out, because hosts put changing tokens there."""
    address = urlsplit(enclosure_url or link or "")
    return f"made:{address.netloc}{address.path}" if address.path else f"made:{title}"


def _distinct(found: Sequence[FeedEpisode]) -> tuple[list[FeedEpisode], list[str]]:
    """Tell apart items that share a guid: the oldest keeps it, the others get it with a suffix of their own.

    The same item twice (guid and audio alike) is one episode.
    """
    by_guid: defaultdict[str, list[FeedEpisode]] = defaultdict(list)
    for episode in found:
        if not any(same.enclosure_url == episode.enclosure_url for same in by_guid[episode.guid]):
            by_guid[episode.guid].append(episode)
    warnings = [
        f"{len(group)} items share the guid {guid!r}: each is kept as an episode of its own"
        for guid, group in by_guid.items()
        if len(group) > 1
    ]
    kept: dict[int, FeedEpisode] = {}
    for group in by_guid.values():
        oldest, *others = sorted(group, key=lambda episode: (episode.published or "", episode.enclosure_url or ""))
        kept[id(oldest)] = oldest
        for episode in others:
            suffix = hashlib.sha256((episode.enclosure_url or episode.title).encode()).hexdigest()[:8]
            kept[id(episode)] = replace(episode, guid=f"{episode.guid}#{suffix}")
    return [kept[id(episode)] for episode in found if id(episode) in kept], warnings


def duration_seconds(declared: str | None) -> float | None:
    """Read ``itunes:duration``: seconds, ``MM:SS`` or ``HH:MM:SS``; None when it is none of these."""
    if not declared or not re.fullmatch(r"\d+(?::\d{1,2}){0,2}(?:\.\d+)?", declared.strip()):
        return None
    seconds = 0.0
    for part in declared.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _moment(parsed: Any) -> str | None:
    """A feed's date as UTC ISO 8601; feedparser's struct_time is UTC, so it must not pass through local time."""
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _http_only(url: str | None) -> str | None:
    return url if url and urlsplit(url).scheme in {"http", "https"} else None


def _plain(text: str) -> str:
    return " ".join(to_text(text).split())


def _some(episodes: Iterable[FeedEpisode]) -> str:
    titles = [f"“{episode.title}”" for episode in episodes]
    shown = ", ".join(titles[:3]) + (f" and {len(titles) - 3} more" if len(titles) > 3 else "")
    return f"{len(titles)} {'item' if len(titles) == 1 else 'items'} ({shown})"
