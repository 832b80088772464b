"""The sample rate, in a module of its own so that using it does not import the decoder."""

from __future__ import annotations

SAMPLE_RATE = 16_000  # Hz; Whisper, the voice activity detector and the speaker encoder were trained on it
