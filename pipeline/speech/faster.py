"""The default decoder: faster-whisper, a reimplementation of Whisper on CTranslate2.

Its batched pipeline is deliberately not used: it does not retry failed windows, drops sentences, and hallucinates words
on music and near-silence. The parts of the library that are used are the model, the features, the tokenizer and the
word alignment, and for careful decoding its sequential transcription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations
from numpy.typing import NDArray

from pipeline.errors import UnknownModelError, WeightsError
from pipeline.model import Word
from pipeline.speech.cores import usable_cores, usable_memory
from pipeline.speech.decoder import (
    BEAM,
    CAREFUL,
    CLOSING,
    FRAMES,
    HOP,
    OPENING,
    Heard,
    beam_size,
    spoken_language,
)
from pipeline.speech.download import from_hub
from pipeline.speech.encoder import Encoder
from pipeline.speech.forced import LANGUAGE as FOUND_BY_SOUND
from pipeline.speech.lanes import Lanes
from pipeline.speech.weights import Weights, find_weights, ready_weights
from pipeline.speech.windows import Samples
from pipeline.whisper_models import EngineName, model_name

CUDA_BATCH = 8
CPU_BATCH = 8  # for a small model; one window of a larger one is enough work, and needs much memory
# Limits of the output for short clips, which end a repetition loop before Whisper's own limit. English has four tokens
# per second.
TOKENS_PER_SECOND, SPARE_TOKENS, MOST_TOKENS = 25, 32, 448
# Threads per core beside other processes: the CPU is shared out by threads, so as many as theirs would only get half.
CROWDED = 3
LANE_BYTES = 500_000_000  # memory that one batch may need beside the weights: one window of the largest model


class FasterWhisper:
    """A ``Decoder`` (see there): int8 on a CPU, float16 on a CUDA GPU.

    On a CPU every lane is one thread that decodes batches of its own: for tiny.en, that is 1.8 times as fast as all
    cores working on one batch, and no thread waits for another that is not scheduled.
    """

    name: Final[EngineName] = "faster-whisper"

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
            "compute_type": "float16" if self._device == "cuda" else "int8",
            **CAREFUL,
            "first_beam_size": BEAM,
            "versions": {name: version(name) for name in ("faster-whisper", "ctranslate2", "onnxruntime")},
        }

    @cached_property
    def lanes(self) -> Lanes:
        """See ``Decoder.lanes``; fewer if memory is short."""
        if self._device == "cuda":
            return Lanes(usual=1, crowded=1, batch=CUDA_BATCH)
        usual, crowded = self._threads
        encoder: Encoder = self._whisper.encoder
        return Lanes(usual, crowded, batch=max(1, min(CPU_BATCH, LANE_BYTES // encoder.attended_bytes)))

    def load(self, language: str) -> None:
        """See ``Decoder.load``."""
        knows = self._whisper.hf_tokenizer.token_to_id(f"<|{language}|>") is not None
        if language != "en" and not (self._multilingual and knows):
            raise UnknownModelError(f"the model {self.model!r} does not know the language {language!r}")

    def decode(self, batch: Sequence[Samples], *, language: str, prompt: str | None = None) -> list[Heard]:
        """See ``Decoder.decode``."""
        whisper = self._whisper
        frames = [samples.size // HOP for samples in batch]
        # Always padded to 30 s: with less, short speech is repeated over and over again, and prompts are ignored.
        encoded = whisper.encode(np.stack([self._features(samples) for samples in batch]))
        languages = self._languages(encoded, language, len(batch))
        tokenizers = [self._tokenizer(spoken) for spoken in languages]
        prompts = [
            whisper.get_prompt(tokenizer, tokenizer.encode(f" {prompt}") if prompt else [], without_timestamps=True)
            for tokenizer in tokenizers
        ]
        results = whisper.model.generate(
            encoded,
            prompts,
            beam_size=beam_size(prompt),
            max_length=_max_length(max(map(len, prompts)), max(frames) / 100),
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = [
            [token for token in result.sequences_ids[0] if token < tokenizer.eot]
            for result, tokenizer in zip(results, tokenizers, strict=True)
        ]
        aligned = self._aligned(tokenizers, texts, encoded, frames)
        return [
            Heard(_words(words), _avg_logprob(result), float(result.no_speech_prob), spoken)
            for words, result, spoken in zip(aligned, results, languages, strict=True)
        ]

    def decode_carefully(self, samples: Samples, *, language: str) -> Heard:
        """See ``Decoder.decode_carefully``."""
        found, _ = self._whisper.transcribe(samples, language=language, word_timestamps=True, **CAREFUL)
        segments = list(found)
        words = [Word(w.start, w.end, w.word, float(w.probability)) for segment in segments for w in segment.words]
        return Heard(
            tuple(words),
            float(np.mean([segment.avg_logprob for segment in segments])) if segments else 0.0,
            min((float(segment.no_speech_prob) for segment in segments), default=1.0),
            language,
        )

    @cached_property
    def _weights(self) -> Weights:
        return find_weights(self._given, self.name)

    @cached_property
    def _device(self) -> str:
        return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"

    @cached_property
    def _threads(self) -> tuple[int, int]:
        """The number of threads on a CPU, usually and if it is crowded."""
        room = max(1, usable_memory() // LANE_BYTES)
        return min(usable_cores(), room), min(CROWDED * usable_cores(), room)

    @cached_property
    def _whisper(self) -> Any:
        folder = Path(ready_weights(self._weights, self._cache) or from_hub(self._given))
        on_cpu = self._device == "cpu"
        try:
            whisper = (_WithOurEncoder if on_cpu else WhisperModel)(
                str(folder),
                device=self._device,
                compute_type=self.options["compute_type"],
                cpu_threads=1,
                num_workers=max(self._threads) if on_cpu else 1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise WeightsError(f"faster-whisper cannot load {folder}: {error}") from error
        if on_cpu:
            whisper.encoder = Encoder(folder / "model.bin")
        return whisper

    def _aligned(
        self, tokenizers: Sequence[Any], texts: Sequence[Sequence[int]], encoded: Any, frames: Sequence[int]
    ) -> list[list[dict[str, Any]]]:
        """The words of each window with their times, from the decoder's attention."""
        find = self._whisper.find_alignment
        languages = {tokenizer.language_code for tokenizer in tokenizers}
        if self._device == "cuda" and len(languages) == 1:
            return list(find(tokenizers[0], texts, encoded, frames, _smoothing(*languages)))
        # One window at a time takes three quarters of the time: the attention weights of several exceed the CPU cache.
        storage = ctranslate2.StorageView.from_array
        windows = np.asarray(encoded.to_device(ctranslate2.Device.cpu))[:, np.newaxis]
        return [
            find(tokenizer, [text], storage(one), [count], _smoothing(tokenizer.language_code))[0]
            for tokenizer, text, one, count in zip(tokenizers, texts, windows, frames, strict=True)
        ]

    @property
    def _multilingual(self) -> bool:
        return bool(self._whisper.model.is_multilingual)

    def _tokenizer(self, language: str) -> Any:
        return Tokenizer(self._whisper.hf_tokenizer, self._multilingual, task="transcribe", language=language)

    def _features(self, samples: Samples) -> NDArray[np.float32]:
        features = self._whisper.feature_extractor(samples)[:, :FRAMES]
        return np.pad(features, ((0, 0), (0, FRAMES - features.shape[1])))

    def _languages(self, encoded: Any, configured: str, count: int) -> list[str]:
        if not self._multilingual:
            return [configured] * count
        return [
            spoken_language({token[2:-2]: probability for token, probability in found}, configured)
            for found in self._whisper.model.detect_language(encoded)
        ]


