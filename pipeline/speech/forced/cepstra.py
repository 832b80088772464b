"""The features of PocketSphinx's model: mel cepstra and their derivatives, as computed by its own front end.

The constants are those of the model's ``feat.params`` and the defaults of PocketSphinx 5's ``fe_sigproc.c``. Its noise
removal is left out; its effect has not been measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.speech.windows import Samples

FRAME = 0.01  # seconds between frames
STREAMS, DIMENSIONS = 3, 13

_HOP, _WIDTH, _POINTS = 160, 410, 512  # samples
_LOWEST, _HIGHEST = 130.0, 6800.0  # Hz
_BANDS, _LIFTER = 25, 22
_EMPHASIS = 0.97
_BLOCK = 256  # frames at a time, so that their spectra stay in the CPU cache
_FLOOR = 1e-4  # added to a band's energy, for 16-bit samples


def cepstra(samples: Samples) -> NDArray[np.float32]:
    """The cepstrum of each frame, (frames, 13), of mono samples at 16 kHz."""
    scaled = samples.clip(-1, 1) * np.float32(32767)
    scaled[1:] -= np.float32(_EMPHASIS) * scaled[:-1].copy()
    if scaled.size < _WIDTH:
        scaled = np.pad(scaled, (0, _WIDTH - scaled.size))
    frames = np.lib.stride_tricks.sliding_window_view(scaled, _WIDTH)[::_HOP]
    energies = np.empty((len(frames), _BANDS), np.float32)
    for block in (slice(at, at + _BLOCK) for at in range(0, len(frames), _BLOCK)):
        spectrum = np.fft.rfft(frames[block] * _WINDOW, _POINTS)
        energies[block] = (spectrum.real**2 + spectrum.imag**2) @ _FILTERS
    return np.asarray(np.log(energies + np.float32(_FLOOR)) @ _COSINES, np.float32)


def changes(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Three streams, (3, frames, 13): cepstra without their mean, and their first and second derivatives."""
    sounding = cepstra[cepstra[:, 0] >= 0]  # digital silence, of any length, must not affect the mean
    still = cepstra - (sounding if len(sounding) else cepstra).mean(axis=0)
    count = len(still)
    at = np.pad(still, ((3, 3), (0, 0)), mode="edge")
    slope = at[5 : 5 + count] - at[1 : 1 + count]
    bend = at[6 : 6 + count] - at[2 : 2 + count] - at[4 : 4 + count] + at[:count]
    return np.stack([still, slope, bend])


def _filters() -> NDArray[np.float32]:
    """Triangular filters of equal area, evenly spaced in mels, with edges on FFT bins; (bins, bands)."""
    bin_width = SAMPLE_RATE / _POINTS
    bins = np.arange(_POINTS // 2 + 1) * bin_width
    lowest, highest = (2595 * np.log10(1 + edge / 700) for edge in (_LOWEST, _HIGHEST))
    edges = 700 * (10 ** (np.linspace(lowest, highest, _BANDS + 2) / 2595) - 1)
    edges = np.floor(edges / bin_width + 0.5) * bin_width
    left, peak, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, np.newaxis] - left) / (peak - left)
    falling = (right - bins[:, np.newaxis]) / (right - peak)
    return np.asarray(np.minimum(rising, falling).clip(0) * 2 / (right - left), np.float32)


def _cosines() -> NDArray[np.float32]:
    """The orthonormal discrete cosine transform with liftering, (bands, 13)."""
    orders = np.arange(DIMENSIONS)
    waves = np.cos(np.pi / _BANDS * np.outer(np.arange(_BANDS) + 0.5, orders))
    waves *= np.where(orders == 0, np.sqrt(1 / _BANDS), np.sqrt(2 / _BANDS))
    return np.asarray(waves * (1 + _LIFTER / 2 * np.sin(np.pi / _LIFTER * orders)), np.float32)


_WINDOW = np.hamming(_WIDTH).astype(np.float32)
_FILTERS = _filters()
_COSINES = _cosines()
