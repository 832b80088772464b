"""Reading weights from CTranslate2's model.bin as arrays: the layout of ``ModelSpec._serialize``, version 6."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import WeightsError

_VERSION = 6
# In the order of ctranslate2's DataType. numpy has no bfloat16: its bits are read as integers, and converted.
_TYPES = ("<f4", "i1", "<i2", "<i4", "<f2", "<u2")
_BFLOAT16 = 5


class Variables(Mapping[str, NDArray[Any]]):
    """The variables of a model.bin by name, as arrays that are memory-mapped.

    Quantised weights are converted to float32 on access.
    """

    def __init__(self, path: Path) -> None:
        """Index a file.

        Raises:
            WeightsError: The file is truncated, of another version, or not a Whisper model.
        """
        try:
            content = np.memmap(path, np.uint8, mode="c")
            self._stored = _stored(_Reader(content))
        except (OSError, ValueError, LookupError) as error:
            raise WeightsError(f"{path} is not a sound CTranslate2 model of version {_VERSION}: {error}") from error

    def __getitem__(self, name: str) -> NDArray[Any]:
        return _dequantised(self._stored[name], self._stored.get(f"{name}_scale"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def layers(self, side: str) -> int:
        """The number of layers of the ``encoder`` or the ``decoder``."""
        return sum(f"{side}/layer_{n}/self_attention/linear_0/weight" in self for n in range(len(self)))

    def same(self, name: str, other: str) -> bool:
        """Tell whether two names refer to the same variable."""
        return self._stored[name] is self._stored[other]


class _Reader:
    """Reads values from the bytes of a model.bin, one after the other; raises ValueError at the end."""

    def __init__(self, content: NDArray[np.uint8]) -> None:
        self._content = content
        self._at = 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack(f"<{form}", self.array("i1", struct.calcsize(form)).tobytes())
        return int(value)

    def text(self) -> str:
        return self.array("i1", self.number("H")).tobytes().decode("utf-8").removesuffix("\0")

    def array(self, dtype: str, size: int) -> NDArray[Any]:
        array = np.frombuffer(self._content, dtype, count=size, offset=self._at) if size else np.empty(0, dtype)
        self._at += array.nbytes
        return array


def _stored(reader: _Reader) -> dict[str, NDArray[Any]]:
    if (version := reader.number("I")) != _VERSION:
        raise ValueError(f"its version is {version}")
    if (kind := reader.text()) != "WhisperSpec":
        raise ValueError(f"it is a {kind!r}, not a WhisperSpec")
    reader.number("I")  # the revision of the layout; a variable that has moved raises an error when it is accessed
    stored = dict(_variable(reader) for _ in range(reader.number("I")))
    for _ in range(reader.number("I")):
        alias, original = reader.text(), reader.text()
        for suffix in ("", "_scale"):
            if original + suffix in stored:
                stored[alias + suffix] = stored[original + suffix]
    return stored


def _variable(reader: _Reader) -> tuple[str, NDArray[Any]]:
    name = reader.text()
    shape = [reader.number("I") for _ in range(reader.number("B"))]
    kind, size = reader.number("B"), reader.number("I")
    dtype = np.dtype(_TYPES[kind])
    if size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} has {size} bytes, which do not fit its shape {shape}")
    values = reader.array(_TYPES[kind], math.prod(shape)).reshape(shape)
    if kind == _BFLOAT16:
        values = (values.astype("<u4") << 16).view("<f4")
    return name, values


def _dequantised(value: NDArray[Any], scale: NDArray[Any] | None) -> NDArray[Any]:
    """Undo ``LayerSpec._quantize``: int8 has one scale per row, int16 one in all."""
    if scale is None:
        return value
    return value.astype(np.float32) / scale.reshape(-1, *[1] * (value.ndim - 1)).astype(np.float32)
