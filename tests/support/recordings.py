"""Recordings for tests: successive ones of one episode, and damaged ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlite_utils import Database

from pipeline.archive.renditions import current_rendition
from pipeline.audio.decode import decode
from pipeline.audio.fingerprint import RATE
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.config import Feed
from pipeline.model import Comparison, Episode, KeptAudio, Piece, Verdict
from pipeline.sample import DATA, EPISODES
from pipeline.stages import Outcome, Tools
from pipeline.stages.renditions import compare_with_current, keep_beside
from pipeline.stages.transcribe import transcribe
from tests.conftest import tones, write_audio
from tests.support.building import NOW, add_feed, episode

A, B, C = ("aa" * 32, "bb" * 32, "cc" * 32)
Samples = NDArray[np.float32]
SHOW = Feed(slug="show", title="Show", url="https://example.org/feed.xml")
LATER = "2026-07-01T00:00:00Z"


def audio(sha256: str, *, seconds: float = 100.0, path: str | None = None, at: str = NOW) -> KeptAudio:
    return KeptAudio(sha256, path or f"audio/{sha256[:2]}/{sha256}.mp3", 1000, "audio/mpeg", seconds, "u", "u", at)


def compared(
    verdict: Verdict, *pieces: tuple[float, float, float], old: str = A, new: str = B,
    gone: Sequence[tuple[float, float]] = (), added: Sequence[tuple[float, float]] = (),
) -> Comparison:  # fmt: skip
    return Comparison(old, new, verdict, tuple(Piece(*piece) for piece in pieces), tuple(gone), tuple(added))


# Ten seconds are inserted at the beginning, those from 40 to 50 are removed.
CHANGED = compared("changed", (0, 40, 10), (50, 100, 50), gone=[(40, 50)], added=[(0, 10)])


@pytest.fixture
def one(archive: Database) -> str:
    """An episode with three questions."""
    return add_feed(archive, "show", episode("one", questions=["Why?", "How?", "When?"]))[0]


class Fetched:
    """Successive recordings of one episode, heard by the fake engine."""

    def __init__(self, tools: Tools, episode_id: str) -> None:
        self.tools, self.episode = tools, Episode(episode_id, "show", "An episode", "https://example.org/one.mp3")

    def comes(self, sha256: str, samples: Samples) -> str | None:
        path = f"audio/{sha256}.wav"
        write_audio(self.tools.data / path, (samples * 32767).astype(np.int16), rate=RATE, codec="pcm_s16le")
        kept = audio(sha256, seconds=samples.size / RATE, path=path)
        known = current_rendition(self.tools.db, self.episode.id)
        return keep_beside(self.tools.db, self.episode.id, kept, compare_with_current(self.tools.data, known, kept))

    def transcribed(self) -> Outcome:
        outcome = transcribe(self.tools, SHOW, self.episode)
        assert isinstance(outcome, Outcome)
        return outcome


@pytest.fixture
def fetched(make_tools: Callable[..., Tools], one: str) -> Fetched:
    tools = make_tools()
    (tools.data / "audio").mkdir()
    return Fetched(tools, one)


@pytest.fixture(scope="session")
def talk() -> Samples:
    return decode(DATA / f"{EPISODES[0]}.mp3", sample_rate=RATE)[: 40 * RATE]


def spoken() -> Samples:
    """The first ten seconds of the sample show."""
    return decode(DATA / "episode-1.mp3")[: 10 * SAMPLE_RATE]


def damaged_m4a(path: Path, share: float, *, seconds: float = 60.0) -> Path:
    """A recording of which a share, in the middle, is rubbish."""
    sound = write_audio(path, tones(seconds=seconds, rate=44_100), rate=44_100, codec="aac", container="ipod")
    content = bytearray(sound.read_bytes())
    start, length = content.index(b"mdat") + len(content) // 3, round(len(content) * share)
    content[start : start + length] = np.random.default_rng(1).bytes(length)
    path.write_bytes(content)
    return path
