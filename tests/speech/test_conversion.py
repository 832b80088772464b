"""Converting Whisper's weights: of a Whisper with two layers, four wide, in CTranslate2's format; and real ones."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ctranslate2
import numpy as np
import pytest
import torch
import whisper
import whisper.tokenizer
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.errors import WeightsError
from pipeline.speech.checkpoint import checkpoint_of, convert, load_folder
from pipeline.speech.engine import make_engine
from pipeline.speech.weights import PACKAGES
from pipeline.whisper_models import EngineName
from tests.support.recordings import spoken

ENGINES: tuple[EngineName, ...] = ("faster-whisper", "openai-whisper")


def numbers(*shape: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def layer(side: str, *, seed: int) -> dict[str, NDArray[Any]]:
    """A layer's variables: the part for the keys in the joined biases is 0, as in every Whisper."""
    bias = {name: numbers(4, seed=seed + n) for n, name in enumerate(("query", "value", "out", "cross"))}
    none = np.zeros(4, np.float32)
    attention = {
        "self_attention/linear_0/weight": numbers(12, 4, seed=seed + 4),
        "self_attention/linear_0/bias": np.concatenate([bias["query"], none, bias["value"]]),
        "self_attention/linear_1/weight": numbers(4, 4, seed=seed + 5),
        "self_attention/linear_1/bias": bias["out"],
    }
    cross = {
        "attention/linear_0/weight": numbers(4, 4, seed=seed + 6),
        "attention/linear_0/bias": bias["query"],
        "attention/linear_1/weight": numbers(8, 4, seed=seed + 7),
        "attention/linear_1/bias": np.concatenate([none, bias["cross"]]),
        "attention/linear_2/weight": numbers(4, 4, seed=seed + 8),
        "attention/linear_2/bias": bias["out"],
    }
    forward = {
        "ffn/linear_0/weight": numbers(16, 4, seed=seed + 9),
        "ffn/linear_0/bias": numbers(16, seed=seed + 10),
        "ffn/linear_1/weight": numbers(4, 16, seed=seed + 11),
        "ffn/linear_1/bias": numbers(4, seed=seed + 12),
    }
    norms = {
        f"{of}/layer_norm/{name}": numbers(4, seed=seed + 13)
        for of in ("self_attention", "attention", "ffn")[:: 2 if side == "encoder" else 1]
        for name in ("gamma", "beta")
    }
    return attention | forward | norms | (cross if side == "decoder" else {})


def small_model() -> dict[str, NDArray[Any]]:
    variables: dict[str, NDArray[Any]] = {
        "decoder/embeddings/weight": numbers(9, 4, seed=1),
        "encoder/conv1/weight": numbers(4, 80, 3, seed=2),
        "encoder/conv1/bias": numbers(4, seed=3),
        "encoder/conv2/weight": numbers(4, 4, 3, seed=4),
        "encoder/conv2/bias": numbers(4, seed=5),
        "encoder/position_encodings/encodings": numbers(6, 4, seed=6),
        "decoder/position_encodings/encodings": numbers(5, 4, seed=7),
    }
    for side in ("encoder", "decoder"):
        variables[f"{side}/num_heads"] = np.array(2, np.int16)
        variables |= {f"{side}/layer_norm/{name}": numbers(4, seed=8) for name in ("gamma", "beta")}
        for n in range(2):
            variables |= {f"{side}/layer_{n}/{name}": value for name, value in layer(side, seed=20 * n).items()}
    return variables


def write_model(
    path: Path,
    variables: Mapping[str, NDArray[Any]],
    *,
    version: int = 6,
    spec: str = "WhisperSpec",
    aliases: Mapping[str, str] = MappingProxyType({"decoder/projection/weight": "decoder/embeddings/weight"}),
) -> Path:
    """Write a model.bin as ctranslate2's ``ModelSpec._serialize`` does."""
    kinds = ["float32", "int8", "int16", "int32", "float16", "uint16"]  # the last stands for bfloat16

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", version) + text(spec) + struct.pack("<II", 3, len(variables))
    for name, value in variables.items():
        content += text(name) + struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
        content += struct.pack("<BI", kinds.index(value.dtype.name), value.nbytes) + value.tobytes()
    content += struct.pack("<I", len(aliases))
    content += b"".join(text(alias) + text(name) for alias, name in aliases.items())
    path.write_bytes(content)
    return path


def quantised(variables: Mapping[str, NDArray[Any]], kind: str) -> dict[str, NDArray[Any]]:
    """As ctranslate2's ``LayerSpec._quantize`` does."""
    result: dict[str, NDArray[Any]] = {}
    for name, value in variables.items():
        if kind == "float32" or value.dtype != np.float32:
            result[name] = value
        elif kind == "float16":
            result[name] = value.astype(np.float16)
        elif kind == "bfloat16":
            result[name] = (value.view(np.uint32) >> 16).astype(np.uint16)
        elif value.ndim < 2 or "encodings" in name:
            result[name] = value
        elif kind == "int16":
            scale = np.array(2**10 / np.abs(value).max(), np.float32)
            result |= {name: np.rint(value * scale).astype(np.int16), f"{name}_scale": scale}
        else:
            scale = 127 / np.abs(value.reshape(len(value), -1)).max(axis=1)
            rows = scale.reshape(-1, *[1] * (value.ndim - 1))
            result |= {name: np.rint(value * rows).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}
    return result


