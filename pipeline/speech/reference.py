"""The reference engine: openai-whisper, as its authors publish it.

Not called ``openai``, which is another package's name. It computes in float32 everywhere, so that a
reference does not depend on the machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SpeechError, UnknownModelError
from pipeline.model import Segment, Word
from pipeline.speech.cores import usable_cores
from pipeline.speech.hearing import OPTIONS, hear
from pipeline.speech.names import LANGUAGES, EngineName, whisper_language
from pipeline.speech.segments import Heard
from pipeline.speech.weights import Weights, find_weights, ready_weights

if TYPE_CHECKING:
    from whisper import Whisper

# Conditioning on the text before makes a window repeat the mistakes of the last one. hallucination_silence_threshold
# stays off: the silences it is for are cut out beforehand, and it dropped words that were said (measured on eight
# clips: a word error rate of .286 with it, .268 without).
_DECODING = {"beam_size": 5, "condition_on_previous_text": False, "fp16": False}


class OpenAIWhisper:
    """An ``Engine`` (see there): the same words at a third of the speed."""

    name: Final[EngineName] = "openai-whisper"

    def __init__(self, model: str, *, cache: Path) -> None:
        self.model = model
        self._cache = cache

    @cached_property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        return {
            "weights": self._weights.identity,
            "alignment_heads": self._weights.alignment_heads,
            **_DECODING,
            **OPTIONS,
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

        def decode(samples: NDArray[np.float32], before: str | None) -> Iterator[Heard]:
            result = self._loaded(spoken).transcribe(
                samples,
                language=spoken,
                word_timestamps=True,
                initial_prompt=before,
                **_DECODING,
            )
            for segment in result["segments"]:
                words = [Word(w["start"], w["end"], w["word"], float(w["probability"])) for w in segment["words"]]
                yield Heard(words, segment["avg_logprob"], segment["compression_ratio"], segment["no_speech_prob"])

        try:
            return hear(audio, decode, prompt=prompt, progress=progress)
        except (OSError, RuntimeError, ValueError) as error:
            raise SpeechError(f"openai-whisper failed: {error}") from error

    @cached_property
    def _weights(self) -> Weights:
        return find_weights(self.model, self.name)

    @cached_property
    def _whisper(self) -> Whisper:
        # Read when torch is first imported. Its threads would wait for each other busily: a fifth faster where nothing
        # else runs, but beside one other busy process slower than the recording, instead of 6.8 times its speed.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # torch takes two seconds to import, and an archive that is up to date never gets here.
        import torch  # noqa: PLC0415 - see above

        from pipeline.speech.checkpoint import load_file, load_folder, load_name  # noqa: PLC0415 - see above

        torch.set_num_threads(usable_cores())
        path = ready_weights(self._weights, self._cache)
        if path is None:
            return load_name(self.model)
        if path.is_file():
            return load_file(path)
        name = self.model if self._weights.package else path.name
        return load_folder(path, self._cache, name=name, identity=self._weights.identity)

    def _loaded(self, language: str) -> Whisper:
        known = LANGUAGES[: self._whisper.num_languages] if self._whisper.is_multilingual else ("en",)
        if language not in known:
            raise UnknownModelError(f"the model {self.model!r} does not know the language {language!r}")
        return self._whisper
