"""The acoustic scores of phones' states: Gaussian mixtures, computed as matrix products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.forced.cepstra import DIMENSIONS, STREAMS
from pipeline.speech.forced.sphinx_files import gaussians, mixture_weights

_LEAST_VARIANCE = 1e-2  # a tenth of a percent are smaller, of densities without training data
_HIGHEST = 85.0  # the highest log-density, after all are scaled by the same factor: float32 ends at exp(88)
_NOTHING = np.float32(1e-30)  # added to likelihoods, so that one that underflows is not quite impossible
_CHUNK = 256  # frames at a time, so that their densities stay in the CPU cache


class Mixtures:
    """The senones of PocketSphinx's English model: each mixes the 128 densities of its phone, in three streams."""

    def __init__(self, phone_of_senone: NDArray[np.int_]) -> None:
        means, variances = (part.astype(np.float64) for part in gaussians())
        variances = variances.clip(_LEAST_VARIANCE)
        peaks = -0.5 * np.log(2 * np.pi * variances).sum(axis=-1)
        at_zero = peaks - 0.5 * (means**2 / variances).sum(axis=-1) + _HIGHEST - peaks.max()
        # A log-density is the dot product of these with a feature vector's squares, the vector itself, and one.
        factors = np.concatenate([-0.5 / variances, means / variances, at_zero[..., np.newaxis]], axis=-1)
        self._factors = np.ascontiguousarray(factors.transpose(1, 0, 3, 2), np.float32)
        self._weights = mixture_weights()
        self._phone_of_senone = phone_of_senone

    def scores(self, features: NDArray[np.float32], senones: NDArray[np.int_]) -> NDArray[np.float32]:
        """Return how well senones fit each frame.

        Args:
            features: Three streams, (3, frames, 13).
            senones: Their numbers.

        Returns:
            Log-likelihoods up to a constant, (frames, senones).
        """
        terms = np.ones((STREAMS, features.shape[1], 2 * DIMENSIONS + 1), np.float32)
        terms[:, :, :DIMENSIONS] = features**2
        terms[:, :, DIMENSIONS:-1] = features
        scores = np.empty((features.shape[1], len(senones)), np.float32)
        phones = self._phone_of_senone[senones]
        for phone in np.unique(phones):
            mine = np.flatnonzero(phones == phone)
            weights = self._weights[:, senones[mine]].swapaxes(1, 2)
            for at in range(0, len(scores), _CHUNK):
                densities = terms[:, at : at + _CHUNK] @ self._factors[:, phone]
                likelihoods = np.exp(densities, out=densities) @ weights
                likelihoods += _NOTHING
                scores[at : at + _CHUNK, mine] = np.log(likelihoods, out=likelihoods).sum(axis=0)
        return scores
