"""Telling a recording that was only encoded again from one that was edited, and mapping times between the two.

Does not decide which of them is current.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.audio.fingerprint import SECONDS, Fingerprint, fingerprint
from pipeline.audio.offsets import CommonSpan, common, exact_shift
from pipeline.model import Comparison, Piece, Verdict

_A_LITTLE = 0.15  # seconds of sound; a spoken word that is cut out is longer, what an encoder drops at an end is not
_AUDIBLE = 0.5  # the least weight in ``Fingerprint.sound`` that is not silence
_MOVED = 0.1  # seconds; cuts are longer, smaller differences may be clock drift
_HARDLY = 0.1  # share of its sound; if no more of the old recording is found, the new one is another


def compare(old: Path, new: Path, *, names: tuple[str, str]) -> Comparison:
    """Compare two kept files.

    Args:
        old: the earlier file.
        new: the later file.
        names: the SHA-256 of each.

    Raises:
        NotAudioError: one of them cannot be decoded.
    """
    return comparison(fingerprint(old), fingerprint(new), names=names)


def comparison(old: Fingerprint, new: Fingerprint, *, names: tuple[str, str]) -> Comparison:
    """Compare two recordings by their fingerprints."""
    spans = common(old, new)
    shifts = [exact_shift(old, new, span) for span in spans]
    gone = tuple(_sounding(old, _between([(span.start, span.end) for span in spans], len(old.words))))
    added = tuple(_sounding(new, _between([(span.new_start, span.new_end) for span in spans], len(new.words))))
    kept = sum(float(old.sound[span.start : span.end].sum()) for span in spans)
    if kept <= _HARDLY * float(old.sound.sum()):
        verdict: Verdict = "other"
    elif gone:
        verdict = "changed"
    elif added or any(abs(after - before) > _MOVED for before, after in pairwise(shifts)):
        verdict = "spliced"
    else:
        verdict = "same"
    return Comparison(*names, verdict, tuple(_pieces(spans, shifts)), gone, added)


def _between(spans: Iterable[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in spans:
        yield position, start
        position = end
    yield position, length


def _sounding(one: Fingerprint, stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[float, float]]:
    """The stretches with more than ``_A_LITTLE`` seconds of sound, trimmed of silence at both ends, in seconds."""
    for start, end in stretches:
        places = start + np.flatnonzero(one.sound[start:end] >= _AUDIBLE)
        if places.size * SECONDS > _A_LITTLE:
            yield round(int(places[0]) * SECONDS, 2), round((int(places[-1]) + 1) * SECONDS, 2)


def _pieces(spans: Sequence[CommonSpan], shifts: Sequence[float]) -> Iterator[Piece]:
    for span, shift in zip(spans, shifts, strict=True):
        start = max(span.start * SECONDS, -shift, 0.0)  # a fractional shift may lead before the beginning
        yield Piece(round(start, 3), round(span.end * SECONDS, 3), round(start + shift, 3))
