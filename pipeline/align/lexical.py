"""How much of a question's wording a stretch of speech holds: rare words weigh more, misheard ones count in part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import LCSseq

# Words are stemmed by truncation, which unites their forms (managed, manageable).
STEM_CHARS = 6
MISHEARD_RATIO = 80.0
MISHEARD_WEIGHT = 0.7
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about all also am an and any are as at be because been being but by can could did do does doing for from
        get go going had has have having he her here him his how i if in into is it its just know like lot me more
        most my no not now of on one or our out over really say she so some such tell than that the their them then
        there these they thing things think this those to too up us very was we well were what when where which who
        why will with would yes you your
        """,
    )
)


def content_words(text: str) -> list[str]:
    """Return the stems of a text's content words, in order; of all words if it has none."""
    return [word[:STEM_CHARS] for word in carrying_words(text) or _words(text)]


def carrying_words(text: str) -> list[str]:
    """Return a text's content words, that is, those that are not stopwords, in order."""
    return [word for word in _words(text) if word not in STOPWORDS]


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text)]


def in_order(question: str, spoken: str) -> float:
    """Return the share of a question's words, including stopwords, that are spoken in the same order, 0..1."""
    wanted, heard = ([word.lower()[:STEM_CHARS] for word in _WORD.findall(text)] for text in (question, spoken))
    return LCSseq.similarity(wanted, heard) / max(1, len(wanted))


@dataclass(frozen=True, slots=True)
class Presence:
    """Which of a question's words each sentence holds.

    Attributes:
        words: Their distinct stems.
        held: (words, sentences): 1 for the word itself, ``MISHEARD_WEIGHT`` for one that is spelt similarly, else 0.
        weights: (words,), summing to 1: their inverse document frequencies in this episode.
    """

    words: tuple[str, ...]
    held: NDArray[np.float64]
    weights: NDArray[np.float64]

    def of(self, part: str) -> Presence:
        """Return the presence of the words of a part of the question."""
        wanted = set(content_words(part))
        rows = [n for n, word in enumerate(self.words) if word in wanted]
        return Presence(
            tuple(self.words[n] for n in rows),
            self.held[rows],
            self.weights[rows] / self.weights[rows].sum(),
        )

    def weight(self, text: str) -> float:
        """Return the total weight of the question's words that are in a text, 0..1."""
        within = set(content_words(text))
        return float(sum(weight for word, weight in zip(self.words, self.weights, strict=True) if word in within))


class Spoken:
    """An index of the words of a transcript's sentences."""

    def __init__(self, sentences: Sequence[str]) -> None:
        words = [set(content_words(sentence)) for sentence in sentences]
        self._vocabulary = sorted(set().union(*words))
        column = {word: n for n, word in enumerate(self._vocabulary)}
        self._count = len(words)
        self._worded = [n for n, some in enumerate(words) if some]  # the sentences that have words
        self._columns = [column[word] for n in self._worded for word in words[n]]  # their words, concatenated
        self._begins = np.cumsum([0, *(len(words[n]) for n in self._worded)][:-1])  # and their offsets

    def presence(self, question: str) -> Presence:
        """Return which of a question's words each sentence holds."""
        wanted = tuple(dict.fromkeys(content_words(question)))
        count = self._count
        if not wanted or not self._vocabulary:
            return Presence(wanted, np.zeros((len(wanted), count)), np.ones(len(wanted)) / max(1, len(wanted)))
        similar = np.asarray(process.cdist(wanted, self._vocabulary, scorer=fuzz.ratio, score_cutoff=MISHEARD_RATIO))
        likeness = np.where(similar >= 100, 1.0, np.where(similar > 0, MISHEARD_WEIGHT, 0.0))
        held = np.zeros((len(wanted), count))
        held[:, self._worded] = np.maximum.reduceat(likeness[:, self._columns], self._begins, axis=1)
        weights = np.log((count + 1) / ((held > 0).sum(axis=1) + 0.5))
        weights = np.maximum(weights, 0.1)
        return Presence(wanted, held, weights / weights.sum())


def coverage(presence: Presence, *, longest: int) -> NDArray[np.float64]:
    """Return the weighted share of the question's words that each window of one to ``longest`` sentences holds.

    Shape (lengths, sentences): the window's length less one, and its first sentence.
    """
    held, weights = presence.held, presence.weights
    best, shares = held.copy(), [weights @ held]
    for step in range(1, longest):
        best[:, :-step] = np.maximum(best[:, :-step], held[:, step:])
        shares.append(weights @ best)
    return np.stack(shares)
