"""Finding the audio of a feed item, wherever the item declares it. Fetches nothing, and does not read the notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipeline.feeds.identity import AUDIO_ENDINGS, place_of
from pipeline.net.urls import absolute

_ENDINGS_BY_TYPE = {"audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/mp4": ".m4a", "audio/x-m4a": ".m4a"}


class Enclosure(NamedTuple):
    """An audio file declared by an item: its absolute URL, declared MIME type, and size in bytes."""

    url: str
    kind: str
    length: int | None


def enclosures(entry: Any, base: str) -> list[Enclosure]:
    """Return the item's possible audio files, the most reliable first.

    That is: enclosures recognised as audio, Media RSS, then other enclosures except images.
    """
    links = [*entry.get("enclosures", []), *_of_rss_1(entry)]
    listed = [found for link in links if (found := _enclosure(link, base))]
    audio = [found for found in listed if _is_audio(found)]
    others = [found for found in listed if not _is_audio(found)]
    return [*audio, *_of_media(entry, base), *others]


def has_several_recordings(entry: Any, base: str) -> bool:
    """Tell whether an item encloses several recordings. The same audio in another format counts as one recording.

    Media RSS is ignored: its purpose is to offer one recording in several forms.
    """
    listed = [found for link in entry.get("enclosures", []) if (found := _enclosure(link, base)) and _is_audio(found)]
    # If the path does not end in an audio file name, the query may identify the recording.
    distinct = {place_of(found.url) if _ending(found) else found.url: found for found in listed}
    formats = [_format(found) for found in distinct.values()]
    return len(set(formats)) < len(formats)


def _enclosure(link: Mapping[str, str], base: str) -> Enclosure | None:
    url, kind = absolute(base, link.get("href", "")), link.get("type", "")
    if not url:
        return None
    found = Enclosure(url, kind, _length(link.get("length", "")))
    # Some publishing software gives the audio the type of its cover.
    return None if kind.startswith("image/") and not _ending(found) else found


def _of_rss_1(entry: Any) -> Iterator[Mapping[str, str]]:
    """An RSS 1.0 item's enclosure, declared with mod_enclosure."""
    said = entry.get("enc_enclosure")
    if isinstance(said, Mapping) and said.get("rdf:resource"):
        kind, length = (said.get(f"enc:{name}") or said.get(name) or "" for name in ("type", "length"))
        yield {"href": said["rdf:resource"], "type": kind, "length": length}


def _of_media(entry: Any, base: str) -> Iterator[Enclosure]:
    """The audio of Media RSS: ``media:content``, alone or in a group. Samples are skipped, being excerpts."""
    for said in entry.get("media_content", []):
        link = {"href": said.get("url", ""), "type": said.get("type", ""), "length": said.get("filesize", "")}
        found = _enclosure(link, base)
        if found and said.get("expression") != "sample" and (_is_audio(found) or said.get("medium") == "audio"):
            yield found


def _is_audio(found: Enclosure) -> bool:
    return found.kind.startswith("audio/") or _ending(found) != ""


def _ending(found: Enclosure) -> str:
    path = urlsplit(found.url).path.lower()
    return next((ending for ending in AUDIO_ENDINGS if path.endswith(ending)), "")


def _format(found: Enclosure) -> str:
    return _ending(found) or _ENDINGS_BY_TYPE.get(found.kind, found.kind)


def _length(declared: str) -> int | None:
    """The declared size in bytes; 0 and 1 mean unknown, since many feeds give them as placeholders."""
    length = int(declared) if re.fullmatch(r"[0-9]{1,15}", declared.strip()) else 0
    return length if length > 1 else None
