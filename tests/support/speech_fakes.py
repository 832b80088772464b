"""Fakes for the parts of speech recognition: a detector, a decoder, windows and what is heard in them.

Their recordings consist of ``numbered`` frames: the magnitude of every sample tells its frame, the sign whether it is
speech. So a test can tell from where in the recording a window's samples come, however they were cut and packed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Word
from pipeline.speech.activity import FRAME, Frames
from pipeline.speech.decoder import Decoder, Heard
from pipeline.speech.lanes import Lanes
from pipeline.speech.windows import Samples, Window
from pipeline.whisper_models import EngineName

FRAMES_PER_SECOND = SAMPLE_RATE / FRAME


def numbered(*runs: tuple[bool, float]) -> Samples:
    """Samples of frames that encode their number, from 1; ``runs`` are pairs of is-speech and duration in seconds."""
    speaks = np.concatenate([np.full(round(seconds * FRAMES_PER_SECOND), speaks) for speaks, seconds in runs])
    numbers = np.arange(1, speaks.size + 1, dtype=np.float32)
    return np.repeat(np.where(speaks, numbers, -numbers), FRAME)


def levels(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """A level for each numbered frame: varying between -20 and -50 dB, without a regular pattern."""
    return np.asarray(-20 - np.abs(numbers) * 7919 % 31, np.float32)


class FakeDetector:
    """Detects speech in ``numbered`` frames, and nowhere else."""

    def hear(self, block: Samples) -> Frames:
        numbers = block[::FRAME]
        return Frames((numbers > 0).astype(np.float32), levels(numbers))


def heard(*words: Word, avg_logprob: float = -0.2, no_speech_prob: float = 0.0, language: str = "cy") -> Heard:
    """Confident decoder output; not in English, whose words would be looked for in the sound."""
    return Heard(words, avg_logprob, no_speech_prob, language)


def spread(text: str, start: float, end: float) -> list[Word]:
    """The words of a text, evenly spread over this span."""
    texts = text.split()
    edges = np.linspace(start, end, len(texts) + 1).tolist()
    return [Word(edges[n], edges[n + 1], f" {text}", 0.9) for n, text in enumerate(texts)]


def window(*speech: tuple[float, float], seconds: float) -> Window:
    """A window of this many seconds, with speech at these times; its recording is the window itself."""
    size = round(seconds * SAMPLE_RATE)
    spoken = tuple((round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in speech)
    return Window(np.arange(size, dtype=np.float32), ((0, size),), spoken)


def frame_words(samples: Samples) -> Heard:
    """A sentence with one word for each half second of speech: the number of the frame at its beginning."""
    step = SAMPLE_RATE // 2
    found = [
        Word(at / SAMPLE_RATE, at / SAMPLE_RATE + 0.4, f" {samples[at]:.0f}.", 0.9)
        for at in range(0, samples.size, step)
        if samples[at] > 0
    ]
    return heard(*found)


class FakeDecoder:
    """A decoder that hears ``frame_words``, or the result of ``hears`` on samples and prompt.

    Attributes:
        batches: the prompt and the windows' samples of each call of ``decode``.
        careful: the samples of each call of ``decode_carefully``.
        busiest: the maximum number of threads in ``decode`` at once.
    """

    name: EngineName = "faster-whisper"
    model = "tiny.en"

    def __init__(
        self,
        hears: Callable[[Samples, str | None], Heard] = lambda samples, _: frame_words(samples),
        *,
        carefully: Callable[[Samples], Heard] = frame_words,
        lanes: int = 1,
        batch: int = 1,
    ) -> None:
        self.lanes = Lanes(lanes, lanes, batch)
        self.options: Mapping[str, object] = {"fake": True}
        self.loaded: list[str] = []
        self.batches: list[tuple[str | None, list[Samples]]] = []
        self.careful: list[Samples] = []
        self.busiest = 0
        self._hears, self._carefully = hears, carefully
        self._lock, self._busy = threading.Lock(), 0

    def load(self, language: str) -> None:
        self.loaded.append(language)

    def decode(
        self,
        batch: Sequence[Samples],
        *,
        language: str,  # noqa: ARG002 - the interface is pipeline.speech.decoder.Decoder
        prompt: str | None = None,
    ) -> list[Heard]:
        with self._lock:
            self.batches.append((prompt, list(batch)))
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            call = len(self.batches)
        if self.lanes.usual > 1:
            time.sleep(0.02 if call % 2 else 0.001)  # windows finish in another order than they start
        with self._lock:
            self._busy -= 1
        return [self._hears(samples, prompt) for samples in batch]

    def decode_carefully(
        self,
        samples: Samples,
        *,
        language: str,  # noqa: ARG002 - as above
    ) -> Heard:
        self.careful.append(samples)
        return self._carefully(samples)


class Counted:
    """Wraps a decoder as a single lane that counts windows; it fails at number ``fails_at``."""

    lanes = Lanes(1, 1, 1)

    def __init__(self, decoder: Decoder, *, fails_at: int | None = None) -> None:
        self._decoder, self._fails_at = decoder, fails_at
        self.windows = 0

    @property
    def name(self) -> EngineName:
        return self._decoder.name

    @property
    def model(self) -> str:
        return self._decoder.model

    @property
    def options(self) -> Mapping[str, object]:
        return self._decoder.options

    def load(self, language: str) -> None:
        self._decoder.load(language)

    def decode(self, batch: Sequence[Samples], *, language: str, prompt: str | None = None) -> list[Heard]:
        for _ in batch:
            self.windows += 1
            if self.windows == self._fails_at:
                raise RuntimeError("out of memory")
        return self._decoder.decode(batch, language=language, prompt=prompt)

    def decode_carefully(self, samples: Samples, *, language: str) -> Heard:
        self.windows += 1
        return self._decoder.decode_carefully(samples, language=language)
