"""The first two stages within a run: real HTTP, a real database, real files."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any
from xml.sax.saxutils import escape

import pytest
from sqlite_utils import Database

from pipeline.audio.decode import AudioFacts, check
from pipeline.audio.transfer import ATTEMPTS
from pipeline.config import Config, Feed
from pipeline.errors import DiskFullError
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.runs.selection import Selection
from pipeline.stages import Tools
from pipeline.stages.together import AT_ONE_HOST
from tests.conftest import NOW
from tests.support.misbehaving import Answer, Server, cut, page
from tests.support.recordings import damaged_m4a

LATER = "2026-06-03T06:00:00Z"


def item(number: int, *, guid: str | None = None, audio: str | None = "", notes: str = "", day: int = 0) -> str:
    """An item of a feed; ``audio`` is its URL, by default ``NUMBER.mp3`` beside the feed, None for none."""
    enclosure = f'<enclosure url="{escape(audio or f"{number}.mp3")}" type="audio/mpeg"/>' if audio is not None else ""
    return (
        f"<item><title>Episode {number}</title><guid isPermaLink='false'>{guid or f'guid-{number}'}</guid>{enclosure}"
        f"<pubDate>{day or number:02} Mar 2026 06:00:00 GMT</pubDate><description>{escape(notes)}</description></item>"
    )


def rss(*items: str, **headers: str) -> Answer:
    body = f"<?xml version='1.0'?><rss version='2.0'><channel><title>A show</title>{''.join(items)}</channel></rss>"
    return Answer(body.encode(), headers={"Content-Type": "application/rss+xml", **headers})


def show(slug: str, url: str, **more: Any) -> Feed:
    return Feed(**{"slug": slug, "title": slug.title(), "url": url, "allow_private": True, **more})


@pytest.fixture
def run(make_tools: Callable[..., Tools]) -> Callable[..., Report]:
    """Poll and download these shows."""

    def do(*feeds: Feed, only: str | None = None, **changes: Any) -> Report:
        return ingest(
            Config(feeds=list(feeds)), make_tools(**changes), stages=("poll", "download"), selection=Selection(only)
        )

    return do


def rows(db: Database, sql: str) -> list[tuple[Any, ...]]:
    return db.execute(sql).fetchall()


def reasons(report: Report, stage: str, status: str) -> list[str]:
    return [item.reason or "" for item in report.items if (item.stage, item.status) == (stage, status)]


def test_a_show_is_polled_and_downloaded(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    feed = rss(item(1, notes="We asked:\n1)Why?\n2)How?"), item(2), ETag='"1"')
    url = server.give("/feed.xml", feed)
    server.give("/1.mp3", Answer(tone_mp3))
    server.give("/2.mp3", Answer(tone_mp3 + tone_mp3))
    report = run(show("a-show", url))
    assert report.exit_code == 0
    assert reasons(report, "poll", "ok") == ["2 episodes listed, 2 new"]
    assert report.counts("download") == {"ok": 2, "skipped": 0, "failed": 0}
    assert rows(archive, "select slug, url, feed_url, etag, last_polled, last_status from feeds") == [
        ("a-show", url, url, '"1"', NOW, "ok")
    ]
    digest = hashlib.sha256(b"guid-1").hexdigest()[:8]
    assert rows(archive, "select id, title, published, first_seen, last_seen from episodes where guid = 'guid-1'") == [
        (f"a-show/{digest}", "Episode 1", "2026-03-01T06:00:00Z", NOW, NOW)
    ]
    assert rows(archive, "select number, text from questions order by number") == [(1, "Why?"), (2, "How?")]
    for path, sha256, size in rows(archive, "select path, sha256, bytes from renditions where current"):
        content = (tmp_path / path).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
    assert isinstance(feed.body, bytes)
    kept = tmp_path / "feeds" / f"{hashlib.sha256(feed.body).hexdigest()}.xml"
    assert kept.read_bytes() == feed.body
    assert rows(archive, "select feed, path, bytes, fetched_at from feed_snapshots") == [
        ("a-show", f"feeds/{kept.name}", len(feed.body), NOW)
    ]


def test_a_second_run_asks_whether_anything_changed_and_downloads_nothing(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    modified = "Tue, 02 Jun 2026 06:00:00 GMT"
    url = server.give("/feed.xml", rss(item(1), **{"ETag": 'W/"a, b"', "Last-Modified": modified}))
    server.give("/1.mp3", Answer(tone_mp3))
    feed = show("a-show", url)
    run(feed)
    report = run(feed, now=lambda: LATER)
    assert report.exit_code == 0
    asked = server.asked("/feed.xml")[1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('W/"a, b"', modified)
    assert reasons(report, "poll", "ok") == ["unchanged since the last time"]
    assert reasons(report, "download", "skipped") == ["already kept"]
    assert len(server.asked("/1.mp3")) == 1
    assert rows(archive, "select last_status, last_polled, etag from feeds") == [("unchanged", LATER, 'W/"a, b"')]
    assert rows(archive, "select first_seen, last_seen from episodes") == [(NOW, LATER)]


def test_polling_again_reads_the_whole_feed_anew(server: Server, run: Callable[..., Report], tone_mp3: bytes) -> None:
    feed = show("a-show", server.give("/feed.xml", rss(item(1), ETag='"1"')))
    server.give("/1.mp3", Answer(tone_mp3))
    run(feed)
    report = run(feed, again=True)
    assert "if-none-match" not in server.asked("/feed.xml")[1].headers
    assert reasons(report, "poll", "ok") == ["1 episodes listed, 0 new"]


def test_validators_belong_to_one_address(server: Server, run: Callable[..., Report], tone_mp3: bytes) -> None:
    server.give("/1.mp3", Answer(tone_mp3))
    run(show("a-show", server.give("/old.xml", rss(item(1), ETag='"1"'))))
    report = run(show("a-show", server.give("/new.xml", rss(item(1), ETag='"1"'))))
    assert "if-none-match" not in server.asked("/new.xml")[0].headers
    assert reasons(report, "poll", "ok") == ["1 episodes listed, 0 new"]


def test_a_bad_feed_does_not_stop_the_others(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    server.give("/1.mp3", Answer(tone_mp3))
    bad = {
        "gone": Answer(status=410),
        "down": Answer(status=503),
        "page": page(),
        "cut": Answer(b"<rss version='2.0'><channel>", declared=999),
        "broken": Answer(b"<?xml version='1.0'?><rss version='2.0'><channel><item>"),
        "empty": Answer(b""),
        "silent-304": Answer(status=304),
    }
    feeds = [show(slug, server.give(f"/{slug}.xml", answer)) for slug, answer in bad.items()]
    guarded = show("guarded", server.address + "/good.xml", allow_private=False)
    missing = show("missing", "nowhere/feed.xml")
    good = show("good", server.give("/good.xml", rss(item(1))))
    report = run(*feeds, guarded, missing, good)
    assert report.exit_code == 3
    failed = {item.feed: item.reason or "" for item in report.failures}
    assert failed.keys() == {*bad, "guarded", "missing"}
    words = {
        "gone": "410",
        "down": "503",
        "page": "web page",
        "cut": "closed",
        "broken": "not well-formed",
        "empty": "empty",
        "silent-304": "304",
        "guarded": "allow_private: true",
        "missing": "No such file",
    }
    for slug, word in words.items():
        assert word in failed[slug]
    assert rows(archive, "select feed from episodes") == [("good",)]
    assert report.counts("download")["ok"] == 1
    told = dict(rows(archive, "select slug, last_status from feeds"))
    # Tables are public; only the run's own output gives the path of the file.
    assert "/nowhere/feed.xml" in failed["missing"]
    assert told == {**failed, "missing": f"… cannot{failed['missing'].partition(' cannot')[2]}", "good": "ok"}
    assert rows(archive, "select exit_code from runs") == [(3,)]
    assert len(rows(archive, "select * from run_items where status = 'failed' and reason is not null")) == len(failed)


def test_an_episode_without_audio_is_stored_and_skipped_with_the_reason(
    server: Server, archive: Database, run: Callable[..., Report]
) -> None:
    report = run(show("a-show", server.give("/feed.xml", rss(item(1, audio=None)))))
    assert report.exit_code == 0
    assert reasons(report, "download", "skipped") == ["the feed gives no audio"]
    assert report.skip_reasons("download") == {"the feed gives no audio": 1}
    assert rows(archive, "select title, enclosure_url from episodes") == [("Episode 1", None)]
    assert "without audio" in reasons(report, "poll", "ok")[0]


def test_two_episodes_with_one_guid_are_both_kept_and_stay_the_same(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    feed = show("a-show", server.give("/feed.xml", rss(item(2, guid="same"), item(1, guid="same"))))
    server.give("/1.mp3", Answer(tone_mp3))
    server.give("/2.mp3", Answer(tone_mp3 * 2))
    report = run(feed)
    assert "2 items share the guid 'same'" in reasons(report, "poll", "ok")[0]
    before = rows(archive, "select id, title, sha256 from episodes join renditions on episode = id order by id")
    assert len(before) == 2
    server.give("/feed.xml", rss(item(3, guid="same"), item(2, guid="same"), item(1, guid="same")))
    server.give("/3.mp3", Answer(tone_mp3 * 3))
    run(feed)
    after = rows(archive, "select id, title, sha256 from episodes join renditions on episode = id order by id")
    assert set(before) < set(after)
    assert len(after) == 3


def test_one_file_may_belong_to_two_episodes(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    server.give("/both.mp3", Answer(tone_mp3))
    run(show("a-show", server.give("/feed.xml", rss(item(1, audio="both.mp3?1"), item(2, audio="both.mp3?2")))))
    assert len(rows(archive, "select distinct path from renditions")) == 1
    assert len(rows(archive, "select * from renditions where current")) == 2
    assert len([path for path in (tmp_path / "audio").rglob("*") if path.is_file()]) == 1


def test_what_a_feed_drops_or_changes_the_archive_keeps(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    server.give("/1.mp3", Answer(tone_mp3))
    server.give("/2.mp3", Answer(tone_mp3 * 2))
    feed = show("a-show", server.give("/feed.xml", rss(item(1), item(2))))
    run(feed)
    changed = rss(item(2, audio="elsewhere/2.mp3?token=new").replace("Episode 2", "Episode 2, mended"))
    server.give("/feed.xml", changed)
    report = run(feed, now=lambda: LATER)
    assert reasons(report, "poll", "ok") == ["1 episodes listed, 0 new; 1 changed"]
    assert rows(archive, "select title, last_seen from episodes order by guid") == [
        ("Episode 1", NOW),
        ("Episode 2, mended", LATER),
    ]
    kept, moved = reasons(report, "download", "skipped")
    assert kept == "already kept"
    assert moved.startswith("already kept; the feed offers it again, but")
    assert len(list((tmp_path / "feeds").glob("*.xml"))) == 2
    server.give("/feed.xml", Answer(status=410))
    report = run(feed)
    assert report.exit_code == 3
    assert "What is archived stays" in reasons(report, "poll", "failed")[0]
    assert len(rows(archive, "select * from episodes")) == 2
    assert len(rows(archive, "select * from renditions where current")) == 2


def test_a_moved_feed_brings_no_episode_twice(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    bare = rss(item(1).replace(" isPermaLink='false'", ""))
    for path in ("/1.mp3", "/moved/1.mp3"):
        server.give(path, Answer(tone_mp3))
    run(show("a-show", server.give("/feed.xml", bare)))
    report = run(show("a-show", server.give("/moved/feed.xml", bare)))
    assert reasons(report, "poll", "ok") == ["1 episodes listed, 0 new; 1 changed"]
    assert len(rows(archive, "select * from episodes")) == 1


def test_a_host_is_asked_for_more_while_what_has_come_is_decoded(
    server: Server, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    number = AT_ONE_HOST + 1
    url = server.give("/feed.xml", rss(*(item(n) for n in range(1, number + 1))))
    for n in range(1, number + 1):
        server.give(f"/{n}.mp3", Answer(tone_mp3))
    all_have_come = Barrier(number)

    def checked(path: Path) -> AudioFacts:
        all_have_come.wait(timeout=30)
        return check(path)

    report = run(show("show", url), check=checked)
    assert reasons(report, "download", "failed") == []
    assert len(reasons(report, "download", "ok")) == number


def test_a_failed_download_is_told_and_tried_again(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    feed = show("a-show", server.give("/feed.xml", rss(item(1), item(2), ETag='"1"')))
    server.give("/1.mp3", *[cut(Answer(tone_mp3), 900)] * ATTEMPTS, page(), Answer(tone_mp3))
    server.give("/2.mp3", Answer(tone_mp3 * 2))
    first = run(feed)
    assert first.exit_code == 3
    assert first.counts("download") == {"ok": 1, "skipped": 0, "failed": 1}
    assert "could not be fetched fully" in reasons(first, "download", "failed")[0]
    second = run(feed)
    assert "web page" in reasons(second, "download", "failed")[0]
    assert len([path for path in (tmp_path / "audio").rglob("*") if path.is_file()]) == 1
    third = run(feed)
    assert third.exit_code == 0
    assert third.counts("download") == {"ok": 1, "skipped": 1, "failed": 0}
    assert len(rows(archive, "select * from renditions where current")) == 2


def test_a_recording_with_some_seconds_of_damage_is_kept_and_the_damage_told(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report]
) -> None:
    server.give("/1.mp3", Answer(damaged_m4a(tmp_path / "a.m4a", 0.06).read_bytes()))
    report = run(show("a-show", server.give("/feed.xml", rss(item(1)))))
    (reason,) = reasons(report, "download", "ok")
    assert reason.endswith("1:00; 0:03 of it is damaged and cannot be decoded")
    assert len(rows(archive, "select path from renditions")) == 1


def test_a_lost_file_is_fetched_again(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    feed = show("a-show", server.give("/feed.xml", rss(item(1))))
    server.give("/1.mp3", Answer(tone_mp3))
    run(feed)
    ((path,),) = rows(archive, "select path from renditions")
    (tmp_path / path).unlink()
    assert run(feed).counts("download")["ok"] == 1
    assert (tmp_path / path).read_bytes() == tone_mp3


def test_only_the_newest_are_downloaded_where_there_is_a_limit(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    for number in (1, 2, 3):
        server.give(f"/{number}.mp3", Answer(tone_mp3 * number))
    feed = show("a-show", server.give("/feed.xml", rss(item(1), item(3), item(2))), limit=2)
    report = run(feed)
    assert rows(archive, "select count(*) from episodes") == [(3,)]
    kept = rows(archive, "select title from episodes join renditions on episode = id order by title")
    assert kept == [("Episode 2",), ("Episode 3",)]
    assert report.skip_reasons("download") == {"beyond the newest 2 (limit in feeds.yaml)": 1}


def test_a_show_that_is_switched_off_is_left_alone(server: Server, run: Callable[..., Report]) -> None:
    report = run(show("a-show", server.give("/feed.xml", rss(item(1))), enabled=False))
    assert report.exit_code == 0
    assert reasons(report, "poll", "skipped") == ["switched off in feeds.yaml"]
    assert server.requests == []


def test_only_one_episode_is_downloaded_when_it_is_asked_for(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    feed = show("a-show", server.give("/feed.xml", rss(item(1, audio="none.mp3"), item(2))))
    server.give("/2.mp3", Answer(tone_mp3))
    run(feed)
    ((wanted,),) = rows(archive, "select id from episodes where title = 'Episode 1'")
    server.give("/none.mp3", Answer(tone_mp3 * 2))
    report = run(feed, only=wanted)
    assert [item.episode for item in report.items if item.stage == "download"] == [wanted]
    assert len(server.asked("/2.mp3")) == 1


def test_a_local_feed_with_its_audio_beside_it(
    archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    folder = tmp_path / "my shows"
    folder.mkdir()
    (tmp_path / "outside.mp3").write_bytes(tone_mp3)
    (folder / "1.mp3").write_bytes(tone_mp3)
    body = rss(item(1), item(2, audio="../outside.mp3"), item(3, audio=(tmp_path / "outside.mp3").as_uri())).body
    assert isinstance(body, bytes)
    (folder / "feed.xml").write_bytes(body)
    report = run(show("a-show", "my shows/feed.xml", allow_private=False))
    assert report.counts("download") == {"ok": 1, "skipped": 0, "failed": 2}
    assert all("only in the folder that it is in" in reason for reason in reasons(report, "download", "failed"))
    assert rows(archive, "select title from episodes join renditions on episode = id") == [("Episode 1",)]


def test_a_feed_from_the_web_reaches_no_file_and_no_private_address(
    server: Server, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.mp3").write_bytes(tone_mp3)
    secret = server.give("/secret.mp3", Answer(tone_mp3)).replace("127.0.0.1", "127.0.0.2")
    feed = rss(
        item(1, audio=(tmp_path / "1.mp3").as_uri()), item(2, audio=secret), item(3, audio="http://[::1]:1/x.mp3")
    )
    monkeypatch.setattr("pipeline.net.client.is_public", lambda address: address == "127.0.0.1")  # plays the internet
    report = run(show("a-show", server.give("/feed.xml", feed), allow_private=False))
    assert report.counts("download") == {"ok": 0, "skipped": 0, "failed": 3}
    assert server.asked("/secret.mp3") == []
    assert not list((tmp_path / "audio").rglob("*.mp3"))


def test_hostile_items_do_not_stop_the_sound_ones(
    server: Server, archive: Database, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    server.give("/1.mp3", Answer(tone_mp3))
    hostile = [
        item(2, audio="http://[nonsense"),
        item(3, audio="javascript:alert(1)"),
        item(4, audio="http://a..b/4.mp3"),
        item(5, audio=None, notes="<ol start='²'><li>x</li></ol><![foo[bar]]>"),
        item(6, audio=None, guid="x" * 5000),
        item(7, audio=None, guid="../../../../etc/passwd"),
    ]
    report = run(show("a-show", server.give("/feed.xml", rss(item(1), *hostile))))
    assert report.counts("download") == {"ok": 1, "skipped": 4, "failed": 2}
    assert rows(archive, "select count(*) from episodes") == [(7,)]
    assert all(
        episode.startswith("a-show/") and len(episode) == 15 for (episode,) in rows(archive, "select id from episodes")
    )


def test_a_full_disk_while_polling_stops_the_run_and_the_next_one_mends_it(
    server: Server, archive: Database, tmp_path: Path, run: Callable[..., Report], tone_mp3: bytes
) -> None:
    server.give("/1.mp3", Answer(tone_mp3))
    feed = show("a-show", server.give("/feed.xml", rss(item(1), ETag='"1"')))
    with pytest.MonkeyPatch.context() as patch:

        def full(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFullError, match=r"poll of a-show: .*No space left on device"):
            run(feed)
    assert rows(archive, "select * from episodes") == []
    assert not list((tmp_path / "feeds").glob("*.xml"))
    assert run(feed).exit_code == 0
    assert [path.suffix for path in (tmp_path / "feeds").iterdir()] == [".xml"]
    assert len(rows(archive, "select * from renditions where current")) == 1
