"""Repeated runs: at even intervals, whatever the result of a run, until interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.database import writer
from pipeline.cli import main
from pipeline.runs.service import repeat, until_next
from pipeline.times import interval
from tests.support.misbehaving import Answer, Server
from tests.support.proving import Proven, proven, proven_once

__all__ = ["proven", "proven_once"]  # fixtures


class Time:
    """A clock that only sleep and work advance."""

    def __init__(self, *works: float) -> None:
        self.now, self.works = 100.0, list(works)
        self.began: list[float] = []

    def work(self) -> int:
        if not self.works:
            raise KeyboardInterrupt
        self.began.append(self.now - 100)
        self.now += self.works.pop(0)
        return 3

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_runs_begin_at_even_intervals_however_long_they_take() -> None:
    clock = Time(1, 3, 25, 2)
    assert repeat(clock.work, 10, clock=lambda: clock.now, sleep=clock.sleep) == 130
    assert clock.began == [0, 10, 20, 50]  # missed starts are skipped


def test_an_end_between_two_runs_is_no_failure() -> None:
    def sleep(_seconds: float) -> None:
        raise KeyboardInterrupt

    assert repeat(lambda: 3, 10, sleep=sleep) == 0
    assert repeat(lambda: 130, 10, sleep=sleep) == 130


@given(st.floats(0, 1e6), st.integers(1, 100_000), st.floats(0, 1e6))
def test_the_next_moment_is_one_of_the_series_and_not_past(first: float, every: int, later: float) -> None:
    wait = until_next(first, every, first + later)
    assert -1e-6 <= wait <= every + 1e-6
    assert abs((later + wait) / every - round((later + wait) / every)) < 1e-6


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400)])
def test_intervals_as_people_write_them(text: str, seconds: int) -> None:
    assert interval(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "6 h", "1.5h", "6hours", "٣h"])
def test_what_is_no_interval_is_wrong_usage(text: str, tmp_path: Path) -> None:
    assert interval(text) is None
    result = CliRunner().invoke(main, ["ingest", "--every", text, "--db", str(tmp_path / "a.db")])
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])


@pytest.fixture
def start(tmp_path: Path, server: Server) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the real command on a feed without episodes."""
    url = server.give("/feed.xml", Answer(b"<rss version='2.0'><channel><title>Show</title></channel></rss>"))
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text(f"feeds: [{{slug: show, title: Show, url: '{url}', allow_private: true}}]\n", encoding="utf-8")
    started = []

    def start(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pipeline", "ingest", "--feeds", str(feeds), "--db", str(tmp_path / "a.db")]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(true: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_service_polls_again_holds_the_lock_only_at_work_and_ends_between_runs_with_0(
    tmp_path: Path, server: Server, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start("--every", "1s")
    wait_until(lambda: len(server.asked("/feed.xml")) >= 2, process)
    server.give("/feed.xml", Answer(status=500))  # a failed run is not the last one
    before = len(server.requests)
    wait_until(lambda: len(server.requests) >= before + 2, process)
    (tmp_path / "feeds.yaml").write_text("feeds: nonsense\n", encoding="utf-8")
    time.sleep(1.5)
    assert process.poll() is None
    with writer(tmp_path / "a.db"):  # not locked
        os.kill(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "next run in 0:0" in err
    assert "show poll failed" in err
    assert "feeds.yaml" in err
    assert "Traceback" not in err


def test_sigterm_in_the_middle_of_a_run_ends_it_cleanly(
    tmp_path: Path, server: Server, start: Callable[..., subprocess.Popen[str]]
) -> None:
    server.give("/feed.xml", Answer(b"<rss>" + b" " * 1000, drip=0.5))
    process = start("--every", "1h", "--json")
    wait_until(lambda: server.asked("/feed.xml"), process)
    os.kill(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in err) == (130, False)
    assert json.loads(out)["interrupted"] is True
    assert json.loads((tmp_path / "a.db.health.json").read_text())["last_run"]["exit_code"] == 130


def test_configuration_that_is_wrong_from_the_beginning_ends_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["ingest", "--every", "1h", "--feeds", str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert CliRunner().invoke(main, ["ingest", "--every", "1h", "--dry-run"]).exit_code == 2


def test_what_would_be_done_is_said_and_nothing_is_changed(proven: Proven) -> None:
    def planned(*options: object) -> list[tuple[str, str | None]]:
        result = proven.call("ingest", "--dry-run", "--json", "--feeds", proven.feeds, *options)
        assert result.exit_code == 0
        return [(one["stage"], one["episode"]) for one in json.loads(result.stdout)]

    # The archive was aligned by wording alone; this run would use sentence vectors.
    new, old = (row[0] for row in proven.rows("select id from episodes order by published desc"))
    proven.change(f"delete from alignments where transcript in (select id from transcripts where episode = '{old}')")
    proven.file("audio/*/*.m4a").unlink()
    before, asked = proven.content(), len(proven.server.requests)
    database = proven.path.read_bytes()
    every_stage = [("poll", None), ("download", new), ("transcribe", new), ("align", new)]
    assert planned("--again", "--limit", "1") == every_stage
    assert planned("--again", "--limit", "1", "--until", "download") == every_stage[:2]
    assert [one for one in planned() if one[0] != "align"] == [("poll", None), ("download", new)]
    assert ("align", old) in planned()
    assert planned("--since", "2026-03-03") == [("poll", None)]
    assert planned("--only", old) == [("poll", None), ("align", old)]
    assert proven.content() == before
    assert proven.path.read_bytes() == database
    assert len(proven.server.requests) == asked
    again = proven.call("download", "--again", "--dry-run", "--feeds", proven.feeds)
    assert again.stdout == f"{new} download: Episode 2\n{old} download: Episode 1\n"
    text = proven.call("download", "--dry-run", "--feeds", proven.feeds)
    assert text.stdout == f"{new} download: Episode 2\n"
    assert "would be done: download 1" in text.stderr


def test_a_plan_leaves_out_what_feeds_yaml_skips(proven: Proven) -> None:
    skipped = proven.rows("select id from episodes order by published desc")[0][0]
    proven.feeds.with_name("skipping.yaml").write_text(
        proven.feeds.read_text(encoding="utf-8").replace("allow_private", f"skip: ['{skipped}'], allow_private"),
        encoding="utf-8",
    )
    proven.file("audio/*/*.m4a").unlink()
    result = proven.call("download", "--dry-run", "--feeds", proven.feeds.with_name("skipping.yaml"))
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_plan_is_made_of_an_archive_whose_offers_an_older_version_did_not_note(proven: Proven) -> None:
    proven.change("update renditions set offer = null")
    result = proven.call("download", "--dry-run", "--feeds", proven.feeds)
    assert (result.exit_code, result.stdout) == (0, "")
    assert proven.rows("select distinct offer from renditions") == [(None,)]


def test_before_the_first_run_only_polling_is_known_to_be_needed(proven: Proven, tmp_path: Path) -> None:
    path = tmp_path / "none" / "new.db"
    result = CliRunner().invoke(main, ["ingest", "--dry-run", "--feeds", str(proven.feeds), "--db", str(path)])
    assert (result.exit_code, result.stdout) == (0, "show poll: Show\n")
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "options", [("--since", "yesterday"), ("--since", "20260303"), ("--limit", "0"), ("--only", "shwo")]
)
def test_a_wish_that_makes_no_sense_is_wrong_usage(proven: Proven, options: tuple[str, str]) -> None:
    assert proven.call("ingest", "--dry-run", "--feeds", proven.feeds, *options).exit_code == 2
