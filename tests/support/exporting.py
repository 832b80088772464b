"""Building publications to export, for tests of the exporters alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.addresses import Addresses
from pipeline.archive.publication import Publication
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.reading import Item, Provenance
from pipeline.model import Rendition, Segment

SHA256 = "ab" * 32
NOWHERE = Addresses()


def question(
    number: int,
    status: str | None,
    start: float | None = None,
    answer_end: float | None = None,
    *,
    text: str | None = None,
) -> ListedQuestion:
    """A published question with its match."""
    return ListedQuestion(
        number=number,
        text=text or f"Question {number}?",
        status=status,
        start=start,
        end=None,
        answer_end=answer_end,
        confidence=None,
        corrected=False,
        merged_with=None,
        question=f"q{number}",
    )


def publication(
    segments: Sequence[Segment] = (),
    questions: Sequence[ListedQuestion] = (),
    *,
    duration: float = 600.0,
    **changes: Any,
) -> Publication:
    """An episode; with segments it has a transcript."""
    facts: dict[str, Any] = {
        "id": "show/12345678",
        "feed": "show",
        "show": "The Show",
        "guid": "one",
        "title": "An episode",
        "published": "2026-01-02T03:04:05Z",
        "link": "https://example.org/one",
        "notes_html": "<p>Notes</p>",
        "duration": duration,
        "audio": Rendition(SHA256, f"audio/ab/{SHA256}.mp3", 1000, "audio/mpeg", duration),
        "provenance": Provenance("whisper", "faster-whisper", "tiny.en", "en", "2026-01-02T03:04:05Z", SHA256)
        if segments
        else None,
        "questions": tuple(questions),
        "segments": tuple(segments),
    }
    return Publication(**(facts | changes))


def item(**facts: Any) -> Item:
    """The same without words, as in feeds."""
    whole = publication(**facts)
    return Item(**{name: getattr(whole, name) for name in Item.__slots__})
