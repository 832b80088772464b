"""Audio that is not an interview, or a poor recording of one, heard with the real weights of tiny.en."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlite_utils import Database

from pipeline.archive.episodes import episodes
from pipeline.archive.renditions import save_rendition
from pipeline.audio.decode import decode
from pipeline.config import Config, Feed
from pipeline.model import KeptAudio
from pipeline.runs.alone import transcribe_files
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.sample import DATA
from pipeline.speech.decoder import Decoder, Heard
from pipeline.speech.faster import FasterWhisper
from pipeline.speech.hearing import WindowedEngine
from pipeline.speech.windows import Samples
from pipeline.stages import Tools
from tests.conftest import tones, write_audio
from tests.support.building import NOW, add_feed, episode
from tests.support.speech_fakes import Counted

Sound = NDArray[np.int16]
RATE = 16_000


def speech(first: float, last: float, *, rate: int = RATE) -> Sound:
    """The part of the first sample episode between these times, in seconds."""
    found = decode(DATA / "episode-1.mp3", sample_rate=rate)[round(first * rate) : round(last * rate)]
    return as_sound(found)


def as_sound(samples: NDArray[Any]) -> Sound:
    sound: Sound = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    return sound


def silence(seconds: float, *, rate: int = RATE) -> Sound:
    return np.zeros(round(seconds * rate), np.int16)


def noise(seconds: float) -> Sound:
    return as_sound(0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE)))


def music(seconds: float) -> Sound:
    """One chord per second, struck and dying away, each note with overtones."""
    time = np.arange(round(seconds * RATE)) / RATE
    root = np.array([220.0, 174.6, 261.6, 196.0])[time.astype(int) % 4]
    chord = [(tone, overtone) for tone in (1.0, 1.26, 1.5, 2.0) for overtone in range(1, 5)]
    sound = sum(np.sin(2 * np.pi * root * tone * n * time) / n for tone, n in chord)
    return as_sound(0.05 * np.exp(-2 * (time % 1)) * sound)


@dataclass(frozen=True)
class Result:
    """The result for a file: its duration in seconds, its text and words (start, end, text, probability), remarks."""

    duration: float
    text: str
    words: list[tuple[float, float, str, float]]
    remarks: tuple[str, ...]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """The transcription of each sound, by a single engine, as ``transcribe --load`` does with several files."""
    folder = tmp_path_factory.mktemp("sounds")
    stereo = np.column_stack([speech(0, 13, rate=48_000), silence(13, rate=48_000)])
    quiet = (speech(0, 13) / 100).astype(np.int16)
    aside = np.column_stack([np.concatenate([speech(0, 13), silence(13)]), np.concatenate([silence(13), quiet])])
    intro = np.concatenate([music(8), silence(4), speech(0, 13), silence(40)])
    sounds = [
        write_audio(folder / "silence.mp3", silence(10), rate=RATE, codec="libmp3lame"),
        write_audio(folder / "tones.mp3", tones(seconds=10, rate=RATE), rate=RATE, codec="libmp3lame"),
        write_audio(folder / "music.mp3", music(15), rate=RATE, codec="libmp3lame"),
        write_audio(folder / "noise.mp3", noise(10), rate=RATE, codec="libmp3lame"),
        write_audio(folder / "blink.wav", speech(3, 3.05), rate=RATE, codec="pcm_s16le"),
        write_audio(folder / "telephone.wav", speech(0, 13, rate=8_000), rate=8_000, codec="pcm_s16le"),
        write_audio(folder / "stereo.m4a", stereo, rate=48_000, codec="aac", container="ipod"),
        write_audio(folder / "quiet.flac", quiet, rate=RATE, codec="flac"),
        write_audio(folder / "aside.flac", aside, rate=RATE, codec="flac"),
        write_audio(folder / "intro.mp3", intro, rate=RATE, codec="libmp3lame"),
        write_audio(folder / "short.mp3", speech(8.2, 11.2), rate=RATE, codec="libmp3lame"),
    ]
    found = {}
    results = transcribe_files(sounds, model="tiny.en", engine="faster-whisper", language="en", cache=folder)
    for path, result in results:
        assert isinstance(result, dict), result
        segments = result["segments"]
        text = " ".join(segment["text"] for segment in segments)
        words = [word for one in segments for word in one["words"]]
        found[path.stem] = Result(result["duration"], text, words, tuple(result.get("remarks", ())))
    return found


def test_what_may_have_been_missed_is_remarked_on(heard: dict[str, Result]) -> None:
    assert heard["silence"].remarks == (
        "it is so quiet that speech may have been missed: it is silent",
        "no speech was found in it",
    )
    assert heard["quiet"].remarks == ("it is so quiet that speech may have been missed: its peak is -44 dB",)
    assert [one.partition(" of speech ")[2] for one in heard["aside"].remarks] == [
        "on the right channel was not heard: it is 40 dB quieter than the other"
    ]
    assert heard["telephone"].remarks == heard["stereo"].remarks == ()


@pytest.mark.parametrize("sound", ["silence", "tones", "music", "noise", "blink"])
def test_where_nobody_speaks_no_word_is_made_up(heard: dict[str, Result], sound: str) -> None:
    assert (heard[sound].text, heard[sound].words) == ("", [])


@pytest.mark.parametrize("sound", ["telephone", "stereo", "quiet", "intro"])
def test_a_poor_recording_of_speech_is_heard(heard: dict[str, Result], sound: str) -> None:
    text = heard[sound].text.casefold()
    assert "the people and the councils do not exist" in text
    assert text.rstrip(".!").endswith("family services gazette")
    assert len(heard[sound].words) == pytest.approx(28, abs=2)


def test_three_seconds_of_speech_are_heard(heard: dict[str, Result]) -> None:
    assert heard["short"].text.casefold().startswith("welcome to the inspection interview")


@pytest.mark.parametrize("sound", ["telephone", "stereo", "quiet", "intro", "short"])
def test_words_are_in_order_and_inside_the_recording(heard: dict[str, Result], sound: str) -> None:
    words = heard[sound].words
    assert all(0 <= start < end <= heard[sound].duration for start, end, *_ in words)
    assert all(one[1] <= other[0] for one, other in pairwise(words))


def test_words_have_their_times_in_the_recording_whatever_was_left_out_of_it(heard: dict[str, Result]) -> None:
    alone, later = heard["stereo"].words, heard["intro"].words
    assert later[0][0] == pytest.approx(12 + alone[0][0], abs=0.3)
    assert later[-1][1] == pytest.approx(12 + alone[-1][1], abs=0.3)


# --- a decoder that fails in the middle


class Noted(Counted):
    """Also records the length of each window; no two are equal."""

    def __init__(self, decoder: Decoder, *, fails_at: int | None = None) -> None:
        super().__init__(decoder, fails_at=fails_at)
        self.sizes: list[int] = []

    def decode(self, batch: Sequence[Samples], *, language: str, prompt: str | None = None) -> list[Heard]:
        self.sizes += [samples.size for samples in batch]
        return super().decode(batch, language=language, prompt=prompt)


@pytest.fixture
def show(archive: Database, tmp_path: Path) -> Feed:
    """A show with two kept recordings of 45 seconds each; the newest comes first."""
    items = [episode("new", published="2026-01-20T06:00:00Z"), episode("old", published="2026-01-10T06:00:00Z")]
    (tmp_path / "audio").mkdir()
    for n, one in enumerate(add_feed(archive, "show", *items)):
        path = write_audio(tmp_path / "audio" / f"{n}.wav", speech(45 * n, 45 * n + 45), rate=RATE, codec="pcm_s16le")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        save_rendition(archive, one, KeptAudio(sha256, f"audio/{n}.wav", 1, "audio/wav", 45.0, "u", "u", NOW))
    return Feed(slug="show", title="Show", url="feed.xml")


def test_a_decoder_that_fails_in_the_middle_costs_one_episode_and_no_window(
    show: Feed, archive: Database, tmp_path: Path, make_tools: Callable[..., Tools]
) -> None:
    failing, sound = (Noted(FasterWhisper("tiny.en", cache=tmp_path), fails_at=number) for number in (2, None))

    def run(decoder: Noted) -> Report:
        tools = make_tools(engine=lambda _: WindowedEngine(decoder))
        return ingest(Config(feeds=[show]), tools, stages=("transcribe",))

    report = run(failing)
    first, second = episodes(archive, "show")
    assert report.exit_code == 3
    assert [(item.episode, item.reason) for item in report.failures] == [
        (first.id, "faster-whisper failed: out of memory")
    ]
    assert archive.execute("select episode from transcripts").fetchall() == [(second.id,)]
    (journal,) = tmp_path.glob("transcripts/*.unfinished.jsonl")
    kept = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line]
    (size,) = (sum(end - start for start, end in record["spans"]) for record in kept)
    assert failing.sizes[0] == size
    assert run(sound).exit_code == 0
    assert sound.sizes[0] == failing.sizes[1]  # where it failed
    assert size not in sound.sizes
    assert list(tmp_path.glob("transcripts/*.unfinished.jsonl")) == []
    texts = dict(archive.execute("select episode, group_concat(text, ' ') from segments group by episode").fetchall())
    assert set(texts) == {first.id, second.id}
    assert "councils do not exist" in texts[first.id]
    assert "councils do not exist" not in texts[second.id]


@pytest.mark.parametrize(
    ("what", "error", "why"),
    [
        (
            "pipeline.runs.alone.VoiceEncoder",
            OSError("the weights are gone"),
            "the voices could not be told apart (OSError: the weights are gone)",
        ),
        ("pipeline.stages.speakers.label_speakers", ValueError("odd shapes"), "ValueError: odd shapes"),
    ],
)
def test_a_file_has_its_words_where_speakers_cannot_be_told_apart(
    what: str, error: Exception, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise error

    monkeypatch.setattr(what, fail)
    sound = write_audio(tmp_path / "short.mp3", speech(8.2, 11.2), rate=RATE, codec="libmp3lame")
    ((_, result),) = transcribe_files(
        [sound], model="tiny.en", engine="faster-whisper", language="en", cache=tmp_path / "cache"
    )
    assert isinstance(result, dict), result
    assert result["segments"][0]["text"].casefold().startswith("welcome to the inspection interview")
    assert {segment["speaker"] for segment in result["segments"]} == {None}
    assert result["remarks"] == [f"without speakers: {why}"]
