"""Converting a checkpoint of openai-whisper to whisper.cpp's format. Only the benchmark needs it.

The layout is that of whisper.cpp's ``whisper_model_load``: little-endian, no padding.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
import whisper

from pipeline.files import new_file

_MAGIC = 0x67676D6C  # "ggml"
_FLOAT32, _FLOAT16 = 0, 1
_DIMS = (
    "n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
    "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels",
)  # fmt: skip
_ASSETS = Path(whisper.__file__).parent / "assets"


def write_ggml(checkpoint: Path, target: Path) -> None:
    """Convert a checkpoint: matrices as float16, as OpenAI published them, all else as float32.

    Args:
        checkpoint: A file made by ``pipeline.speech.checkpoint.checkpoint_of``.
        target: The file to write, which is replaced atomically.
    """
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    dims: Mapping[str, int] = content["dims"]
    with new_file(target) as out:
        out.write(struct.pack("<12i", _MAGIC, *(dims[name] for name in _DIMS), _FLOAT16))
        _write_mel_filters(out, dims["n_mels"])
        _write_vocabulary(out, multilingual=dims["n_vocab"] >= 51865)
        for name, tensor in content["model_state_dict"].items():
            _write_tensor(out, name, tensor)


def _write_mel_filters(out: BinaryIO, n_mels: int) -> None:
    with np.load(_ASSETS / "mel_filters.npz") as filters:
        matrix = filters[f"mel_{n_mels}"].astype("<f4")
    out.write(struct.pack("<2i", *matrix.shape) + matrix.tobytes())


def _write_vocabulary(out: BinaryIO, *, multilingual: bool) -> None:
    lines = (_ASSETS / ("multilingual.tiktoken" if multilingual else "gpt2.tiktoken")).read_bytes().splitlines()
    tokens = [base64.b64decode(line.split()[0]) for line in lines if line]
    out.write(struct.pack("<i", len(tokens)))
    out.writelines(struct.pack("<i", len(token)) + token for token in tokens)


def _write_tensor(out: BinaryIO, name: str, tensor: torch.Tensor) -> None:
    array = tensor.squeeze().float().numpy()
    if name in {"encoder.conv1.bias", "encoder.conv2.bias"}:
        array = array[:, None]  # whisper.cpp adds it to a matrix
    small = array.ndim < 2 or name.endswith((".bias", "positional_embedding"))
    header = struct.pack("<3i", array.ndim, len(name), _FLOAT32 if small else _FLOAT16)
    sizes = struct.pack(f"<{array.ndim}i", *reversed(array.shape))
    out.write(header + sizes + name.encode() + array.astype("<f4" if small else "<f2").tobytes())
