"""Parsing a feed into episodes. A pure function of its input: no network, no database, no clock."""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import feedparser

from pipeline.errors import NotAFeedError
from pipeline.feeds.dates import read_date
from pipeline.feeds.enclosures import enclosures, has_several_recordings
from pipeline.feeds.fetch import FeedBody
from pipeline.feeds.mending import mended
from pipeline.feeds.notes import sanitise, to_text, unescaped
from pipeline.feeds.podcast_namespace import PODCAST, PodcastItem, podcast_items
from pipeline.feeds.questions import find_questions
from pipeline.model import UNTITLED, FeedEpisode, ParsedFeed
from pipeline.net.urls import absolute, scheme
from pipeline.text import amount
from pipeline.times import in_utc

# Increment this when parsing changes: validators stored by an older version are then not sent, so that an unchanged
# feed is parsed again once.
PARSER_VERSION = 8

# Guids must stay the same when the feed moves, but feedparser would resolve them against xml:base like links. This set
# belongs to all of its parsers.
feedparser.api.StrictFeedParser.can_be_relative_uri.discard("id")

# It does not know the podcast namespace either, and would name its elements by the feed's prefix, if they have one.
feedparser.api.StrictFeedParser.namespaces |= {
    f"{protocol}://{name}{slash}": "podcast"
    for name in PODCAST
    for protocol in ("https", "http")
    for slash in ("", "/")
}

# feedparser's exceptions for a wrongly declared encoding or type, which it has then corrected.
_ENCODING_PROBLEMS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


def parse_feed(body: FeedBody) -> ParsedFeed:
    """Parse RSS or Atom.

    Raises:
        NotAFeedError: the content is empty, HTML, not well-formed XML, or of another kind; the message says which.
    """
    content, warnings = mended(body.content)
    if not content:
        raise NotAFeedError(f"{body.base} sent nothing: the feed is empty")
    body = replace(body, content=content)
    parsed = _parsed(body)
    warnings += _check(parsed, body)
    items = podcast_items(body.content, [_guid(entry) for entry in parsed.entries], base=body.base)
    found = [_episode(entry, body.base, item) for entry, item in zip(parsed.entries, items, strict=True)]
    warnings += _not_taken(parsed.entries, found, body.base)
    episodes = distinct(found)
    shared = Counter(episode.guid for episode in episodes)
    without_audio = [episode for episode in episodes if episode.enclosure_url is None]
    if without_audio:
        warnings.append(f"{_some(without_audio)} without audio in the feed: listed, not downloaded")
    made = [episode for episode in episodes if episode.guid_made]
    if made:
        warnings.append(f"{_some(made)} without guid: identified by the audio's address instead")
    warnings += [
        f"{number} items share the guid {guid!r}: each is kept as an episode of its own"
        for guid, number in shared.items()
        if number > 1
    ]
    return ParsedFeed(
        title=_plain(parsed.feed.get("title", "")),
        episodes=tuple(episodes),
        warnings=tuple(warnings),
        podcast_guid=_plain(parsed.feed.get("podcast_guid", "")) or None,
        new_feed_url=absolute(body.base, parsed.feed.get("itunes_new-feed-url", "")),
        next_url=_next_page(parsed.feed, body.base),
    )


def _parsed(body: FeedBody) -> Any:
    # Not the bare bytes: feedparser would take them for a file name or URL and open that.
    source = io.BytesIO(body.content)
    headers = {"content-type": _content_type(body)} if body.content_type else {}
    try:
        return feedparser.parse(source, response_headers=headers)
    except Exception as error:  # its parsers raise all kinds of exceptions on broken HTML and XML
        raise NotAFeedError(f"{body.base} cannot be read as a feed ({type(error).__name__}: {error})") from error


def _content_type(body: FeedBody) -> str:
    """The declared content type, corrected where it is often wrong."""
    # By RFC 7303 text/xml is equivalent to application/xml, and no longer defaults to ASCII.
    said = body.content_type.replace("text/xml", "application/xml", 1)
    try:
        body.content.decode()
    except UnicodeDecodeError:
        return said
    return said.split(";")[0]  # valid UTF-8 is taken as UTF-8, whatever charset is declared


def _check(parsed: Any, body: FeedBody) -> list[str]:
    problem = parsed.get("bozo_exception")
    if not parsed.version:
        if re.match(rb"\s*(<!doctype html|<html)", body.content[:500], re.IGNORECASE):
            raise NotAFeedError(f"{body.base} is a web page, not a feed: put the show's RSS address into feeds.yaml")
        raise NotAFeedError(f"{body.base} is not RSS or Atom: put the show's RSS address into feeds.yaml")
    if problem is None:
        return []
    if isinstance(problem, _ENCODING_PROBLEMS):
        return [f"the feed's encoding or type is declared wrongly; this was corrected ({problem})"]
    raise NotAFeedError(f"{body.base} is not well-formed XML ({problem}); nothing was taken from it")


