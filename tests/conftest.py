"""Fixtures and fakes for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import av
import httpx
import hypothesis
import numpy as np
import pytest
from av.audio.stream import AudioStream
from numpy.typing import NDArray
from sqlite_utils import Database
from threadpoolctl import threadpool_limits

from pipeline.config import Feed
from pipeline.model import Segment, Word
from pipeline.runs.run import clients
from pipeline.speech.hearing import Hearing
from pipeline.speech.journal import Journal
from pipeline.stages import Tools
from pipeline.whisper_models import EngineName
from tests.support.building import new_archive
from tests.support.demo_archive import demo, demo_db, demo_runs
from tests.support.misbehaving import Server, serving

__all__ = ["demo", "demo_db", "demo_runs"]

NOW = "2026-06-02T06:00:00Z"

# The same examples in every run; `pytest --hypothesis-profile=explore` tries new ones.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("same")

# Each pytest process has one core: threads of numpy would only compete with it, and so would those of torch, which wait
# for each other busily, unlike in our own programs (``pipeline.speech.reference``).
threadpool_limits(1, "blas")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server that misbehaves on request (see ``tests.support.misbehaving``)."""
    with serving() as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Database]:
    """An empty archive, open for writing, in ``tmp_path``."""
    with new_archive(tmp_path / "archive.db") as db:
        yield db


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use Datasette, so that they can be repeated with another version of it."""
    for item in items:
        if {"serve", "site"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("site")


def pytest_report_header() -> str:
    return f"Datasette {version('datasette')}"


class FakeEngine:
    """An engine that hears the same in every recording; or raises ``error``, if set."""

    name: EngineName = "faster-whisper"

    def __init__(self, segments: tuple[Segment, ...] | None = None, *, model: str = "tiny.en") -> None:
        words = (Word(0.1, 0.4, "Good", 0.9), Word(0.5, 0.9, "morning.", 0.8))
        self.segments = (Segment(0.1, 0.9, "Good morning.", words, confidence=0.85),) if segments is None else segments
        self.model = model
        self.weights: str | None = None
        self.calls = 0
        self.error: Exception | None = None
        self.peak: float | None = None

    @property
    def options(self) -> Mapping[str, object]:
        return {"fake": True, **({"weights": self.weights} if self.weights else {})}

    def transcribe(
        self,
        blocks: Iterable[NDArray[np.float32]],
        *,
        language: str,  # noqa: ARG002 - the interface is pipeline.speech.engine.Engine
        terms: Sequence[str] = (),  # noqa: ARG002 - as above
        progress: Callable[[float], None] | None = None,
        journal: Journal | None = None,  # noqa: ARG002 - as above
        voices: object = None,  # noqa: ARG002 - as above
    ) -> Hearing:
        self.calls += 1
        if self.error:
            raise self.error
        seconds = sum(block.size for block in blocks) / 16_000
        if progress:
            progress(seconds)
        return Hearing(self.segments, seconds, peak=self.peak)


@pytest.fixture
def engine() -> FakeEngine:
    """The engine used by ``make_tools``."""
    return FakeEngine()


@pytest.fixture
def client() -> Iterator[Callable[[Feed], httpx.Client]]:
    """A function that returns a feed's HTTP client."""
    with clients() as client:
        yield client


@pytest.fixture
def make_tools(
    archive: Database, engine: FakeEngine, client: Callable[[Feed], httpx.Client], tmp_path: Path
) -> Callable[..., Tools]:
    """Make the stages' tools: a fixed clock, real HTTP, the fake engine, no progress; ``changes`` replace fields."""
    tools = Tools(
        db=archive,
        data=tmp_path,
        folder=tmp_path,
        now=lambda: NOW,
        client=client,
        engine=lambda _feed: engine,
        voices=None,
        encode=None,
        sleep=lambda _seconds: None,
        progress=lambda _label, _total: nullcontext(lambda _done: None),
    )

    def make(**changes: Any) -> Tools:
        return replace(tools, **changes)

    return make


def tones(*, seconds: float, rate: int) -> NDArray[np.int16]:
    """Quiet, changing tones, shape (samples,)."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = np.array([330.0, 440.0, 550.0])[(time * 4).astype(int) % 3]
    samples: NDArray[np.int16] = (0.1 * 32767 * np.sin(2 * np.pi * pitch * time)).astype(np.int16)
    return samples


def write_audio(
    path: Path,
    samples: NDArray[np.int16],
    *,
    rate: int,
    codec: str,
    container: str | None = None,
    later: Callable[[float], float] = lambda _: 0.0,
) -> Path:
    """Encode samples, shape (samples,) or (samples, 2), in the format given by the file's suffix.

    ``later`` is by how many seconds the time stamp of a packet is moved on that would play at so many.
    """
    layout = "mono" if samples.ndim == 1 else "stereo"
    with av.open(str(path), "w", format=container) as file:
        stream = cast("AudioStream", file.add_stream(codec, rate=rate, layout=layout))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), format="s16", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            if packet.pts is not None and packet.dts is not None and packet.time_base is not None:
                move = round(later(float(packet.pts * packet.time_base)) / packet.time_base)
                packet.pts, packet.dts = packet.pts + move, packet.dts + move
            file.mux(packet)
    return path


@pytest.fixture(scope="session")
def tone_mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A valid MP3 file: two seconds of tones at 24 kHz."""
    path = tmp_path_factory.mktemp("audio") / "tone.mp3"
    return write_audio(path, tones(seconds=2.0, rate=24_000), rate=24_000, codec="libmp3lame").read_bytes()


@pytest.fixture(scope="session")
def tone_m4a(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A valid M4A file: two seconds of tones at 16 kHz."""
    path = tmp_path_factory.mktemp("audio") / "tone.m4a"
    samples = tones(seconds=2.0, rate=16_000)
    return write_audio(path, samples, rate=16_000, codec="aac", container="ipod").read_bytes()
