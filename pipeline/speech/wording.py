"""Comparing two wordings of the same speech, word by word: how far they differ, and whose words are whose.

Used for a publisher's transcript against what an engine heard, and for one engine against another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from rapidfuzz.distance import Levenshtein

# Fewer equal words, and the two are not the same speech: whatever is aligned is so by chance.
MIN_EQUAL_SHARE = 0.5
# What was heard and is not in the transcript for longer than this is no slip: an advertisement, a jingle, a cut.
MAX_GAP_WORDS = 20

_FILLERS = frozenset({"ah", "eh", "er", "erm", "hm", "hmm", "mhm", "mm", "mmm", "uh", "uhm", "um", "umm"})
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_BETWEEN_WORDS = re.compile(r"[\s\-‐‑–—/]+")
_PUNCTUATION = re.compile(r"(?<=\d),(?=\d{3})|(?!(?<=\d)[.,:](?=\d))[^\w'%£$€]|_")


class Turn(Protocol):
    """What somebody says in a transcript that names its speakers."""

    @property
    def speaker(self) -> str | None:
        """The name, None where none is given."""

    @property
    def text(self) -> str:
        """What is said."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How many words must be changed, left out and put in to make what was heard of the reference."""

    substitutions: int
    deletions: int
    insertions: int
    reference_words: int

    @property
    def word_error_rate(self) -> float:
        """Changes for each word of the reference; may exceed 1, and is infinite where the reference is empty."""
        changes = self.substitutions + self.deletions + self.insertions
        if self.reference_words == 0:
            return float("inf") if changes else 0.0
        return changes / self.reference_words


def normalise(word: str) -> str:
    """Return a word as it is compared: no capitals, no punctuation, straight apostrophes; numbers as they are.

    Fillers such as “um” become nothing. A thousands comma is punctuation, a decimal point or a clock's colon is not.
    """
    composed = unicodedata.normalize("NFC", word).translate(_STRAIGHT).casefold()
    plain = _PUNCTUATION.sub("", composed).strip("'")
    return "" if plain in _FILLERS else plain


def compare(reference: Sequence[str], heard: Sequence[str]) -> Difference:
    """Compare two wordings; words joined by hyphens are taken apart, for nobody hears a hyphen."""
    wanted, got = _tokens(reference), _tokens(heard)
    counts = {"replace": 0, "delete": 0, "insert": 0, "equal": 0}
    for step in Levenshtein.opcodes(wanted, got):
        counts[step.tag] += max(step.src_end - step.src_start, step.dest_end - step.dest_start)
    return Difference(counts["replace"], counts["delete"], counts["insert"], len(wanted))


def carry_speakers(turns: Iterable[Turn], words: Sequence[str]) -> tuple[str | None, ...]:
    """Say for each heard word whose it is, by the publisher's transcript of the same recording.

    A word that both have is its speaker's. One that only was heard, or was heard otherwise, goes with the words around
    it where all that the transcript has there is by one speaker and the gap is short; else nobody is named.

    Returns:
        A speaker's name or None for each of ``words``; all None where fewer than half of the words are equal.
    """
    said: list[str] = []
    speakers: list[str | None] = []
    for turn in turns:
        own = _tokens([turn.text])
        said += own
        speakers += [turn.speaker] * len(own)
    places, heard = _placed(words)
    carried: list[str | None] = [None] * len(words)
    equal = [step for step in Levenshtein.opcodes(said, heard) if step.tag == "equal"]
    if sum(step.src_end - step.src_start for step in equal) < MIN_EQUAL_SHARE * max(len(said), len(heard), 1):
        return tuple(carried)
    pairs = [
        (step.src_start + offset, places[step.dest_start + offset])
        for step in equal
        for offset in range(step.src_end - step.src_start)
    ]
    for source, place in pairs:
        carried[place] = speakers[source]
    for (source, place), (next_source, next_place) in pairwise(pairs):
        gap = next_place - place - 1
        if 0 < gap <= MAX_GAP_WORDS and len(set(speakers[source : next_source + 1])) == 1:
            carried[place + 1 : next_place] = [speakers[source]] * gap
    return tuple(carried)


def _tokens(words: Iterable[str]) -> list[str]:
    return [token for word in words for part in _BETWEEN_WORDS.split(word) if (token := normalise(part))]


def _placed(words: Sequence[str]) -> tuple[list[int], list[str]]:
    """The words' tokens, each with the place of its word: a word may have none, or several."""
    pairs = [(place, token) for place, word in enumerate(words) for token in _tokens([word])]
    return [place for place, _ in pairs], [token for _, token in pairs]
