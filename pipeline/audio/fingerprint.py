"""Fingerprints of decoded sound that survive when a recording is encoded again. Compares nothing.

After Haitsma and Kalker, “A Highly Robust Audio Fingerprinting System”, ISMIR 2002: each bit of a word tells whether
the energy of one band grew relative to the next band. Loudness, codec, rate and number of channels hardly matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decode import decoded_blocks

RATE = 8_000  # Hz; the part of a voice that survives the lowest bit rates lies below half of it
BITS = 32
HOP = 160  # samples
SECONDS = HOP / RATE  # between words: 20 ms
_FRAME = 512  # samples, 64 ms
_MEAN = 9  # frames over which energies are summed, 180 ms, so that the position of the first frame hardly matters
_LAG = 4  # frames between the energies that are compared, 80 ms
_REACH = ((_MEAN + _LAG - 1) * HOP + _FRAME) // 2  # samples on each side of a word that it depends on
_TINY = float(np.finfo(np.float32).tiny)
_BLOCK = 2048  # words computed at a time, 41 s
_EDGES = np.geomspace(300.0, 3200.0, BITS + 2) * _FRAME / RATE  # of the bands, in FFT bins
# Levels in dB relative to the loud sound nearby. A word below the first has weight 0, because codecs drop such sound or
# replace it by other noise; a word above the second has weight 1.
_SILENT, _LOUD = -45.0, -25.0
_NEARBY = 500  # words, 10 s
_QUIET = -25.0  # dB relative to the loud sound of the whole recording: the lowest level taken for "loud nearby"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A recording's words, one every ``SECONDS`` from its beginning.

    ``sound`` is the weight of each: 0 for silence, 1 for sound as loud as speech.
    """

    words: NDArray[np.uint32]
    sound: NDArray[np.float32]


def fingerprint(path: Path) -> Fingerprint:
    """Decode a kept file and return its fingerprint.

    Raises:
        NotAudioError: it has no sound that can be decoded.
    """
    return fingerprint_of(decoded_blocks(path, sample_rate=RATE))


def fingerprint_of(blocks: Iterable[NDArray[np.float32]]) -> Fingerprint:
    """Return the fingerprint of mono samples at ``RATE`` Hz, given in blocks of any length."""
    words, levels = [np.empty(0, np.uint32)], [np.empty(0)]
    for samples in _stretches(blocks):
        energies = _band_energies(samples)
        levels.append((energies[_LAG:] + energies[:-_LAG]).sum(axis=1))
        words.append(_words(energies))
    return Fingerprint(np.concatenate(words), _sound(np.concatenate(levels)))


def _sound(energies: NDArray[np.float64]) -> NDArray[np.float32]:
    if not energies.any():
        return np.zeros(len(energies), np.float32)
    loud = np.maximum(_loud_nearby(energies), np.quantile(energies, 0.95) * 10 ** (_QUIET / 10))
    decibels = 10 * np.log10((energies + _TINY) / loud)
    return np.clip((decibels - _SILENT) / (_LOUD - _SILENT), 0, 1).astype(np.float32)


def _loud_nearby(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loud level within some ten seconds of each word, so that a louder advertisement does not hide speech."""
    blocks = np.pad(energies, (0, -len(energies) % _NEARBY), mode="edge").reshape(-1, _NEARBY)
    loud = np.pad(np.quantile(blocks, 0.95, axis=1), 1, mode="edge")
    return np.maximum(np.maximum(loud[:-2], loud[1:-1]), loud[2:]).repeat(_NEARBY)[: len(energies)]


def _stretches(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The samples of ``_BLOCK`` words at a time, padded with silence at the beginning and end of the recording.

    Stretches overlap by the samples that words of both depend on.
    """
    silence = np.zeros(_REACH, np.float32)
    pending, size = [silence], silence.size
    for block in chain(blocks, [silence]):
        pending.append(block)
        size += block.size
        while size >= (_BLOCK - 1) * HOP + 2 * _REACH:
            samples = np.concatenate(pending)
            yield samples[: (_BLOCK - 1) * HOP + 2 * _REACH]
            pending = [samples[_BLOCK * HOP :]]
            size = pending[0].size
    if size >= 2 * _REACH:
        yield np.concatenate(pending)


def _band_energies(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Energies of logarithmically spaced bands, each summed over ``_MEAN`` frames; shape (frames, bands)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32))) ** 2
    below = np.pad(np.cumsum(power, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    bins = _EDGES.astype(int)
    share = _EDGES - bins
    bands = np.diff(below[:, bins] * (1 - share) + below[:, bins + 1] * share, axis=1)
    summed: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(bands, _MEAN, axis=0).sum(axis=-1)
    return summed


def _words(energies: NDArray[np.float64]) -> NDArray[np.uint32]:
    level = np.log(energies + _TINY)
    slope = level[:, :-1] - level[:, 1:]
    bits = np.packbits(slope[_LAG:] > slope[:-_LAG], axis=1)
    return np.ascontiguousarray(bits).view(np.uint32).reshape(-1)
