"""How much of a question's wording a stretch of speech holds: rare words weigh more, misheard ones count in part."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

# A word's beginning stands for its forms (managed, manageable): truncation, the plainest stemmer there is.
STEM_CHARS = 6
MISHEARD_RATIO = 80.0
MISHEARD_WEIGHT = 0.7
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_STOPWORDS = frozenset(
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
    """Return the stems of the words that carry meaning, in order; all words if none does."""
    words = [word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text)]
    return [word[:STEM_CHARS] for word in words if word not in _STOPWORDS] or [word[:STEM_CHARS] for word in words]


def presence(question: str, units: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say which of a question's words each unit holds.

    Returns:
        An array (words, units) of 0..1: 1 for the word itself, less for one that sounds or is spelt nearly so; and
        the words' weights, shape (words,), summing to 1: their inverse document frequency in this episode.
    """
    wanted = list(dict.fromkeys(content_words(question)))
    spoken = [set(content_words(unit)) for unit in units]
    vocabulary = sorted(set().union(*spoken)) if spoken else []
    if not wanted or not vocabulary:
        return np.zeros((len(wanted), len(units))), np.ones(len(wanted)) / max(1, len(wanted))
    similar = np.asarray(process.cdist(wanted, vocabulary, scorer=fuzz.ratio, score_cutoff=MISHEARD_RATIO))
    likeness = np.where(similar >= 100, 1.0, np.where(similar > 0, MISHEARD_WEIGHT, 0.0))
    column = {word: index for index, word in enumerate(vocabulary)}
    held = np.zeros((len(wanted), len(units)))
    for index, words in enumerate(spoken):
        if words:
            held[:, index] = likeness[:, [column[word] for word in words]].max(axis=1)
    frequency = (held > 0).sum(axis=1)
    weights = np.log((len(units) + 1) / (frequency + 0.5))
    weights = np.maximum(weights, 0.1)
    return held, weights / weights.sum()


def coverage(held: NDArray[np.float64], weights: NDArray[np.float64], *, length: int) -> NDArray[np.float64]:
    """Return, for a window of ``length`` units beginning at each unit, the weighted share of the question it holds."""
    best = held.copy()
    for step in range(1, length):
        best[:, :-step] = np.maximum(best[:, :-step], held[:, step:])
    return np.asarray(weights @ best)
