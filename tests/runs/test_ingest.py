"""Runs over the stages: what is done, what is skipped, and what is reported."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.archive.database import editor
from pipeline.archive.feeds import save_moves
from pipeline.config import Config, Feed
from pipeline.data_folder import journal_path
from pipeline.errors import ConfigError, DiskFullError, SpeechError, WeightsError
from pipeline.feeds.memory import Move
from pipeline.model import RunItem, Segment
from pipeline.runs.ingest import ingest
from pipeline.runs.selection import Selection
from pipeline.speech.weights import PACKAGES
from pipeline.stages import Tools
from tests.conftest import NOW, FakeEngine

FEED = """<rss version="2.0"><channel><title>Show</title>{items}</channel></rss>"""
ITEM = (
    "<item><guid>{n}</guid><title>Episode {n}</title><description>{notes}</description>"
    '<enclosure url="{n}.mp3" type="audio/mpeg" length="1"/></item>'
)
NOTES = "The questions: 1) What had changed most? 2) How did the team decide?"


@pytest.fixture
def feed(tmp_path: Path, tone_mp3: bytes, tone_m4a: bytes) -> Feed:
    items = ITEM.format(n=1, notes=NOTES) + ITEM.format(n=2, notes="No list here.")
    (tmp_path / "feed.xml").write_text(FEED.format(items=items), encoding="utf-8")
    (tmp_path / "1.mp3").write_bytes(tone_mp3)
    (tmp_path / "2.mp3").write_bytes(tone_m4a)
    return Feed(slug="show", title="Show", url="feed.xml")


def config(tmp_path: Path, feed: Feed, **changes: object) -> Config:
    return Config(feeds=[feed.model_copy(update=changes)], folder=tmp_path)


def test_a_run_does_all_and_the_next_one_nothing(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine
) -> None:
    tools = make_tools()
    first = ingest(config(tmp_path, feed), tools)
    assert (first.exit_code, engine.calls) == (0, 2)
    assert first.counts("align") == {"ok": 2, "skipped": 0, "failed": 0}
    said: list[RunItem] = []
    second = ingest(config(tmp_path, feed), tools, say=said.append)
    assert engine.calls == 2
    assert second.skip_reasons("transcribe") == {"already transcribed": 2}
    assert [item.stage for item in said] == ["poll"]  # routine skips are counted, not listed


def test_an_editor_may_write_at_any_moment_of_a_run(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], archive: Database
) -> None:
    edits = 0

    def edit(_statement: str) -> None:
        nonlocal edits
        with suppress(sqlite3.OperationalError):  # the run is writing: a patient writer waits for it
            ann.execute("update feeds set podcast_guid = ?", [edits])
            edits += 1

    with editor(tmp_path / "archive.db") as ann:
        ann.execute("pragma busy_timeout = 0")
        archive.conn.set_trace_callback(edit)
        reports = [ingest(config(tmp_path, feed, **changes), make_tools()) for changes in ({}, {"skip": ("2",)})]
        save_moves(archive, "show", [Move("https://example.org/a", "https://example.org/b", "redirect")], now=NOW)
        archive.conn.set_trace_callback(None)
    assert [report.exit_code for report in reports] == [0, 0]
    assert edits > 50
    assert archive.execute("select guid from episodes where skipped").fetchall() == [("2",)]


def test_a_single_episode_that_is_skipped_is_not_passed_over_in_silence(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], archive: Database
) -> None:
    ingest(config(tmp_path, feed, skip=("2",)), make_tools(), stages=("poll",))
    ingest(config(tmp_path, feed), make_tools(), stages=("poll",))
    ((two,),) = archive.execute("select id from episodes where guid = '2'").fetchall()
    with pytest.raises(ConfigError, match=f"--only {two}: feeds.yaml has it under skip"):
        ingest(config(tmp_path, feed, skip=("2",)), make_tools(), selection=Selection(only=two))


def test_the_same_audio_in_two_episodes_is_heard_once(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine, archive: Database
) -> None:
    (tmp_path / "2.mp3").write_bytes((tmp_path / "1.mp3").read_bytes())
    assert ingest(config(tmp_path, feed), make_tools()).exit_code == 0
    assert engine.calls == 1
    assert archive.execute("select count(*), count(distinct sha256) from renditions").fetchone() == (2, 1)
    assert archive.execute("select count(distinct episode) from segments").fetchone() == (2,)


@pytest.mark.parametrize(
    ("peak", "said"),
    [
        (0.5, "no speech was found in it"),
        (10 ** (-45 / 20), "it is so quiet that speech may have been missed: its peak is -45 dB; no speech was found"),
        (0.0, "it is so quiet that speech may have been missed: it is silent; no speech was found"),
    ],
)
def test_why_nothing_may_have_been_heard_is_said(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine, peak: float, said: str
) -> None:
    engine.segments, engine.peak = (), peak
    report = ingest(config(tmp_path, feed), make_tools())
    reasons = [item.reason or "" for item in report.items if item.stage == "transcribe"]
    assert len(reasons) == 2
    assert all(said in reason for reason in reasons)
    assert (peak < 0.03) == all("so quiet" in reason for reason in reasons)


def test_one_failing_episode_does_not_stop_the_other(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools]
) -> None:
    (tmp_path / "2.mp3").write_text("<html>gone</html>", encoding="utf-8")
    report = ingest(config(tmp_path, feed), make_tools())
    assert report.exit_code == 3
    assert report.counts("download") == {"ok": 1, "skipped": 0, "failed": 1}
    assert report.counts("transcribe") == {"ok": 1, "skipped": 1, "failed": 0}


def test_an_engine_that_raises_fails_its_episode_alone(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine
) -> None:
    engine.error = RuntimeError("out of luck")
    report = ingest(config(tmp_path, feed), make_tools())
    assert report.exit_code == 3
    assert {item.reason for item in report.failures} == {"RuntimeError: out of luck"}
    engine.error = None
    assert ingest(config(tmp_path, feed), make_tools()).exit_code == 0


def test_a_disk_that_fills_while_transcribing_stops_the_run(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine
) -> None:
    engine.error = SpeechError("faster-whisper failed: no room")
    engine.error.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(DiskFullError, match=r"transcribe of show/\w+: .*no room.*Free some space"):
        ingest(config(tmp_path, feed), make_tools())
    assert engine.calls == 1
    engine.error = None
    assert ingest(config(tmp_path, feed), make_tools()).exit_code == 0


def test_what_was_heard_of_a_recording_stays_until_that_is_transcribed(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine, archive: Database
) -> None:
    everything = Selection()

    def left(choice: Selection = everything, **changes: object) -> set[Path]:
        ingest(config(tmp_path, feed, **changes), make_tools(), selection=choice)
        return set((tmp_path / "transcripts").glob("*.unfinished.jsonl"))

    engine.error = RuntimeError("out of memory")
    assert left() == set()
    (tmp_path / "transcripts").mkdir()
    rows = archive.execute("select r.sha256, e.guid from renditions r join episodes e on e.id = r.episode")
    of = {guid: tmp_path / journal_path(sha256, "a" * 12) for sha256, guid in rows}
    another = tmp_path / journal_path("f" * 64, "a" * 12)  # another archive's run
    for path in (*of.values(), another):
        path.touch()
    assert left(Selection(only="show")) == left(Selection(limit=1)) == {*of.values(), another}
    assert left(enabled=False) == left() == {of["1"], of["2"], another}
    assert left(skip=("2",)) == {of["1"], another}
    engine.error = None
    assert left() == {another}


def test_what_a_changed_setting_asks_for(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine
) -> None:
    ingest(config(tmp_path, feed), make_tools())
    vocabulary = ingest(config(tmp_path, feed, vocabulary=("Ofsted",)), make_tools())
    assert engine.calls == 2
    reasons = vocabulary.skip_reasons("transcribe")
    assert reasons == {"transcribed with another vocabulary (--again redoes it)": 2}
    ingest(config(tmp_path, feed, language="en-AU"), make_tools())
    assert engine.calls == 4
    ingest(config(tmp_path, feed, language="en-AU"), make_tools(again=True))
    assert engine.calls == 6


def test_a_model_at_a_path_is_known_by_its_name_and_weights_wherever_it_lies(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine, archive: Database
) -> None:
    engine.model, engine.weights = "mine", "ab" * 32
    for place in ("here/models/mine", "moved/models/mine"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "model.bin").write_bytes(b"weights")
    ingest(config(tmp_path, feed, model=str(tmp_path / "here/models/mine")), make_tools())
    assert engine.calls == 2
    assert archive.execute("select distinct model from transcripts").fetchall() == [("mine",)]
    ingest(config(tmp_path, feed, model=str(tmp_path / "moved/models/mine")), make_tools())
    assert engine.calls == 2

    def broken(_feed: Feed) -> FakeEngine:
        raise WeightsError("the model folder lacks tokenizer.json")

    moved = config(tmp_path, feed, model=str(tmp_path / "moved/models/mine"))
    assert ingest(moved, replace(make_tools(), engine=broken)).skip_reasons("transcribe") == {"already transcribed": 2}
    engine.weights = "cd" * 32
    ingest(moved, make_tools())
    assert engine.calls == 4


def test_a_known_name_is_not_the_model_at_a_path_that_was_called_so(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine
) -> None:
    (tmp_path / "tiny.en").mkdir()
    (tmp_path / "tiny.en/model.bin").write_bytes(b"weights")
    engine.weights = "ab" * 32
    ingest(config(tmp_path, feed, model=str(tmp_path / "tiny.en")), make_tools())
    assert engine.calls == 2
    for engine.weights in ("faster-whisper:tiny.en", PACKAGES["tiny.en"].sha256):  # the same, whatever their source
        ingest(config(tmp_path, feed, model="tiny.en"), make_tools())
        assert engine.calls == 4


def test_stages_before_any_poll_say_so(tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools]) -> None:
    report = ingest(config(tmp_path, feed), make_tools(), stages=("transcribe", "align"))
    assert report.exit_code == 0
    assert report.skip_reasons("transcribe") == {"no episodes are known yet: `poll` finds them": 1}


def test_a_feed_that_is_switched_off_is_left_alone(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], archive: Database
) -> None:
    report = ingest(config(tmp_path, feed, enabled=False), make_tools())
    assert report.skip_reasons("poll") == {"switched off in feeds.yaml": 1}
    assert archive.execute("select count(*) from episodes").fetchone() == (0,)


def test_an_empty_transcript_is_a_transcript(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine, archive: Database
) -> None:
    """Nobody speaks: an empty transcript is stored, and not attempted again forever."""
    engine.segments = ()
    assert ingest(config(tmp_path, feed), make_tools()).exit_code == 0
    assert archive.execute("select count(*) from transcripts").fetchone() == (2,)
    assert archive.execute("select distinct status from matches").fetchall() == [("not_asked",)]
    archive.execute("insert into transcripts_fts (transcripts_fts, rank) values ('integrity-check', 1)")
    assert ingest(config(tmp_path, feed), make_tools()).counts("transcribe")["skipped"] == 2


def test_matches_follow_a_new_transcript(
    tmp_path: Path, feed: Feed, make_tools: Callable[..., Tools], engine: FakeEngine, archive: Database
) -> None:
    engine.segments = (Segment(0.0, 1.0, "What had changed most?"),)
    ingest(config(tmp_path, feed), make_tools())
    engine.segments = (Segment(0.0, 0.4, "Welcome."), Segment(0.5, 1.5, "What had changed most?"))
    ingest(config(tmp_path, feed, language="en-AU"), make_tools())
    assert archive.execute("select start from question_times where number = 1").fetchone() == (0.5,)
