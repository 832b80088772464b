"""Sentence vectors that are kept in a folder, so that they are worked out once. It works none out itself."""

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

# Raise this when the same text may have another vector: other weights, another cut of long texts.
VERSION = 1


class Remembered:
    """What ``encode`` gives, from files where it is there. The folder may be deleted, or not be writable."""

    def __init__(self, encode: Encode, folder: Path) -> None:
        self._encode, self._folder = encode, folder

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, (texts, 384), to half precision: the same whether they were kept or not."""
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
    """Return what gives sentence vectors, and keeps them in the data folder; None where they are not installed."""
    return Remembered(encoded, data / VECTORS) if is_installed() else None


def _kept(file: Path) -> Vectors | None:
    try:
        return np.asarray(np.load(io.BytesIO(file.read_bytes()), allow_pickle=False), np.float32)
    except Exception:  # noqa: BLE001 - a file that is no use, whatever is in it, is made anew
        return None
