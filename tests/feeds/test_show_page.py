"""Shows that have a web page but no feed: read by yt-dlp, which can reach only hosts named in feeds.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.config import Config
from pipeline.feeds import show_page
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.stages.test_poll_and_download import rows, show
from tests.support.misbehaving import Answer, Server, gzipped, redirect

Run = Callable[..., Report]


def html(*body: str, title: str = "An invented talk") -> Answer:
    content = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{''.join(body)}</body></html>"
    return Answer(content.encode(), headers={"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "a=b"})


@pytest.fixture
def run(make_tools: Callable[..., Tools]) -> Run:
    """Poll and download a page."""

    def do(url: str, **more: object) -> Report:
        feed = show("a-page", url, kind="page", **more)
        return ingest(Config(feeds=[feed]), make_tools(), stages=("poll", "download"))

    return do


def said(report: Report) -> str:
    return "; ".join(f"{item.stage} {item.status}: {item.reason}" for item in report.items)


def test_the_audio_of_a_page_is_kept_and_asked_for_once(
    server: Server, archive: Database, run: Run, tone_mp3: bytes
) -> None:
    server.give("/1.mp3", Answer(tone_mp3, headers={"Content-Type": "audio/mpeg"}))
    page = server.give("/talk", html("<audio controls src='/1.mp3?token=1'></audio>"))
    report = run(page)
    assert report.exit_code == 0, said(report)
    assert rows(archive, "select title, link, enclosure_url, guid_made from episodes") == [
        ("An invented talk", page, f"{server.address}/1.mp3?token=1", 1)
    ]
    assert len(rows(archive, "select * from renditions where current")) == 1
    server.give("/talk", html("<audio controls src='/1.mp3?token=2'></audio>"))
    again = run(page)
    assert again.counts("download") == {"ok": 0, "skipped": 1, "failed": 0}, said(again)
    assert len(rows(archive, "select * from episodes")) == 1


def test_all_that_a_page_has_is_kept(server: Server, archive: Database, run: Run, tone_mp3: bytes) -> None:
    for number in (1, 2):
        server.give(f"/{number}.mp3", Answer(tone_mp3 * number, headers={"Content-Type": "audio/mpeg"}))
    page = server.give("/talks", html("<audio src='/2.mp3'></audio><audio src='/1.mp3'></audio>"))
    assert run(page).counts("download")["ok"] == 2
    server.give("/3.mp3", Answer(tone_mp3 * 3, headers={"Content-Type": "audio/mpeg"}))
    before = rows(archive, "select id, enclosure_url from episodes")
    server.give("/talks", html(*(f"<audio src='/{number}.mp3'></audio>" for number in (3, 2, 1))))
    run(page)
    after = rows(archive, "select id, enclosure_url from episodes")
    assert set(before) < set(after)
    assert len(after) == 3


def test_it_asks_as_this_program_without_cookies(server: Server, run: Run) -> None:
    server.give("/talk", gzipped(html("<audio src='/1.mp3'></audio>").body, **{"Content-Type": "text/html"}))  # type: ignore[arg-type]
    run(server.give("/first", redirect("/talk")))
    run(server.address + "/first")
    assert len(server.asked("/talk")) >= 2
    for request in server.asked("/talk"):
        assert request.headers["user-agent"].startswith("interview-archive/")
        assert "cookie" not in request.headers


@pytest.mark.parametrize("status", [301, 302, 307])
def test_another_host_is_asked_only_where_feeds_yaml_names_it(server: Server, run: Run, status: int) -> None:
    other = server.address.replace("127.0.0.1", "localhost")
    page = server.give("/talk", redirect(f"{other}/there", status))
    server.give("/there", html("<audio src='/1.mp3'></audio>"))
    report = run(page)
    assert "it leads to localhost: add that to page_hosts, if intended" in said(report)
    assert server.asked("/there") == []
    assert run(page, page_hosts=["LocalHost"]).counts("poll")["ok"] == 1


def test_the_users_own_network_is_out_of_reach(server: Server, run: Run) -> None:
    report = run(server.give("/talk", html("<audio src='/1.mp3'></audio>")), allow_private=False)
    assert "is on your own network" in said(report)
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (html("<p>Nothing to hear.</p>"), "no audio"),
        (Answer(status=404), "404"),
        (Answer(status=500), "500"),
        (Answer(b"<html>", declared=99), "could not be read"),
        (redirect("file:///etc/passwd"), "could not be read"),
    ],
)
def test_a_page_without_audio_is_told(server: Server, archive: Database, run: Run, answer: Answer, words: str) -> None:
    report = run(server.give("/talk", answer))
    assert report.exit_code == 3
    assert words in said(report)
    assert rows(archive, "select * from episodes") == []


def test_plug_ins_and_configuration_of_yt_dlp_are_not_used(
    server: Server, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ran = tmp_path / "ran"
    plugin = tmp_path / "yt-dlp" / "plugins" / "mine" / "yt_dlp_plugins" / "extractor" / "mine.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(f"open({str(ran)!r}, 'w').close()")
    (tmp_path / "yt-dlp" / "config").write_text(f"--exec 'touch {ran}'")
    run(server.give("/talk", html("<audio src='/1.mp3'></audio>")))
    assert not ran.exists()


@pytest.mark.parametrize(
    ("day", "published"), [("20260302", "2026-03-02T00:00:00Z"), ("20261399", None), ("", None), (None, None)]
)
def test_a_day_of_no_calendar_is_none(day: str | None, published: str | None) -> None:
    assert show_page._published({"upload_date": day}) == published
