"""Extracting the links to publishers' transcripts from a feed. Does not fetch or read the transcripts.

feedparser keeps only the last ``podcast:transcript`` of an item, so the feed is parsed again here with the standard
library's expat, without external entities; a feed that declares entities is not parsed at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from pipeline.model import TranscriptLink
from pipeline.net.urls import absolute, scheme

MAX_LINKS = 20  # an item has one for each format and language, so a handful

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
class _Item:
    guid: str = ""
    links: list[TranscriptLink] = field(default_factory=list)


class _EntitiesDeclaredError(Exception):
    """The feed declares entities, with which a few bytes can expand enormously."""


def transcript_links(content: bytes, guids: Sequence[str], *, base: str) -> list[tuple[TranscriptLink, ...]]:
    """Return the transcript links of each item.

    Args:
        content: the feed as received.
        guids: the guid of each item in the feed's order, empty if it has none. Items are matched by position; if
            another number of items is found here, by a guid that only one of them has.
        base: the base URL of relative addresses.

    Returns:
        A tuple for each of ``guids``, in the feed's order without duplicates: http(s) URLs, and ``file:`` ones if the
            feed itself is a file. All are empty if the feed cannot be parsed safely.
    """
    items = _items(content, base)
    if len(items) == len(guids):
        return [tuple(item.links) for item in items]
    common = Counter(item.guid for item in items)
    by_guid = {item.guid: tuple(item.links) for item in items if item.guid and common[item.guid] == 1}
    wanted = Counter(guids)
    return [by_guid.get(guid, ()) if wanted[guid] == 1 else () for guid in guids]


def _items(content: bytes, base: str) -> list[_Item]:
    for encoding in _ENCODINGS:
        reader = _Reader(base)
        try:
            reader.read(content.lstrip(), encoding)
        except (expat.ExpatError, LookupError, ValueError):
            continue  # the encoding may be declared wrongly, or unknown to expat
        except _EntitiesDeclaredError:
            break
        return reader.items
    return []


class _Reader:
    """Collects the items with their guids and links, which must be direct children of the item."""

    def __init__(self, base: str) -> None:
        self.items: list[_Item] = []
        self._base = base
        self._namespaces = set(_FEED)
        self._depth = 0
        self._item_depth: int | None = None
        self._in_guid = False

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
        self._depth += 1
        if self._item_depth is None:
            if local.lower() in {"item", "entry"} and namespace in self._namespaces:
                self._item_depth = self._depth
                self.items.append(_Item())
        elif self._depth == self._item_depth + 1:
            self._in_guid = local.lower() in {"guid", "id"} and namespace in self._namespaces
            if local.lower() == "transcript" and _plain(namespace) in PODCAST:
                self._add(attributes)

    def _end(self, _name: str) -> None:
        if self._depth == self._item_depth:
            self._item_depth = None
        self._in_guid = False
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._in_guid:
            self.items[-1].guid = (self.items[-1].guid + text).strip()

    def _add(self, attributes: dict[str, str]) -> None:
        said = {name.lower(): value.strip() for name, value in attributes.items()}
        url = _absolute(self._base, said.get("url", ""))
        links = self.items[-1].links
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


def _plain(namespace: str) -> str:
    return namespace.lower().partition("://")[2].rstrip("/")


def _absolute(base: str, address: str) -> str | None:
    url = absolute(base, address) or ""
    allowed = {"http", "https", "file"} if scheme(base) == "file" else {"http", "https"}
    return url if scheme(url) in allowed else None


def _refuse(*_declaration: object) -> None:
    raise _EntitiesDeclaredError
