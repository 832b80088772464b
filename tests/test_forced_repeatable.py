"""Forced alignment gives the same whatever was aligned before."""

from __future__ import annotations

import json

from pipeline.audio.decode import decode
from pipeline.model import Word
from pipeline.sample import DATA
from pipeline.speech.forced.aligner import ForcedAligner


def test_words_have_the_same_times_whatever_was_aligned_before() -> None:
    samples = decode(DATA / "episode-2.mp3")
    utterances = json.loads((DATA / "episode-2.truth.json").read_text(encoding="utf-8"))["utterances"][:14]
    jobs = []
    for one in utterances:
        sound = samples[round(one["start"] * 16_000) : round(one["end"] * 16_000)]
        texts = one["text"].split()
        step = sound.size / 16_000 / len(texts)
        jobs.append(([Word(n * step, (n + 1) * step, text, 0.9) for n, text in enumerate(texts)], sound))
    one, other = ForcedAligner(), ForcedAligner()
    forwards = [one.refine(*job) for job in jobs]
    backwards = [other.refine(*job) for job in reversed(jobs)]
    assert forwards == backwards[::-1]
