"""How well the times of one recording are mapped to another one of the same episode, and how long that takes.

Concatenates real speech (the FLAC files below a folder except music; the sample show's voices are the advertisements),
encodes it, cuts and splices it in ways whose true maps are known, encodes that in another way, and compares the two
files. Measured every tenth of a second: is a moment that is in both found within 0.1 s, and is one that is gone found
nowhere? A quarter of a second around cuts is not counted. The simplest method is measured for comparison: one offset
for all, by correlating loudness.

    python benchmarks/renditions.py [--audio ../shared/audio] [--minutes 5] [--json benchmarks/renditions.json]
"""

from __future__ import annotations

import json
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import click
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from pipeline.audio.compare import comparison
from pipeline.audio.decode import decode
from pipeline.audio.fingerprint import Fingerprint, fingerprint, fingerprint_of
from pipeline.audio.offsets import common
from pipeline.model import Piece
from pipeline.sample import DATA, EPISODES

Samples = NDArray[np.float32]
RATE = 16_000
NEAR, EDGE = 0.1, 0.25  # seconds
OLD = ("mp3", "libmp3lame", 44_100, 128_000)
CODECS = {
    "mp3 64k": ("mp3", "libmp3lame", 44_100, 64_000),
    "mp3 32k, 22 kHz": ("mp3", "libmp3lame", 22_050, 32_000),
    "aac 64k": ("m4a", "aac", 44_100, 64_000),
    "opus 24k": ("ogg", "libopus", 48_000, 24_000),
}


Part = tuple[float, float] | Samples


@dataclass(frozen=True)
class Case:
    """A way to change a recording: parts of it as (start, end) in seconds, and new sound."""

    name: str
    verdict: str
    parts: Sequence[Part]
    codec: str
    gain: float = 1.0

    def build(self, talk: Samples) -> tuple[Samples, list[Piece]]:
        """Return the new recording, and the true map of the old one's parts."""
        made, truth, at = [], [], 0.0
        for part in self.parts:
            samples = talk[round(part[0] * RATE) : round(part[1] * RATE)] if isinstance(part, tuple) else part
            if isinstance(part, tuple):
                truth.append(Piece(part[0], part[0] + len(samples) / RATE, at))
            made.append(samples)
            at += len(samples) / RATE
        return np.concatenate(made) * np.float32(self.gain), truth


def material(folder: Path, seconds: float) -> Samples:
    """Speech from the folder, normalised in loudness; repeated at other speeds if there is too little of it."""
    files = [path for path in sorted(folder.rglob("*.flac")) if "music" not in path.name]
    sounds = [decode(path) for path in files] or [decode(DATA / f"{EPISODES[0]}.mp3")]
    once = np.concatenate([sound * (0.05 / max(float(np.sqrt(np.mean(sound**2))), 1e-6)) for sound in sounds])
    speeds = (1.0, 0.93, 1.07, 0.87, 1.13, 0.81, 1.2)
    made = [np.interp(np.arange(0, len(once), speed), np.arange(len(once)), once) for speed in speeds]
    return np.concatenate(made)[: round(seconds * RATE)].astype(np.float32)


def cases(length: float, advert: Samples, jingle: Samples) -> list[Case]:
    """All cases, with cuts spread over the length of the recording."""
    spots = np.linspace(0, length, 7).round(1).tolist()
    between = list(pairwise(spots))

    def ads(n: int, seconds: float) -> Samples:
        return advert[n * 20 * RATE : n * 20 * RATE + round(seconds * RATE)]

    found = [Case(f"encoded again: {codec}", "same", [(0, length)], codec, 0.4) for codec in CODECS]
    for codec in ("mp3 32k, 22 kHz", "opus 24k"):
        rolls: list[Part] = [
            ads(0, 17.3),
            *(part for n, pair in enumerate(between) for part in (pair, ads(n + 1, 9 + 3.1 * n))),
        ]
        found.append(Case(f"7 advertisements put in: {codec}", "spliced", rolls, codec, 1.5))
        cut = [(spots[n] + n * 1.7, spots[n + 1]) for n in range(6)]
        found.append(Case(f"5 parts of 1.7 to 8.5 s cut out: {codec}", "changed", cut, codec))
    low = "mp3 32k, 22 kHz"
    swapped: list[Part] = [
        part for n, (start, end) in enumerate(between) for part in (ads(n, 6 + n), (start + 12, end))
    ]
    music: list[Part] = [jingle, *(part for pair in between for part in (pair, jingle))]
    quiet: list[Part] = [(0, spots[3]), np.zeros(10 * RATE, np.float32), (spots[3], length)]
    found += [
        Case("6 parts of 12 s exchanged", "changed", swapped, low),
        Case("0.4 s cut out", "changed", [(0, spots[2]), (spots[2] + 0.4, length)], low),
        Case("the ending cut off", "changed", [(0, spots[5])], low),
        Case("the same music put in 7 times", "spliced", music, low),
        Case("10 s of silence put in", "spliced", quiet, low),
        Case("another recording", "other", [advert], low),
    ]
    return found


