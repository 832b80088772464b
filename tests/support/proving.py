"""Fixtures: a small archive with a file of every kind, made by a run over real HTTP with a fake engine."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.archive.database import writer
from pipeline.cli import main
from pipeline.config import Config, Feed
from pipeline.model import Segment, Word
from pipeline.net.client import make_client
from pipeline.runs.ingest import ingest
from pipeline.stages import Tools
from tests.conftest import FakeEngine
from tests.support.misbehaving import Answer, Server, serving

NOW = "2026-06-02T06:00:00Z"
FEED = """<?xml version='1.0'?><rss version='2.0' xmlns:podcast='https://podcastindex.org/namespace/1.0'><channel>
<title>A show</title>{items}</channel></rss>"""
ITEM = (
    "<item><guid>{n}</guid><title>Episode {n}</title><description>Questions: 1) Why? 2) How?</description>"
    "<pubDate>0{n} Mar 2026 06:00:00 GMT</pubDate>"
    "<enclosure url='{n}.audio' type='audio/mpeg'/><podcast:transcript url='{n}.vtt' type='text/vtt'/></item>"
)
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nGood morning number {n}.\n"


@dataclass(frozen=True)
class Proven:
    """The location of the archive, its feeds.yaml, and the server of its show."""

    path: Path
    feeds: Path
    server: Server

    @property
    def data(self) -> Path:
        return self.path.parent

    def call(self, *arguments: object) -> Result:
        """Run a command on it."""
        return CliRunner().invoke(main, [*map(str, arguments), "--db", str(self.path)])

    def repair(self, *arguments: object) -> Result:
        """Run ``verify --repair``."""
        return self.call("verify", "--repair", "--feeds", self.feeds, *arguments)

    def ingest(self, engine: FakeEngine, **changes: Any) -> None:
        """Run the pipeline."""
        feed = Feed(slug="show", title="Show", url=f"{self.server.address}/feed.xml", allow_private=True)
        with writer(self.path) as db:
            tools = Tools(
                db=db,
                data=self.data,
                folder=self.data,
                now=lambda: NOW,
                client=lambda one: make_client(allow_private=one.allow_private),
                engine=lambda _feed: engine,
                voices=None,
                encode=None,
                progress=lambda _label, _total: nullcontext(lambda _done: None),
                **changes,
            )
            assert ingest(Config(feeds=[feed]), tools).exit_code == 0

    def rows(self, sql: str) -> list[Any]:
        """Query the database."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def change(self, sql: str) -> None:
        """Change the database behind the archive's back."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute(sql)

    def file(self, pattern: str) -> Path:
        """Return the first matching file of the data folder."""
        return min(self.data.glob(pattern))

    def content(self) -> dict[str, bytes]:
        """Return the content of every file except the database's."""
        return {
            path.relative_to(self.data).as_posix(): path.read_bytes()
            for path in sorted(self.data.rglob("*"))
            if path.is_file() and not path.name.startswith(self.path.name)
        }


def heard(text: str) -> tuple[Segment, ...]:
    """The fake engine's segments."""
    words = tuple(Word(n * 0.2, n * 0.2 + 0.15, word, 0.9) for n, word in enumerate(text.split()))
    return (Segment(words[0].start, words[-1].end, text, words, confidence=0.9),)


@pytest.fixture(scope="session")
def proven_once(
    tmp_path_factory: pytest.TempPathFactory, tone_mp3: bytes, tone_m4a: bytes
) -> Iterator[tuple[Proven, Mapping[str, Answer]]]:
    """Two episodes with publishers' transcripts and an earlier wording each, and their server's answers."""
    folder = tmp_path_factory.mktemp("proven")
    answers = {"/feed.xml": Answer(FEED.format(items=ITEM.format(n=1) + ITEM.format(n=2)).encode())}
    for n, audio in ((1, tone_mp3), (2, tone_m4a)):
        answers |= {f"/{n}.audio": Answer(audio), f"/{n}.vtt": Answer(VTT.format(n=n).encode())}
    with serving() as server:
        for path, answer in answers.items():
            server.give(path, answer)
        feeds = folder / "feeds.yaml"
        entry = f"{{slug: show, title: Show, url: '{server.address}/feed.xml', allow_private: true}}"
        feeds.write_text(f"feeds: [{entry}]\n", encoding="utf-8")
        archive = Proven(folder / "db" / "a.db", feeds, server)
        archive.ingest(FakeEngine(heard("Good evening to all.")))
        archive.ingest(FakeEngine(heard("Good morning to all.")), again=True)
        yield archive, answers


@pytest.fixture
def proven(proven_once: tuple[Proven, Mapping[str, Answer]], tmp_path: Path) -> Proven:
    """A copy of it for one test."""
    made, answers = proven_once
    for path, answer in answers.items():
        made.server.give(path, answer)
    shutil.copytree(made.data, tmp_path / "db")
    return replace(made, path=tmp_path / "db" / "a.db")
