"""Voice activity detection: Silero's detector, run over a recording block by block. Does not cut the recording.

Silero VAD v6 (MIT), the ONNX model bundled with faster-whisper: one probability of speech for every 32 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME = 512  # samples, 32 ms
_CONTEXT = 64  # samples of the previous frame that are part of the network's input

# Hysteresis: a stretch of speech has at least the second probability throughout, and somewhere at least the first.
SPEECH, SILENCE = 0.5, 0.35
MIN_SPEECH_FRAMES = 5  # 160 ms; shorter sounds are clicks or breaths
MIN_PAUSE_FRAMES = 6  # 192 ms; shorter pauses are stop consonants inside a word
ONSET_FRAMES = 1  # the detector reacts late to onsets: by 46 ms, the median of 23 timed by hand (AMI, MFA)
# Below this level (dBFS) speech is unintelligible, whatever the detector says: it judges by shape, and takes the
# crosstalk in a microphone that is turned down for a voice.
FLOOR_DB = -57.0


@dataclass(frozen=True, slots=True)
class Frames:
    """The probability of speech and the level in dBFS of each frame of a stretch, (frames,)."""

    speech: NDArray[np.float32]
    level: NDArray[np.float32]

    def __add__(self, other: Frames) -> Frames:
        return Frames(np.concatenate([self.speech, other.speech]), np.concatenate([self.level, other.level]))

    def since(self, frame: int, *, speaking: bool = False) -> Frames:
        """Return the frames from this one on; ``speaking`` tells that it is inside speech, and keeps it so."""
        speech = self.speech[frame:].copy()
        speech[: MIN_SPEECH_FRAMES if speaking else 0] = 1.0
        return Frames(speech, self.level[frame:])


NO_FRAMES = Frames(np.empty(0, np.float32), np.empty(0, np.float32))


class Detector:
    """Processes one recording from beginning to end, keeping its state between blocks."""

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model  # noqa: PLC0415 - slow to import, and not every run needs it

        self._session = get_vad_model().session
        self._state = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))
        self._context = np.zeros((1, _CONTEXT), np.float32)

    def hear(self, block: NDArray[np.float32]) -> Frames:
        """Process a block of samples (mono, 16 kHz, -1 to 1); an incomplete last frame is padded with silence."""
        padded = np.pad(block, (0, -block.size % FRAME)).reshape(-1, FRAME)
        if not padded.size:
            return NO_FRAMES
        before = np.concatenate([self._context, padded[:-1, -_CONTEXT:]])
        self._context = padded[-1:, -_CONTEXT:]
        h, c = self._state
        speech, h, c = self._session.run(None, {"input": np.concatenate([before, padded], 1), "h": h, "c": c})
        self._state = (h, c)
        power = np.einsum("ij,ij->i", padded, padded) / FRAME
        return Frames(speech.reshape(-1), 10 * np.log10(power + 1e-12))


def speech_spans(frames: Frames) -> list[tuple[int, int]]:
    """Find the stretches of speech among frames.

    Returns:
        First frame and end (exclusive) of each, in order, separated by at least ``MIN_PAUSE_FRAMES``.
    """
    spans: list[tuple[int, int]] = []
    for noticed, end in _runs(frames.speech >= SILENCE):
        if (frames.speech[noticed:end] < SPEECH).all() or frames.level[noticed:end].max() < FLOOR_DB:
            continue
        start = max(0, noticed - ONSET_FRAMES)
        if spans and start - spans[-1][1] < MIN_PAUSE_FRAMES:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [(start, end) for start, end in spans if end - start >= MIN_SPEECH_FRAMES]


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and end (exclusive) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
