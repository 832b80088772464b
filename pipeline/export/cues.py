"""Splitting a transcript into readable captions: where they break, and when they show. Independent of the format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest

from pipeline.model import Segment
from pipeline.text import PAUSE_SECONDS, ends_sentence, shortened, timed_words

LINE = 42  # characters; two such lines are usual for subtitles
SPEED = 20  # characters per second, the fastest that adults can follow
SHORTEST = 800  # milliseconds
LONGEST = 7.0  # seconds
NAME = 30  # characters; with colon and space there is still room on the line
UNCLEAR = "Unclear voice"  # after a named speaker, to show that somebody else speaks

_CLAUSE_END = re.compile(r"[,;:–—][”\"’')\]]*$")
_CLAUSE_PAUSE = 0.3  # seconds
# Costs of breaking after a word. Only their order and rough size matter.
_AFTER_CLAUSE, _ANYWHERE = 3.0, 8.0
_NEVER = math.inf
# Costs of a cue: for each cue, for each sentence that ends inside it, for being empty, short or long.
_ONE_MORE, _SENTENCE_INSIDE, _EMPTY, _SHORT, _A_SECOND_LONGER = 2.0, 3.0, 3.0, 12.0, 10.0


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption of at most two lines; ``start`` and ``end`` in milliseconds."""

    start: int
    end: int
    speaker: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    """A word to show, or a speaker's name before their first word; ``cost`` is the cost of breaking after it."""

    start: float
    end: float
    text: str
    speaker: str | None
    cost: float


def cues(segments: Iterable[Segment], *, duration: float, names: bool) -> tuple[Cue, ...]:
    """Split a transcript into cues: every word once and in order, no two cues at the same time.

    A cue belongs to one speaker and spans no pause of a second or more. It preferably breaks at the end of a sentence,
    else at the end of a clause or at a pause. It has at most two lines of 42 characters; only a single longer word
    makes a longer line. It shows from its first word to the end of its last one. If that is shorter than 0.8 s, or
    faster than 20 characters per second, it shows longer, into the following pause; if it is then still shorter than
    0.8 s, it also shows earlier, in the preceding pause. During fast speech without pauses cues are as fast as the
    speech, and the next one is never delayed.

    Args:
        segments: the transcript.
        duration: the duration of the recording, in seconds.
        names: whether to put the speaker's name before the words at each change of speaker.
    """
    tokens = [token for segment in _labelled(segments, names=names) for token in segment]
    groups = [group for stretch in _stretches(tokens) for group in _cut(stretch)]
    return tuple(
        Cue(start, end, group[-1].speaker, _lines(group))
        for group, (start, end) in zip(groups, _times(groups, round(duration * 1000)), strict=True)
    )


def _labelled(segments: Iterable[Segment], *, names: bool) -> Iterator[list[_Token]]:
    """The tokens of each segment; segments without words have no name either."""
    speaker = None
    for segment in segments:
        words = [(word, text) for word in timed_words(segment) for text in word.text.split()]
        if not words:
            continue
        tokens = []
        if names and segment.speaker != speaker:
            start = words[0][0].start
            label = shortened(segment.speaker or UNCLEAR, NAME) + ":"
            tokens.append(_Token(start, start, label, segment.speaker, _NEVER))
        speaker = segment.speaker
        for (word, text), following in zip_longest(words, words[1:]):
            pause = following is not None and following[0].start - word.end >= _CLAUSE_PAUSE
            clause = pause or _CLAUSE_END.search(text)
            cost = 0.0 if ends_sentence(text) else _AFTER_CLAUSE if clause else _ANYWHERE
            tokens.append(_Token(word.start, word.end, text, segment.speaker, cost))
        yield tokens


