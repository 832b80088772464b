"""Reading from a feed what the podcast namespace says of its items: links to transcripts, and people.

feedparser keeps only the last ``podcast:transcript`` and ``podcast:person`` of an item, so the feed is parsed again
here with the standard library's expat, without external entities; a feed that declares entities is not parsed at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.parsers import expat

from pipeline.model import Person, TranscriptLink
from pipeline.net.urls import absolute, scheme

MAX_LINKS = 20  # an item has one for each format and language, so a handful
MAX_PEOPLE, MAX_NAME_CHARS = 20, 100
# The roles of the podcast taxonomy's group “cast” that speak; a role that is not given is host.
_ROLES: Mapping[str, Literal["host", "guest"]] = {
    "host": "host",
    "co-host": "host",
    "guest host": "host",
    "guest": "guest",
}

# https://podcastindex.org/namespace/1.0 and its earlier names, without what varies in practice: scheme, case, final
# slash.
PODCAST = {
    "podcastindex.org/namespace/1.0",
    "github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
    "github.com/podcastindex-org/podcast-namespace/blob/master/docs/1.0.md",
}
# The namespaces of items besides the feed's own: none (RSS 2.0), RSS 1.0 and 0.9, Atom.
_FEED = {"", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/", "http://www.w3.org/2005/Atom"}
# None is the declared encoding. The last one accepts any bytes: the relevant names and URLs are ASCII anyway.
_ENCODINGS = (None, "utf-8", "iso-8859-1")


@dataclass(slots=True)
class PodcastItem:
    """What the podcast namespace says of an item."""

    guid: str = ""
    transcripts: list[TranscriptLink] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)


class _EntitiesDeclaredError(Exception):
    """The feed declares entities, with which a few bytes can expand enormously."""


def podcast_items(content: bytes, guids: Sequence[str], *, base: str) -> list[PodcastItem]:
    """Return what the podcast namespace says of each item.

    Args:
        content: the feed as received.
        guids: the guid of each item in the feed's order, empty if it has none. Items are matched by position; if
            another number of items is found here, by a guid that only one of them has.
        base: the base URL of relative addresses.

    Returns:
        An object for each of ``guids``. Transcripts are in the feed's order without duplicates: http(s) URLs, and
            ``file:`` ones if the feed itself is a file. An item that names nobody has the people of the show. All are
            empty if the feed cannot be parsed safely.
    """
    items = _items(content, base)
    if len(items) == len(guids):
        return items
    common = Counter(item.guid for item in items)
    by_guid = {item.guid: item for item in items if item.guid and common[item.guid] == 1}
    wanted = Counter(guids)
    return [by_guid.get(guid, PodcastItem()) if wanted[guid] == 1 else PodcastItem() for guid in guids]


def _items(content: bytes, base: str) -> list[PodcastItem]:
    for encoding in _ENCODINGS:
        reader = _Reader(base)
        try:
            reader.read(content.lstrip(), encoding)
        except (expat.ExpatError, LookupError, ValueError):
            continue  # the encoding may be declared wrongly, or unknown to expat
        except _EntitiesDeclaredError:
            break
        for item in reader.items:
            item.people = item.people or reader.people
        return reader.items
    return []


class _Reader:
    """Collects the items, with what their direct children say, and ``people``, whom the show itself names."""

    def __init__(self, base: str) -> None:
        self.items: list[PodcastItem] = []
        self.people: list[Person] = []
        self._base = base
        self._namespaces = set(_FEED)
        self._depth = 0
        self._show_depth = 1
        self._item_depth: int | None = None
        self._in_guid = False
        self._name: str | None = None  # of a person, as far as it was read
        self._role: Literal["host", "guest"] | None = None

    def read(self, content: bytes, encoding: str | None) -> None:
        parser = expat.ParserCreate(encoding, " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = _refuse
        parser.Parse(content, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if self._depth == 0 or (self._depth == 1 and local.lower() == "channel"):
            self._namespaces.add(namespace)
            self._show_depth = self._depth + 1
        self._depth += 1
        element = local.lower() if _plain(namespace) in PODCAST else ""
        if element == "person" and self._depth == (self._item_depth or self._show_depth) + 1:
            said = _trimmed(attributes)
            is_cast = said.get("group", "cast").lower() == "cast"
            self._name, self._role = "", _ROLES.get(said.get("role", "host").lower()) if is_cast else None
        if self._item_depth is None:
            if local.lower() in {"item", "entry"} and namespace in self._namespaces:
                self._item_depth = self._depth
                self.items.append(PodcastItem())
        elif self._depth == self._item_depth + 1:
            self._in_guid = local.lower() in {"guid", "id"} and namespace in self._namespaces
            if element == "transcript":
                self._add_transcript(_trimmed(attributes))

    def _end(self, _name: str) -> None:
        if self._name is not None:
            self._add_person(" ".join(self._name.split()))
            self._name = None
        if self._depth == self._item_depth:
            self._item_depth = None
        self._in_guid = False
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._in_guid:
            self.items[-1].guid = (self.items[-1].guid + text).strip()
        if self._name is not None:
            self._name += text

    def _add_person(self, name: str) -> None:
        people = self.people if self._item_depth is None else self.items[-1].people
        is_new = not any(person.name == name for person in people)
        if self._role and is_new and 0 < len(name) <= MAX_NAME_CHARS and len(people) < MAX_PEOPLE:
            people.append(Person(name, self._role))

    def _add_transcript(self, said: Mapping[str, str]) -> None:
        url = _absolute(self._base, said.get("url", ""))
        links = self.items[-1].transcripts
        if url is None or len(links) >= MAX_LINKS:
            return
        link = TranscriptLink(
            url=url,
            type=said.get("type", "").lower() or None,
            language=said.get("language") or None,
            rel=said.get("rel", "").lower() or None,
        )
        if link not in links:
            links.append(link)


def _trimmed(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in attributes.items()}


def _plain(namespace: str) -> str:
    return namespace.lower().partition("://")[2].rstrip("/")


def _absolute(base: str, address: str) -> str | None:
    url = absolute(base, address) or ""
    allowed = {"http", "https", "file"} if scheme(base) == "file" else {"http", "https"}
    return url if scheme(url) in allowed else None


def _refuse(*_declaration: object) -> None:
    raise _EntitiesDeclaredError
