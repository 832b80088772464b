"""How often a word is attributed to the wrong speaker, and how long attribution takes.

Measured on the bundled sample show and on a folder of recordings: `librispeech/` (one speaker per file, from which
dialogues are put together) and clips beside JSON files of timed words and speakers. Missing recordings are left out.
All words have their true times, so the DER is the share of word time that is confused or unknown, without a collar;
overlapping words count separately. Words in the dialogues are synthetic: one every 0.3 s, with a full stop after every
twelfth and at the end of four turns out of five.

    python benchmarks/speakers.py [--audio ../shared/audio] [--json benchmarks/speakers.json]
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Word
from pipeline.sample import DATA, EPISODES
from pipeline.speech.speakers.attribute import attribute
from pipeline.speech.speakers.voices import VoiceEncoder

JSON = Path(__file__).with_suffix(".json")
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """A recording with the true speakers of its words."""

    kind: str
    audio: Samples
    words: tuple[Word, ...]
    truth: tuple[str, ...]


def sample_show() -> Iterator[Case]:
    """The bundled episodes, with words spread evenly over each utterance."""
    for name in EPISODES:
        words, truth = [], []
        for utterance in json.loads((DATA / f"{name}.truth.json").read_text(encoding="utf-8"))["utterances"]:
            texts = utterance["text"].split()
            edges = np.linspace(utterance["start"], utterance["end"], len(texts) + 1).tolist()
            words += [Word(edges[n], edges[n + 1], text, 1.0) for n, text in enumerate(texts)]
            truth += [utterance["speaker"]] * len(texts)
        yield Case("sample show", decode(DATA / f"{name}.mp3"), tuple(words), tuple(truth))


def clips(folder: Path) -> Iterator[Case]:
    """Clips with timed words and speakers in a JSON file."""
    for file in sorted(folder.glob("*.json")):
        facts = json.loads(file.read_text(encoding="utf-8"))
        timed = [word for word in facts["words"] if "start" in word and "speaker" in word]
        if len(timed) >= 20:
            timed.sort(key=lambda word: word["start"])
            words = tuple(Word(word["start"], word["end"], word["text"], 1.0) for word in timed)
            truth = tuple(word["speaker"] for word in timed)
            yield Case("clips of 30 s", decode(folder / facts["audio"]), words, truth)


def dialogues(folder: Path) -> Iterator[Case]:
    """Dialogues of read speech: pairs, pairs of 10 to 90 %, three speakers, and one; every second one in noise."""
    voices: dict[str, list[Samples]] = {}
    for file in sorted(folder.glob("*.flac")):
        audio = decode(file)
        voices.setdefault(file.name.split("-")[0], []).append(audio * (0.06 / np.sqrt(np.mean(audio**2))))
    joined = {name: np.concatenate(parts) for name, parts in voices.items()}
    for n, pair in enumerate(combinations(joined, 2)):
        yield _dialogue("two", [joined[name] for name in pair], (0.5, 0.5), seed=n)
        yield _dialogue("two, 10 to 90", [joined[name] for name in pair], (0.1, 0.9), seed=n)
    for n, three in enumerate(combinations(joined, 3)):
        yield _dialogue("three", [joined[name] for name in three], (1 / 3,) * 3, seed=n)
    for n, audio in enumerate(joined.values()):
        yield _dialogue("one", [audio], (1.0,), seed=n)


def _dialogue(kind: str, voices: list[Samples], shares: tuple[float, ...], *, seed: int) -> Case:
    """Four minutes of turns of 1 to 25 s, with pauses of up to 0.6 s and voices of different loudness."""
    random = np.random.default_rng(seed)
    loudness = 10 ** (random.uniform(-5, 3, len(voices)) / 20)
    spoken = np.zeros(len(voices))
    parts, words, truth = [], [], []
    at, speaker = 0.0, 0
    while at < 240:
        seconds = random.uniform(1, 25) if shares[speaker] > 0.2 else random.uniform(1, 5)
        begin = int(random.integers(0, max(len(voices[speaker]) - int(seconds * SAMPLE_RATE), 1)))
        part = voices[speaker][begin : begin + int(seconds * SAMPLE_RATE)] * loudness[speaker]
        edges = np.arange(at, at + len(part) / SAMPLE_RATE, 0.3)
        stop = random.random() < 0.8
        for n, start in enumerate(edges.tolist()):
            ends = n % 12 == 11 or (stop and n == len(edges) - 1)
            words.append(Word(start, min(start + 0.3, at + len(part) / SAMPLE_RATE), "so." if ends else "so", 1.0))
            truth.append(str(speaker))
        pause = np.zeros(int(random.uniform(0, 0.6) * SAMPLE_RATE), dtype=np.float32)
        parts += [part, pause]
        spoken[speaker] += len(part)
        at += (len(part) + len(pause)) / SAMPLE_RATE
        behind = np.array(shares) - spoken / spoken.sum()
        behind[speaker] = -np.inf if len(voices) > 1 else 0
        speaker = int(behind.argmax())
    audio = np.concatenate(parts)
    if seed % 2:
        audio = audio + random.standard_normal(len(audio)) * 0.002
    return Case(kind, audio.astype(np.float32), tuple(words), tuple(truth))


def measure(case: Case, encoder: VoiceEncoder, *, told: bool) -> dict[str, float]:
    """Count words, wrong and unknown ones, also in seconds, and correct numbers of speakers; measure CPU time."""
    began = time.process_time()
    voices = encoder.embed(case.audio, at=0.0)
    names = sorted(set(case.truth))
    found = attribute(case.words, voices, count=len(names) if told else None)
    took = time.process_time() - began
    lengths = np.array([word.end - word.start for word in case.words])
    given = np.array([-1 if one is None else one for one in found.speakers])
    true = np.array([names.index(name) for name in case.truth])
    orders = permutations(range(max(len(names), len(found.seconds))), len(names))
    wrong = min(
        ((given >= 0) & (given != np.array(order)[true]) for order in orders), key=lambda mask: float(mask.sum())
    )
    return {
        "words": len(true),
        "wrong": int(wrong.sum()),
        "unknown": int((given < 0).sum()),
        "seconds": float(lengths.sum()),
        "missed": float(lengths[wrong | (given < 0)].sum()),
        "counted": float(len(found.seconds) == len(names)),
        "recordings": 1,
        "audio": len(case.audio) / SAMPLE_RATE,
        "cpu": took,
    }


@click.command()
@click.option("--audio", type=click.Path(path_type=Path), default=Path("../shared/audio"), show_default=True)
@click.option("--json", "target", type=click.Path(path_type=Path), default=JSON, help="Write the figures there.")
def main(audio: Path, target: Path) -> None:
    """Print a table: each kind of recording, with the number of speakers told and not told."""
    encoder = VoiceEncoder()
    rows: dict[str, dict[str, float]] = {}
    for case in (*sample_show(), *clips(audio), *dialogues(audio / "librispeech")):
        for told in (True, False):
            row = rows.setdefault(f"{case.kind}{'' if told else ' (not told how many)'}", {})
            for name, value in measure(case, encoder, told=told).items():
                row[name] = row.get(name, 0) + value
    click.echo(f"{'':38} recordings  words   wrong  unknown    DER  counted  x real time")
    for kind, row in rows.items():
        click.echo(
            f"{kind:38} {row['recordings']:10.0f} {row['words']:6.0f} {row['wrong'] / row['words']:7.2%} "
            f"{row['unknown'] / row['words']:8.2%} {row['missed'] / row['seconds']:6.2%} "
            f"{row['counted'] / row['recordings']:8.0%} {row['audio'] / row['cpu']:12.0f}"
        )
    target.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
