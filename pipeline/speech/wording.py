"""Comparing two wordings of the same speech word by word: the word error rate, and carrying speakers over.

Used for a publisher's transcript against an engine's, and for one engine against another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from rapidfuzz.distance import Levenshtein

# With fewer equal words the two are not the same speech, and matching words match by chance.
MIN_EQUAL_SHARE = 0.5
# More heard words in a row that are not in the transcript are no slip, but an advertisement, a jingle or a cut.
MAX_GAP_WORDS = 20

_FILLERS = frozenset({"ah", "eh", "er", "erm", "hm", "hmm", "mhm", "mm", "mmm", "uh", "uhm", "um", "umm"})
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_BETWEEN_WORDS = re.compile(r"[\s\-‐‑–—/]+")
_PUNCTUATION = re.compile(r"(?<=\d),(?=\d{3})|(?!(?<=\d)[.,:](?=\d))[^\w'%£$€]|_")


class Turn(Protocol):
    """A turn in a transcript that names its speakers."""

    @property
    def speaker(self) -> str | None:
        """The name of the speaker; None if not given."""

    @property
    def text(self) -> str:
        """The words said."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The word edits (substitutions, deletions, insertions) from the reference to the words heard."""

    substitutions: int
    deletions: int
    insertions: int
    reference_words: int

    @property
    def word_error_rate(self) -> float:
        """Edits per word of the reference; may exceed 1, and is infinite if only the reference is empty."""
        changes = self.substitutions + self.deletions + self.insertions
        if self.reference_words == 0:
            return float("inf") if changes else 0.0
        return changes / self.reference_words


def normalise(word: str) -> str:
    """Normalise a word for comparison: lower case, no punctuation, straight apostrophes; numbers are kept.

    Fillers such as “um” become empty. A thousands comma is removed, a decimal point or the colon of a time is not.
    """
    composed = unicodedata.normalize("NFC", word).translate(_STRAIGHT).casefold()
    plain = _PUNCTUATION.sub("", composed).strip("'")
    return "" if plain in _FILLERS else plain


def compare(reference: Sequence[str], heard: Sequence[str]) -> Difference:
    """Compare two wordings; hyphenated words are split, since a hyphen cannot be heard."""
    wanted, got = _tokens(reference), _tokens(heard)
    counts = {"replace": 0, "delete": 0, "insert": 0, "equal": 0}
    for step in Levenshtein.opcodes(wanted, got):
        counts[step.tag] += max(step.src_end - step.src_start, step.dest_end - step.dest_start)
    return Difference(counts["replace"], counts["delete"], counts["insert"], len(wanted))


def carry_speakers(turns: Iterable[Turn], words: Sequence[str]) -> tuple[str | None, ...]:
    """Return the speaker of each heard word, by the publisher's transcript of the same recording.

    A word that both have has its speaker. One that was only heard, or was heard differently, gets the speaker of the
    words around it if the transcript has only one speaker there and the gap is short; else it has none.

    Returns:
        A speaker's name or None for each of ``words``; all None if fewer than half of the words are equal.
    """
    said = [(token, turn.speaker) for turn in turns for token in _tokens([turn.text])]
    heard = [(token, place) for place, word in enumerate(words) for token in _tokens([word])]
    speakers = [speaker for _, speaker in said]
    carried: list[str | None] = [None] * len(words)
    steps = Levenshtein.opcodes([token for token, _ in said], [token for token, _ in heard])
    equal = [step for step in steps if step.tag == "equal"]
    if sum(step.src_end - step.src_start for step in equal) < MIN_EQUAL_SHARE * max(len(said), len(heard), 1):
        return tuple(carried)
    pairs = [
        (step.src_start + offset, heard[step.dest_start + offset][1])
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
