"""Applying editors' checks of words to a transcript. Pure functions."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from typing import Protocol

from pipeline.editing.refinding import bare, fitted, kept_out, middle, refound
from pipeline.errors import CorrectionError
from pipeline.model import Check, Segment, Word
from pipeline.text import confidence, timed_words, visible

TEXT_LENGTH = 10_000  # characters


class Stretch(Protocol):
    """A part of a recording; times in seconds."""

    @property
    def start(self) -> float:
        """Return when it begins."""

    @property
    def end(self) -> float:
        """Return when it ends."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word and the number of its segment."""

    segment: int
    word: Word


def clean(text: str) -> str:
    """Return an editor's text with single spaces and without invisible characters.

    Raises:
        CorrectionError: it is too long.
    """
    if len(text) > TEXT_LENGTH:
        raise CorrectionError(f"text: is longer than {TEXT_LENGTH:,} characters")
    return " ".join(unicodedata.normalize("NFC", visible(text)).split())


def overlap(one: Stretch, other: Stretch) -> bool:
    """Tell whether two stretches overlap; touching is not enough, but a common start is."""
    return (one.start < other.end and other.start < one.end) or one.start == other.start


def with_checked_words(segments: Iterable[Segment], checks: Iterable[Check]) -> tuple[Segment, ...]:
    """Return the segments with the checked words applied, one for one.

    The words covered by a check (see ``refound``) are replaced by those the editor heard, with probability 1. Unchanged
    words keep their times; changed ones get the times of the words they replace, or the gap between their neighbours.
    If the machine heard nothing there, the words go to the preceding segment. A segment whose words are all checked
    loses its flags; it is empty if nothing is said.

    Checked words end up within their check and all others outside: words that straddle an edge are moved to their side.
    Words that did not overlap before do not overlap afterwards.

    Args:
        segments: as the machine heard them, in order of time; without any there is no place for words.
        checks: of the same recording; none overlap.
    """
    found, ordered = list(segments), sorted(checks, key=lambda check: check.start)
    if not found or not ordered:
        return tuple(found)
    old = [_Placed(n, word) for n, segment in enumerate(found) for word in timed_words(segment)]
    new, reworded = _stated(found, old, ordered)
    before, after = _by_segment(old), _by_segment(new)
    for n in {n for n in (*before, *after) if before[n] != after[n]} | reworded:
        found[n] = _filled(found[n], before[n], after[n], reworded=n in reworded)
    return tuple(replace(one, flags=()) if one.flags and is_checked(one, ordered) else one for one in found)


def is_checked(segment: Segment, checks: Sequence[Check]) -> bool:
    """Tell whether checks cover every word of a segment.

    Args:
        segment: one that ``with_checked_words`` returned.
        checks: those that it was given, in order of time.
    """
    near, words = _near(segment, checks), timed_words(segment)
    if not words:
        return any(_is_inside(segment, check) for check in near)
    return all(any(_is_about(check, segment, word) for check in near) for word in words)


def _near(segment: Segment, checks: Sequence[Check]) -> list[Check]:
    """The checks, which come in order, that overlap a segment."""
    first = bisect_left(checks, segment.start, key=lambda check: check.end)
    last = bisect_right(checks, segment.end, key=lambda check: check.start)
    return [check for check in checks[first:last] if overlap(check, segment)]


def _is_about(check: Check, segment: Segment, word: Word) -> bool:
    """Tell whether a check covers a word; a word across its edge is decided by the word's midpoint."""
    return _is_inside(segment, check) or check.start <= middle(word) < check.end


def _is_inside(segment: Segment, check: Check) -> bool:
    return overlap(segment, check) and check.start <= segment.start and segment.end <= check.end


