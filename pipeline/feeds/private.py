"""Removing a private feed's secret from what the feed contains: hosts repeat it in the URLs they publish.

It is replaced by ``${NAME}``, which the HTTP client fills in again when it requests the URL from the feed's own host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from pipeline.model import FeedEpisode
from pipeline.net.urls import concealed, host, tokens, variables

# How a text begins in an encoding of more than one byte a character (XML 1.0, appendix F).
_WIDE = (
    (rb"\xff\xfe\0\0|[^\0]\0\0\0", "utf-32-le"),
    (rb"\0\0\xfe\xff|\0\0\0[^\0]", "utf-32-be"),
    (rb"\xff\xfe|[^\0]\0", "utf-16-le"),
    (rb"\xfe\xff|\0[^\0]", "utf-16-be"),
)


def secrets_of(url: str) -> dict[str, str]:
    """Return the secrets that an address of feeds.yaml names, as far as they are set and no ordinary words."""
    return tokens({name: os.environ.get(name, "") for name in variables(url)})


def without_secrets(episode: FeedEpisode, secrets: Mapping[str, str], *, own_host: str) -> FeedEpisode:
    """Return an item with these secrets replaced by their names.

    Audio and transcript URLs at other hosts keep them, because the client does not fill them in there.
    """
    if not secrets:
        return episode

    def hidden(text: str) -> str:
        return concealed(text, secrets)

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
        questions=tuple(replace(one, text=hidden(one.text)) for one in episode.questions),
        transcripts=tuple(replace(one, url=address(one.url)) for one in episode.transcripts),
    )


def exposed(episode: FeedEpisode, secrets: Mapping[str, str]) -> bool:
    """Tell whether the URL of an item's audio still contains one of these secrets."""
    return bool(episode.enclosure_url) and concealed(episode.enclosure_url or "", secrets) != episode.enclosure_url


def body_without_secrets(body: bytes, secrets: Mapping[str, str]) -> bytes:
    """Return a feed's bytes with these secrets replaced by their names, in any XML or URL encoding."""
    encoding = next((name for start, name in _WIDE if re.match(start, body)), "utf-8")
    text = body.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    hidden = concealed(text, secrets)
    return body if hidden == text else hidden.encode(encoding, "surrogateescape")
