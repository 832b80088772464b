"""Removing a private feed's secret from what the feed contains: hosts repeat it in the URLs they publish.

It is replaced by ``${NAME}``, which the HTTP client fills in again when it requests the URL from the feed's own host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape

from pipeline.model import FeedEpisode
from pipeline.net.urls import concealed, forms, host


def without_secrets(episode: FeedEpisode, secrets: Mapping[str, str], *, own_host: str) -> FeedEpisode:
    """Return an item with these secrets replaced by their names.

    Audio and transcript URLs at other hosts keep them, because the client does not fill them in there.
    """
    if not secrets:
        return episode

    in_markup = {name: escape(value) for name, value in secrets.items()}

    def hidden(text: str) -> str:
        return concealed(concealed(text, in_markup), secrets)

    def address(url: str) -> str:
        return hidden(url) if host(url) == own_host else url

    return replace(
        episode,
        guid=hidden(episode.guid),
        title=hidden(episode.title),
        link=hidden(episode.link) if episode.link else episode.link,
        enclosure_url=address(episode.enclosure_url) if episode.enclosure_url else episode.enclosure_url,
        notes_html=hidden(episode.notes_html),
        notes_text=hidden(episode.notes_text),
        transcripts=tuple(replace(one, url=address(one.url)) for one in episode.transcripts),
    )


def exposed(episode: FeedEpisode, secrets: Mapping[str, str]) -> bool:
    """Tell whether the URL of an item's audio still contains one of these secrets."""
    return bool(episode.enclosure_url) and concealed(episode.enclosure_url or "", secrets) != episode.enclosure_url


def body_without_secrets(body: bytes, secrets: Mapping[str, str]) -> bytes:
    """Return a feed's bytes with these secrets replaced by their names, in any XML or URL encoding."""
    for name, value in secrets.items():
        for form in sorted(_forms(value), key=len, reverse=True):
            body = body.replace(form.encode(), f"${{{name}}}".encode())
    return body


def _forms(value: str) -> Iterator[str]:
    for written in forms(value):
        yield written
        yield escape(written)
