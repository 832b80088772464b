"""The parts of a recording in which somebody speaks, cut into pieces for a decoder. It decodes no words.

Whisper invents sentences where nobody speaks, so it is only given what Silero's voice activity detector
takes for speech. Pieces also bound the memory a long recording needs, and let progress be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz: what Whisper and the detector expect

# The detector's settings are part of a transcript's key: another value may change the words.
# The first three are faster-whisper's own defaults (a pause has to last 2 s to be left out).
VAD = {
    "threshold": 0.5,
    "min_silence_duration_ms": 2000,
    "speech_pad_ms": 400,
    "max_speech_duration_s": 600,  # then it cuts at the last pause of 0.1 s
}
_PIECE = VAD["max_speech_duration_s"] * SAMPLE_RATE  # samples


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech from one or more spans of a recording, one after another.

    ``spans`` are their bounds in the recording, in samples.
    """

    samples: NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]

    @property
    def end(self) -> float:
        """Where the piece ends in the recording, in seconds."""
        return self.spans[-1][1] / SAMPLE_RATE

    def shift(self, seconds: float) -> float:
        """What to add to this time in the piece to have the time in the recording, in seconds."""
        ends = np.cumsum([end - start for start, end in self.spans])
        span = min(int(np.searchsorted(ends, seconds * SAMPLE_RATE, side="right")), len(self.spans) - 1)
        return float(self.spans[span][1] - ends[span]) / SAMPLE_RATE


def pieces(audio: NDArray[np.float32]) -> Iterator[Piece]:
    """Cut the speech of a recording into pieces of at most ten minutes.

    Args:
        audio: One channel at 16 kHz, -1 to 1.
    """
    spans: list[tuple[int, int]] = []
    for span in _speech(audio):
        if spans and sum(end - start for start, end in [*spans, span]) > _PIECE:
            yield _piece(audio, spans)
            spans = []
        spans.append(span)
    if spans:
        yield _piece(audio, spans)


def _speech(audio: NDArray[np.float32]) -> list[tuple[int, int]]:
    if not audio.any():
        return []
    return [(span["start"], span["end"]) for span in get_speech_timestamps(audio, VadOptions(**VAD))]


def _piece(audio: NDArray[np.float32], spans: list[tuple[int, int]]) -> Piece:
    return Piece(np.concatenate([audio[start:end] for start, end in spans]), tuple(spans))
