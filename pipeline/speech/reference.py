"""The reference engine: openai-whisper, as its authors publish it.

Not called ``openai``, which is another package's name. It computes in float32 everywhere, so that a
reference does not depend on the machine.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SpeechError, UnknownModelError, WeightsError
from pipeline.model import Segment, Word
from pipeline.speech.checkpoint import alignment_heads, checkpoint_of
from pipeline.speech.cores import usable_cores
from pipeline.speech.download import stall_limit
from pipeline.speech.names import EngineName, whisper_language
from pipeline.speech.pieces import VAD
from pipeline.speech.segments import Heard, hear
from pipeline.speech.weights import Weights, find_weights, no_weights, ready_weights

# Conditioning on the text before makes a window repeat the mistakes of the last one; a doubtful segment
# after two seconds of silence is decoded again without the silence.
_DECODING = {
    "beam_size": 5,
    "condition_on_previous_text": False,
    "hallucination_silence_threshold": 2.0,
    "fp16": False,
}


class OpenAIWhisper:
    """An ``Engine`` (see there): slower than the default by half, with word starts nearer to the truth."""

    name: Final[EngineName] = "openai-whisper"

    def __init__(self, model: str, *, cache: Path) -> None:
        self.model = model
        self._cache = cache

    @cached_property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        return {
            "weights": self._weights.identity,
            **_DECODING,
            "vad": VAD,
            "versions": {name: version(name) for name in ("openai-whisper", "torch")},
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

        def decode(samples: NDArray[np.float32]) -> Iterator[Heard]:
            result = self._loaded(spoken).transcribe(
                samples,
                language=spoken,
                word_timestamps=True,
                initial_prompt=prompt,
                carry_initial_prompt=prompt is not None,
                **_DECODING,
            )
            for segment in result["segments"]:
                words = [Word(w["start"], w["end"], w["word"], float(w["probability"])) for w in segment["words"]]
                yield Heard(
                    words, segment["avg_logprob"], segment["compression_ratio"], segment["no_speech_prob"]
                )

        try:
            return hear(audio, decode, progress=progress)
        except (RuntimeError, ValueError) as error:
            raise SpeechError(f"openai-whisper failed: {error}") from error

    @cached_property
    def _weights(self) -> Weights:
        return find_weights(self.model, self.name)

    @cached_property
    def _whisper(self) -> Any:
        import torch  # noqa: PLC0415 - slow to import
        import whisper  # noqa: PLC0415 - slow to import

        torch.set_num_threads(usable_cores())
        path = ready_weights(self._weights, self._cache)
        if path is None:
            try:
                with stall_limit():
                    return whisper.load_model(self.model)
            except (OSError, RuntimeError) as error:
                raise no_weights(self.model, self.name, error) from error
        if path.is_dir():
            name = self.model if self._weights.parts else path.name
            path = checkpoint_of(path, self._cache, name=name, identity=self._weights.identity)
        return _load(path)

    def _loaded(self, language: str) -> Any:
        from whisper.tokenizer import LANGUAGES  # noqa: PLC0415 - slow to import

        known = list(LANGUAGES)[: self._whisper.num_languages] if self._whisper.is_multilingual else ["en"]
        if language not in known:
            raise UnknownModelError(f"the model {self.model!r} does not know the language {language!r}")
        return self._whisper


def _load(checkpoint: Path) -> Any:
    import whisper  # noqa: PLC0415 - slow to import

    try:
        model = whisper.load_model(str(checkpoint))
        heads = alignment_heads(checkpoint)
    except Exception as error:
        raise WeightsError(f"openai-whisper cannot load {checkpoint}: {error}") from error
    if heads is not None:
        mask = np.zeros((model.dims.n_text_layer, model.dims.n_text_head), dtype=bool)
        mask[tuple(np.transpose(heads))] = True
        model.set_alignment_heads(base64.b85encode(gzip.compress(mask.tobytes())))
    return model
