"""How well sounds fit the states of phones: mixtures of Gaussians, worked out as products of matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.forced.cepstra import DIMENSIONS, STREAMS
from pipeline.speech.forced.sphinx_files import gaussians, mixture_weights

_LEAST_VARIANCE = 1e-2  # a tenth of a thousand are smaller, of densities that nothing was learnt for
_HEADROOM = 60.0  # with it, float32 holds a density down to exp(-147) of its peak
_NOTHING = np.float32(1e-30)


class Mixtures:
    """The senones of PocketSphinx's English model: each mixes the 128 densities of its phone, in three streams."""

    def __init__(self) -> None:
        means, variances = (part.astype(np.float64) for part in gaussians())
        variances = variances.clip(_LEAST_VARIANCE)
        peaks = -0.5 * (means**2 / variances + np.log(2 * np.pi * variances)).sum(axis=-1)
        # The logarithm of a density is the product of these with a feature's squares, itself, and one.
        factors = np.concatenate([-0.5 / variances, means / variances, peaks[..., np.newaxis] + _HEADROOM], axis=-1)
        self._factors = np.ascontiguousarray(factors.transpose(1, 0, 3, 2), np.float32)
        self._weights = mixture_weights()

    def scores(
        self, features: NDArray[np.float32], senones: NDArray[np.int_], phones: NDArray[np.int_]
    ) -> NDArray[np.float32]:
        """Tell how likely each senone sounds like this.

        Args:
            features: Three streams, (3, frames, 13).
            senones: Numbers of senones, none twice.
            phones: The number of each one's phone.

        Returns:
            Logarithms of likelihoods, less a constant, (frames, senones).
        """
        used, phone, count = np.unique(phones, return_inverse=True, return_counts=True)
        # Each phone's senones get rows of one block, as many for each phone, so that all are multiplied at once.
        row = np.empty_like(phone)
        row[np.argsort(phone)] = np.concatenate([np.arange(some) for some in count])
        weights = np.zeros((STREAMS, len(used), count.max(), self._weights.shape[2]), np.float32)
        weights[:, phone, row] = self._weights[:, senones]
        terms = np.ones((STREAMS, 1, features.shape[1], 2 * DIMENSIONS + 1), np.float32)
        terms[:, 0, :, :DIMENSIONS] = features**2
        terms[:, 0, :, DIMENSIONS:-1] = features
        densities = terms @ self._factors[:, used]
        np.exp(densities, out=densities)
        likelihoods = densities @ weights.swapaxes(2, 3)
        logarithms = np.log(likelihoods + _NOTHING, out=likelihoods).sum(axis=0)
        return np.asarray(logarithms[phone, :, row].T)
