"""A re-published feed: RSS 2.0 with the kept episodes, their transcripts and chapters."""

from __future__ import annotations

import datetime
import uuid
from email.utils import format_datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from pipeline.addresses import Addresses
from pipeline.archive.publication import Channel
from pipeline.archive.reading import Item
from pipeline.errors import ExportError
from pipeline.export import xml
from pipeline.export.chapters import chapters

CONTENT_TYPE = "application/rss+xml; charset=utf-8"
_NAMESPACES = {
    "xmlns:atom": "http://www.w3.org/2005/Atom",
    "xmlns:itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "xmlns:podcast": "https://podcastindex.org/namespace/1.0",
}
# The podcast namespace derives a missing podcast:guid from the feed's URL, as a UUID in this namespace.
_GUIDS = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
_TRANSCRIPTS = {"vtt": "text/vtt", "srt": "application/x-subrip", "json": "application/json"}


def feed(show: Channel, addresses: Addresses) -> str:
    """Write the feed: every episode with kept audio, newest first, each with its original guid.

    Raises:
        ExportError: no audio is kept.
    """
    items = [item for item in show.items if item.audio]
    if not items:
        raise ExportError(f"{show.slug}: none of its audio is kept yet. Run `python -m pipeline download` first.")
    rss = Element("rss", {"version": "2.0", **_NAMESPACES})
    channel = xml.add(rss, "channel")
    xml.add(channel, "title", show.title)
    xml.add(channel, "link", addresses.home())
    xml.add(channel, "description", f"{show.title}, from an archive: with transcripts, and chapters for its questions.")
    languages = [item.provenance.language for item in items if item.provenance]
    if languages:
        xml.add(channel, "language", languages[0])
    xml.add(channel, "atom:link", rel="self", type="application/rss+xml", href=addresses.feed(show.slug))
    xml.add(channel, "podcast:guid", show.podcast_guid or str(podcast_guid(show.url)))
    for item in items:
        _add_item(channel, item, addresses)
    return xml.document(rss)


def podcast_guid(url: str) -> uuid.UUID:
    """Return the podcast:guid of a feed at this URL; scheme and trailing slashes are ignored."""
    return uuid.uuid5(_GUIDS, url.removeprefix(f"{urlsplit(url).scheme}://").rstrip("/"))


def _add_item(channel: Element, item: Item, addresses: Addresses) -> None:
    entry = xml.add(channel, "item")
    xml.add(entry, "title", item.title)
    xml.add(entry, "link", addresses.episode(item.id))
    xml.add(entry, "guid", item.guid, isPermaLink="false")
    if item.published:
        xml.add(entry, "pubDate", format_datetime(datetime.datetime.fromisoformat(item.published)))
    xml.add(entry, "description", item.notes_html)
    if item.audio:
        length = str(item.audio.bytes)
        xml.add(entry, "enclosure", url=addresses.audio(item.audio.sha256), length=length, type=item.audio.content_type)
        xml.add(entry, "itunes:duration", str(round(item.audio.duration)))
    if item.provenance:
        for form, kind in _TRANSCRIPTS.items():
            url = addresses.export(item.id, form)
            xml.add(entry, "podcast:transcript", url=url, type=kind, language=item.provenance.language)
    if _has_chapters(item):
        url = addresses.export(item.id, "chapters.json")
        xml.add(entry, "podcast:chapters", url=url, type="application/json+chapters")


def _has_chapters(item: Item) -> bool:
    try:
        return bool(chapters(item))
    except ExportError:
        return False
