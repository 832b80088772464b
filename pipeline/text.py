"""Where spoken words make sentences: by the punctuation that Whisper wrote, and by pauses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from pipeline.model import Word

PAUSE_SECONDS = 1.0
_SENTENCE_END = re.compile(r"[.?!…][”\"’')\]]*$")
_ABBREVIATION = re.compile(r"^(?:mr|mrs|ms|dr|st|prof|no|vs|e\.g|i\.e|etc|[a-z])\.$", re.IGNORECASE)


def sentences(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    """Cut words into runs that end with a sentence's last word, or before a pause of a second or more."""
    current: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        current.append(word)
        if following is None or ends_sentence(word.text) or following.start - word.end >= PAUSE_SECONDS:
            yield tuple(current)
            current = []


def ends_sentence(word: str) -> bool:
    """Tell whether a word's punctuation ends a sentence; ``Dr.`` and ``e.g.`` do not."""
    word = word.strip()
    return _SENTENCE_END.search(word) is not None and not _ABBREVIATION.match(word)
