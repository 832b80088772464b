"""What a decoder wrote, made into segments that can be stored: clean text, sane word times, flags.

It judges and tidies, and never adds or changes a word.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from pipeline.model import Segment, Word
from pipeline.text import sentences

_STEP = 0.01  # seconds: the shortest a word can be, half of Whisper's own resolution


@dataclass(frozen=True, slots=True)
class Heard:
    """One segment as a decoder wrote it.

    ``words`` have the times of the piece that was decoded and the text with its leading space, so that
    they can be joined as they are. The figures are Whisper's own, for the window the segment is from.
    """

    words: Sequence[Word]
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


def tidy(heard: Iterable[Heard], duration: float) -> tuple[Segment, ...]:
    """Make segments of what was heard in a recording of this duration in seconds.

    Word times come out rounded to the millisecond, in order, without overlap, none shorter than a hundredth
    of a second, and inside the recording. Segments are sentences: they end with one, or before a long pause.
    """
    spoken = [(one, list(_whole(word for word in map(_clean, one.words) if word.text.strip()))) for one in heard]
    times = iter(_times([word for _, words in spoken for word in words], duration))
    segments = []
    for one, words in spoken:
        # Each word keeps the leading space that Whisper wrote, or its absence, which is how its language is written.
        timed = [Word(*time, word.text, round(word.probability, 4)) for word, time in zip(words, times, strict=False)]
        segments += [_segment(sentence, suspicions(one)) for sentence in sentences(timed)]
    return tuple(segments)


def suspicions(heard: Heard) -> tuple[str, ...]:
    """What makes a segment suspicious, by the thresholds at which Whisper itself tries again."""
    signs = {
        "repetition": heard.compression_ratio > 2.4,
        "low_confidence": heard.avg_logprob < -1.0,
        "maybe_no_speech": heard.no_speech_prob > 0.6,
    }
    return tuple(sign for sign, seen in signs.items() if seen)


def _segment(words: Sequence[Word], flags: tuple[str, ...]) -> Segment:
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join("".join(word.text for word in words).split()),
        words=tuple(word._replace(text=word.text.strip()) for word in words),
        confidence=round(fmean(word.probability for word in words), 4),
        flags=flags,
    )


def _times(words: Sequence[Word], duration: float) -> list[tuple[float, float]]:
    """Sane times for words in the order they were written."""
    # A decoder in a loop can write more words than there is time for: what has no place gets none.
    words = words[: int(duration / _STEP)]
    count = len(words)
    if not count:
        return []
    last = math.floor(duration * 1000) / 1000
    # Less one step a word, strictly increasing starts are starts that do not decrease.
    steps = _STEP * np.arange(count)
    raw = np.array([word.start for word in words]) - steps
    starts = np.maximum.accumulate(raw.clip(0, last - _STEP * count)) + steps
    ends = np.array([word.end for word in words]).clip(starts + _STEP, np.append(starts[1:], last))
    return list(zip(starts.round(3).tolist(), ends.round(3).tolist(), strict=True))


def _clean(word: Word) -> Word:
    """Without control characters: the search marks its hits with some, and none can be spoken."""
    kept = (c for c in word.text if c.isspace() or unicodedata.category(c) != "Cc")
    return word._replace(text="".join(kept))


def _whole(words: Iterable[Word]) -> Iterator[Word]:
    """Put together what Whisper parts: "well" and "-known", "13" and ".60". It is as sure as its weakest part."""
    whole: Word | None = None
    for word in words:
        if whole and not (word.text[0].isspace() or word.text[0].isalpha()):
            whole = Word(whole.start, word.end, whole.text + word.text, min(whole.probability, word.probability))
            continue
        if whole:
            yield whole
        whole = word
    if whole:
        yield whole
