"""How often a second sound is measured. It imports nothing: to know the number takes no decoder."""

from __future__ import annotations

SAMPLE_RATE = 16_000  # Hz; what Whisper, the detector of speech and the voice encoder were trained on
