"""The health file beside the database, and what it says about the archive."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.archive.database import reader
from pipeline.archive.status import status
from pipeline.cli import main
from pipeline.config import Config, Feed
from pipeline.model import StageName
from pipeline.runs import health as health_module
from pipeline.runs.health import health_file
from pipeline.runs.ingest import ingest
from pipeline.stages import Tools
from tests.stages.test_poll_and_download import item, rss
from tests.support.misbehaving import Answer, Server
from tests.support.proving import Proven, proven, proven_once

__all__ = ["proven", "proven_once"]  # fixtures


def poll(archive: Proven) -> dict[str, Any]:
    result = archive.call("poll", "--feeds", archive.feeds, "--quiet")
    found: dict[str, Any] = json.loads(health_file(archive.path).read_text(encoding="utf-8"))
    assert found["last_run"]["exit_code"] == result.exit_code
    return found


def test_each_run_leaves_a_sign_of_life(proven: Proven) -> None:
    found = poll(proven)
    recordings = sum(path.stat().st_size for path in proven.data.glob("audio/*/*.*"))
    assert found["last_run"]["command"] == "poll"
    assert (found["last_run"]["exit_code"], found["last_run"]["failures"]) == (0, 0)
    assert found["waiting"] == {"download": 0, "transcribe": 0, "align": 0}
    assert found["disk"]["recordings"] == recordings
    assert found["disk"]["database"] >= proven.path.stat().st_size
    assert 0 < found["disk"]["free"] <= found["disk"]["total"]
    assert found["written"] >= found["last_run"]["finished"]
    assert proven.call("verify").exit_code == 0  # not an orphan


def test_what_failed_is_in_it_with_the_reason_and_only_so_many(proven: Proven, monkeypatch: pytest.MonkeyPatch) -> None:
    proven.server.give("/feed.xml", Answer(status=500))
    (failed,) = poll(proven)["last_run"]["failed"]
    assert (failed["feed"], failed["stage"]) == ("show", "poll")
    assert "HTTP 500" in failed["reason"]
    monkeypatch.setattr(health_module, "FAILURES", 0)
    last = poll(proven)["last_run"]
    assert (last["failed"], last["failures"]) == ([], 1)


def test_a_full_disk_costs_the_sign_of_life_and_not_the_run(proven: Proven) -> None:
    health_file(proven.path).mkdir()  # not writable
    assert proven.call("poll", "--feeds", proven.feeds, "--quiet").exit_code == 0


def test_a_run_beside_another_leaves_its_sign_alone(proven: Proven, tmp_path: Path) -> None:
    before = poll(proven)
    feeds = tmp_path / "wrong.yaml"
    feeds.write_text("feeds: []\n", encoding="utf-8")
    assert CliRunner().invoke(main, ["poll", "--db", str(proven.path), "--feeds", str(feeds)]).exit_code == 2
    assert json.loads(health_file(proven.path).read_text()) == before


def test_what_waits_is_what_feeds_yaml_asks_for(
    server: Server, make_tools: Callable[..., Tools], tone_mp3: bytes, tmp_path: Path
) -> None:
    url = server.give("/feed.xml", rss(item(1), item(2), item(3), item(4, audio=None)))
    for n in (1, 2, 3):
        server.give(f"/{n}.mp3", Answer(tone_mp3 * n))
    show = Feed(slug="show", title="Show", url=url, allow_private=True)
    tools = make_tools()

    def waiting(feed: Feed, *stages: StageName) -> tuple[int, ...]:
        ingest(Config(feeds=[feed]), tools, stages=stages)
        with reader(tmp_path / "archive.db") as connection:
            return tuple(status(connection)["waiting"].values())

    assert waiting(show, "poll") == (3, 0, 0)
    assert waiting(show.model_copy(update={"limit": 2}), "poll") == (1, 0, 0)  # the newer one has no audio
    assert waiting(show.model_copy(update={"enabled": False}), "poll") == (0, 0, 0)
    assert waiting(show.model_copy(update={"slug": "other"}), "poll") == (3, 0, 0)  # `show` is no longer in feeds.yaml
    assert waiting(show, "download") == (0, 3, 0)
    assert waiting(show, "transcribe") == (0, 0, 3)
    assert waiting(show, "align") == (0, 0, 0)
