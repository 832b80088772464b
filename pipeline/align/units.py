"""Cutting a transcript into sentences, the smallest pieces in which a question can begin or end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.model import Segment, Word
from pipeline.text import sentences


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence, or what lies between two pauses; times in seconds."""

    start: float
    end: float
    text: str
    speaker: str | None = None


def cut(segments: Sequence[Segment]) -> tuple[Unit, ...]:
    """Return the transcript's sentences in order.

    With word times a sentence ends at its last word's punctuation or before a pause; without, times inside a segment
    are interpolated by the number of characters.
    """
    return tuple(unit for segment in segments for unit in _split(segment))


def _split(segment: Segment) -> Iterator[Unit]:
    for words in sentences(segment.words or _interpolated(segment)):
        yield Unit(words[0].start, words[-1].end, " ".join(word.text for word in words), segment.speaker)


def _interpolated(segment: Segment) -> tuple[Word, ...]:
    texts = segment.text.split()
    total = sum(len(text) + 1 for text in texts) or 1
    words, position = [], 0
    for text in texts:
        start = segment.start + (segment.end - segment.start) * position / total
        position += len(text) + 1
        words.append(Word(start, segment.start + (segment.end - segment.start) * position / total, text, 1.0))
    return tuple(words)
