"""Finding the sound of one recording in another by their fingerprints. Draws no conclusions.

Sound that is in both lies on a diagonal: a constant number of words later in one than in the other. Diagonals are found
by correlation, followed as long as words agree, and chained in the order of both recordings: music that is played
several times matches in many places, but only one of them is in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.fingerprint import BITS, SECONDS, Fingerprint

Floats = NDArray[np.float32]

# Different sound agrees in half of the bits, over a second in 0.50 ± 0.02. Encoded again with 24 to 128 kbit/s, sound
# agrees with itself in 0.85 to 0.99 of them, its worst seconds in 0.65.
_ALIKE = 0.62
_UNLIKE = 0.56  # a whole stretch that agrees less is different sound, not only degraded sound
_SECOND = round(1 / SECONDS)  # words
_BRIEF = round(0.7 * _SECOND)  # shorter stretches cannot be classified: words near a cut depend on both of its sides
_LEAST = 5.0  # the lowest score of a span: a second of agreement in 0.72
_STEP = 4  # words; every fourth, one per 80 ms, is enough to find diagonals
_PASSES = (300 * _SECOND, 30 * _SECOND)  # words that are correlated together, per pass: first many, which is fast
_PEAKS = 8  # diagonals that are tried for each stretch
_CLEAR = 5.0  # standard deviations that a peak must exceed
_MOST = 2000  # spans that are chained; only looping music has more, and is not worth the time


@dataclass(frozen=True, slots=True)
class CommonSpan:
    """A stretch in both recordings: words ``start`` to ``end`` of the old one, ``shift`` words later in the new one.

    ``score`` sums over its words how much more they agree than ``_ALIKE``, weighted by their sound.
    """

    start: int
    end: int
    shift: int
    score: float

    @property
    def new_start(self) -> int:
        """Return the word at which it begins in the new recording."""
        return self.start + self.shift

    @property
    def new_end(self) -> int:
        """Return the word at which it ends in the new recording."""
        return self.end + self.shift


def common(old: Fingerprint, new: Fingerprint) -> tuple[CommonSpan, ...]:
    """Return the spans that are in both recordings, in order; no two overlap in either of them."""
    whole = _Gap(0, len(old.words), 0, len(new.words))
    spans: list[CommonSpan] = []
    for length in _PASSES:
        found = [span for gap in _gaps(spans, whole) for span in _filled(old, new, gap, length)]
        spans = sorted([*spans, *found], key=lambda span: span.start)
    return tuple(_fitted(_joined(spans, old, new), old, new))


def exact_shift(old: Fingerprint, new: Fingerprint, span: CommonSpan) -> float:
    """Return how much later a span begins in the new recording, in seconds, with sub-word precision.

    Agreement falls equally on both sides of the true shift, so three shifts are enough to interpolate it.
    """
    before, here, after = (
        float(_scores(old, new, span.start, span.end, span.shift + more).mean()) for more in (-1, 0, 1)
    )
    fall = max(here - before, here - after)
    part = (after - before) / (2 * fall) if fall > 0 else 0.0
    return (span.shift + min(max(part, -0.5), 0.5)) * SECONDS


@dataclass(frozen=True, slots=True)
class _Gap:
    """A stretch of each recording in which no common sound is known yet."""

    start: int
    end: int
    new_start: int
    new_end: int


def _gaps(spans: Sequence[CommonSpan], whole: _Gap) -> Iterator[_Gap]:
    """The gaps before, between and after spans that last at least a second in both recordings."""
    ends = [(whole.start, whole.new_start), *((span.end, span.new_end) for span in spans)]
    starts = [*((span.start, span.new_start) for span in spans), (whole.end, whole.new_end)]
    for (start, new_start), (end, new_end) in zip(ends, starts, strict=True):
        if min(end - start, new_end - new_start) >= _SECOND:
            yield _Gap(start, end, new_start, new_end)


def _filled(old: Fingerprint, new: Fingerprint, gap: _Gap, length: int) -> list[CommonSpan]:
    """The best chain of spans in a gap, and recursively in the gaps that it leaves."""
    shifts = sorted(_shifts(old, new, gap, length))
    chain = _chain([span for shift in shifts for span in _runs(old, new, gap, shift)])
    return chain + [span for rest in _gaps(chain, gap) if chain for span in _filled(old, new, rest, length)]


def _shifts(old: Fingerprint, new: Fingerprint, gap: _Gap, length: int) -> set[int]:
    """The shifts at which a stretch of ``length`` words of the old recording correlates clearly with the new one."""
    target = _signs(new, gap.new_start, gap.new_end)
    longest = -(-min(length, gap.end - gap.start) // _STEP)
    size = 1 << (target.shape[1] + longest).bit_length()
    spectrum = np.fft.rfft(target, size)
    found = set()
    for start in range(gap.start, gap.end, length):
        end = min(start + length, gap.end)
        piece = _signs(old, start, end)
        match = np.fft.irfft((np.fft.rfft(piece, size).conj() * spectrum).sum(axis=0), size)
        for place in _peaks(match):
            later = place if place < target.shape[1] else place - size  # the correlation is circular
            found.add(_sharpened(old, new, start, end, gap.new_start - start + later * _STEP))
    return found


def _signs(one: Fingerprint, start: int, end: int) -> Floats:
    """Every ``_STEP``-th word as bits of 1 or -1, times the weight of its sound; shape (bits, words)."""
    words = np.ascontiguousarray(one.words[start:end:_STEP])
    bits = np.unpackbits(words.view(np.uint8).reshape(-1, BITS // 8), axis=1).astype(np.float32)
    return ((bits * 2 - 1) * one.sound[start:end:_STEP, None]).T


def _peaks(match: NDArray[np.floating]) -> Iterator[int]:
    least = _CLEAR * float(match.std())
    match = match.copy()
    for _ in range(_PEAKS):
        best = int(match.argmax())
        if match[best] <= least:
            return
        yield best
        match[max(0, best - 2) : best + 3] = 0


def _sharpened(old: Fingerprint, new: Fingerprint, start: int, end: int, shift: int) -> int:
    """The shift within ``_STEP`` words at which a stretch agrees best, counting only the parts that agree."""

    def fit(some: int) -> float:
        return float(np.maximum(_around(_scores(old, new, start, end, some)), 0).sum())

    return max(range(shift - _STEP, shift + _STEP + 1), key=fit)


def _scores(old: Fingerprint, new: Fingerprint, start: int, end: int, shift: int, *, alike: float = _ALIKE) -> Floats:
    """How much more each word agrees than ``alike``, weighted by its sound; 0 where either recording has ended."""
    scores = np.zeros(max(0, end - start), np.float32)
    first, last = max(start, -shift, 0), min(end, len(new.words) - shift, len(old.words))
    if first >= last:
        return scores
    here, there = slice(first, last), slice(first + shift, last + shift)
    agreement = 1 - np.bitwise_count(old.words[here] ^ new.words[there]) / np.float32(BITS)
    # The same speech has less weight near a louder advertisement, so the larger weight of both recordings is used.
    scores[first - start : last - start] = np.maximum(old.sound[here], new.sound[there]) * (agreement - alike)
    return scores


def _around(scores: Floats) -> Floats:
    """The sum over the second around each word."""
    half, count = _SECOND // 2, len(scores)
    total = np.pad(np.cumsum(scores, dtype=np.float64), (half + 1, 0))
    total = np.pad(total, (0, half), mode="edge")
    return (total[2 * half : 2 * half + count] - total[:count]).astype(np.float32)


def _runs(old: Fingerprint, new: Fingerprint, gap: _Gap, shift: int) -> Iterator[CommonSpan]:
    """The spans of one diagonal: stretches that agree over a second, with the ends that give the highest score."""
    start, end = max(gap.start, gap.new_start - shift), min(gap.end, gap.new_end - shift)
    scores = _scores(old, new, start, end, shift)
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])
    agrees = np.concatenate([[False], _around(scores) > 0, [False]])
    edges = np.flatnonzero(agrees[1:] != agrees[:-1]).reshape(-1, 2)
    for first, last in edges.tolist():
        low = max(first - _SECOND // 2, 0)
        begin = low + int(total[low : last + 1].argmin())
        high = min(last + _SECOND // 2, len(scores))
        stop = high - int(total[begin : high + 1][::-1].argmax())
        if total[stop] - total[begin] >= _LEAST:
            yield CommonSpan(start + begin, start + stop, shift, float(total[stop] - total[begin]))


def _chain(spans: Sequence[CommonSpan]) -> list[CommonSpan]:
    """The spans with the highest total score that are in the same order in both recordings (dynamic programming)."""
    spans = sorted(sorted(spans, key=lambda span: -span.score)[:_MOST], key=lambda span: (span.start, span.new_start))
    starts, ends, new_starts, new_ends, scores = (
        np.array([getattr(span, name) for span in spans], np.float64)
        for name in ("start", "end", "new_start", "new_end", "score")
    )
    best, before = scores.copy(), np.full(len(spans), -1)
    for n in range(1, len(spans)):
        overlap = np.maximum(np.maximum(ends[:n] - starts[n], new_ends[:n] - new_starts[n]), 0)
        length = ends[n] - starts[n]
        follows = (starts[:n] < starts[n]) & (new_starts[:n] < new_starts[n]) & (overlap <= length - _SECOND)
        total = np.where(follows, best[:n] + scores[n] * (1 - overlap / length), 0)
        if total.max() > best[n]:
            best[n], before[n] = total.max(), total.argmax()
    chain = []
    place = int(best.argmax()) if spans else -1
    while place >= 0:
        chain.append(spans[place])
        place = int(before[place])
    return chain[::-1]


def _joined(spans: Sequence[CommonSpan], old: Fingerprint, new: Fingerprint) -> list[CommonSpan]:
    """Join neighbouring spans of one diagonal if only silence or degraded sound is between them."""
    joined: list[CommonSpan] = []
    for span in spans:
        if joined and abs(joined[-1].shift - span.shift) <= 1:
            stretch = (joined[-1].end, span.start, span.shift)
            between = _scores(old, new, *stretch)
            if between.sum() > -_LEAST or _scores(old, new, *stretch, alike=_UNLIKE).sum() >= 0:
                longer = max(joined[-1], span, key=lambda one: one.score)
                joined[-1] = CommonSpan(
                    joined[-1].start, span.end, longer.shift, joined[-1].score + float(between.sum()) + span.score
                )
                continue
        joined.append(span)
    return joined


def _fitted(spans: Sequence[CommonSpan], old: Fingerprint, new: Fingerprint) -> list[CommonSpan]:
    """Adjust the ends of spans so that they do not overlap, and meet if nothing is between them in one recording."""
    fitted: list[CommonSpan] = []
    for span in spans:
        if fitted:
            fitted[-1:] = _met(old, new, fitted[-1], span)
        else:
            fitted.append(_begun(old, new, span, min(span.start, span.new_start)))
    if fitted:
        last = fitted[-1]
        fitted[-1] = _ended(old, new, last, min(len(old.words) - last.end, len(new.words) - last.new_end))
    return fitted


def _met(old: Fingerprint, new: Fingerprint, last: CommonSpan, span: CommonSpan) -> tuple[CommonSpan, CommonSpan]:
    """Adjust the end of a span and the start of the next to each other."""
    room = _room(last, span)
    if room > _BRIEF:
        last = _ended(old, new, last, room)
        span = _begun(old, new, span, _room(last, span))
        room = _room(last, span)
    if room > _BRIEF:
        return last, span
    more = room // 2 if room >= 0 else _cut(old, new, last, span, -room)
    return replace(last, end=last.end + more), replace(span, start=span.start - (room - more))


def _room(last: CommonSpan, span: CommonSpan) -> int:
    """The number of words between two spans in both recordings; negative if they overlap in one."""
    return min(span.start - last.end, span.new_start - last.new_end)


def _begun(old: Fingerprint, new: Fingerprint, span: CommonSpan, room: int) -> CommonSpan:
    """Extend a span backwards, by at most ``room`` words, over sound that is degraded but not clearly different."""
    scores = _scores(old, new, span.start - room, span.start, span.shift, alike=_UNLIKE)
    return replace(span, start=span.start - _reach(scores[::-1]))


def _ended(old: Fingerprint, new: Fingerprint, span: CommonSpan, room: int) -> CommonSpan:
    """Extend a span forwards in the same way."""
    return replace(span, end=span.end + _reach(_scores(old, new, span.end, span.end + room, span.shift, alike=_UNLIKE)))


def _reach(scores: Floats) -> int:
    """The length of the prefix with the highest total score; all of it if it is no longer than ``_BRIEF``."""
    if len(scores) <= _BRIEF:
        return len(scores)
    total = np.concatenate([[0], scores.cumsum()])
    return int(total.argmax())


def _cut(old: Fingerprint, new: Fingerprint, last: CommonSpan, span: CommonSpan, overlap: int) -> int:
    """The change (at most 0) of the first span's end at which two overlapping spans agree best in total."""
    ending = _scores(old, new, last.end - overlap, last.end, last.shift)[::-1].cumsum()[::-1]
    beginning = _scores(old, new, span.start, span.start + overlap, span.shift).cumsum()
    lost = np.concatenate([ending, [0]]) + np.concatenate([[0], beginning])
    return int(lost.argmin()) - overlap
