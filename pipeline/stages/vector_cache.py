"""A cache of sentence vectors in a folder. Computes none itself."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from pipeline.align.meaning import DIMENSIONS, Encode, Vectors, encoded, is_installed
from pipeline.data_folder import VECTORS
from pipeline.files import new_file

# Increment this when the vector of a text may change: other weights, other truncation of long texts.
VERSION = 1


class Remembered:
    """The function ``encode`` with a cache of files. The folder may be deleted, or be read-only."""

    def __init__(self, encode: Encode, folder: Path) -> None:
        self._encode, self._folder = encode, folder

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, (texts, 384), rounded to half precision whether they were cached or not."""
        name = hashlib.sha256("\0".join([str(VERSION), *texts]).encode(errors="replace")).hexdigest()[:32]
        file = self._folder / f"{name}.npy"
        kept = _kept(file)
        if kept is not None and kept.shape == (len(texts), DIMENSIONS) and np.isfinite(kept).all():
            return kept
        vectors = self._encode(texts).astype(np.float16)
        with suppress(OSError):  # a full disk or a read-only archive costs time, not the alignment
            self._folder.mkdir(parents=True, exist_ok=True)
            with new_file(file) as out:
                np.save(out, vectors)
        return np.asarray(vectors, np.float32)


def vectors(data: Path) -> Encode | None:
    """Return an encoder with a cache in the data folder; None if sentence vectors are not installed."""
    return Remembered(encoded, data / VECTORS) if is_installed() else None


def _kept(file: Path) -> Vectors | None:
    try:
        return np.asarray(np.load(io.BytesIO(file.read_bytes()), allow_pickle=False), np.float32)
    except Exception:  # noqa: BLE001 - a file that is no use, whatever is in it, is made anew
        return None
