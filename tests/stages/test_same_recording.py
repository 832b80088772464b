"""Episodes that come under another guid, title and date with the very bytes of one that is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlite_utils import Database

from pipeline.archive.status import status
from pipeline.runs.report import Report
from tests.stages.test_poll_and_download import item, reasons, rows, rss, run, show
from tests.support.misbehaving import Answer, Server

__all__ = ["run"]  # a fixture

DAYS = [f"2026-06-{day:02}T06:00:00Z" for day in range(1, 8)]
SAME = "the very same recording as"
LISTS = ("We asked:\n1) Why?\n2) How?", "We asked:\n1) Why?\n2) Where?")


@pytest.fixture
def kept(server: Server, run: Callable[..., Report], tone_mp3: bytes) -> str:
    """The address of a show with two episodes, each with a recording of its own."""
    server.give("/1.mp3", Answer(tone_mp3))
    server.give("/2.mp3", Answer(tone_mp3 * 2))
    server.give("/3.mp3", Answer(tone_mp3))
    url = server.give("/feed", rss(item(1, notes=LISTS[0]), item(2)))
    assert run(show("a-show", url), now=lambda: DAYS[0]).exit_code == 0
    return url


def state(db: Database) -> list[tuple[object, ...]]:
    return rows(
        db,
        """select e.title, count(r.sha256) from episodes e left join renditions r on r.episode = e.id
           group by e.id order by e.title""",
    )


def test_one_that_takes_the_place_of_another_is_that_episode(
    server: Server, archive: Database, run: Callable[..., Report], kept: str
) -> None:
    before = dict(rows(archive, "select title, id from episodes"))
    server.give("/feed", rss(item(3, notes=LISTS[1], day=20), item(2)))
    report = run(show("a-show", kept), now=lambda: DAYS[1])
    (said,) = reasons(report, "download", "ok")
    assert f"it is “Episode 1” ({before['Episode 1']}), which the feed lists under another guid, title and date" in said
    assert dict(rows(archive, "select title, id from episodes")) == {
        "Episode 3": before["Episode 1"],
        "Episode 2": before["Episode 2"],
    }
    assert state(archive) == [("Episode 2", 1), ("Episode 3", 1)]
    history = rows(archive, "select field, was, became from episode_history where field in ('guid', 'title')")
    assert set(history) == {("title", "Episode 1", "Episode 3"), ("guid", None, "guid-3")}
    assert rows(archive, "select number, text from questions where number is not null order by number") == [
        (1, "Why?"),
        (2, "Where?"),
    ]
    assert archive.execute("pragma foreign_key_check").fetchall() == []
    asked = len(server.requests)
    again = run(show("a-show", kept), now=lambda: DAYS[2])
    assert reasons(again, "poll", "ok") == ["2 episodes listed, 0 new"]
    assert len(server.requests) == asked + 1  # for the feed alone
    assert [one["no_longer_listed"] for one in status(archive.conn)["feeds"]] == [0]


def test_a_recording_of_an_episode_that_is_still_listed_is_another_episodes_too(
    server: Server, archive: Database, run: Callable[..., Report], kept: str
) -> None:
    server.give("/feed", rss(item(3, day=20), item(2), item(1)))
    (said,) = reasons(run(show("a-show", kept), now=lambda: DAYS[1]), "download", "ok")
    assert f"{SAME} “Episode 1” (a-show/" in said
    assert state(archive) == [("Episode 1", 1), ("Episode 2", 1), ("Episode 3", 1)]


def test_an_episode_that_is_repeated_after_it_was_dropped_stays_two(
    server: Server, archive: Database, run: Callable[..., Report], kept: str
) -> None:
    server.give("/feed", rss(item(2)))
    run(show("a-show", kept), now=lambda: DAYS[1])
    server.give("/feed", rss(item(3, day=20), item(2)))
    (said,) = reasons(run(show("a-show", kept), now=lambda: DAYS[2]), "download", "ok")
    assert SAME in said
    assert state(archive) == [("Episode 1", 1), ("Episode 2", 1), ("Episode 3", 1)]


def test_while_a_page_of_the_feed_is_missing_nothing_takes_a_place(
    server: Server, archive: Database, run: Callable[..., Report], kept: str
) -> None:
    link = b"<link rel='next' href='/2' xmlns='http://www.w3.org/2005/Atom'/>"
    first = rss(item(3, day=20), item(2))
    assert isinstance(first.body, bytes)
    server.give("/2", Answer(status=503))
    server.give("/feed", Answer(first.body.replace(b"</channel>", link + b"</channel>"), headers=first.headers))
    (said,) = reasons(run(show("a-show", kept), now=lambda: DAYS[1]), "download", "ok")
    assert SAME in said
    assert state(archive) == [("Episode 1", 1), ("Episode 2", 1), ("Episode 3", 1)]


def test_of_two_that_come_with_the_same_bytes_one_takes_the_place(
    server: Server, archive: Database, run: Callable[..., Report], kept: str, tone_mp3: bytes
) -> None:
    server.give("/4.mp3", Answer(tone_mp3))
    server.give("/feed", rss(item(3, day=20), item(4, day=21), item(2)))
    said = reasons(run(show("a-show", kept), now=lambda: DAYS[1]), "download", "ok")
    assert sorted(SAME in one for one in said) == [False, True]
    assert len(state(archive)) == 3
    assert len(rows(archive, "select distinct sha256 from renditions")) == 2
