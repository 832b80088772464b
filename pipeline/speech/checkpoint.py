"""Converting Whisper weights from CTranslate2's format to a checkpoint of openai-whisper.

This reverses ctranslate2's ``converters/transformers.py`` (``WhisperLoader``): names, and linear layers that were
fused.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import whisper
from numpy.typing import NDArray

from pipeline.errors import WeightsError
from pipeline.files import new_file, sha256_of
from pipeline.speech.download import stall_limit
from pipeline.speech.model_bin import Variables
from pipeline.speech.weights import no_weights


def load_folder(folder: Path, cache: Path, *, name: str, identity: str) -> whisper.Whisper:
    """Load a model folder in CTranslate2's format into openai-whisper.

    Args:
        folder: The model folder; its config.json names the alignment heads, which give the word times.
        cache: The folder for the converted checkpoint; see ``checkpoint_of``.
        name: As in ``checkpoint_of``.
        identity: As in ``checkpoint_of``.

    Raises:
        WeightsError: The folder holds no Whisper model, or one that cannot be converted.
    """
    model = load_file(checkpoint_of(folder / "model.bin", cache, name=name, identity=identity))
    try:
        heads = json.loads((folder / "config.json").read_text("utf-8"))["alignment_heads"]
        mask = np.zeros((model.dims.n_text_layer, model.dims.n_text_head), dtype=bool)
        mask[tuple(np.transpose(heads))] = True
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise WeightsError(f"{folder / 'config.json'} does not name its alignment heads: {error!r}") from error
    model.set_alignment_heads(base64.b85encode(gzip.compress(mask.tobytes())))
    return model


def load_file(checkpoint: Path) -> whisper.Whisper:
    """Load an openai-whisper checkpoint.

    Raises:
        WeightsError: The file is not such a checkpoint.
    """
    try:
        return whisper.load_model(str(checkpoint))
    except Exception as error:  # torch and pickle raise errors of many types for an invalid file
        raise WeightsError(f"openai-whisper cannot load {checkpoint}: {error}") from error


def load_name(model: str) -> whisper.Whisper:
    """Load one of openai-whisper's own models, which it downloads if necessary.

    Raises:
        WeightsError: It could not be downloaded or loaded.
    """
    try:
        with stall_limit():
            return whisper.load_model(model)
    except Exception as error:  # of urllib, sockets, checksums: all mean that there are no weights
        raise no_weights(model, "openai-whisper", error) from error


def checkpoint_of(model_bin: Path, cache: Path, *, name: str, identity: str) -> Path:
    """Convert a model.bin once, and cache the checkpoint as ``NAME-IDENTITY.pt``.

    Args:
        model_bin: A Whisper model in CTranslate2's format.
        cache: The folder for the checkpoint, and a file beside it with its SHA-256; created when needed.
        name: The first part of the checkpoint's file name.
        identity: The SHA-256 of model.bin; its first 12 digits are the second part.

    Raises:
        WeightsError: As for ``convert``.
    """
    kept = cache / f"{name}-{identity[:12]}.pt"
    seal = kept.with_suffix(".pt.sha256")
    if kept.exists() and seal.exists() and seal.read_text() == sha256_of(kept):
        return kept
    checkpoint = convert(model_bin)
    cache.mkdir(parents=True, exist_ok=True)
    with new_file(kept) as file, new_file(seal) as sealed:
        torch.save(checkpoint, file)
        file.flush()
        sealed.write(sha256_of(Path(file.name)).encode())
    return kept


def convert(model_bin: Path) -> dict[str, dict[str, Any]]:
    """Convert a model.bin to openai-whisper's checkpoint: ``dims`` and ``model_state_dict``.

    Raises:
        WeightsError: The file holds no Whisper model, or one that openai-whisper cannot represent.
    """
    variables = Variables(model_bin)
    try:
        dims = _dims(variables)
        state = dict(_state(variables, dims))
    except (ValueError, TypeError, LookupError) as error:
        raise WeightsError(f"{model_bin} is not laid out as a Whisper model: {error!r}") from error
    # Copies only the arrays whose memory torch cannot use as it is.
    needs: tuple[Literal["C", "A", "W"], ...] = ("C", "A", "W")
    tensors = {key: torch.from_numpy(np.require(value, requirements=needs)) for key, value in state.items()}
    return {"dims": dims, "model_state_dict": tensors}


def _dims(variables: Variables) -> dict[str, int]:
    n_audio_ctx, n_audio_state = variables["encoder/position_encodings/encodings"].shape
    n_text_ctx, n_text_state = variables["decoder/position_encodings/encodings"].shape
    return {
        "n_mels": variables["encoder/conv1/weight"].shape[1],
        "n_audio_ctx": n_audio_ctx,
        "n_audio_state": n_audio_state,
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": variables.layers("encoder"),
        "n_vocab": variables["decoder/embeddings/weight"].shape[0],
        "n_text_ctx": n_text_ctx,
        "n_text_state": n_text_state,
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": variables.layers("decoder"),
    }


def _state(variables: Variables, dims: dict[str, int]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield openai-whisper's parameters with their names."""
    if not variables.same("decoder/projection/weight", "decoder/embeddings/weight"):
        raise ValueError("its output projection is not its embedding, as in every Whisper of OpenAI's")
    for name in ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"):
        yield f"encoder.{name}", variables[f"encoder/{name.replace('.', '/')}"]
    yield "decoder.token_embedding.weight", variables["decoder/embeddings/weight"]
    for side, count in (("encoder", dims["n_audio_layer"]), ("decoder", dims["n_text_layer"])):
        yield f"{side}.positional_embedding", variables[f"{side}/position_encodings/encodings"]
        yield from _norm(variables, f"{side}/layer_norm", "encoder.ln_post" if side == "encoder" else "decoder.ln")
        for n in range(count):
            yield from _block(variables, f"{side}/layer_{n}", f"{side}.blocks.{n}")


