"""The parts of a recording in which somebody speaks, cut into pieces for a decoder. It decodes no words.

Whisper invents sentences where nobody speaks, so it is only given what Silero's voice activity detector takes for
speech. Pieces also keep the memory a recording needs from growing with its length, and let progress be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz: what Whisper and the detector expect

BLOCK_SECONDS = 300
VAD = {  # the first three are faster-whisper's defaults: a pause has to last two seconds to be left out
    "threshold": 0.5,
    "min_silence_duration_ms": 2000,
    "speech_pad_ms": 400,
    "max_speech_duration_s": 240,  # longer speech is cut at its last pause of 0.1 s
}


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
    """Cut the speech of a recording into pieces of less than five minutes.

    Args:
        audio: One channel at 16 kHz, -1 to 1.
    """
    at = 0
    while at < audio.size:
        block = audio[at : at + BLOCK_SECONDS * SAMPLE_RATE]
        following = at + block.size
        spans = [(at + start, at + end) for start, end in _speech(block)]
        if spans and spans[-1][1] == following < audio.size and spans[-1][0] > at:
            following, _ = spans.pop()  # the block ends in the middle of this speech: the next begins with it
        if spans:
            yield Piece(np.concatenate([audio[start:end] for start, end in spans]), tuple(spans))
        at = following


def _speech(block: NDArray[np.float32]) -> list[tuple[int, int]]:
    """The bounds of speech in a block, in samples; none is longer than ``max_speech_duration_s``."""
    return [(span["start"], span["end"]) for span in get_speech_timestamps(block, VadOptions(**VAD))]
