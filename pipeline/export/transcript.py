"""The whole transcript as text for reading, and as Podcasting 2.0 JSON for players. Captions are in ``captions``."""

from __future__ import annotations

import json
from itertools import groupby

from pipeline.addresses import Addresses
from pipeline.archive.publication import Publication
from pipeline.archive.reading import Provenance
from pipeline.errors import ExportError
from pipeline.export.cues import UNCLEAR
from pipeline.model import Rendition
from pipeline.text import amount, paragraphs
from pipeline.times import clock


def transcribed(publication: Publication) -> tuple[Rendition, Provenance]:
    """Return an episode's audio and the provenance of its transcript.

    Raises:
        ExportError: it has no transcript, or one without words.
    """
    if publication.audio is None or publication.provenance is None:
        raise ExportError(
            f"{publication.id}: is not transcribed yet. Run `python -m pipeline ingest --only {publication.id}` first."
        )
    if not publication.segments:
        raise ExportError(
            f"{publication.id}: has a transcript without any words: nobody speaks, so nothing is written."
        )
    return publication.audio, publication.provenance


def txt(publication: Publication, _: Addresses) -> str:
    """Write plain text: a paragraph for each turn, with its time and speaker; long turns are split.

    Raises:
        ExportError: the episode has no transcript.
    """
    source, checked = transcribed(publication)[1], publication.checked
    named = any(segment.speaker for segment in publication.segments)
    head = [
        publication.title,
        f"{publication.show}, {(publication.published or 'no date')[:10]}",
        _origin(source, checked),
    ]
    blocks = ["\n".join(" ".join(line.split()) for line in head)]
    for speaker, turn in groupby(publication.segments, key=lambda segment: segment.speaker):
        who = f" {' '.join((speaker or UNCLEAR).split())}:" if named else ""
        for paragraph in paragraphs(turn):
            said = " ".join(" ".join(segment.text.split()) for segment in paragraph)
            blocks.append(f"[{clock(paragraph[0].start)}]{who} {said}")
            who = ""
    return "\n\n".join(blocks) + "\n"


def podcast_json(publication: Publication, _: Addresses) -> str:
    """Write the podcast namespace's JSON transcript 1.0.0, with the archive's segments; times in seconds.

    Raises:
        ExportError: the episode has no transcript.
    """
    transcribed(publication)
    segments = [
        {
            **({"speaker": segment.speaker} if segment.speaker else {}),
            "startTime": round(segment.start, 3),
            "endTime": round(segment.end, 3),
            "body": segment.text,
        }
        for segment in publication.segments
    ]
    return json.dumps({"version": "1.0.0", "segments": segments}, ensure_ascii=False, indent=1) + "\n"


def _origin(source: Provenance, checked: int) -> str:
    if source.source == "publisher":
        return "Transcript supplied by the publisher."
    how = f"{amount(checked, 'passage') if checked else 'not'} checked by a person"
    return f"Machine transcript ({source.model}, {source.engine}), {how}. Listen before you quote."