@pytest.mark.parametrize(
    ("kind", "near"), [("float32", 0), ("float16", 2e-3), ("bfloat16", 4e-2), ("int16", 4e-3), ("int8", 2e-2)]
)
def test_every_kind_of_number_converts_to_the_same_model(tmp_path: Path, kind: str, near: float) -> None:
    variables = small_model()
    state = convert(write_model(tmp_path / "model.bin", quantised(variables, kind)))["model_state_dict"]

    def assert_is(name: str, expected: NDArray[Any]) -> None:
        np.testing.assert_allclose(state[name].float().numpy(), expected, atol=near)

    assert_is("decoder.token_embedding.weight", variables["decoder/embeddings/weight"])
    assert_is("encoder.conv1.weight", variables["encoder/conv1/weight"])
    joined = variables["decoder/layer_1/self_attention/linear_0/weight"]
    assert_is("decoder.blocks.1.attn.query.weight", joined[:4])
    assert_is("decoder.blocks.1.attn.key.weight", joined[4:8])
    assert_is("decoder.blocks.1.attn.value.weight", joined[8:])
    assert_is("decoder.blocks.0.cross_attn.value.weight", variables["decoder/layer_0/attention/linear_1/weight"][4:])
    assert_is("encoder.blocks.0.mlp.2.bias", variables["encoder/layer_0/ffn/linear_1/bias"])


def test_the_conversion_fills_every_parameter_of_the_model(tmp_path: Path) -> None:
    """``load_state_dict`` rejects missing and unexpected parameters."""
    model_bin = write_model(tmp_path / "model.bin", small_model())
    model = whisper.load_model(str(checkpoint_of(model_bin, tmp_path, name="small", identity="0" * 64)))
    dims = (model.dims.n_mels, model.dims.n_vocab, model.dims.n_audio_layer, model.dims.n_text_head)
    assert dims == (80, 9, 2, 2)


def without(name: str) -> dict[str, NDArray[Any]]:
    return {key: value for key, value in small_model().items() if key != name}


def with_a_bias_for_keys() -> dict[str, NDArray[Any]]:
    return small_model() | {"encoder/layer_0/self_attention/linear_0/bias": np.ones(12, np.float32)}


@pytest.mark.parametrize(
    ("variables", "changes", "said"),
    [
        (small_model(), {"version": 5}, "its version is 5"),
        (small_model(), {"spec": "TransformerSpec"}, "'TransformerSpec', not a WhisperSpec"),
        (small_model(), {"aliases": {}}, "decoder/projection/weight"),
        (small_model(), {"aliases": {"decoder/projection/weight": "encoder/conv1/weight"}}, "is not its embedding"),
        (without("encoder/conv1/bias"), {}, "encoder/conv1/bias"),
        (with_a_bias_for_keys(), {}, "a bias for keys"),
    ],
)
def test_what_is_no_whisper_is_refused(
    tmp_path: Path, variables: Mapping[str, NDArray[Any]], changes: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(WeightsError, match=said):
        convert(write_model(tmp_path / "model.bin", variables, **changes))


@given(
    cut=st.floats(0, 1, exclude_max=True), flip=st.none() | st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1))
)
def test_no_damage_ends_in_anything_but_a_weights_error(
    tmp_path_factory: pytest.TempPathFactory, cut: float, flip: tuple[int, bytes] | None
) -> None:
    path = write_model(tmp_path_factory.mktemp("damaged") / "model.bin", small_model())
    content = bytearray(path.read_bytes())
    if flip:
        at = flip[0] % len(content)
        content[at : at + len(flip[1])] = flip[1]
    else:
        content = content[: int(cut * len(content))]
    path.write_bytes(content)
    if not flip:
        with pytest.raises(WeightsError):
            convert(path)
    else:
        with suppress(WeightsError):
            convert(path)


def test_a_kept_checkpoint_is_used_again_but_not_once_it_is_damaged(tmp_path: Path) -> None:
    model_bin = write_model(tmp_path / "model.bin", small_model())
    kept = checkpoint_of(model_bin, tmp_path, name="small", identity="0" * 64)
    first = kept.read_bytes()
    inode = kept.stat().st_ino
    assert checkpoint_of(model_bin, tmp_path, name="small", identity="0" * 64).stat().st_ino == inode
    kept.write_bytes(first[:-100])
    checkpoint_of(model_bin, tmp_path, name="small", identity="0" * 64)
    assert len(kept.read_bytes()) == len(first)
    assert {file.name for file in tmp_path.iterdir()} == {
        "model.bin", "small-000000000000.pt", "small-000000000000.pt.sha256",
    }  # fmt: skip


def test_the_converted_encoder_computes_what_ctranslate2_computes(tiny: Path, cache: Path) -> None:
    identity = PACKAGES["tiny.en"].sha256
    model = load_folder(tiny, cache, name="tiny.en", identity=identity)
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(spoken()))[None]
    with torch.no_grad():
        ours = model.encoder(mel).numpy()
    original = ctranslate2.models.Whisper(str(tiny), compute_type="float32", intra_threads=2)
    theirs = np.array(original.encode(ctranslate2.StorageView.from_array(mel.numpy())))
    assert np.abs(ours).max() > 1
    assert np.abs(ours - theirs).max() < 1e-3
    assert sorted(model.alignment_heads.indices().T.tolist()) == [[n, head] for n in (2, 3) for head in range(6)]


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "own.pt"
    checkpoint.write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match=r"cannot load .*own\.pt"):
        make_engine("openai-whisper", str(checkpoint), cache=tmp_path).transcribe([spoken()], language="en")
