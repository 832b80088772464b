"""Speech on a channel that is much quieter than the other: it is not heard in the mix, and that is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from pipeline.archive.renditions import save_rendition
from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.config import Config, Feed
from pipeline.model import KeptAudio
from pipeline.runs.ingest import ingest
from pipeline.sample import DATA
from pipeline.speech.channels import Channels
from pipeline.speech.windows import Samples, windows
from pipeline.stages import Tools
from tests.conftest import FakeEngine, write_audio
from tests.support.building import NOW, add_feed, episode

TURN = 12  # seconds
NO_SAMPLES = np.empty(0, np.float32)


@pytest.fixture(scope="module")
def both() -> tuple[Samples, Samples]:
    """Half a minute of a host, and as much of a guest."""
    samples = decode(DATA / "episode-1.mp3")
    return samples[: 36 * SAMPLE_RATE], samples[125 * SAMPLE_RATE : 161 * SAMPLE_RATE]


def in_turns(
    path: Path, host: Samples, guest: Samples, *, crosstalk: float = 0.0, jingle: Samples = NO_SAMPLES
) -> Path:
    """A recording in which each speaks on a channel of their own; of the host, this share is on the guest's, too.

    It begins with a jingle on both channels.
    """
    size = TURN * SAMPLE_RATE
    parts = [np.column_stack([jingle, jingle])]
    for at in range(0, host.size, size):
        still = np.zeros(size, np.float32)
        parts.append(np.column_stack([host[at : at + size], host[at : at + size] * crosstalk]))
        parts.append(np.column_stack([still, guest[at : at + size]]))
    sound = (np.clip(np.concatenate(parts), -1, 1) * 32767).astype(np.int16)
    return write_audio(path, sound, rate=SAMPLE_RATE, codec="libmp3lame")


def heard_in(channels: Channels) -> list[tuple[float, float]]:
    found = windows(channels.mixed())
    return [(start / SAMPLE_RATE, end / SAMPLE_RATE) for window in found for start, end in window.speech]


@pytest.mark.parametrize("decibels", [45, 60])
def test_a_guest_who_is_turned_down_is_missed_and_that_is_noticed(
    tmp_path: Path, both: tuple[Samples, Samples], decibels: int
) -> None:
    host, guest = both
    channels = Channels(in_turns(tmp_path / "a.mp3", host, guest * np.float32(10 ** (-decibels / 20))))
    found = channels.unheard(heard_in(channels))
    assert found is not None
    assert found.channel == "right"
    assert found.decibels == pytest.approx(decibels, abs=3)
    assert found.seconds == pytest.approx(29, abs=4)


def test_music_on_both_channels_hides_nobody(tmp_path: Path, both: tuple[Samples, Samples]) -> None:
    host, guest = both
    time = np.arange(15 * SAMPLE_RATE) / SAMPLE_RATE
    chord = (np.sin(2 * np.pi * np.outer([220.0, 277.2, 330.0], time)).sum(axis=0) / 10).astype(np.float32)
    channels = Channels(in_turns(tmp_path / "a.mp3", host, guest / np.float32(200), jingle=chord))
    found = channels.unheard(heard_in(channels))
    assert found is not None
    assert found.channel == "right"
    assert found.seconds == pytest.approx(29, abs=4)


@pytest.mark.parametrize("decibels", [0, 20])
def test_a_guest_who_is_less_loud_is_heard(tmp_path: Path, both: tuple[Samples, Samples], decibels: int) -> None:
    host, guest = both
    channels = Channels(in_turns(tmp_path / "a.mp3", host, guest * np.float32(10 ** (-decibels / 20))))
    assert channels.unheard(heard_in(channels)) is None


@pytest.mark.parametrize("crosstalk", [0.0, 0.01])
@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_a_channel_on_which_nobody_else_speaks_is_not_missed(
    tmp_path: Path, both: tuple[Samples, Samples], crosstalk: float, noise: float
) -> None:
    host, guest = both
    hiss = (noise * np.random.default_rng(0).standard_normal(guest.size)).astype(np.float32)
    channels = Channels(in_turns(tmp_path / "a.mp3", host, hiss, crosstalk=crosstalk))
    assert channels.unheard(heard_in(channels)) is None


def test_mono_has_no_other_channel() -> None:
    channels = Channels(DATA / "episode-1.mp3")
    list(channels.mixed())
    assert channels.unheard([]) is None


def test_the_run_says_what_was_not_heard(
    archive: Database,
    tmp_path: Path,
    both: tuple[Samples, Samples],
    make_tools: Callable[..., Tools],
    engine: FakeEngine,
) -> None:
    engine.segments = ()
    host, guest = both
    (tmp_path / "audio").mkdir()
    path = in_turns(tmp_path / "audio" / "a.mp3", host, guest / np.float32(200))
    (one,) = add_feed(archive, "show", episode("one"))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    save_rendition(archive, one, KeptAudio(sha256, "audio/a.mp3", 1, "audio/mpeg", 72.0, "u", "u", NOW))
    feed = Feed(slug="show", title="Show", url="feed.xml")
    (item,) = ingest(Config(feeds=[feed]), make_tools(), stages=("transcribe",)).items
    assert "of speech on the right channel was not heard: it is 47 dB quieter than the other" in (item.reason or "")
