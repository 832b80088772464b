"""How well words were heard and timed: pure measures, which load no model and read no file."""

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
    """One word, said or heard; times in seconds from the start of the recording."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors by kind, in words; ``rate`` is their sum by the words said."""

    rate: float
    substitutions: int
    deletions: int
    insertions: int
    said: int


@dataclass(frozen=True, slots=True)
class StartErrors:
    """How far the starts of words lie from the truth.

    Only words that were heard as they were said have an error: ``matched`` of the ``said``. All but the F1 are of
    those. ``median`` and ``p90`` are of the absolute error and ``bias`` is the median of the signed one, in seconds,
    above zero where words start late. ``within`` holds shares by a bound in milliseconds. ``f1`` counts a word as found
    when its text is right and its start within the bound, so that missing and invented words lower it too.
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
    """Several rounds of one figure."""

    median: float
    least: float
    most: float


def word_errors(said: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """Count the word errors of several recordings together.

    Args:
        said: What was said, one text a recording, none empty; both sides already normalised.
        heard: What was heard, in the same order.
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
    """The words of a text without case and punctuation; an apostrophe inside a word stays.

    >>> tokens("Well – we've 24 front-line posts.")
    ['well', "we've", '24', 'front', 'line', 'posts']
    """
    return re.findall(r"\w+(?:'\w+)*", text.lower().replace("’", "'"))


def matches(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places at which both have the same word, in an alignment with the fewest edits."""
    return [
        (block.a + offset, block.b + offset)
        for block in Levenshtein.editops(said, heard).as_matching_blocks()
        for offset in range(block.size)
    ]


def invented(said: str, heard: str) -> int:
    """How many of the words heard were not said; nothing at all need have been said.

    What stands in brackets does not claim to be speech – ``[BLANK_AUDIO]``, ``(upbeat music)`` – and is not counted.
    """
    written = tokens(re.sub(r"\[[^]]*\]|\([^)]*\)", " ", heard))
    return len(written) - len(matches(tokens(said), written))


def name_recall(names: Iterable[str], said: str, heard: str) -> tuple[int, int]:
    """How many mentions of names were heard, and how many there are.

    A name that is heard more often than it is said counts no more often. Names count each for itself: one that is a
    part of another is counted twice.
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
        recordings: What was said and what was heard in each.
        bounds: Milliseconds for ``within`` and ``f1``.

    Raises:
        ValueError: Not one word was heard as it was said.
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
    # Times are written to a hundredth of a second: without the last term, 0.2 s apart would not be within 200 ms.
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
    """The median of the rounds, with the least and the most."""
    return Spread(statistics.median(figures), min(figures), max(figures))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times as long the others took, round against round: a round's disturbance strikes both sides."""
    return spread([other / own for own, other in zip(ours, theirs, strict=True)])


def _mentions(name: str, text: str) -> int:
    return f" {' '.join(tokens(text))} ".replace(" ", "  ").count(f" {'  '.join(tokens(name))} ")


def _plain(words: Sequence[TimedWord]) -> list[TimedWord]:
    """Words as ``tokens`` has them, but each still one word with one start: ``front-line`` is ``frontline``."""
    spoken = (word for word in words if not set("[]()") & set(word.text))
    return [word._replace(text="".join(tokens(word.text))) for word in spoken if tokens(word.text)]
