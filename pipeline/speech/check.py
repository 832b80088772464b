"""A second opinion: a sample of windows decoded by another engine, and how much the two disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Segment
from pipeline.speech.engine import Engine
from pipeline.speech.windows import Samples, Window, windows
from pipeline.speech.wording import Difference, compare


@dataclass(frozen=True, slots=True)
class Opinion:
    """The text of one window in a transcript, and by the other engine; times in seconds."""

    start: float
    end: float
    ours: str
    theirs: str
    difference: Difference

    @property
    def disagreement(self) -> float:
        """The word error rate against the other engine's text, at most 1 (also if that is empty)."""
        return min(self.difference.word_error_rate, 1.0)


def second_opinion(
    blocks: Iterable[Samples], segments: Sequence[Segment], other: Engine, *, language: str, sample: int = 6
) -> list[Opinion]:
    """Decode windows, spread evenly over a recording, with another engine.

    Args:
        blocks: The recording's samples, as ``Engine.transcribe`` takes them.
        segments: Its transcript.
        other: The other engine.
        language: As ``Engine.transcribe`` takes it.
        sample: The number of windows.
    """
    chosen = _spread(list(windows(blocks)), sample)
    words = [word for segment in segments for word in segment.words]
    opinions = []
    for window in chosen:
        heard = other.transcribe([window.samples], language=language)
        theirs = [word.text for segment in heard.segments for word in segment.words]
        ours = [word.text for word in words if _is_in(window, (word.start + word.end) / 2)]
        opinions.append(Opinion(window.start, window.end, " ".join(ours), " ".join(theirs), compare(theirs, ours)))
    return opinions


def disagreement(opinions: Sequence[Opinion]) -> float:
    """The word error rate over all windows, at most 1, with the other engine's words as the reference."""
    total = Difference(
        sum(one.difference.substitutions for one in opinions),
        sum(one.difference.deletions for one in opinions),
        sum(one.difference.insertions for one in opinions),
        sum(one.difference.reference_words for one in opinions),
    )
    return min(total.word_error_rate, 1.0)


def _spread(found: Sequence[Window], sample: int) -> list[Window]:
    if len(found) <= sample:
        return list(found)
    step = len(found) / sample
    return [found[int((n + 0.5) * step)] for n in range(sample)]


def _is_in(window: Window, second: float) -> bool:
    at = second * SAMPLE_RATE
    return any(start <= at < end for start, end in window.spans)
