"""An archive with a realistic interview of an hour, for the size and speed of its page."""

from __future__ import annotations

import json
import random
import wave
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from pipeline.archive.database import writer
from pipeline.archive.questions.alignments import save_matches
from pipeline.model import Match, Segment, Word
from pipeline.sample import DATA, EPISODES
from tests.support.building import NOW, add_feed, add_transcript, episode

SECONDS = 3600
QUESTIONS = 12
_RATE = 8000  # hertz; the audio is silence


def build_hour(folder: Path) -> tuple[Path, str]:
    """Make the archive; returns its path and the episode's id.

    The words are random ones of the sample show, 5 to 20 per segment, 0.05 to 0.8 seconds long to the millisecond; one
    in ten is followed by a pause, one in fifty is uncertain, one segment in forty is flagged.
    """
    chance = random.Random(1)  # noqa: S311 - the same archive each time
    segments, position = [], 0.0
    spoken = [word for name in EPISODES for line in _said(name) for word in line.split()]
    while position < SECONDS - 10:
        words = []
        for _ in range(chance.randint(5, 20)):
            length = min(max(chance.gauss(0.31, 0.2), 0.05), 0.8)
            probability = chance.uniform(0.1, 0.5) if chance.random() < 0.02 else chance.uniform(0.5, 1.0)
            start = round(position, 3)
            words.append(Word(start, round(position + length, 3), chance.choice(spoken), round(probability, 4)))
            position += length + (chance.uniform(0.05, 0.6) if chance.random() < 0.1 else 0)
        flags = ("low_confidence",) if chance.random() < 1 / 40 else ()
        text = " ".join(word.text for word in words)
        segments.append(Segment(words[0].start, words[-1].end, text, tuple(words), confidence=0.9, flags=flags))
    path = folder / "hour.db"
    with writer(path) as db:
        lines = [" ".join(chance.choice(spoken) for _ in range(30)) + "?" for _ in range(QUESTIONS)]
        (interview,) = add_feed(db, "show", episode("one", title="An hour", questions=lines))
        audio = _silence(folder)
        asked = [round(n * len(segments) / QUESTIONS) for n in range(QUESTIONS)]
        told = [replace(one, speaker="Host" if n in asked else "A guest") for n, one in enumerate(segments)]
        transcript = add_transcript(db, interview, told, sha256=audio)
        with db.atomic():
            size = (folder / "audio" / audio[:2] / f"{audio}.wav").stat().st_size
            db.execute(
                """update renditions set bytes = ?, content_type = 'audio/wav', duration = ?,
                   path = replace(path, 'mp3', 'wav')""",
                [size, SECONDS],
            )
        starts = [segments[n].start for n in asked] + [segments[-1].end]
        matches = [
            Match(n, "asked", start, start + 5, end, 0.9) for n, (start, end) in enumerate(pairwise(starts), start=1)
        ]
        save_matches(db, interview, transcript, matches, key="k", now=NOW)
    return path, interview


def _said(name: str) -> list[str]:
    truth = json.loads((DATA / f"{name}.truth.json").read_text(encoding="utf-8"))
    return [utterance["text"] for utterance in truth["utterances"]]


def _silence(folder: Path) -> str:
    """Keep an hour of silence under ``audio``; returns its SHA-256."""
    plain = folder / "silence.wav"
    with wave.open(str(plain), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(b"\x80" * _RATE * SECONDS)
    digest = sha256(plain.read_bytes()).hexdigest()
    kept = folder / "audio" / digest[:2] / f"{digest}.wav"
    kept.parent.mkdir(parents=True)
    plain.rename(kept)
    return digest
