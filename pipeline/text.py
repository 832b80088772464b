"""Text helpers: word times, sentences and paragraphs of speech, invisible characters, shortening, counting nouns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from statistics import fmean
from typing import Protocol, TypeVar

from pipeline.model import Segment, Word

WORD_EDGE = 0.25  # seconds by which words may reach over an edge without crossing it: word times are imprecise
SAME_WORD = 1.0  # seconds by which the same word may differ between transcriptions; a publisher's times are less exact
PAUSE_SECONDS = 1.0
PARAGRAPH_WORDS = 60  # a paragraph ends at the first full stop after this many words,
PARAGRAPH_PAUSE = 2.0  # or at a pause of this many seconds
_SENTENCE_END = re.compile(r"[.?!…][”\"’')\]]*$")
_ABBREVIATION = re.compile(r"^(?:mr|mrs|ms|dr|st|prof|no|vs|e\.g|i\.e|etc|[a-z])\.$", re.IGNORECASE)


_JOINERS = "\u200c\u200d"  # invisible too, but part of the spelling of some languages
_INVISIBLE = {"Cc", "Cf", "Cs", "Cn"}


class Spoken(Protocol):
    """A stretch of speech; times in seconds."""

    @property
    def start(self) -> float:
        """Return when it begins."""

    @property
    def end(self) -> float:
        """Return when it ends."""

    @property
    def text(self) -> str:
        """Return what is said."""


S = TypeVar("S", bound=Spoken)


def timed_words(segment: Segment) -> tuple[Word, ...]:
    """Return a segment's words; if it has none, split its text and interpolate times by character count."""
    if segment.words:
        return segment.words
    texts = segment.text.split()
    total = sum(len(text) + 1 for text in texts) or 1
    words, position = [], 0
    for text in texts:
        start = segment.start + (segment.end - segment.start) * position / total
        position += len(text) + 1
        words.append(Word(start, segment.start + (segment.end - segment.start) * position / total, text, 1.0))
    return tuple(words)


def placed(text: str, words: Sequence[Word]) -> Iterator[tuple[int, Word]]:
    """Yield (offset, word) for each word in the text joined from them; words that are not found are skipped."""
    position = 0
    for word in words:
        place = text.find(word.text, position)
        if place >= 0:
            yield place, word
            position = place + len(word.text)


def sentences(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    """Cut words into runs that end with a sentence's last word, or before a pause of a second or more."""
    current: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        current.append(word)
        if following is None or ends_sentence(word.text) or following.start - word.end >= PAUSE_SECONDS:
            yield tuple(current)
            current = []


def confidence(words: Sequence[Word]) -> float | None:
    """Return the mean probability of words, to four places; None without any."""
    return round(fmean(word.probability for word in words), 4) if words else None


def ends_sentence(word: str) -> bool:
    """Tell whether a word's punctuation ends a sentence; ``Dr.`` and ``e.g.`` do not."""
    word = word.strip()
    return _SENTENCE_END.search(word) is not None and not _ABBREVIATION.match(word)


def paragraphs(spoken: Iterable[S]) -> Iterator[tuple[S, ...]]:
    """Split one speaker's uninterrupted speech into paragraphs, none empty."""
    paragraph: list[S] = []
    words = 0
    for one in spoken:
        if paragraph:
            full = words >= PARAGRAPH_WORDS and paragraph[-1].text.rstrip("”’\"')").endswith((".", "?", "!", "…"))
            if full or one.start - paragraph[-1].end >= PARAGRAPH_PAUSE:
                yield tuple(paragraph)
                paragraph, words = [], 0
        paragraph.append(one)
        words += len(one.text.split())
    if paragraph:
        yield tuple(paragraph)


def visible(text: str) -> str:
    """Return text without the characters that nobody sees, such as soft hyphens; spaces stay."""
    if text.isprintable():
        return text
    return "".join(c for c in text if c.isspace() or c in _JOINERS or unicodedata.category(c) not in _INVISIBLE)


def shortened(text: str, width: int) -> str:
    """Return text on one line of at most ``width`` characters, cut at a word boundary if needed."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    kept = text[: width - 1].rpartition(" ")[0] or text[: width - 2]
    return kept.rstrip(" .,;:–—-") + " …"


def amount(number: int, one: str, many: str | None = None) -> str:
    """Show a number with its noun: ``1 show``, ``1,024 episodes``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def questions_named(numbers: Sequence[int]) -> str:
    """Return question numbers as text: ``question 4``, ``questions 4 and 5``; empty if there are none."""
    if len(numbers) < 2:
        return "".join(f"question {number}" for number in numbers)
    return f"questions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
