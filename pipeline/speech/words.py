"""Word times that can be trusted: in order, without overlap, and where sounds do not give them, inside speech.

Whisper takes word times from its decoder's attention, which wanders in pauses: the first word after one begins too
early, the last before one ends too late. The voice activity detector knows the pauses. English words are found by
their sounds instead (``forced``).
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipeline.model import Word

STEP = 0.01  # seconds: the shortest a word can be, half of Whisper's own resolution
LONGEST = 1.5  # seconds
LAG = 0.03  # seconds: how much later than it begins a word is found, in the median of 287 timed by hand (AMI, MFA)
REACH = 0.6  # seconds: how far from where speech begins a word may be and still be its first


def whole(words: Iterable[Word]) -> list[Word]:
    """Put together what Whisper parts, "well" and "-known", and leave out what is only control characters."""
    return list(_put_together(word for word in map(_clean, words) if word.text.strip()))


def fit(words: Sequence[Word], speech: Sequence[tuple[float, float]]) -> list[Word]:
    """Give whole words that a decoder wrote for a window times that make sense.

    Args:
        words: In the order they were written, with times in the window, in seconds.
        speech: Where somebody speaks in the window, in order and without overlap; seconds.
    """
    return _with_room([_fit(_moved(word), speech) for word in words])


def in_order(words: Sequence[Word], duration: float) -> list[Word]:
    """Let all words of a recording of this duration (seconds) strictly follow each other.

    Returns:
        The same words, less those there is no time for, with times rounded to the millisecond, without overlap, none
        shorter than ``STEP``, all inside the recording.
    """
    return [
        Word(start, end, word.text, round(word.probability, 4))
        for word, (start, end) in zip(words, _ordered(words, duration), strict=False)
    ]


def _fit(word: Word, speech: Sequence[tuple[float, float]]) -> Word:
    """Keep a word to the speech it overlaps, and to the length that a word can have."""
    start, end = _within(word.start, word.end, speech)
    # Somebody lingers over the word before, or says "er", which Whisper leaves out and gives to this one.
    return word._replace(start=max(start, end - _most(word.text)), end=end)


def _within(start: float, end: float, speech: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The part of a word's time in which somebody speaks: that before a pause, or after it if it begins in one."""
    n = bisect_right(speech, start, key=lambda span: span[0]) - 1
    if n >= 0 and start < speech[n][1]:
        before, after = speech[n][1] - start, end - speech[n + 1][0] if n + 1 < len(speech) else 0.0
        if before >= min(0.1, after):  # what lies before the pause is more than the end of the word before
            return start, max(start + STEP, min(end, speech[n][1]))
        n, start = n + 1, speech[n + 1][0]
        return start, max(start + STEP, min(end, speech[n][1]))
    if n + 1 < len(speech) and speech[n + 1][0] < max(end, start + REACH):
        first, last = speech[n + 1]
        return first, max(first + STEP, min(end, last))
    return start, end


def _moved(word: Word) -> Word:
    return word._replace(start=max(0.0, word.start - LAG), end=max(0.0, word.end - LAG))


def _least(text: str) -> float:
    """The seconds that saying a word takes at the least."""
    return min(0.05 + 0.03 * len(text.strip(" .,?!")), 0.35)


def _most(text: str) -> float:
    """The seconds that saying a word takes at the most, unless somebody lingers over it."""
    return min(0.3 + 0.09 * len(text.strip(" .,?!")), LONGEST)


def _with_room(words: Sequence[Word]) -> list[Word]:
    """Give words too short to be said time from the word before, where that has more than it needs.

    Where the attention jumps, the word after the jump is left with next to nothing, and began earlier.
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
    """Times that strictly follow each other, as near to the given ones as may be."""
    # A decoder in a loop can write more words than there is time for: what has no place gets none.
    words = words[: int(duration / STEP)]
    count = len(words)
    if not count:
        return []
    last = math.floor(duration * 1000) / 1000
    # Less one step a word, strictly increasing starts are starts that do not decrease.
    steps = STEP * np.arange(count)
    raw = np.array([word.start for word in words]) - steps
    starts = np.maximum.accumulate(raw.clip(0, last - STEP * count)) + steps
    ends = np.array([word.end for word in words]).clip(starts + STEP, np.append(starts[1:], last))
    return list(zip(starts.round(3).tolist(), ends.round(3).tolist(), strict=True))


def _clean(word: Word) -> Word:
    """Without control characters: the search marks its hits with some, and none can be spoken."""
    kept = (c for c in word.text if c.isspace() or unicodedata.category(c) != "Cc")
    return word._replace(text="".join(kept))


def _put_together(words: Iterable[Word]) -> Iterator[Word]:
    """Put together what Whisper parts: "well" and "-known", "13" and ".60". It is as sure as its weakest part."""
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
