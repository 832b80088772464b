"""Cutting a transcript into sentences, the smallest pieces in which a question can begin or end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.model import Segment
from pipeline.text import ends_sentence, sentences, timed_words

# A segment may end inside a sentence. Where hardly any ends with a full stop, there is no telling.
MOST_END_SENTENCES = 0.5
LONGEST_SENTENCE = 20.0  # seconds
SAME_BREATH = 1.5  # seconds
SHORT_BEGINNING = 8.0  # seconds


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence, or what lies between two pauses; times in seconds.

    ``sentence_start`` is when the sentence begins that it is in: earlier than itself where a segment ends inside it.
    """

    start: float
    end: float
    text: str
    speaker: str | None
    sentence_start: float


def cut(segments: Sequence[Segment]) -> tuple[Unit, ...]:
    """Return the transcript's sentences in order.

    With word times a sentence ends at its last word's punctuation or before a pause; without, times inside a segment
    are interpolated by the number of characters.
    """
    units = [unit for segment in segments for unit in _split(segment)]
    return tuple(
        replace(unit, sentence_start=start) for unit, start in zip(units, _sentence_starts(units), strict=True)
    )


def _split(segment: Segment) -> Iterator[Unit]:
    for words in sentences(timed_words(segment)):
        start, text = words[0].start, " ".join(word.text for word in words)
        yield Unit(start, max(start, words[-1].end), text, segment.speaker, sentence_start=start)


def _sentence_starts(units: Sequence[Unit]) -> list[float]:
    """When the sentence begins that each unit is in."""
    ends = [ends_sentence(unit.text) for unit in units]
    is_written = sum(ends) >= MOST_END_SENTENCES * len(units)
    starts = [unit.start for unit in units]
    turn = starts[0] if starts else 0.0
    for n, (before, unit) in enumerate(pairwise(units), 1):
        if before.speaker != unit.speaker:
            turn = unit.start
        same_breath = before.speaker == unit.speaker and unit.start - before.end < SAME_BREATH
        if is_written and not ends[n - 1] and same_breath and unit.start - starts[n - 1] < LONGEST_SENTENCE:
            starts[n] = starts[n - 1]
        # Without full stops a short beginning of a turn is all that is known of one.
        elif not is_written and unit.speaker and unit.start - turn <= SHORT_BEGINNING:
            starts[n] = turn
    return starts
