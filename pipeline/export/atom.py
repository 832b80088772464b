"""Writing entries as an Atom feed (RFC 4287). The caller selects them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

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
    xml.add(feed, "id", itself)
    xml.add(feed, "title", title)
    xml.add(feed, "updated", max((entry.updated for entry in listed), default=_LONG_AGO))
    xml.add(xml.add(feed, "author"), "name", author)
    xml.add(feed, "link", rel="self", type="application/atom+xml", href=itself)
    xml.add(feed, "link", rel="alternate", type="text/html", href=page)
    for entry in listed:
        item = xml.add(feed, "entry")
        xml.add(item, "id", uuid.uuid5(uuid.NAMESPACE_URL, entry.key).urn)
        xml.add(item, "title", entry.title)
        xml.add(item, "updated", entry.updated)
        if entry.published:
            xml.add(item, "published", entry.published)
        xml.add(item, "link", rel="alternate", type="text/html", href=entry.url)
        xml.add(item, "content", entry.html, type="html")
    return xml.document(feed)
