"""Fixtures: a show whose feed links to publishers' transcripts, and the transcripts stored for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from pipeline.config import Config, Feed
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.conftest import FakeEngine, tones, write_audio
from tests.support.building import spoken
from tests.support.misbehaving import Answer, Server

ITEM = """<item><guid>one</guid><title>An episode</title><description>{notes}</description>{links}
<enclosure url="{audio}" type="audio/mpeg"/></item>"""
RSS = """<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Show</title>
{items}</channel></rss>"""

# The spoken words with their start times; a word lasts half a second.
SAID = [
    (0.0, "Alma Reed", "Good morning and welcome to the show."),
    (3.5, "Ines Marlow", "Thank you for having me on."),
    (6.5, "Alma Reed", "What did you change first?"),
    (9.0, "Ines Marlow", "We answered the telephone within a minute."),
]
WORDS = 25
HEARD = spoken(*(text.replace("telephone", "elephant") for _, _, text in SAID))


def stamp(seconds: float) -> str:
    return f"00:{seconds:06.3f}"


def vtt(turns: list[tuple[float, str, str]] = SAID) -> bytes:
    ends = [start for start, _, _ in turns[1:]] + [12.5]
    cues = [f"{stamp(a)} --> {stamp(b)}\n<v {who}>{text}\n" for (a, who, text), b in zip(turns, ends, strict=True)]
    return ("WEBVTT\n\n" + "\n".join(cues)).encode()


def podcast_json() -> bytes:
    segments = [{"startTime": start, "speaker": who, "body": text} for start, who, text in SAID]
    return json.dumps({"version": "1.0.0", "segments": segments}).encode()


def plain() -> bytes:
    return "\n\n".join(f"{who}: {text}" for _, who, text in SAID).encode()


def link(address: str, kind: str | None = "text/vtt") -> str:
    declared = f' type="{kind}"' if kind else ""
    return f'<podcast:transcript url="{address}"{declared}/>'


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Audio as long as the speech."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp3"
    return write_audio(path, tones(seconds=13.0, rate=8_000), rate=8_000, codec="libmp3lame").read_bytes()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(HEARD)


@pytest.fixture
def publish(server: Server, clip: bytes) -> Callable[..., Feed]:
    """Serve the show's feed with one episode and these transcript links; return the show's configuration."""

    def give(*links: str, notes: str = "No list here.", **more: Any) -> Feed:
        server.give("/1.mp3", Answer(clip))
        items = ITEM.format(notes=notes, links="".join(links), audio="1.mp3")
        url = server.give("/feed.xml", Answer(RSS.format(items=items).encode()))
        return Feed(slug="show", title="Show", url=url, allow_private=True, **more)

    return give


@pytest.fixture
def run(make_tools: Callable[..., Tools], tmp_path: Path) -> Callable[..., Report]:
    def do(feed: Feed, **changes: Any) -> Report:
        report = ingest(Config(feeds=[feed], folder=tmp_path), make_tools(**changes))
        assert report.exit_code == 0
        return report

    return do


def said_of(report: Report, stage: str = "transcribe") -> str:
    (item,) = [item for item in report.items if item.stage == stage]
    return item.reason or ""


def transcripts(db: Database) -> list[tuple[Any, ...]]:
    """Each transcript's source, whether it is preferred, its word error rate, and the source it was compared with."""
    return db.execute(
        """select t.source, t.preferred, t.word_error_rate, o.source from transcripts t
           left join transcripts o on o.id = t.compared_with order by t.id"""
    ).fetchall()


def turns(db: Database, source: str) -> list[tuple[Any, ...]]:
    return db.execute(
        """select s.start, s.speaker, s.text from segments s join transcripts t on t.id = s.transcript
           where t.source = ? order by s.n""",
        [source],
    ).fetchall()


BOTH = [("whisper", 1, 1 / WORDS, "publisher"), ("publisher", 0, None, None)]
