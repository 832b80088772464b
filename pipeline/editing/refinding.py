"""Where the words of a check stand in any transcript of its recording, and keeping words to their side of its edges.

Pure functions: says nothing about what takes their place.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import product

from rapidfuzz.distance import Indel

from pipeline.model import Check, Word

EDGE = 1.0  # seconds; another transcription puts the same word a little earlier or later, and a publisher's some more
LIKE = 0.5  # of their letters are alike where words are taken for those that were checked
SLID = 0.3  # seconds; a word that lies further inside a check did not slide in from beside it
_MISSED = 2  # wrong letters; as bad is one that a person did not hear there, but that is left


def refound(words: Sequence[Word], check: Check, begin: int = 0) -> tuple[int, int]:
    """Return which words of a transcript are those that a check is about: the first, and the one after the last.

    Times are only a first guess. It is the run whose letters are nearest to the words that the machine heard when it
    was checked, or to those that the person did. Where none is near, it is what lies wholly within the check; a word
    across its edge was not checked, so it stays, unless it is the very word that the check begins or ends with.

    Args:
        words: in order of time.
        check: of the same recording.
        begin: the first of the words that no earlier check is about.
    """
    firsts = range(
        bisect_left(words, check.start - EDGE, begin, key=lambda word: word.start),
        min(bisect_right(words, check.start + EDGE, begin, key=lambda word: word.start) + 1, len(words)),
    )
    stops = range(
        max(bisect_left(words, check.end - EDGE, begin, key=lambda word: word.end), begin),
        bisect_right(words, check.end + EDGE, begin, key=lambda word: word.end) + 1,
    )
    runs = [(first, stop) for first, stop in product(firsts, stops) if first < stop]
    best = min(runs, key=lambda run: _misfit(words, check, run, (firsts.start, stops.stop - 1)), default=None)
    if best and _likeness(words[slice(*best)], check) >= LIKE:
        return best
    return _within(words, check, begin)


def bare(word: str) -> str:
    """Return a word by which to find it again where only capitals or punctuation changed."""
    return "".join(c for c in word.casefold() if c.isalnum()) or word


def middle(word: Word) -> float:
    """Return the second by which a word belongs to a stretch."""
    return (word.start + word.end) / 2


def fitted(words: Sequence[Word], start: float, end: float) -> list[Word]:
    """Return words in the same order and proportion within two seconds, as near to their own times as that allows."""
    if not words:
        return []
    first, last = min(word.start for word in words), max(word.end for word in words)
    if start <= first and last <= end:
        return list(words)
    length = min(last - first, end - start)
    begin, stop = max(first, start), min(last, end)
    if begin >= stop:
        begin, stop = (end - length, end) if first >= start else (start, start + length)
    scale = (stop - begin) / ((last - first) or 1)

    def moved(second: float) -> float:
        return min(begin + (second - first) * scale, stop)

    return [word._replace(start=moved(word.start), end=moved(word.end)) for word in words]


def kept_out(words: Sequence[Word], start: float, end: float) -> list[Word]:
    """Return the words between two checks without any that reaches into one of them: only those move that have to.

    Where two checks touch, nothing else is said in between.

    Args:
        words: in order of time.
        start: the end of the check before.
        end: the start of the check after.
    """
    if end <= start:
        return []
    late = next((n for n, word in enumerate(words) if word.end > end), len(words))
    while 0 < late < len(words) and words[late].start >= end:
        late -= 1
    room = words[late].start if late < len(words) and words[late].start < end else start
    found = [*words[:late], *fitted(words[late:], room, end)]
    early = sum(word.start < start for word in found)
    while 0 < early < len(found) and found[early - 1].end <= start:
        early += 1
    room = found[early - 1].end if early and found[early - 1].end > start else end
    return [*fitted(found[:early], start, room), *found[early:]]


def _misfit(words: Sequence[Word], check: Check, run: tuple[int, int], near: tuple[int, int]) -> tuple[float, float]:
    """How little a run suits a check: in letters that are wrong, then in seconds.

    What the machine heard is found wherever it is. What the person heard may be less than lies there.
    """
    first, stop = run
    left_out = (*words[near[0] : first], *words[stop : near[1]])
    inside = [word for word in left_out if check.start + SLID <= middle(word) < check.end - SLID]
    machine, text = (Indel.distance(_letters(words[first:stop]), known) for known in _known(check))
    seconds = abs(words[first].start - check.start) + abs(words[stop - 1].end - check.end)
    return min(machine, text + _MISSED * len(_letters(inside))), seconds


def _likeness(words: Sequence[Word], check: Check) -> float:
    """How many of the letters are those of the check, 0 to 1."""
    letters = _letters(words)
    return max(Indel.normalized_similarity(letters, known) for known in _known(check))


def _known(check: Check) -> tuple[str, str]:
    """The letters of what the machine heard, and of what the person did."""
    machine, text = ("".join(bare(word) for word in said.split()) for said in (check.machine, check.text))
    return machine, text


def _letters(words: Sequence[Word]) -> str:
    return "".join(bare(word.text) for word in words)


def _within(words: Sequence[Word], check: Check, begin: int) -> tuple[int, int]:
    first = bisect_left(words, check.start, begin, key=lambda word: word.start)
    stop = max(bisect_right(words, check.end, begin, key=lambda word: word.end), first)
    said = [[bare(word) for word in text.split()] for text in (check.machine, check.text) if text]
    if first > begin and words[first - 1].end > check.start and bare(words[first - 1].text) in {one[0] for one in said}:
        first -= 1
    if stop < len(words) and words[stop].start < check.end and bare(words[stop].text) in {one[-1] for one in said}:
        stop += 1
    return first, stop