def _stated(
    segments: Sequence[Segment], old: Sequence[_Placed], checks: Sequence[Check]
) -> tuple[list[_Placed], set[int]]:
    """The words of a transcript with checks in force, and the numbers of the segments in which some are checked."""
    words = [one.word for one in old]
    new: list[_Placed] = []
    reworded = set()
    done, time = 0, 0.0
    for check in checks:
        first, stop = refound(words, check, done)
        new += _with_words(old[done:first], kept_out(words[done:first], time, check.start))
        home = max((n for n, one in enumerate(segments) if one.start <= check.start), default=0)
        own = _with_words(old[first:stop], fitted(words[first:stop], check.start, check.end))
        said = _reworded(own, check, home)
        new += said
        reworded |= {one.segment for one in (*own, *said)}
        done, time = stop, check.end
    return [*new, *_with_words(old[done:], kept_out(words[done:], time, math.inf))], reworded


def _with_words(placed: Sequence[_Placed], words: Sequence[Word]) -> list[_Placed]:
    """The same places with other words, or with none."""
    return [replace(one, word=word) for one, word in zip(placed, words, strict=False)]


def _by_segment(placed: Iterable[_Placed]) -> defaultdict[int, list[Word]]:
    found = defaultdict(list)
    for one in placed:
        found[one.segment].append(one.word)
    return found


def _reworded(old: Sequence[_Placed], check: Check, home: int) -> list[_Placed]:
    """The checked words in order, at the times and in the segments of those that they replace, else in ``home``."""
    texts = check.text.split()
    if " ".join(one.word.text for one in old).split() == texts:
        return [replace(one, word=one.word._replace(probability=1.0)) for one in old]
    before, after = [bare(one.word.text) for one in old], [bare(text) for text in texts]
    found: list[_Placed] = []
    old = list(old)
    for tag, first, last, begin, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        was, now = old[first:last], texts[begin:end]
        if tag == "insert":
            beside = old[max(first - 1, 0)].segment if old else home
            found += [_Placed(beside, word) for word in _spread(now, *_gap(found, old, first, check))]
        elif len(was) == len(now):
            found += [
                _Placed(one.segment, one.word._replace(text=text, probability=1.0))
                for one, text in zip(was, now, strict=True)
            ]
        else:
            found += _in_place_of(was, now)
    return found


def _in_place_of(old: Sequence[_Placed], texts: Sequence[str]) -> Iterator[_Placed]:
    """Words in the place of more or fewer others: shared out among their segments, evenly over the time of those."""
    owners = [old[n * len(old) // len(texts)].segment for n in range(len(texts))]
    for segment, group in groupby(zip(owners, texts, strict=True), key=lambda pair: pair[0]):
        own = [one.word for one in old if one.segment == segment]
        words = _spread([text for _, text in group], own[0].start, own[-1].end)
        yield from (_Placed(segment, word) for word in words)


def _gap(found: list[_Placed], old: list[_Placed], at: int, check: Check) -> tuple[float, float]:
    """The time available for words inserted before word ``at``, in seconds.

    If there is no gap, a neighbour is shortened to make room; ``found`` or ``old`` is changed in place.
    """
    start = found[-1].word.end if found else check.start
    end = old[at].word.start if at < len(old) else check.end
    if start >= end and found:
        start = middle(found[-1].word)
        found[-1] = replace(found[-1], word=found[-1].word._replace(end=start))
    elif start >= end and old:
        end = middle(old[at].word)
        old[at] = replace(old[at], word=old[at].word._replace(start=end))
    return start, max(start, end)


def _spread(texts: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
    """Words one after the other from start to end, each as long as its share of the characters."""
    return timed_words(Segment(start, end, " ".join(texts)))


def _filled(segment: Segment, was: Sequence[Word], words: Sequence[Word], *, reworded: bool) -> Segment:
    """A segment with other words than it had; or only with other times, or more certain ones."""
    same = [word.text for word in was] == [word.text for word in words]
    unmoved = same and [word[:2] for word in was] == [word[:2] for word in words]
    return replace(
        segment,
        start=min([segment.start, *(word.start for word in words)]),
        end=max([segment.end, *(word.end for word in words)]),
        text=segment.text if same else " ".join(word.text for word in words),
        words=segment.words if unmoved and not segment.words else tuple(words),
        confidence=confidence(words) if reworded else segment.confidence,
    )
