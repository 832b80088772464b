"""Speech on a channel that is so much quieter than the other that nothing of it is heard in the mix of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decode import decoded_channels, mixed
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.speech.activity import FRAME, NO_FRAMES, Detector, speech_spans
from pipeline.speech.windows import BLOCK_SECONDS, Samples, even

APART = 20.0  # dB; of a channel that is 30 dB under the other, all is still heard in the mix, and at 40 dB half of it
LOUD = 90  # the level of a channel is that of its loudest tenth: each may have a turn only now and then
EDGE = 10  # frames, 0.3 s, by which the ends of speech in a channel and in the mix may differ
FEWEST_SECONDS = 3.0


class Unheard(NamedTuple):
    """What was missed: the channel, by how many dB it is quieter than the other, and the seconds of speech."""

    channel: str
    decibels: float
    seconds: float


class Channels:
    """The channels of a recording: mixes them, and keeps how loud each is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._levels: list[Samples] = []  # of each block, the level of both channels in dBFS

    def mixed(self) -> Iterator[Samples]:
        """Yield the recording in blocks of mono samples, 16 kHz."""
        for block in decoded_channels(self._path):
            if len(block) == 2:
                self._levels.append(10 * np.log10(np.einsum("ij,ij->i", block, block) / block.shape[1] + 1e-12))
            yield mixed(block)

    def unheard(self, speech: Sequence[tuple[float, float]]) -> Unheard | None:
        """Return the speech on the quieter channel that was not heard in the mix; None if there is none to speak of.

        Args:
            speech: What was found in the mix, in seconds.
        """
        if not self._levels:
            return None
        blocks = np.array(self._levels)
        # What is loud on both is heard, and tells of no microphone: a jingle, or advertisements.
        others = blocks[blocks.min(axis=1) < np.percentile(blocks, LOUD) - APART]
        if not len(others):
            return None
        levels = np.percentile(others, LOUD, axis=0)
        quiet = int(levels.argmin())
        apart = float(levels.max() - levels.min())
        if apart < APART:
            return None
        gain = np.float32(10 ** (apart / 20))
        # Clipped, since a jingle that is raised with it would deafen the detector for seconds.
        raised = ((block[min(quiet, len(block) - 1)] * gain).clip(-1, 1) for block in decoded_channels(self._path))
        spoken = _spoken(raised)
        for start, end in speech:
            spoken[max(0, _frame(start) - EDGE) : _frame(end) + EDGE] = False
        seconds = float(spoken.sum()) * FRAME / SAMPLE_RATE
        return Unheard(("left", "right")[quiet], apart, seconds) if seconds >= FEWEST_SECONDS else None


def _spoken(blocks: Iterable[Samples]) -> NDArray[np.bool_]:
    """Which frames of a recording are speech."""
    detector, frames = Detector(), NO_FRAMES
    for block, _ in even(blocks, BLOCK_SECONDS * SAMPLE_RATE):
        frames += detector.hear(block)
    spoken = np.zeros(len(frames.speech), bool)
    for start, end in speech_spans(frames):
        spoken[start:end] = True
    return spoken


def _frame(second: float) -> int:
    return round(second * SAMPLE_RATE / FRAME)