class _WithOurEncoder(WhisperModel):  # type: ignore[misc]  # faster-whisper has no types
    """A model that uses our encoder throughout the library, since it is faster on a CPU."""

    encoder: Encoder

    def encode(self, features: NDArray[np.float32]) -> ctranslate2.StorageView:
        batch = features if features.ndim == 3 else features[np.newaxis]
        return ctranslate2.StorageView.from_array(self.encoder.encode(batch))


def _smoothing(language: str) -> int:
    """The width, in frames, of the median filter over attention.

    Whisper's seven takes half of the alignment's time, which is saved for the language of forced alignment: its times
    replace these, except if the words do not fit into the window.
    """
    return 1 if language == FOUND_BY_SOUND else 7


def _max_length(prompt: int, seconds: float) -> int:
    """CTranslate2's ``max_length`` for a prompt of so many tokens and a window of so many seconds.

    The output may take half of it.
    """
    return min(MOST_TOKENS, prompt + 2 * (SPARE_TOKENS + round(TOKENS_PER_SECOND * seconds)))


def _avg_logprob(result: Any) -> float:
    """The mean log-probability of the tokens and the end-of-text token, from CTranslate2's score."""
    tokens = len(result.sequences_ids[0])
    return float(result.scores[0]) * tokens / (tokens + 1)


def _words(alignment: list[dict[str, Any]]) -> tuple[Word, ...]:
    merge_punctuations(alignment, OPENING, CLOSING)
    return tuple(
        Word(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
        for word in alignment
        if word["word"]
    )
