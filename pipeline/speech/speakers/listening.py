"""Embedding the voices of one recording, window by window. An error never costs the transcript."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.speech.speakers.voices import VoiceEncoder, Voices
from pipeline.speech.windows import Window

_log = logging.getLogger(__name__)


class VoiceListener:
    """A callback for an ``Engine``, which calls it with each window of a recording. Thread-safe.

    Attributes:
        problem: Why the voices could not be told apart, as a clause; None while all is well.
    """

    def __init__(self, encoder: Callable[[], VoiceEncoder]) -> None:
        """``encoder`` returns the encoder, creating it on first use, which may fail."""
        self._encoder = encoder
        self.problem: str | None = None

    def __call__(self, window: Window) -> Voices:
        """Return the voices in a window's spans of speech, with times in the recording."""
        parts: list[Voices] = []
        at = 0
        try:
            encoder = self._encoder()
            for start, end in window.spans:
                samples = window.samples[at : at + end - start]
                at += end - start
                parts.append(encoder.embed(samples, at=start / SAMPLE_RATE))
        except Exception as error:  # noqa: BLE001 - whatever it was, the words are worth having without it
            _log.debug("voices of %s", window.start, exc_info=error)
            self.problem = f"the voices could not be told apart ({type(error).__name__}: {error})"
        return Voices.join([part for part in parts if len(part)])
