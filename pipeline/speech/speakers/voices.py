"""Speaker embeddings: one vector for each short window of speech. Does not tell speakers apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.speakers.mels import BANDS, FRAMES_PER_SECOND, mel_power

DIMENSIONS = 256
WINDOW_SECONDS = 1.6  # the length that the network was trained on
HOP_SECONDS = 0.6  # between the starts of windows; a shorter hop was no better
_SHORTEST_SECONDS = 0.4  # the least speech that gets a vector
_PAUSE_FRAMES = 20  # 0.2 s
_SILENCE = (1e-3, 1e-2)  # of the power of loud frames: more than 30 dB below is silence, less than 20 dB below is not
_FLOOR = 4.0  # between these, silence is below this multiple of the power of the quietest frames
_LEVEL = 0.02  # mean power per mel band, speech at about -27 dBFS; the network is sensitive to loudness
_BATCH = 16  # windows: the fastest of 1 to 256 on one core
_MODEL = Path(__file__).with_name("voice_encoder.onnx")


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """Windows of speech, in order: their starts and ends in seconds of the recording, and their unit vectors.

    ``starts`` and ``ends`` have the shape (windows,), ``vectors`` (windows, dimensions).
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def join(cls, parts: Sequence[Voices]) -> Voices:
        """Concatenate the windows of several stretches of one recording, given in order."""
        if not parts:
            return cls(np.empty(0), np.empty(0), np.empty((0, DIMENSIONS), dtype=np.float32))
        return cls(
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.ends for part in parts]),
            np.concatenate([part.vectors for part in parts]),
        )


class VoiceEncoder:
    """Resemblyzer's network (see voice_encoder.md), on one CPU core. Thread-safe."""

    def __init__(self) -> None:
        import onnxruntime  # noqa: PLC0415 - slow to import, and not every run needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(_MODEL), options, providers=["CPUExecutionProvider"])

    def embed(self, samples: NDArray[np.float32], *, at: float) -> Voices:
        """Embed the voices in one stretch of speech.

        Args:
            samples: Mono at 16 kHz, -1 to 1.
            at: The start of the stretch in the recording, in seconds.

        Returns:
            Windows of 1.6 s or less, about 0.6 s apart, without pauses of 0.2 s or more: each phrase between such
            pauses has its own windows. A phrase of less than 0.4 s has none.
        """
        mels = mel_power(samples)
        length = round(WINDOW_SECONDS * FRAMES_PER_SECOND)
        windows, bounds = [], []
        for begin, end in _phrases(mels):
            spoken = np.arange(begin, end)
            starts = _starts(end - begin, length)
            # A phrase shorter than a window is repeated to fill it.
            windows += [np.resize(spoken[start : start + length], length) for start in starts]
            bounds += [(begin + start, min(begin + start + length, end)) for start in starts]
        if not windows:
            return Voices.join(())
        frames = np.array(windows)
        vectors = np.concatenate([self._vectors(mels[frames[i : i + _BATCH]]) for i in range(0, len(frames), _BATCH)])
        seconds = at + np.array(bounds) / FRAMES_PER_SECOND
        return Voices(seconds[:, 0], seconds[:, 1], vectors)

    def _vectors(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors, (windows, 256), of mel spectrograms, (windows, frames, 40)."""
        power = mels.mean(axis=(1, 2), keepdims=True)
        (vectors,) = self._session.run(None, {"mels": mels * (_LEVEL / power)})
        return np.asarray(vectors, dtype=np.float32)


def _phrases(mels: NDArray[np.float32]) -> list[tuple[int, int]]:
    """The phrases between pauses, as frames (end exclusive): there mostly is a pause where the speaker changes."""
    power = mels.sum(axis=1)
    loud, floor = np.quantile(power, [0.95, 0.05])
    least, most = loud * np.array(_SILENCE)
    silent = power <= max(float(np.clip(_FLOOR * floor, least, most)), BANDS * 1e-9)
    bounds = [0]
    edges = np.flatnonzero(np.diff(silent, prepend=False, append=False))
    for begin, end in edges.reshape(-1, 2).tolist():
        if end - begin >= _PAUSE_FRAMES or begin == 0 or end == len(silent):
            bounds += [begin, end]
    bounds.append(len(silent))
    phrases = zip(bounds[::2], bounds[1::2], strict=True)
    return [(begin, end) for begin, end in phrases if end - begin >= _SHORTEST_SECONDS * FRAMES_PER_SECOND]


def _starts(frames: int, length: int) -> list[int]:
    """The first frames of the windows of a phrase, evenly spaced so that they cover all of it."""
    room = max(frames - length, 0)
    count = 1 + math.ceil(room / (HOP_SECONDS * FRAMES_PER_SECOND) - 0.25)
    return [round(start) for start in np.linspace(0, room, max(count, 1)).tolist()]