def _stretches(tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    """Split where a cue has to end: at changes of speaker, and at pauses."""
    stretch: list[_Token] = []
    for token, following in zip_longest(tokens, tokens[1:]):
        stretch.append(token)
        ends = following is None or following.speaker != token.speaker
        if ends or following.start - token.end >= PAUSE_SECONDS:
            yield stretch
            stretch = []


def _cut(stretch: Sequence[_Token]) -> list[Sequence[_Token]]:
    """Split a stretch into cues at the least cost, by dynamic programming over the start of the last cue."""
    size = len(stretch)
    places = [0, *accumulate(len(token.text) + 1 for token in stretch)]
    sentences = [0, *accumulate(int(token.cost == 0) for token in stretch)]
    reach = _reach(places)
    best = [0.0] + [math.inf] * size
    begun = [0] * (size + 1)
    for first in range(size):
        for end in range(first + 1, reach[reach[first]] + 1):
            group = stretch[first:end]
            inside = sentences[end - 1] - sentences[first]
            filled = min(1.0, (places[end] - places[first] - 1) / (2 * LINE))
            lasting = (stretch[end].start if end < size else math.inf) - group[0].start
            cost = best[first] + _cost(group, inside=inside, filled=filled, lasting=lasting)
            cost += group[-1].cost if end < size else 0
            if cost < best[end]:
                best[end], begun[end] = cost, first
    ends = [size]
    while begun[ends[-1]]:
        ends.append(begun[ends[-1]])
    return [stretch[begun[end] : end] for end in reversed(ends)]


def _reach(places: Sequence[int]) -> list[int]:
    """For each token, the end of the longest line beginning with it; ``places`` are the tokens' character offsets."""
    size = len(places) - 1
    reach, end = [], 0
    for first in range(size):
        end = max(end, first + 1)
        while end < size and places[end + 1] - places[first] - 1 <= LINE:
            end += 1
        reach.append(end)
    return [*reach, size]


def _cost(group: Sequence[_Token], *, inside: int, filled: float, lasting: float) -> float:
    """The cost of a cue, except for where it ends; ``lasting`` is the time until the next cue, in seconds."""
    short = max(0.0, 1 - lasting / (SHORTEST / 1000))
    long = max(0.0, group[-1].end - group[0].start - LONGEST)
    return _ONE_MORE + _SENTENCE_INSIDE * inside + _EMPTY * (1 - filled) ** 2 + _SHORT * short + _A_SECOND_LONGER * long


def _lines(group: Sequence[_Token]) -> tuple[str, ...]:
    """Break a cue into lines: at a sentence or clause if both lines fit, and about evenly."""
    whole = " ".join(token.text for token in group)
    if len(whole) <= LINE or len(group) == 1:
        return (whole,)

    def badness(place: int) -> tuple[bool, float]:
        upper, lower = _length(group[:place]), _length(group[place:])
        too_long = max(upper, lower) > LINE and place != reached
        return too_long, min(group[place - 1].cost, _ANYWHERE) + abs(upper - lower) / 4

    reached = _reach([0, *accumulate(len(token.text) + 1 for token in group)])[0]
    place = min(range(1, len(group)), key=badness)
    return tuple(" ".join(token.text for token in line) for line in (group[:place], group[place:]))


def _length(tokens: Sequence[_Token]) -> int:
    return sum(len(token.text) + 1 for token in tokens) - 1


def _times(groups: Sequence[Sequence[_Token]], duration: int) -> Iterator[tuple[int, int]]:
    """When each cue shows, in milliseconds: for at least one, even if the words' times are wrong."""
    starts = [round(group[0].start * 1000) for group in groups]
    starts = list(accumulate(starts, lambda before, start: max(before + 1, start), initial=-1))[1:]
    shown = 0  # the end of the previous cue
    for group, start, following in zip_longest(groups, starts, starts[1:]):
        spoken = round(max(token.end for token in group) * 1000)
        until = max(duration, spoken) if following is None else following
        needed = max(SHORTEST, math.ceil(_length(group) * 1000 / SPEED))
        end = max(start + 1, min(max(spoken, start + needed), until))
        begin = min(start, max(shown, end - SHORTEST))
        yield begin, end
        shown = end