def _block(variables: Variables, source: str, target: str) -> Iterator[tuple[str, NDArray[Any]]]:
    yield from _norm(variables, f"{source}/self_attention/layer_norm", f"{target}.attn_ln")
    yield from _linear(variables, f"{source}/self_attention/linear_0", target, "attn.query attn.key attn.value")
    yield from _linear(variables, f"{source}/self_attention/linear_1", target, "attn.out")
    if source.startswith("decoder"):
        yield from _norm(variables, f"{source}/attention/layer_norm", f"{target}.cross_attn_ln")
        yield from _linear(variables, f"{source}/attention/linear_0", target, "cross_attn.query")
        yield from _linear(variables, f"{source}/attention/linear_1", target, "cross_attn.key cross_attn.value")
        yield from _linear(variables, f"{source}/attention/linear_2", target, "cross_attn.out")
    yield from _norm(variables, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
    yield from _linear(variables, f"{source}/ffn/linear_0", target, "mlp.0")
    yield from _linear(variables, f"{source}/ffn/linear_1", target, "mlp.2")


def _norm(variables: Variables, source: str, target: str) -> Iterator[tuple[str, NDArray[Any]]]:
    yield f"{target}.weight", variables[f"{source}/gamma"]
    yield f"{target}.bias", variables[f"{source}/beta"]


def _linear(variables: Variables, source: str, target: str, names: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Split a fused linear layer into its parts, which are of equal size."""
    parts = names.split()
    weights = np.split(variables[f"{source}/weight"], len(parts))
    biases = np.split(variables[f"{source}/bias"], len(parts))
    for name, weight, bias in zip(parts, weights, biases, strict=True):
        yield f"{target}.{name}.weight", weight
        if not name.endswith("key"):
            yield f"{target}.{name}.bias", bias
        elif bias.any():
            raise ValueError(f"{source} has a bias for keys, which Whisper does not have")
