"""Serving the exports as files, and which of them an episode's page offers. ``pipeline.export`` makes them."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from urllib.parse import unquote

from datasette import Request, Response

from pipeline.archive import publication, reading
from pipeline.export import FORMATS
from pipeline.export.feed import CONTENT_TYPE, feed
from pipeline.model import ASKED, Rendition
from pipeline.site.access import Archive
from pipeline.site.links import absolute
from pipeline.site.respond import HEADERS, Refusal, episode_id
from pipeline.text import shortened

_TRANSCRIPTS = {"vtt": "WebVTT", "srt": "SRT", "txt": "Text", "json": "JSON"}
_CHAPTERS = {"chapters.json": "JSON", "psc.xml": "Podlove", "chapters.vtt": "WebVTT"}
_NOTES = {"notes.md": "Markdown", "notes.html": "HTML"}
_NAME = 80  # characters of a file name without suffix; file systems allow 255 bytes
# Players on other sites load transcripts and chapters. Browsers then send no cookies, so they get only what is public.
_FOR_PLAYERS = {**HEADERS, "Access-Control-Allow-Origin": "*"}


async def export(request: Request, archive: Archive) -> Response:
    """``/-/export/<feed>/<id>.<format>``: an episode in one of the formats."""
    wanted, name = episode_id(request), unquote(request.url_vars["format"])
    form = FORMATS.get(name)
    if form is None:
        raise Refusal(f"“{name}” is not one of: {', '.join(FORMATS)}.", status=404)
    episode = await archive.read(lambda connection: publication.publication(connection, wanted))
    if episode is None:
        raise Refusal(f"There is no episode “{wanted}” in this archive.", status=404)
    content = await asyncio.to_thread(form.render, episode, absolute(request, archive))
    headers = HEADERS if name in _NOTES else _FOR_PLAYERS
    return Response(content, headers=dict(headers), content_type=form.content_type)


async def feed_xml(request: Request, archive: Archive) -> Response:
    """``/-/feed/<feed>.xml``: the whole feed, re-published."""
    slug = unquote(request.url_vars["feed"])
    show = await archive.read(lambda connection: publication.channel(connection, slug))
    if show is None:
        raise Refusal(f"There is no feed “{slug}” in this archive.", status=404)
    content = await asyncio.to_thread(feed, show, absolute(request, archive))
    return Response(content, headers=dict(HEADERS), content_type=CONTENT_TYPE)


def offered(episode: reading.Episode) -> dict[str, dict[str, str]]:
    """Return the exports available for an episode: for each kind the formats with their names."""
    asked = any(one.status in ASKED and one.start is not None for one in episode.questions)
    kinds = {
        "Transcript": _TRANSCRIPTS if episode.passages else {},
        "Chapters": _CHAPTERS if asked else {},
        "Show notes": _NOTES if any(one.status for one in episode.questions) else {},
    }
    return {kind: forms for kind, forms in kinds.items() if forms}


def file_name(episode: reading.Episode, audio: Rendition) -> str:
    """Return the file name for downloading a recording: show and episode, in characters that every system allows."""
    name = shortened(f"{episode.show} – {episode.title}", _NAME)
    fit = "".join(one if one.isprintable() and one not in '\\/:*?"<>|' else "-" for one in name)
    return fit + PurePosixPath(audio.path).suffix