def _not_taken(entries: Sequence[Any], found: Sequence[FeedEpisode], base: str) -> Iterator[str]:
    """Warnings about what could not be taken from items: unreadable dates, and further recordings."""
    items = list(zip(entries, found, strict=True))
    undated = [episode for entry, episode in items if episode.published is None and _dates(entry)]
    if undated:
        yield f"{_some(undated)} with a date that cannot be read: kept without one"
    several = [episode for entry, episode in items if has_several_recordings(entry, base)]
    if several:
        yield f"{_some(several)} with more than one recording: only the first of each is kept"


def _episode(entry: Any, base: str, item: PodcastItem) -> FeedEpisode:
    published = _notes(entry)
    url, kind, length = next(iter(enclosures(entry, base)), (None, None, None))
    text = to_text(published)
    guid = _guid(entry)
    title = _plain(entry.get("title") or entry.get("itunes_title") or "") or UNTITLED
    link = str(entry.get("link") or "").strip()
    # feedparser uses the guid as the link if there is none; that works only if it is an absolute URL.
    link = link if link == guid else absolute(base, link) or ""
    return FeedEpisode(
        guid=guid or made_guid(url, link, title),
        guid_made=not guid,
        title=title,
        published=_published(entry),
        link=link if scheme(link) in {"http", "https"} else None,
        enclosure_url=url,
        enclosure_type=kind or None,
        declared_duration=duration_seconds(entry.get("itunes_duration") or entry.get("duration")),
        notes_html=sanitise(published, base=base),
        notes_text=text,
        questions=find_questions(text),
        transcripts=tuple(item.transcripts),
        people=tuple(item.people),
        enclosure_length=length,
    )


def _published(entry: Any) -> str | None:
    """The date of publication, or else of the last update, whichever can be parsed first."""
    read = (read_date(said, dict.get(entry, f"{name}_parsed")) for name, said in _dates(entry))
    return next(filter(None, read), None)


def _dates(entry: Any) -> list[tuple[str, str]]:
    """The dates as written, bypassing feedparser's own ``get``, which substitutes one date for another."""
    said = [(name, str(dict.get(entry, name) or "").strip()) for name in ("published", "updated")]
    return [(name, date) for name, date in said if date]


def _next_page(feed: Any, base: str) -> str | None:
    """The feed's next page or its previous archive document (RFC 5005)."""
    links = {link.get("rel"): link.get("href", "") for link in feed.get("links", [])}
    return absolute(base, links.get("next") or links.get("prev-archive") or "")


def _guid(entry: Any) -> str:
    return str(entry.get("id") or "").strip()


def _notes(entry: Any) -> str:
    """The longest form of the notes: feeds give a short description, a long one, or both."""
    candidates = [content.get("value", "") for content in entry.get("content", [])]
    candidates += [entry.get("summary", ""), entry.get("subtitle", "")]
    return unescaped(max(candidates, key=len))


def made_guid(enclosure_url: str | None, link: str, title: str) -> str:
    """Return an identity for an item without guid; the query is left out, because hosts put changing tokens in it."""
    address = urlsplit(enclosure_url or link)
    return f"made:{address.netloc}{address.path}" if address.path else f"made:{title}"


def distinct(found: Iterable[FeedEpisode]) -> list[FeedEpisode]:
    """Merge repetitions of an item into its newest form.

    They have the same guid and audio URL, or title if without audio. Items that share only a guid are kept apart.
    """
    alike: defaultdict[tuple[str, str], list[FeedEpisode]] = defaultdict(list)
    for episode in found:
        alike[episode.guid, episode.enclosure_url or episode.title].append(episode)
    return [_newest(forms) for forms in alike.values()]


def _newest(forms: Sequence[FeedEpisode]) -> FeedEpisode:
    """The form published last, with the transcript links of all; independent of the order of the forms."""
    if len(forms) == 1:
        return forms[0]
    ordered = sorted(forms, key=lambda form: (form.title, str(form)))
    newest = max(ordered, key=lambda form: in_utc(form.published) if form.published else "")
    return replace(newest, transcripts=tuple(dict.fromkeys(link for form in ordered for link in form.transcripts)))


def duration_seconds(declared: str | None) -> float | None:
    """Parse ``itunes:duration``: seconds, ``MM:SS`` or ``HH:MM:SS``; None if it is none of these."""
    if not declared or not re.fullmatch(r"\d{1,7}(?::\d{1,2}){0,2}(?:\.\d{1,9})?", declared.strip()):
        return None
    seconds = 0.0
    for part in declared.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _plain(text: str) -> str:
    return " ".join(to_text(text).split())


def _some(episodes: Iterable[FeedEpisode]) -> str:
    titles = [f"“{episode.title}”" for episode in episodes]
    shown = ", ".join(titles[:3]) + (f" and {len(titles) - 3} more" if len(titles) > 3 else "")
    return f"{amount(len(titles), 'item')} ({shown})"
