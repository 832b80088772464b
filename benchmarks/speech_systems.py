"""The systems that the speech benchmark compares, all with the same weights and number of threads. Measures nothing.

This project's engines are called as the pipeline calls them; the others as their documentation shows, with the defaults
of their Python interfaces and the model's own alignment heads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.speech_data import Sound
from benchmarks.speech_measures import TimedWord
from pipeline.speech.cores import usable_cores
from pipeline.speech.engine import make_engine
from pipeline.speech.weights import find_weights, no_weights, ready_weights
from pipeline.whisper_models import EngineName

LANGUAGE = "en"


class Transcription(NamedTuple):
    """A transcription: the text as the system would show it, and its words."""

    text: str
    words: list[TimedWord]


Transcribe = Callable[[Sound], Transcription]


def _ours(engine: EngineName, model: str, cache: Path) -> Transcribe:
    """This project, through its public function; this is the only place that uses it."""
    heard = make_engine(engine, model, cache=cache)

    def transcribe(audio: Sound) -> Transcription:
        segments = heard.transcribe([audio], language=LANGUAGE).segments
        words = [TimedWord(word.start, word.end, word.text) for segment in segments for word in segment.words]
        return Transcription(" ".join(segment.text for segment in segments), words)

    return transcribe


def _faster_whisper(model: str, cache: Path, *, batched: bool) -> Transcribe:
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415 - each child loads its own only

    with _stock_folder(model, cache) as (folder, _):
        loaded = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=usable_cores())
    options: dict[str, Any] = {"batch_size": 8} if batched else {}
    pipeline = BatchedInferencePipeline(loaded) if batched else loaded

    def transcribe(audio: Sound) -> Transcription:
        found, _ = pipeline.transcribe(audio, language=LANGUAGE, word_timestamps=True, vad_filter=True, **options)
        segments = list(found)  # decoding is lazy
        words = [TimedWord(word.start, word.end, word.word) for segment in segments for word in segment.words]
        return Transcription("".join(segment.text for segment in segments), words)

    return transcribe


def _openai_whisper(model: str, cache: Path) -> Transcribe:
    import torch  # noqa: PLC0415 - only this child may pay for it

    from pipeline.speech.checkpoint import load_folder  # noqa: PLC0415 - it imports torch

    torch.set_num_threads(usable_cores())
    with _stock_folder(model, cache) as (folder, identity):
        loaded = load_folder(folder, cache, name=model, identity=identity)

    def transcribe(audio: Sound) -> Transcription:
        found = loaded.transcribe(audio, language=LANGUAGE, word_timestamps=True, fp16=False)
        words = [
            TimedWord(word["start"], word["end"], word["word"])
            for segment in found["segments"]
            for word in segment["words"]
        ]
        return Transcription(found["text"], words)

    return transcribe


def _whisper_cpp(model: str, cache: Path, *, attention: bool) -> Transcribe:
    """Whisper.cpp through pywhispercpp: word times from its token probabilities, or from attention (its ``dtw``).

    The latter has no public interface in pywhispercpp yet: its times, one per token, are read from the context.
    """
    raw: Any = import_module("_pywhispercpp")  # may not be installed
    model_class: Any = import_module("pywhispercpp.model").Model

    heads = getattr(raw, f"WHISPER_AHEADS_{model.replace('.', '_').upper()}")
    # Its fused kernels do not provide the attention.
    context = {"dtw_token_timestamps": True, "dtw_aheads_preset": heads, "flash_attn": False} if attention else None
    loaded = model_class(
        str(_ggml(model, cache)),
        n_threads=usable_cores(),
        context_params=context,
        redirect_whispercpp_logs_to=None,
        print_progress=False,
        print_realtime=False,
    )

    def attended(place: int) -> float:
        return float(raw.whisper_full_get_token_data(loaded._ctx, place, 0).t_dtw / 100)

    def transcribe(audio: Sound) -> Transcription:
        found = loaded.transcribe(audio, language=LANGUAGE, token_timestamps=True, max_len=1, split_on_word=True)
        words = [
            TimedWord(attended(place) if attention else segment.t0 / 100, segment.t1 / 100, segment.text)
            for place, segment in enumerate(found)
            if segment.text
        ]
        return Transcription(" ".join(word.text for word in words), words)

    return transcribe


SYSTEMS: Mapping[str, Callable[[str, Path], Transcribe]] = {
    "ours": lambda model, cache: _ours("faster-whisper", model, cache),
    "ours (openai-whisper)": lambda model, cache: _ours("openai-whisper", model, cache),
    "faster-whisper": lambda model, cache: _faster_whisper(model, cache, batched=False),
    "faster-whisper, batched": lambda model, cache: _faster_whisper(model, cache, batched=True),
    "openai-whisper": _openai_whisper,
    "whisper.cpp": lambda model, cache: _whisper_cpp(model, cache, attention=False),
    "whisper.cpp, dtw": lambda model, cache: _whisper_cpp(model, cache, attention=True),
}
OURS = tuple(name for name in SYSTEMS if name.startswith("ours"))


@contextmanager
def _stock_folder(model: str, cache: Path) -> Iterator[tuple[Path, str]]:
    """A model folder as in its package, since ours names other alignment heads; and the identity of the weights.

    Raises:
        WeightsError: No installed package contains the model.
    """
    weights = find_weights(model, "faster-whisper")
    joined = ready_weights(weights, cache)
    if joined is None or weights.package is None:
        raise no_weights(model, "faster-whisper", "no installed package carries them")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in (joined / "model.bin", *weights.others):
            (folder / file.name).symlink_to(file.resolve())
        yield folder, weights.identity


def _ggml(model: str, cache: Path) -> Path:
    """The weights in whisper.cpp's format, converted on first use."""
    weights = find_weights(model, "faster-whisper")
    kept = cache / f"{model}-{weights.identity[:12]}.ggml.bin"
    if not kept.exists():
        from benchmarks.speech_ggml import write_ggml  # noqa: PLC0415 - it imports torch
        from pipeline.speech.checkpoint import checkpoint_of  # noqa: PLC0415 - it imports torch

        with _stock_folder(model, cache) as (folder, identity):
            write_ggml(checkpoint_of(folder / "model.bin", cache, name=model, identity=identity), kept)
    return kept
