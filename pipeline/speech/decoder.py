"""What a Whisper decoder is: it writes down windows of speech, and says how sure it was. It judges nothing."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Word
from pipeline.speech.lanes import Lanes
from pipeline.whisper_models import EngineName

Samples = NDArray[np.float32]

# Two hypotheses in a pass over a window: five find the same words (of 100 windows of noisy speech tiny.en gets 5.1 %
# wrong with two, 5.0 % with five; base 4.4 and 4.5 %), and with one it loses whole sentences. Whisper's usual five in
# careful decoding, and with a prompt, whose spellings are less likely ones.
BEAM, CAREFUL_BEAM = 2, 5
FRAMES = 3000  # mel frames of 10 ms: Whisper's 30 s
HOP = 160  # samples a mel frame
# How both implementations decode carefully. Conditioning on the text before makes a window repeat the mistakes of the
# last one. A silence of two seconds inside a window that failed is where words are invented.
CAREFUL: Mapping[str, Any] = {
    "beam_size": CAREFUL_BEAM, "condition_on_previous_text": False, "hallucination_silence_threshold": 2.0,
}  # fmt: skip
# Punctuation that belongs to the word after it, and to the word before: Whisper's own lists.
OPENING, CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"

# A window is taken to be in another language than the feed's only where the model is this sure of it.
OTHER_LANGUAGE = 0.9


@dataclass(frozen=True, slots=True)
class Heard:
    """What was written for one window.

    Attributes:
        words: With times in the window, in seconds, and the text with its leading space, to be joined as they are.
        avg_logprob: Mean log-probability of the tokens.
        no_speech_prob: How likely the model thinks it that nobody speaks.
        language: Whisper's code of the language it was written in.
    """

    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    language: str

    @property
    def text(self) -> str:
        """The words joined."""
        return "".join(word.text for word in self.words).strip()

    @property
    def compression_ratio(self) -> float:
        """How much shorter zlib makes the text: above 2.4 it repeats itself (arXiv 2212.04356, section 4.5)."""
        raw = self.text.encode()
        return len(raw) / len(zlib.compress(raw)) if raw else 0.0


class Decoder(Protocol):
    """One Whisper implementation with one model. Made cheaply: ``load`` reads the weights."""

    @property
    def name(self) -> EngineName:
        """Which implementation this is."""
        ...

    @property
    def model(self) -> str:
        """The model, as it was asked for."""
        ...

    @property
    def lanes(self) -> Lanes:
        """How many threads may call it at the same time, each with how many windows; known once it is loaded."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        ...

    def load(self, language: str) -> None:
        """Have the weights ready for this language (Whisper's code).

        Raises:
            WeightsError: The weights could not be had or loaded.
            UnknownModelError: The model does not know the language.
        """
        ...

    def decode(self, batch: Sequence[Samples], *, language: str, prompt: str | None = None) -> list[Heard]:
        """Write down windows of up to 30 s in one pass, each with its encoder output computed once, and as if alone.

        Args:
            batch: One channel at 16 kHz each.
            language: Whisper's code; a window that is plainly in another one is written in that.
            prompt: Names and words to expect.
        """
        ...

    def decode_carefully(self, samples: Samples, *, language: str) -> Heard:
        """Write down one window sequentially, phrase by phrase, with temperature fallback and without a prompt."""
        ...


def spoken_language(probabilities: Mapping[str, float], configured: str) -> str:
    """Decide in which language to write a window, given how likely each is."""
    likeliest = max(probabilities, key=lambda code: probabilities[code])
    return likeliest if probabilities[likeliest] >= OTHER_LANGUAGE else configured


def beam_size(prompt: str | None) -> int:
    """With how many hypotheses to decode: more where a prompt asks for what is less likely."""
    return CAREFUL_BEAM if prompt else BEAM