def encoded(path: Path, samples: Samples, codec: str, rate: int, bit_rate: int) -> Path:
    """Encode mono samples at 16 kHz to a file."""
    with av.open(str(path), "w") as file:
        stream = cast("AudioStream", file.add_stream(codec, rate=rate, layout="mono"))
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format.name, "mono", rate, frame_size=stream.frame_size)
        for one in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(one))
        file.mux(stream.encode(None))
    return path


def one_offset(old: Path, new: Path) -> tuple[Piece, ...]:
    """The simplest method: the offset at which loudness, sampled 50 times per second, correlates best."""
    levels = []
    for path in (old, new):
        samples = decode(path, sample_rate=8000)
        level = np.log(np.square(samples[: len(samples) // 160 * 160]).reshape(-1, 160).mean(axis=1) + 1e-7)
        levels.append(level - level.mean())
    size = 1 << (len(levels[0]) + len(levels[1])).bit_length()
    match = np.fft.irfft(np.fft.rfft(levels[0], size).conj() * np.fft.rfft(levels[1], size))
    place = int(match.argmax())
    offset = (place - size if place > size // 2 else place) / 50
    end = min(len(levels[0]) / 50, len(levels[1]) / 50 - offset)
    return (Piece(max(0.0, -offset), end, max(0.0, offset)),)


def at(pieces: Sequence[Piece], second: float) -> float | None:
    """Map a second of the old recording to the new one; None if it is gone."""
    return next((to + second - start for start, end, to in pieces if start <= second <= end), None)


def measured(truth: Sequence[Piece], pieces: Sequence[Piece], length: float) -> dict[str, float]:
    """The share of moments in both that are mapped correctly, and of moments that are gone but mapped somewhere."""
    edges = np.array([edge for piece in truth for edge in piece[:2]] or [0.0])
    right = kept = false = gone = 0
    for second in np.arange(0.05, length, 0.1).tolist():
        if np.abs(edges - second).min() < EDGE:
            continue
        true, found = at(truth, second), at(pieces, second)
        if true is None:
            gone += 1
            false += found is not None
        else:
            kept += 1
            right += found is not None and abs(found - true) <= NEAR
    return {"right": right / kept if kept else 1.0, "false": false / gone if gone else 0.0}


def timed(work: Callable[[], object]) -> float:
    """The CPU seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def speed(old: Path, hour: Samples, other: Samples) -> dict[str, float]:
    """CPU seconds per hour of audio for decoding and fingerprinting a file, fingerprinting alone, and comparing."""
    prints: list[Fingerprint] = [fingerprint_of([samples]) for samples in (hour, other)]
    seconds = len(decode(old)) / RATE
    return {
        "decoding and fingerprint": timed(lambda: fingerprint(old)) * 3600 / seconds,
        "fingerprint": timed(lambda: fingerprint_of([hour])),
        "comparing with itself": timed(lambda: common(prints[0], prints[0])),
        "comparing with another": timed(lambda: common(prints[0], prints[1])),
        "bytes": float(prints[0].words.nbytes + prints[0].sound.nbytes),
    }


@click.command()
@click.option("--audio", type=click.Path(path_type=Path), default=Path("../shared/audio"), show_default=True)
@click.option("--minutes", type=float, default=5.0, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), default=Path(__file__).with_suffix(".json"))
def main(audio: Path, minutes: float, out: Path) -> None:
    """Measure, print a table, write JSON."""
    talk = material(audio, minutes * 60)
    length = len(talk) / RATE
    advert = decode(DATA / f"{EPISODES[1]}.mp3")
    music = next(iter(audio.rglob("*music*.flac")), None)
    jingle = (decode(music) if music else advert[-40 * RATE :])[: 8 * RATE]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        old = encoded(Path(folder) / f"old.{OLD[0]}", talk, *OLD[1:])
        known = fingerprint(old)
        for case in cases(length, advert, jingle):
            ending, codec, rate, bits = CODECS[case.codec]
            samples, truth = case.build(talk)
            new = encoded(Path(folder) / f"new.{ending}", samples, codec, rate, bits)
            found = comparison(known, fingerprint(new), names=("old", "new"))
            row: dict[str, Any] = {
                "case": case.name,
                "verdict": found.verdict,
                "expected": case.verdict,
                "pieces": len(found.pieces),
                "true_pieces": len(truth),
                **measured(truth, found.pieces, length),
                "one_offset": measured(truth, one_offset(old, new), length),
            }
            rows.append(row)
            mark = "" if found.verdict == case.verdict else f" (not {case.verdict}!)"
            click.echo(
                f"{case.name:48} right {row['right']:7.2%} false {row['false']:7.2%} pieces {row['pieces']:3}"
                f" of {len(truth):2} {found.verdict}{mark}; one offset: right {row['one_offset']['right']:.2%}"
            )
        halves = [decode(old, sample_rate=8000), decode(DATA / f"{EPISODES[0]}.mp3", sample_rate=8000)]
        hour, other = (np.resize(half, 3600 * 8000) for half in halves)
        seconds = speed(old, hour, other)
    for name, took in seconds.items():
        click.echo(f"an hour, {name}: {took:,.1f}{'' if name == 'bytes' else ' s'}")
    facts = {"minutes": minutes, "machine": platform.machine(), "cases": rows, "an_hour": seconds}
    out.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
