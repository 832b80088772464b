"""New offers of a feed are fetched, and only these; what is kept stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from pipeline.archive.renditions import choose_rendition
from pipeline.config import Config, Feed
from pipeline.model import RunItem
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.support.building import add_feed, episode
from tests.support.misbehaving import Answer, Request, Server, cut, page, redirect, seekable

LATER = "2026-07-01T06:00:00Z"


@dataclass
class Show:
    """A show with one episode; ``offer`` is its enclosure in the feed."""

    server: Server
    db: Database
    tools: Tools

    def offer(self, address: str, **said: Any) -> None:
        add_feed(self.db, "show", replace(episode("one"), enclosure_url=address, **said))

    def run(self, **keys: Any) -> RunItem:
        feed = Feed(**{"slug": "show", "title": "Show", "url": "feed.xml", "allow_private": True, **keys})
        report: Report = ingest(Config(feeds=[feed]), replace(self.tools, now=lambda: LATER), stages=("download",))
        (item,) = report.items
        return item

    @property
    def episode(self) -> str:
        ((id_,),) = self.rows("select id from episodes")
        return str(id_)

    @property
    def current(self) -> str:
        ((sha256,),) = self.rows("select sha256 from renditions where current")
        return str(sha256)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.db.execute(sql).fetchall()


@pytest.fixture
def show(server: Server, archive: Database, make_tools: Callable[..., Tools]) -> Show:
    return Show(server, archive, make_tools())


def test_a_recording_that_the_host_has_mended_comes_when_all_is_done_again(
    show: Show, tone_mp3: bytes, tone_m4a: bytes
) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3, headers={"ETag": '"1"'})))
    show.run()
    show.tools = replace(show.tools, again=True)
    assert show.run().reason == "still the same file"
    show.server.give("/1.mp3", Answer(tone_m4a, headers={"ETag": '"2"'}))
    item = show.run()
    assert (item.status, "another recording" in (item.reason or "")) == ("ok", True)
    assert show.rows("select count(*) from renditions") == [(2,)]


def test_how_it_was_fetched_is_recorded(show: Show, tone_mp3: bytes) -> None:
    dated = "Tue, 02 Jun 2026 06:00:00 GMT"
    show.server.give("/1.mp3", Answer(tone_mp3, headers={"ETag": 'W/"a"', "Last-Modified": dated}))
    show.server.give("/b", redirect(show.server.address.replace("//", "//ann:secret@") + "/1.mp3"))
    show.offer(show.server.give("/a", redirect("/b?x=1")), enclosure_length=5)
    show.run()
    home = show.server.address
    ((url, final_url, redirects, *said),) = show.rows(
        "select url, final_url, redirects, etag, last_modified, offer from renditions"
    )
    assert (url, final_url) == (f"{home}/a", f"{home}/1.mp3")
    assert json.loads(redirects) == [f"{home}/b?x=1", f"{home}/1.mp3"]
    assert said == ['W/"a"', dated, f"{home.removeprefix('http://')}/a 5"]


@pytest.mark.parametrize("token", ["?token=1", "?token=2&expires=9", ""])
def test_what_is_no_other_offer_makes_no_request(show: Show, tone_mp3: bytes, token: str) -> None:
    url = show.server.give("/1.mp3", Answer(tone_mp3))
    show.offer(f"{url}?token=1", enclosure_length=len(tone_mp3))
    show.run()
    show.offer(url + token)
    assert (show.run().status, show.run().reason) == ("skipped", "already kept")
    assert len(show.server.requests) == 1


@pytest.mark.parametrize("lengths", [(1, 2, 1), (1, 2, 3)], ids=["the same offer", "a new offer"])
@pytest.mark.parametrize("chosen", [False, True])
def test_a_publishers_mistake_that_is_put_right_is_put_right_here(
    show: Show, tone_mp3: bytes, tone_m4a: bytes, lengths: Sequence[int], chosen: bool
) -> None:
    first, mistake = (hashlib.sha256(sound).hexdigest() for sound in (tone_mp3, tone_m4a))
    for n, sound in enumerate((tone_mp3, tone_m4a, tone_mp3)):
        if chosen and n == 2:
            choose_rendition(show.db, show.episode, mistake, reason="the better sound", chosen_by="Ann", now=LATER)
        show.offer(show.server.give("/1.mp3", Answer(sound)), enclosure_length=lengths[n])
        item = show.run()
    again = f"the feed offers an earlier recording again ({first[:12]}); it is used from now on"
    if chosen:
        assert item.status == "skipped"
        assert show.current == mistake
    else:
        assert (item.status, item.reason) == ("ok", again)
        assert show.current == first
        assert show.run().reason == "already kept"
    assert show.rows("select count(*) from renditions") == [(2,)]


def test_a_length_counts_from_when_the_feed_begins_to_give_it(show: Show, tone_mp3: bytes, tone_m4a: bytes) -> None:
    url = show.server.give("/1.mp3", Answer(tone_mp3))
    for length in (None, len(tone_mp3), None, len(tone_mp3)):
        show.offer(url, enclosure_length=length)
        show.run()
    assert len(show.server.requests) == 1
    show.server.give("/1.mp3", Answer(tone_m4a))
    show.offer(url, enclosure_length=len(tone_m4a))
    assert show.run().status == "ok"
    assert show.rows("select count(*) from renditions") == [(2,)]


CHANGES: dict[str, dict[str, Any]] = {
    "length": {"enclosure_length": 77},
    "version": {"query": "?updated=2"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_that_changed_is_asked_for_once_and_may_be_the_same(show: Show, tone_mp3: bytes, change: str) -> None:
    sound = Answer(tone_mp3, headers={"ETag": '"1"'})
    said = {"query": "?updated=1", "enclosure_length": 5, **CHANGES[change]}
    show.offer(show.server.give("/1.mp3", sound) + "?updated=1", enclosure_length=5)
    show.run()
    show.offer(f"{show.server.address}/1.mp3{said['query']}", enclosure_length=said["enclosure_length"])
    item = show.run()
    assert (item.status, item.reason) == ("skipped", "the feed offers it again, but it is the same file")
    assert show.server.requests[-1].headers["if-none-match"] == '"1"'
    assert show.run().reason == "already kept"
    assert len(show.server.requests) == 2
    assert show.rows("select current, fetched_at from renditions") == [(1, LATER)]


def test_what_one_address_said_is_not_asked_of_another(show: Show, tone_mp3: bytes, tone_m4a: bytes) -> None:
    """The right file is older than the wrong one, so the host would answer that it was not modified since."""
    show.offer(show.server.give("/wrong.mp3", unless_modified(tone_mp3, "Tue, 02 Jun 2026 06:00:00 GMT")))
    show.run()
    show.offer(show.server.give("/right.m4a", unless_modified(tone_m4a, "Mon, 01 Jun 2026 06:00:00 GMT")))
    assert "another recording" in (show.run().reason or "")
    assert len(show.rows("select * from renditions")) == 2


def unless_modified(body: bytes, when: str) -> Callable[[Request], Answer]:
    """Answer like hosts of static files (RFC 9110, section 13.1.3)."""

    def answer(request: Request) -> Answer:
        since = request.headers.get("if-modified-since")
        unmodified = since is not None and parsedate_to_datetime(since) >= parsedate_to_datetime(when)
        return Answer(b"" if unmodified else body, status=304 if unmodified else 200, headers={"Last-Modified": when})

    return answer


@pytest.mark.parametrize("headers", [{}, {"ETag": '"1"'}])
def test_a_host_that_heeds_no_conditions_may_send_the_same_file(
    show: Show, tone_mp3: bytes, headers: dict[str, str]
) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3, headers=headers)))
    show.run()
    small = {name.lower(): value for name, value in headers.items()}  # so that the server does not answer 304 itself
    show.offer(show.server.give("/2.mp3", Answer(tone_mp3, headers=small)))
    assert show.run().reason == "the feed offers it again, but it is the same file"
    assert len(show.rows("select * from renditions")) == 1
    assert show.run().reason == "already kept"


def test_other_audio_is_another_rendition_and_the_old_one_stays(
    show: Show, tone_mp3: bytes, tone_m4a: bytes, tmp_path: Path
) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3, headers={"ETag": '"1"'})))
    show.run()
    show.offer(show.server.give("/1.mp3", Answer(tone_m4a, headers={"ETag": '"2"'})) + "?updated=2")
    item = show.run()
    assert item.status == "ok"
    assert "another recording" in (item.reason or "")
    kept = {(tmp_path / path).read_bytes() for (path,) in show.rows("select path from renditions")}
    assert kept == {tone_mp3, tone_m4a}
    # The feed returns to its earlier offer, which is kept already.
    show.offer(f"{show.server.address}/1.mp3")
    assert "it is used from now on" in (show.run().reason or "")


@pytest.mark.parametrize(("answer", "words"), [(Answer(status=404), "is gone"), (page(), "web page")])
def test_an_offer_that_cannot_be_had_harms_nothing_and_is_asked_for_again(
    show: Show, tone_mp3: bytes, answer: Answer, words: str
) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3)))
    show.run()
    show.offer(show.server.give("/2.mp3", answer))
    item = show.run()
    assert item.status == "skipped"
    assert (item.reason or "").startswith("already kept; the feed offers it again, but ")
    assert words in (item.reason or "")
    show.server.give("/2.mp3", Answer(tone_mp3 * 2))
    assert show.run().status == "ok"
    assert len(show.rows("select * from renditions")) == 2


def test_what_came_of_an_offer_is_gone_on_with_by_the_next_run(show: Show, tone_mp3: bytes, tone_m4a: bytes) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3)))
    show.run()
    sound = seekable(tone_m4a, ETag='"2"')
    busy = Answer(status=429, headers={"Retry-After": "7200"})
    show.offer(show.server.give("/2.m4a", cut(sound, 1000), busy, sound))
    assert "left alone for 120 minutes" in (show.run().reason or "")
    assert show.run().status == "ok"
    assert [one.headers.get("range") for one in show.server.asked("/2.m4a")] == [None, "bytes=1000-", "bytes=1000-"]


def test_what_an_older_version_kept_is_taken_for_what_is_offered_now(show: Show, tone_mp3: bytes) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3)))
    show.run()
    show.db.execute("update renditions set offer = null, etag = null")
    show.offer(f"{show.server.address}/2.mp3")
    assert show.run().reason == "already kept"
    show.offer(f"{show.server.address}/2.mp3", enclosure_length=9)
    assert show.run().reason == "already kept"
    assert len(show.server.requests) == 1


@pytest.mark.parametrize(
    ("declared", "words"),
    [(2.0, ""), (25.0, ""), (600.0, "9:58 shorter than the feed says (10:00)"), (None, ""), (0.0, "")],
)
def test_a_duration_that_differs_is_said(show: Show, tone_mp3: bytes, declared: float | None, words: str) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3)), declared_duration=declared)
    reason = show.run().reason or ""
    assert words in reason
    assert ("than the feed says" in reason) is bool(words)


# Request settings in feeds.yaml


def test_a_feed_may_say_who_asks(show: Show, tone_mp3: bytes) -> None:
    show.offer(show.server.give("/1.mp3", Answer(tone_mp3)))
    show.run(user_agent="Example Archive (+https://example.org)")
    assert show.server.requests[0].headers["user-agent"] == "Example Archive (+https://example.org)"


def test_trackers_are_passed_by_where_that_is_wanted(show: Show, tone_mp3: bytes) -> None:
    url = show.server.give("/1.mp3", Answer(tone_mp3))
    show.offer(url.replace("//", "//pdst.fm/e/"))
    assert show.run(skip_trackers=True).status == "ok"
    assert show.rows("select url from renditions") == [(url,)]
    assert show.run(skip_trackers=True).reason == "already kept"
