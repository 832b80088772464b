"""Words that a person heard, in the place of those that a machine did. Pure functions: knows no archive and no page."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from statistics import fmean
from typing import Protocol

from pipeline.errors import CorrectionError
from pipeline.model import Check, Segment, Word
from pipeline.text import timed_words

TEXT_LENGTH = 10_000  # characters
_JOINERS = "\u200c\u200d"  # nobody sees these two either, but they are part of how some languages are spelt


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
    """Return what an editor wrote as words with single spaces, without characters that nobody can see.

    Raises:
        CorrectionError: it is too long.
    """
    if len(text) > TEXT_LENGTH:
        raise CorrectionError(f"text: is longer than {TEXT_LENGTH:,} characters")
    seen = "".join(
        c for c in text if c.isspace() or c in _JOINERS or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Cn"}
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())


def overlap(one: Stretch, other: Stretch) -> bool:
    """Tell whether two stretches have a moment in common; those that only touch have none."""
    return (one.start < other.end and other.start < one.end) or one.start == other.start


def in_force(segments: Iterable[Segment], checks: Iterable[Check]) -> tuple[Segment, ...]:
    """Return a transcript with the checked words: as many segments, one for one.

    Whatever the segments are, words in a checked stretch give way to the words that the person heard there, which are
    certain. Those that are the same keep their times; others get the times of the words that they replace, or lie
    between their neighbours. Where the machine heard nothing at all, they go to the segment before. A segment all of
    whose words were checked loses its flags, and is empty where nothing is said.

    Args:
        segments: as the machine heard them, in order of time; without any there is no place for words.
        checks: of the same recording; none overlap.
    """
    found, ordered = list(segments), sorted(checks, key=lambda check: check.start)
    touched = defaultdict(list)
    for n, segment in enumerate(found):
        for check in _near(segment, ordered):
            touched[check.id].append(n)
    for check in ordered if found else ():
        numbers = [n for n in touched[check.id] if _covered(found[n], check)]
        if _is_confirmed([found[n] for n in numbers], check):
            for n in numbers:
                words = tuple(word._replace(probability=1.0) for word in found[n].words)
                found[n] = replace(found[n], words=words, confidence=1.0)
        else:
            _reword(found, numbers, check)
    return tuple(replace(one, flags=()) if one.flags and is_checked(one, ordered) else one for one in found)


def is_checked(segment: Segment, checks: Sequence[Check]) -> bool:
    """Tell whether a person heard every word of a segment.

    Args:
        segment: one that ``in_force`` returned.
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


def _covered(segment: Segment, check: Check) -> list[Word]:
    return [word for word in timed_words(segment) if _is_about(check, segment, word)]


def _is_about(check: Check, segment: Segment, word: Word) -> bool:
    """Tell whether a check is about a word: what lies across its edge belongs to the side of its middle."""
    return _is_inside(segment, check) or check.start <= _middle(word) < check.end


def _is_inside(segment: Segment, check: Check) -> bool:
    return overlap(segment, check) and check.start <= segment.start and segment.end <= check.end


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _is_confirmed(segments: Sequence[Segment], check: Check) -> bool:
    """Tell whether whole segments already say what was checked, so that no word of them changes."""
    said = " ".join(word for segment in segments for word in segment.text.split())
    return all(_is_inside(segment, check) for segment in segments) and said == check.text


def _reword(segments: list[Segment], numbers: Sequence[int], check: Check) -> None:
    """Put the words of a check into the segments of these numbers, or where there is none, into the one before."""
    old = [_Placed(n, word) for n in numbers for word in _covered(segments[n], check)]
    home = max((n for n, one in enumerate(segments) if one.start <= check.start), default=0)
    new = list(_reworded(old, check, home))
    for n in {placed.segment for placed in (*old, *new)}:
        segments[n] = _filled(segments[n], [placed.word for placed in new if placed.segment == n], check)


def _reworded(old: Sequence[_Placed], check: Check, home: int) -> Iterator[_Placed]:
    """The checked words in order, at the times and in the segments of those that they replace, else in ``home``."""
    texts = check.text.split()
    before, after = [_bare(one.word.text) for one in old], [_bare(text) for text in texts]
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for tag, first, last, begin, end in steps:
        was, now = old[first:last], texts[begin:end]
        if tag == "insert":
            beside = old[max(first - 1, 0)].segment if old else home
            yield from (_Placed(beside, word) for word in _spread(now, *_gap(old, first, check)))
        elif len(was) == len(now):
            for one, text in zip(was, now, strict=True):
                yield _Placed(one.segment, one.word._replace(text=text, probability=1.0))
        else:
            yield from _in_place_of(was, now, check)


def _bare(word: str) -> str:
    """A word by which to find it again where only capitals or punctuation changed."""
    return "".join(c for c in word.casefold() if c.isalnum()) or word


def _in_place_of(old: Sequence[_Placed], texts: Sequence[str], check: Check) -> Iterator[_Placed]:
    """Words in the place of more or fewer others: shared out among their segments, evenly over the time of those."""
    owners = [old[n * len(old) // len(texts)].segment for n in range(len(texts))]
    for segment, group in groupby(zip(owners, texts, strict=True), key=lambda pair: pair[0]):
        own = [one.word for one in old if one.segment == segment]
        start = max(own[0].start, check.start)
        end = max(start, min(own[-1].end, check.end))
        yield from (_Placed(segment, word) for word in _spread([text for _, text in group], start, end))


def _gap(old: Sequence[_Placed], at: int, check: Check) -> tuple[float, float]:
    """When words can be said that are missing before word number ``at``: where no pause is, late in the one before."""
    last = max(old[at].word.start, check.start) if at < len(old) else check.end
    if at == 0:
        return check.start, last
    before = old[at - 1].word
    first = max(before.end, check.start)
    if first >= last:
        first = max(_middle(before), check.start)
    return first, max(first, min(last, check.end))


def _spread(texts: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
    """Words one after the other from start to end, each as long as its share of the characters."""
    return timed_words(Segment(start, end, " ".join(texts)))


def _filled(segment: Segment, words: Sequence[Word], check: Check) -> Segment:
    """A segment with these words in the place of those of its own that a check is about."""
    others = [word for word in timed_words(segment) if not _is_about(check, segment, word)]
    before = [word for word in others if _middle(word) < check.start]
    found = (*before, *words, *others[len(before) :])
    return replace(
        segment,
        start=min([segment.start, *(word.start for word in words)]),
        end=max([segment.end, *(word.end for word in words)]),
        text=" ".join(word.text for word in found),
        words=found,
        confidence=round(fmean(word.probability for word in found), 4) if found else None,
    )
