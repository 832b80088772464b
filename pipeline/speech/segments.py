"""Building segments from words: sentences, with the flags of the windows that they were heard in."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.model import Segment, Word
from pipeline.text import confidence, sentences


def make_segments(words: Sequence[Word], flags: Sequence[tuple[float, float, tuple[str, ...]]]) -> tuple[Segment, ...]:
    """Cut a recording's words into sentences.

    Args:
        words: In order and without overlap; texts have a leading space if their language is written with spaces.
        flags: Start and end, in seconds, and the faults of that stretch, in order.
    """
    found = list(sentences(words))
    wrong: list[list[str]] = [[] for _ in found]
    for first, last, signs in flags:
        touched = [n for n, one in enumerate(found) if first < one[-1].end and one[0].start < last]
        # If no sentence overlaps, because everything said was missed, the sentence before it is flagged.
        before = [n for n, one in enumerate(found) if one[0].start < last][-1:]
        for n in touched or before:
            wrong[n] += signs
    return tuple(_segment(one, tuple(dict.fromkeys(signs))) for one, signs in zip(found, wrong, strict=True))


def _segment(words: Sequence[Word], flags: tuple[str, ...]) -> Segment:
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join("".join(word.text for word in words).split()),
        words=tuple(word._replace(text=word.text.strip()) for word in words),
        confidence=confidence(words),
        flags=flags,
    )
