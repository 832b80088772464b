"""Cutting a transcript into sentences, the smallest pieces in which a question can begin or end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pipeline.model import Segment, Word

PAUSE_SECONDS = 1.0
_SENTENCE_END = re.compile(r"[.?!…][”\"’')\]]*$")
_ABBREVIATION = re.compile(r"^(?:mr|mrs|ms|dr|st|prof|e\.g|i\.e|[a-z])\.$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence, or what lies between two pauses; times in seconds."""

    start: float
    end: float
    text: str
    speaker: str | None = None


def sentences(segments: Sequence[Segment]) -> tuple[Unit, ...]:
    """Return the transcript's sentences in order.

    With word times a sentence ends at its last word's punctuation or before a pause; without, times inside a segment
    are interpolated by the number of characters.
    """
    return tuple(unit for segment in segments for unit in _split(segment))


def _split(segment: Segment) -> Iterator[Unit]:
    words = segment.words or _interpolated(segment)
    current: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        current.append(word)
        ends = bool(_SENTENCE_END.search(word.text)) and not _ABBREVIATION.match(word.text)
        if following is None or ends or following.start - word.end >= PAUSE_SECONDS:
            yield Unit(current[0].start, current[-1].end, " ".join(w.text for w in current), segment.speaker)
            current = []


def _interpolated(segment: Segment) -> tuple[Word, ...]:
    texts = segment.text.split()
    total = sum(len(text) + 1 for text in texts) or 1
    words, position = [], 0
    for text in texts:
        start = segment.start + (segment.end - segment.start) * position / total
        position += len(text) + 1
        words.append(Word(start, segment.start + (segment.end - segment.start) * position / total, text, 1.0))
    return tuple(words)
