"""The reference decoder: openai-whisper, as published by its authors.

The module is not called ``openai``, which is the name of another package. It computes in float32 on all machines, so
that the reference does not depend on the machine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.errors import UnknownModelError
from pipeline.model import Word
from pipeline.speech.cores import usable_cores
from pipeline.speech.decoder import CAREFUL, CLOSING, FRAMES, HOP, OPENING, Heard, beam_size, spoken_language
from pipeline.speech.lanes import Lanes
from pipeline.speech.weights import Weights, find_weights, ready_weights
from pipeline.speech.windows import Samples
from pipeline.whisper_models import LANGUAGES, EngineName, model_name

if TYPE_CHECKING:
    from torch import Tensor
    from whisper import Whisper

_CAREFUL = {**CAREFUL, "fp16": False}


class OpenAIWhisper:
    """A ``Decoder`` (see there): the same words at a fraction of the speed, with all threads on one window."""

    name: Final[EngineName] = "openai-whisper"
    lanes: Final = Lanes(usual=1, crowded=1, batch=1)  # the word alignment registers hooks on the shared model

    def __init__(self, model: str, *, cache: Path) -> None:
        self.model = model_name(model)
        self._given = model
        self._cache = cache

    @cached_property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        return {
            "weights": self._weights.identity,
            "alignment_heads": self._weights.alignment_heads,
            **_CAREFUL,
            "versions": {name: version(name) for name in ("openai-whisper", "torch")},
        }

    def load(self, language: str) -> None:
        """See ``Decoder.load``."""
        known = LANGUAGES[: self._whisper.num_languages] if self._whisper.is_multilingual else ("en",)
        if language not in known:
            raise UnknownModelError(f"the model {self.model!r} does not know the language {language!r}")

    def decode(self, batch: Sequence[Samples], *, language: str, prompt: str | None = None) -> list[Heard]:
        """See ``Decoder.decode``."""
        return [self._decode(samples, language, prompt) for samples in batch]

    def decode_carefully(self, samples: Samples, *, language: str) -> Heard:
        """See ``Decoder.decode_carefully``."""
        segments = self._whisper.transcribe(samples, language=language, word_timestamps=True, **_CAREFUL)["segments"]
        return Heard(
            tuple(
                Word(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
                for segment in segments
                for word in segment["words"]
            ),
            float(np.mean([segment["avg_logprob"] for segment in segments])) if segments else 0.0,
            min((float(segment["no_speech_prob"]) for segment in segments), default=1.0),
            language,
        )

    def _decode(self, samples: Samples, language: str, prompt: str | None) -> Heard:
        import torch  # noqa: PLC0415 - see _whisper
        from whisper import DecodingOptions, log_mel_spectrogram, pad_or_trim  # noqa: PLC0415 - see _whisper
        from whisper import decode as decode_window  # noqa: PLC0415 - see _whisper
        from whisper.timing import find_alignment, merge_punctuations  # noqa: PLC0415 - see _whisper
        from whisper.tokenizer import get_tokenizer  # noqa: PLC0415 - see _whisper

        whisper = self._whisper
        mel = log_mel_spectrogram(samples, whisper.dims.n_mels, padding=FRAMES * HOP)
        with torch.no_grad():
            features = whisper.encoder(pad_or_trim(mel, FRAMES)[None])
            spoken = self._language(features, language)
            options = DecodingOptions(
                language=spoken,
                beam_size=beam_size(prompt),
                without_timestamps=True,
                fp16=False,
                prompt=f" {prompt}" if prompt else None,
            )
            result = decode_window(whisper, features, options)[0]
            tokenizer = get_tokenizer(
                whisper.is_multilingual, num_languages=whisper.num_languages, language=spoken, task="transcribe"
            )
            tokens = [token for token in result.tokens if token < tokenizer.eot]
            aligned = find_alignment(_Encoded(whisper, features), tokenizer, tokens, features[0], samples.size // HOP)
        merge_punctuations(aligned, OPENING, CLOSING)
        words = [Word(float(w.start), float(w.end), w.word, float(w.probability)) for w in aligned if w.word]
        return Heard(tuple(words), float(result.avg_logprob), float(result.no_speech_prob), spoken)

    def _language(self, features: Tensor, configured: str) -> str:
        if not self._whisper.is_multilingual:
            return configured
        return spoken_language(self._whisper.detect_language(features)[1][0], configured)

    @cached_property
    def _weights(self) -> Weights:
        return find_weights(self._given, self.name)

    @cached_property
    def _whisper(self) -> Whisper:
        # Read when torch is first imported. By default its threads busy-wait for each other, which is a fifth faster if
        # nothing else runs, but beside one other busy process slower than real time, instead of 6.8 times as fast.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # torch takes two seconds to import, which an archive that is up to date does not need.
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


class _Encoded:
    """A Whisper model with the encoder's output, since the alignment would run the encoder a second time."""

    def __init__(self, model: Whisper, features: Tensor) -> None:
        self._model = model
        self._features = features

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, _mel: Tensor, tokens: Tensor) -> Tensor:
        logits: Tensor = self._model.decoder(tokens, self._features)
        return logits
