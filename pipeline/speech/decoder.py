"""The interface of Whisper decoders, which transcribe windows of speech and return confidences. Judges nothing."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.model import Word
from pipeline.speech.lanes import Lanes
from pipeline.speech.windows import Samples
from pipeline.whisper_models import EngineName

# Two hypotheses in the first pass over a window: five find the same words (on 100 windows of noisy speech the word
# error rate of tiny.en is 5.1 % with two, 5.0 % with five; of base 4.4 and 4.5 %), and one loses whole sentences.
# Whisper's usual five in careful decoding, and with a prompt, whose spellings are less likely.
BEAM, CAREFUL_BEAM = 2, 5
FRAMES = 3000  # mel frames of 10 ms: Whisper's 30 s
HOP = 160  # samples per mel frame
# The options of careful decoding in both implementations. Conditioning on previous text makes a window repeat the
# mistakes of the last one. Inside a window that failed, words are hallucinated in silences of two seconds.
CAREFUL: Mapping[str, Any] = {
    "beam_size": CAREFUL_BEAM, "condition_on_previous_text": False, "hallucination_silence_threshold": 2.0,
}  # fmt: skip
# Punctuation that is attached to the next word, and to the previous word: Whisper's own lists.
OPENING, CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"

# A window is taken to be in another language than the feed's only if its probability is at least this.
OTHER_LANGUAGE = 0.9


@dataclass(frozen=True, slots=True)
class Heard:
    """The transcription of one window.

    Attributes:
        words: With times in seconds relative to the window, and texts with leading spaces, ready to be concatenated.
        avg_logprob: Mean log-probability of the tokens.
        no_speech_prob: The model's probability that nobody speaks.
        language: Whisper's code of the language of the transcription.
    """

    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    language: str

    @property
    def text(self) -> str:
        """The words, concatenated."""
        return "".join(word.text for word in self.words).strip()

    @property
    def compression_ratio(self) -> float:
        """The compression ratio of the text by zlib: above 2.4 it is repetitive (arXiv 2212.04356, section 4.5)."""
        raw = self.text.encode()
        return len(raw) / len(zlib.compress(raw)) if raw else 0.0


class Decoder(Protocol):
    """One Whisper implementation with one model. Cheap to create: ``load`` reads the weights."""

    @property
    def name(self) -> EngineName:
        """The name of the implementation."""
        ...

    @property
    def model(self) -> str:
        """The name of the model, as requested."""
        ...

    @property
    def lanes(self) -> Lanes:
        """The number of threads that may call it concurrently, and of windows per call; known once it is loaded."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        ...

    def load(self, language: str) -> None:
        """Load the weights, for this language (Whisper's code).

        Raises:
            WeightsError: The weights could not be obtained or loaded.
            UnknownModelError: The model does not know the language.
        """
        ...

    def decode(self, batch: Sequence[Samples], *, language: str, prompt: str | None = None) -> list[Heard]:
        """Transcribe windows of up to 30 s in one pass, each encoded only once and independent of the others.

        Args:
            batch: The samples of each window, mono at 16 kHz.
            language: Whisper's code; a window that is clearly in another language is transcribed in that.
            prompt: Names and words to expect.
        """
        ...

    def decode_carefully(self, samples: Samples, *, language: str) -> Heard:
        """Transcribe one window sequentially, phrase by phrase, with temperature fallback and without a prompt."""
        ...


def spoken_language(probabilities: Mapping[str, float], configured: str) -> str:
    """Choose the language in which to transcribe a window, given the probability of each."""
    likeliest = max(probabilities, key=lambda code: probabilities[code])
    return likeliest if probabilities[likeliest] >= OTHER_LANGUAGE else configured


def beam_size(prompt: str | None) -> int:
    """Return the beam size: larger with a prompt, which asks for less likely words."""
    return CAREFUL_BEAM if prompt else BEAM
