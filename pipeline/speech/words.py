"""Correcting word times: in order, without overlap, and without forced alignment, inside speech.

Whisper takes word times from its decoder's attention, which drifts in pauses: the first word after one begins too
early, the last before one ends too late. The voice activity detector knows the pauses. English words are located by
forced alignment instead (``forced``).
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipeline.model import Word

STEP = 0.01  # seconds: the shortest duration of a word, half of Whisper's own resolution
LONGEST = 1.5  # seconds
LAG = 0.03  # seconds by which words are found late, the median of 287 timed by hand (AMI, MFA)
REACH = 0.6  # seconds: how far before the start of speech a word may begin and still be its first


def whole(words: Iterable[Word]) -> list[Word]:
    """Join words that Whisper splits, "well" and "-known", and drop those that only have control characters."""
    return list(_put_together(word for word in map(_clean, words) if word.text.strip()))


def fit(words: Sequence[Word], speech: Sequence[tuple[float, float]]) -> list[Word]:
    """Correct the times of a window's whole words by the speech in it.

    Args:
        words: In the order in which they were decoded, with times relative to the window, in seconds.
        speech: The stretches of speech in the window, in order and without overlap, in seconds.
    """
    return _with_room([_fit(_moved(word), speech) for word in words])


def in_order(words: Sequence[Word], duration: float) -> list[Word]:
    """Make all words of a recording of this duration (seconds) strictly follow each other.

    Returns:
        The same words, except for the last ones if there is no time for all, with times rounded to the millisecond,
        without overlap, none shorter than ``STEP``, all inside the recording.
    """
    return [
        Word(start, end, word.text, round(word.probability, 4))
        for word, (start, end) in zip(words, _ordered(words, duration), strict=False)
    ]


def _fit(word: Word, speech: Sequence[tuple[float, float]]) -> Word:
    """Limit a word to the speech that it overlaps, and to the duration that a word can have."""
    start, end = _within(word.start, word.end, speech)
    # The speaker lingers over the word before, or says "er", which Whisper omits and includes in this word's time.
    return word._replace(start=max(start, end - _most(word.text)), end=end)


def _within(start: float, end: float, speech: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The part of a word's time with speech: before a pause, or after it if hardly any of it is before."""
    n = bisect_right(speech, start, key=lambda span: span[0]) - 1
    if n >= 0 and start < speech[n][1]:
        before, after = speech[n][1] - start, end - speech[n + 1][0] if n + 1 < len(speech) else 0.0
        if before < min(0.1, after):  # no more than the end of the previous word
            n, start = n + 1, speech[n + 1][0]
        return start, max(start + STEP, min(end, speech[n][1]))
    if n + 1 < len(speech) and speech[n + 1][0] < max(end, start + REACH):
        first, last = speech[n + 1]
        return first, max(first + STEP, min(end, last))
    return start, end


def _moved(word: Word) -> Word:
    return word._replace(start=max(0.0, word.start - LAG), end=max(0.0, word.end - LAG))


def _least(text: str) -> float:
    """The least seconds that it takes to say a word."""
    return min(0.05 + 0.03 * len(text.strip(" .,?!")), 0.35)


def _most(text: str) -> float:
    """The most seconds that it takes to say a word, unless the speaker lingers over it."""
    return min(0.3 + 0.09 * len(text.strip(" .,?!")), LONGEST)


def _with_room(words: Sequence[Word]) -> list[Word]:
    """Extend words that are too short to be said into the word before, if that has more time than it needs.

    Where the attention jumps, the word after the jump has hardly any time, and really began earlier.
    """
    roomy = list(words)
    for n in range(len(roomy) - 1, 0, -1):
        before, word = roomy[n - 1], roomy[n]
        lacking = _least(word.text) - (word.end - word.start)
        if lacking <= 0:
            continue
        start = max(word.start - lacking, before.start + _least(before.text))
        if start < word.start:
            roomy[n] = word._replace(start=start)
            roomy[n - 1] = before._replace(end=min(before.end, start))
    return roomy


def _ordered(words: Sequence[Word], duration: float) -> list[tuple[float, float]]:
    """Times that strictly follow each other, close to the given ones."""
    # A decoder in a loop can produce more words than there is time for: the excess is dropped.
    words = words[: int(duration / STEP)]
    count = len(words)
    if not count:
        return []
    last = math.floor(duration * 1000) / 1000
    # After subtracting one step per word, strictly increasing starts become non-decreasing ones.
    steps = STEP * np.arange(count)
    raw = np.array([word.start for word in words]) - steps
    starts = np.maximum.accumulate(raw.clip(0, last - STEP * count)) + steps
    ends = np.array([word.end for word in words]).clip(starts + STEP, np.append(starts[1:], last))
    return list(zip(starts.round(3).tolist(), ends.round(3).tolist(), strict=True))


def _clean(word: Word) -> Word:
    """Remove control characters, which cannot be spoken; the search uses some to mark its hits."""
    kept = (c for c in word.text if c.isspace() or unicodedata.category(c) != "Cc")
    return word._replace(text="".join(kept))


def _put_together(words: Iterable[Word]) -> Iterator[Word]:
    """Join words that Whisper splits: "well" and "-known", "13" and ".60". The lowest probability is kept."""
    current: Word | None = None
    for word in words:
        if current and not (word.text[0].isspace() or word.text[0].isalpha()):
            current = Word(
                current.start, word.end, current.text + word.text, min(current.probability, word.probability)
            )
            continue
        if current:
            yield current
        current = word
    if current:
        yield current
