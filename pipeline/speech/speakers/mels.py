"""The mel spectrogram that the speaker encoder was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.rate import SAMPLE_RATE

BANDS = 40
FRAMES_PER_SECOND = 100
_HOP = SAMPLE_RATE // FRAMES_PER_SECOND
_FFT = 400  # samples: 25 ms
_BLOCK = 2048  # frames transformed at a time, so that memory does not grow with the recording


def mel_power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The power in each mel band, (frames, 40): one frame every 10 ms, the first centred on the first sample.

    Equal to ``librosa.feature.melspectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40)``, transposed.
    """
    padded = np.pad(samples.astype(np.float32, copy=False), _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    blocks = []
    for at in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[at : at + _BLOCK] * _WINDOW, axis=1)
        blocks.append((spectrum.real**2 + spectrum.imag**2) @ _FILTERS)
    return np.concatenate(blocks)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear up to 1 kHz (mel 15), logarithmic above."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _filters() -> NDArray[np.float32]:
    """Triangular filters of equal area from FFT bins to mel bands, (201, 40)."""
    top = 15 + 27 * np.log(SAMPLE_RATE / 2 / 1000) / np.log(6.4)
    edges = _hertz(np.linspace(0, top, BANDS + 2))
    bins = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    filters = np.minimum(rising, falling).clip(0) * 2 / (edges[2:] - edges[:-2])
    return filters.astype(np.float32)


_FILTERS = _filters()
_WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)).astype(np.float32)
