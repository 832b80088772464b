"""Writing entries as an Atom feed (RFC 4287). The caller selects them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from pipeline.export import xml

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
_LONG_AGO = "1970-01-01T00:00:00Z"  # section 4.2.15: ``updated`` is required, also of an empty feed


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry. ``key`` identifies it permanently, even if the site moves; ``html`` is its content.

    ``updated`` is when it was added to the archive, ``published`` when its episode was published.
    """

    key: str
    title: str
    url: str
    updated: str
    published: str | None
    html: str


def atom(entries: Iterable[Entry], *, title: str, author: str, itself: str, page: str) -> str:
    """Write a feed.

    Args:
        entries: the entries, newest first.
        title: the title of the feed.
        author: the name of the archive.
        itself: the absolute URL of the feed.
        page: the absolute URL of the page that shows the same.
    """
    listed = list(entries)
    feed = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    _add(feed, "id", itself)
    _add(feed, "title", title)
    _add(feed, "updated", max((entry.updated for entry in listed), default=_LONG_AGO))
    _add(_add(feed, "author"), "name", author)
    _add(feed, "link", rel="self", type="application/atom+xml", href=itself)
    _add(feed, "link", rel="alternate", type="text/html", href=page)
    for entry in listed:
        item = _add(feed, "entry")
        _add(item, "id", uuid.uuid5(uuid.NAMESPACE_URL, entry.key).urn)
        _add(item, "title", entry.title)
        _add(item, "updated", entry.updated)
        if entry.published:
            _add(item, "published", entry.published)
        _add(item, "link", rel="alternate", type="text/html", href=entry.url)
        _add(item, "content", entry.html, type="html")
    return xml.document(feed)


def _add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    added = SubElement(parent, tag, {name: xml.clean(value) for name, value in attributes.items()})
    added.text = None if text is None else xml.clean(text)
    return added
