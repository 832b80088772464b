"""Cutting a transcript into sentences, the smallest units in which a question can begin or end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from pipeline.model import Segment, Word
from pipeline.text import PAUSE_SECONDS, ends_sentence, sentences, timed_words

# A segment may end inside a sentence, which is only detectable if at least this share of units ends with punctuation.
MOST_END_SENTENCES = 0.5
MOST_ARE_CAPITAL = 0.5  # if more sentences begin with a capital, one that does not continues the one before
GOES_ON = {"and", "or", "but", "nor", "because"}
# With these words no sentence ends.
OPEN = re.compile(
    r"(?:^|\s)(?:an?|the|my|our|your|their|of|to|for|about|and|or|but|because|if|whether|how|what|when|like|is|are|was"
    r"|know|ask|tell|say|imagine|wondering|me)$",
    re.IGNORECASE,
)
LONGEST_SENTENCE = 20.0  # seconds
LONGEST_UNWRITTEN = 12.0  # seconds; where no punctuation says that it goes on
SAME_BREATH = 1.5  # seconds
SHORT_BEGINNING = 8.0  # seconds


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence, or the speech between two pauses; times in seconds.

    ``sentence_start`` is the start of the whole sentence, which is earlier than ``start`` if a segment ends inside it.
    """

    start: float
    end: float
    text: str
    speaker: str | None
    sentence_start: float


def cut(segments: Sequence[Segment]) -> tuple[Unit, ...]:
    """Return the transcript's sentences in order.

    With word times a sentence ends at its last word's punctuation or before a pause; without, times inside a segment
    are interpolated by the number of characters.
    """
    runs = [list(sentences(timed_words(segment))) for segment in segments]
    beginnings = [words[0].text[:1] for words in chain(*runs)]
    if sum(map(str.islower, beginnings)) < (1 - MOST_ARE_CAPITAL) * len(beginnings):
        runs = [_whole(some) for some in runs]
    units = [_unit(words, segment.speaker) for segment, some in zip(segments, runs, strict=True) for words in some]
    return tuple(
        replace(unit, sentence_start=start) for unit, start in zip(units, _sentence_starts(units), strict=True)
    )


def _whole(runs: Sequence[tuple[Word, ...]]) -> list[tuple[Word, ...]]:
    """Join runs if the second begins in lower case, without a pause: "the U.S. government", or a misheard word."""
    whole: list[tuple[Word, ...]] = []
    for words in runs:
        if whole and words[0].text[:1].islower() and words[0].start - whole[-1][-1].end < PAUSE_SECONDS:
            whole[-1] += words
        else:
            whole.append(words)
    return whole


def _unit(words: Sequence[Word], speaker: str | None) -> Unit:
    start, text = words[0].start, " ".join(word.text for word in words)
    return Unit(start, max(start, words[-1].end), text, speaker, sentence_start=start)


def _sentence_starts(units: Sequence[Unit]) -> list[float]:
    """The start of the sentence that each unit belongs to."""
    ends = [ends_sentence(unit.text) for unit in units]
    is_written = sum(ends) >= MOST_END_SENTENCES * len(units)
    starts = [unit.start for unit in units]
    turn = starts[0] if starts else 0.0
    for n, (before, unit) in enumerate(pairwise(units), 1):
        if before.speaker != unit.speaker:
            turn = unit.start
        # Without punctuation, the first seconds of a turn are taken for one sentence.
        if not is_written and unit.speaker and unit.start - turn <= SHORT_BEGINNING:
            starts[n] = turn
            continue
        same_breath = before.speaker == unit.speaker and unit.start - before.end < SAME_BREATH
        goes_on = not ends[n - 1] if is_written else _goes_on(before.text, unit.text)
        longest = LONGEST_SENTENCE if is_written else LONGEST_UNWRITTEN
        if goes_on and same_breath and unit.start - starts[n - 1] < longest:
            starts[n] = starts[n - 1]
    return starts


def _goes_on(before: str, text: str) -> bool:
    """Tell from the words alone whether a sentence goes on: “because I would like to know | what you would advise”."""
    return text.partition(" ")[0].lower() in GOES_ON or OPEN.search(before) is not None
