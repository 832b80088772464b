"""Exports: captions, transcripts, chapters, show notes, citations, feeds, and more. Independent of HTTP and Whisper.

Each exporter formats what it is given, such as a ``pipeline.archive.publication.Publication``. Only ``files`` reads the
archive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.addresses import Addresses
from pipeline.archive.publication import Publication
from pipeline.export import captions, chapters, notes, transcript

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A text format of one episode; ``render`` raises an ``ExportError`` if there is nothing to write."""

    content_type: str
    render: Callable[[Publication, Addresses], str]


# By file name suffix.
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "vtt": Format("text/vtt; charset=utf-8", captions.vtt),
        "srt": Format("application/x-subrip; charset=utf-8", captions.srt),
        "txt": Format("text/plain; charset=utf-8", transcript.txt),
        "json": Format("application/json; charset=utf-8", transcript.podcast_json),
        "chapters.json": Format("application/json+chapters; charset=utf-8", chapters.podcast_json),
        "psc.xml": Format("application/xml; charset=utf-8", chapters.podlove),
        "chapters.vtt": Format("text/vtt; charset=utf-8", chapters.vtt),
        "notes.md": Format("text/markdown; charset=utf-8", notes.markdown),
        "notes.html": Format("text/html; charset=utf-8", notes.page),
    }
)
