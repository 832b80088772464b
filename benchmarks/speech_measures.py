"""Measures of transcriptions and word times. Pure functions, without models or files."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jiwer
import numpy as np
from rapidfuzz.distance import Levenshtein


class TimedWord(NamedTuple):
    """One word, said or heard; times in seconds of the recording."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Word errors by kind; ``rate`` is their sum divided by the words said."""

    rate: float
    substitutions: int
    deletions: int
    insertions: int
    said: int


@dataclass(frozen=True, slots=True)
class StartErrors:
    """The errors of the starts of words.

    Only words that were heard correctly have an error: ``matched`` of the ``said``. All figures except F1 are of these.
    ``median`` and ``p90`` are of the absolute error, ``bias`` is the median of the signed one, in seconds, positive if
    words start late. ``within`` has shares by a bound in milliseconds. ``f1`` counts a word as found if its text is
    right and its start within the bound, so that missing and hallucinated words lower it too.
    """

    said: int
    matched: int
    median: float
    p90: float
    bias: float
    within: Mapping[int, float]
    f1: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, minimum and maximum of one figure over several rounds."""

    median: float
    least: float
    most: float


def word_errors(said: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """Count the word errors of several recordings together.

    Args:
        said: The reference texts, one per recording, none empty; both sides already normalised.
        heard: The texts heard, in the same order.
    """
    counted = jiwer.process_words(list(said), list(heard))
    return WordErrors(
        counted.wer,
        counted.substitutions,
        counted.deletions,
        counted.insertions,
        counted.hits + counted.substitutions + counted.deletions,
    )


def tokens(text: str) -> list[str]:
    """The words of a text in lower case without punctuation; an apostrophe inside a word is kept.

    >>> tokens("Well – we've 24 front-line posts.")
    ['well', "we've", '24', 'front', 'line', 'posts']
    """
    return re.findall(r"\w+(?:'\w+)*", text.lower().replace("’", "'"))


def matches(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """The pairs of indices at which both have the same word, in an alignment with the fewest edits."""
    return [
        (block.a + offset, block.b + offset)
        for block in Levenshtein.editops(said, heard).as_matching_blocks()
        for offset in range(block.size)
    ]


def invented(said: str, heard: str) -> int:
    """The number of words heard that were not said; ``said`` may be empty.

    Text in brackets is not meant to be speech – ``[BLANK_AUDIO]``, ``(upbeat music)`` – and is not counted.
    """
    written = tokens(re.sub(r"\[[^]]*\]|\([^)]*\)", " ", heard))
    return len(written) - len(matches(tokens(said), written))


def name_recall(names: Iterable[str], said: str, heard: str) -> tuple[int, int]:
    """The number of mentions of names that were heard, and that there are.

    Mentions that are heard but not said are not counted. Names are counted independently, so one that is part of
    another is counted twice.
    """
    found = total = 0
    for name in names:
        mentions = _mentions(name, said)
        total += mentions
        found += min(mentions, _mentions(name, heard))
    return found, total


def start_errors(
    recordings: Iterable[tuple[Sequence[TimedWord], Sequence[TimedWord]]],
    *,
    bounds: Sequence[int] = (50, 100, 200, 500),
) -> StartErrors:
    """Compare the starts of the words of several recordings.

    Args:
        recordings: The words said and the words heard in each.
        bounds: Milliseconds for ``within`` and ``f1``.

    Raises:
        ValueError: No word was heard correctly.
    """
    errors: list[float] = []
    total_said = total_heard = 0
    for said, heard in recordings:
        true, found = _plain(said), _plain(heard)
        total_said += len(true)
        total_heard += len(found)
        pairs = matches([word.text for word in true], [word.text for word in found])
        errors += [found[there].start - true[here].start for here, there in pairs]
    if not errors:
        raise ValueError("not one word was heard as it was said")
    apart = np.abs(errors)
    # Times have two decimals: without the last term, 0.2 s would not be within 200 ms because of rounding errors.
    hits = {bound: int((apart <= bound / 1000 + 1e-6).sum()) for bound in bounds}
    return StartErrors(
        said=total_said,
        matched=len(errors),
        median=float(np.median(apart)),
        p90=float(np.quantile(apart, 0.9)),
        bias=float(np.median(errors)),
        within={bound: hit / len(errors) for bound, hit in hits.items()},
        f1={bound: 2 * hit / (total_said + total_heard) for bound, hit in hits.items()},
    )


def spread(figures: Sequence[float]) -> Spread:
    """The median, minimum and maximum of the rounds."""
    return Spread(statistics.median(figures), min(figures), max(figures))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratios of their times to ours, by round, since a disturbance during a round affects both."""
    return spread([other / own for own, other in zip(ours, theirs, strict=True)])


def _mentions(name: str, text: str) -> int:
    return f" {' '.join(tokens(text))} ".replace(" ", "  ").count(f" {'  '.join(tokens(name))} ")


def _plain(words: Sequence[TimedWord]) -> list[TimedWord]:
    """Words normalised as by ``tokens``, but each still one word with one start: ``front-line`` is ``frontline``."""
    spoken = (word for word in words if not set("[]()") & set(word.text))
    return [word._replace(text="".join(tokens(word.text))) for word in spoken if tokens(word.text)]
