"""The default engine: faster-whisper, Whisper's decoder rebuilt on CTranslate2.

Its batched pipeline is left alone on purpose: it has no second try for a failed window, and it invents words
on music and near-silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from pipeline.errors import SpeechError, UnknownModelError, WeightsError
from pipeline.model import Segment, Word
from pipeline.speech.cores import usable_cores
from pipeline.speech.download import from_hub
from pipeline.speech.hearing import OPTIONS, hear
from pipeline.speech.names import EngineName, whisper_language
from pipeline.speech.segments import Heard
from pipeline.speech.weights import Weights, find_weights, ready_weights

# Conditioning on the text before makes a window repeat the mistakes of the last one.
_DECODING = {"beam_size": 5, "condition_on_previous_text": False}


class FasterWhisper:
    """An ``Engine`` (see there): int8 on a CPU, float16 on a CUDA card."""

    name: Final[EngineName] = "faster-whisper"

    def __init__(self, model: str, *, cache: Path) -> None:
        self.model = model
        self._cache = cache

    @cached_property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        return {
            "weights": self._weights.identity,
            "alignment_heads": self._weights.alignment_heads,
            "compute_type": "float16" if self._device == "cuda" else "int8",
            **_DECODING,
            **OPTIONS,
            "versions": {name: version(name) for name in ("faster-whisper", "ctranslate2")},
        }

    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        prompt: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> tuple[Segment, ...]:
        """See ``Engine.transcribe``."""
        spoken = whisper_language(language)

        def decode(samples: NDArray[np.float32], before: str | None) -> Iterator[Heard]:
            segments, _ = self._loaded(spoken).transcribe(
                samples, language=spoken, word_timestamps=True, initial_prompt=before, **_DECODING
            )
            for segment in segments:
                words = [Word(w.start, w.end, w.word, float(w.probability)) for w in segment.words]
                yield Heard(words, segment.avg_logprob, segment.compression_ratio, segment.no_speech_prob)

        try:
            return hear(audio, decode, prompt=prompt, progress=progress)
        except (OSError, RuntimeError, ValueError) as error:
            raise SpeechError(f"faster-whisper failed: {error}") from error

    @cached_property
    def _weights(self) -> Weights:
        return find_weights(self.model, self.name)

    @cached_property
    def _device(self) -> str:
        return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"

    @cached_property
    def _whisper(self) -> Any:
        folder = ready_weights(self._weights, self._cache) or from_hub(self.model)
        try:
            return WhisperModel(
                str(folder),
                device=self._device,
                compute_type=self.options["compute_type"],
                cpu_threads=usable_cores(),
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise WeightsError(f"faster-whisper cannot load {folder}: {error}") from error

    def _loaded(self, language: str) -> Any:
        knows = self._whisper.hf_tokenizer.token_to_id(f"<|{language}|>") is not None
        if language != "en" and not (knows and self._whisper.model.is_multilingual):
            raise UnknownModelError(f"the model {self.model!r} does not know the language {language!r}")
        return self._whisper
