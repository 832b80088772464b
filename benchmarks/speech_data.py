"""The recordings of the speech benchmark, and what is said in them. Transcribes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.speech_measures import TimedWord
from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.sample import DATA, EPISODES

Sound = NDArray[np.float32]

# The people, councils, organisations and acronym of the sample show. Listed by hand, so that they do not depend on a
# program.
NAMES = (
    "Alice", "Waterman", "Martin", "Fairchild", "Graham", "Seabrook", "Northbridge", "Greenhaven", "MASH",
    "Family Services Gazette", "Inspection Interview",
)  # fmt: skip

# sample: the bundled show; timed: manual word times; nothing: hardly any speech; long: only for speed.
SETS = ("sample", "timed", "nothing", "long")
SPEED_SETS = ("sample", "long")

_NEARLY_SILENT = ("ami-trn01", "ami-trn02")
_SYNTHETIC_SECONDS = 30
_SEED = 1


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording: a function for its samples (mono, 16 kHz), and what is said in it as far as that is known."""

    name: str
    set: str
    samples: Callable[[], Sound]
    said: str = ""
    words: tuple[TimedWord, ...] = ()


def recordings(sets: Sequence[str], audio: Path) -> list[Recording]:
    """Return the recordings of these sets.

    Args:
        sets: Some of ``SETS``.
        audio: A folder of real speech, with the truth beside each recording as JSON; without it there are only
            the bundled sample and synthetic sounds.
    """
    real = _real(audio) if audio.is_dir() else []
    return [recording for recording in [*_sample(), *real, *_synthetic()] if recording.set in sets]


def _sample() -> list[Recording]:
    found = []
    for name in EPISODES:
        truth = json.loads((DATA / f"{name}.truth.json").read_text(encoding="utf-8"))
        said = " ".join(utterance["text"] for utterance in truth["utterances"])
        found.append(Recording(name, "sample", _file(DATA / f"{name}.mp3"), said))
    return found


def _real(audio: Path) -> list[Recording]:
    found = []
    for truth in [*sorted(audio.glob("ami-*.json")), *sorted(audio.glob("mfa-*.json"))]:
        listed = json.loads(truth.read_text(encoding="utf-8"))["words"]
        words = tuple(sorted(TimedWord(word["start"], word["end"], word["text"]) for word in listed))
        said = " ".join(word.text for word in words)
        kind = "nothing" if truth.stem in _NEARLY_SILENT else "timed"
        found.append(Recording(truth.stem, kind, _file(truth.with_suffix(".flac")), said, words))
    if (music := audio / "music-vibe.flac").exists():
        found.append(Recording(music.stem, "nothing", _file(music)))
    for name, pattern in (("LibriSpeech", "librispeech/*.flac"), ("AMI", "ami-*.flac")):
        if parts := sorted(audio.glob(pattern)):
            found.append(Recording(name, "long", _joined(parts)))
    return found


def _synthetic() -> list[Recording]:
    sounds = {"digital silence": _silence, "white noise": _white, "pink noise": _pink, "mains hum": _hum}
    return [Recording(name, "nothing", make) for name, make in sounds.items()]


def _file(path: Path) -> Callable[[], Sound]:
    return lambda: decode(path)


def _joined(parts: Sequence[Path]) -> Callable[[], Sound]:
    """All parts in a random but reproducible order, with the pauses of a conversation between them."""

    def samples() -> Sound:
        chance = np.random.default_rng(_SEED)
        pieces: list[Sound] = []
        for place in chance.permutation(len(parts)):
            pause = np.zeros(round(chance.uniform(0.3, 1.2) * SAMPLE_RATE), np.float32)
            pieces += [decode(parts[place]), pause]
        return np.concatenate(pieces)

    return samples


def _silence() -> Sound:
    return np.zeros(_SYNTHETIC_SECONDS * SAMPLE_RATE, np.float32)


def _white() -> Sound:
    noise = np.random.default_rng(_SEED).standard_normal(_SYNTHETIC_SECONDS * SAMPLE_RATE)
    return (0.01 * noise).astype(np.float32)  # -40 dBFS, a noisy room


def _pink() -> Sound:
    spectrum = np.fft.rfft(_white().astype(np.float64))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    noise = np.fft.irfft(spectrum)
    return np.asarray(0.01 * noise / noise.std(), np.float32)


def _hum() -> Sound:
    seconds = np.arange(_SYNTHETIC_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    harmonics = np.stack([np.sin(2 * np.pi * 50 * n * seconds) / n for n in (1, 2, 3, 5)])
    return np.asarray(0.02 * harmonics.sum(axis=0), np.float32)
