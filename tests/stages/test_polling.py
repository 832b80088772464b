"""The memory of polls and their requests: validators, waiting, pages, secrets, and deliberately skipped episodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.archive.status import status, waiting
from pipeline.config import Config
from pipeline.feeds import paging
from pipeline.feeds.memory import retry_at
from pipeline.net.urls import concealed
from pipeline.runs.ingest import ingest
from pipeline.runs.planning import plan
from pipeline.runs.selection import Selection
from pipeline.stages import Tools
from tests.conftest import NOW
from tests.stages.test_poll_and_download import LATER, item, rows, rss, show
from tests.support.misbehaving import Answer, Server, page, redirect
from tests.support.polling import NEXT_MONTH, Run, linked, moves, next_page, polling, said


@pytest.fixture
def run(make_tools: Callable[..., Tools]) -> Run:
    """Poll these shows."""
    return polling(make_tools)


# Requests


def test_validators_that_come_with_a_304_are_sent_the_next_time(server: Server, archive: Database, run: Run) -> None:
    feed = show("a-show", server.give("/feed", rss(item(1), **{"ETag": '"1"', "Last-Modified": "yesterday"})))
    run(feed)
    server.give("/feed", Answer(status=304, headers={"ETag": '"2"'}))
    run(feed)
    assert rows(archive, "select etag, last_modified from feeds") == [('"2"', "yesterday")]
    run(feed)
    assert server.requests[-1].headers["if-none-match"] == '"2"'


def test_a_feed_that_never_changes_is_read_whole_every_thirty_days(server: Server, archive: Database, run: Run) -> None:
    feed = show("a-show", server.give("/feed", rss(item(1), ETag='"1"')))
    run(feed)
    run(feed, now="2026-07-02T05:59:59Z")
    assert "if-none-match" in server.requests[-1].headers
    assert rows(archive, "select fully_fetched from feeds") == [(NOW,)]
    run(feed, now=NEXT_MONTH)
    assert "if-none-match" not in server.requests[-1].headers
    assert rows(archive, "select fully_fetched from feeds") == [(NEXT_MONTH,)]


def test_a_clock_that_was_ahead_costs_no_poll(server: Server, archive: Database, run: Run) -> None:
    ahead = "2036-06-02T06:00:00Z"
    busy = Answer(status=503, headers={"Retry-After": "3600"})
    feed = show("a-show", server.give("/feed", rss(item(1), ETag='"1"'), busy, rss(item(1), ETag='"1"')))
    run(feed, now=ahead)
    run(feed, now=ahead)
    assert rows(archive, "select retry_at, fully_fetched from feeds") == [("2036-06-02T07:00:00Z", ahead)]
    assert run(feed).counts("poll")["ok"] == 1
    assert "if-none-match" not in server.requests[-1].headers
    assert rows(archive, "select retry_at, fully_fetched from feeds") == [(None, NOW)]


def test_what_was_dropped_while_the_clock_was_ahead_is_not_seen_again(
    server: Server, archive: Database, run: Run
) -> None:
    both, one = rss(item(1), item(2), ETag='"1"'), rss(item(2), ETag='"2"')
    feed = show("a-show", server.give("/feed", both, one))
    run(feed, now="2036-06-02T06:00:00Z")
    run(feed)
    assert "unchanged" in said(run(feed, now=LATER))
    seen = rows(archive, "select guid, last_seen from episodes order by guid")
    assert seen == [("guid-1", "2036-06-02T06:00:00Z"), ("guid-2", LATER)]


def test_validators_of_another_parser_are_not_sent(server: Server, archive: Database, run: Run) -> None:
    feed = show("a-show", server.give("/feed", rss(item(1), ETag='"1"')))
    run(feed)
    archive.execute("update feeds set parser_version = parser_version - 1")
    run(feed)
    assert "if-none-match" not in server.requests[-1].headers


@pytest.mark.parametrize(
    ("header", "asked_at"),
    [
        ("3600", "2026-06-02T07:00:00Z"),
        ("Tue, 02 Jun 2026 06:30:00 GMT", "2026-06-02T06:30:00Z"),
        ("99999999999999", "2026-06-09T06:00:00Z"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "2026-06-09T06:00:00Z"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_to_be_left_alone_is(
    server: Server, archive: Database, run: Run, header: str, asked_at: str, status: int
) -> None:
    feed = show("a-show", server.give("/feed", Answer(status=status, headers={"Retry-After": header}), rss(item(1))))
    assert run(feed).exit_code == 3
    report = run(feed, now="2026-06-02T06:29:59Z")
    assert said(report).startswith(
        f"skipped: not polled before {asked_at}: {server.address}/feed answered HTTP {status}"
    )
    assert report.exit_code == 0
    assert len(server.requests) == 1
    assert run(feed, now=asked_at).counts("poll")["ok"] == 1
    assert rows(archive, "select retry_at from feeds") == [(None,)]


def test_the_wait_is_over_when_the_feed_has_another_address_or_is_wanted_at_once(server: Server, run: Run) -> None:
    busy = Answer(status=429, headers={"Retry-After": "3600"})
    feed = show("a-show", server.give("/feed", busy, busy, rss(item(1))))
    run(feed)
    run(feed, again=True)
    assert len(server.asked("/feed")) == 2
    assert run(show("a-show", server.give("/other", rss(item(1))))).counts("poll")["ok"] == 1


@given(st.text(max_size=40))
def test_whatever_a_server_says_the_wait_is_short_or_none(header: str) -> None:
    moment = retry_at(header, NOW)
    assert moment is None or NOW < moment <= "2026-06-09T06:00:00Z"


# Pages


def test_a_feed_is_read_to_its_last_page(server: Server, archive: Database, run: Run) -> None:
    server.give("/2", linked(rss(item(2), item(3)), next_page("/3")))
    server.give("/3", rss(item(1), item(2)))
    report = run(show("a-show", server.give("/feed", linked(rss(item(4), item(3)), next_page("2")))))
    assert said(report) == "ok: 4 episodes listed, 4 new"
    assert rows(archive, "select count(*) from feed_snapshots") == [(3,)]


def test_what_is_odd_on_a_later_page_is_said(server: Server, run: Run) -> None:
    server.give("/2", rss("<item><title>No audio</title><guid>x</guid></item>"))
    report = run(show("a-show", server.give("/feed", linked(rss(item(1)), next_page("2")))))
    assert said(report) == (
        "ok: 2 episodes listed, 2 new; page 2: 1 item (“No audio”) without audio in the feed: listed, not downloaded"
    )


def test_archived_documents_are_pages_too(server: Server, run: Run) -> None:
    server.give("/2025", rss(item(1)))
    head = "<atom:link rel='prev-archive' href='/2025'/>"
    assert said(run(show("a-show", server.give("/feed", linked(rss(item(2)), head))))) == "ok: 2 episodes listed, 2 new"


def test_a_page_with_nothing_new_leads_to_older_ones(server: Server, archive: Database, run: Run) -> None:
    server.give("/2026-03", linked(rss(item(5), item(4)), "<atom:link rel='prev-archive' href='/2026-02'/>"))
    server.give("/2026-02", rss(item(3), item(2), item(1)))
    head = "<atom:link rel='prev-archive' href='/2026-03'/>"
    report = run(show("a-show", server.give("/feed", linked(rss(item(5), item(4), item(3)), head))))
    assert said(report) == "ok: 5 episodes listed, 5 new"
    assert rows(archive, "select count(*) from feed_snapshots") == [(3,)]


@pytest.mark.parametrize("following", ["/feed", "/2", "/3"])
def test_pages_that_lead_in_a_circle_are_read_once(server: Server, run: Run, following: str) -> None:
    server.give("/2", linked(rss(item(2)), next_page("/3")))
    server.give("/3", linked(rss(item(3)), next_page(following)))
    report = run(show("a-show", server.give("/feed", linked(rss(item(1)), next_page("/2")))))
    assert said(report) == "ok: 3 episodes listed, 3 new"
    assert len(server.requests) == 3


def test_a_server_that_gives_its_last_page_for_ever_is_left(server: Server, run: Run) -> None:
    for number in range(2, 6):
        server.give(f"/{number}", linked(rss(item(2)), next_page(f"/{number + 1}")))
    report = run(show("a-show", server.give("/feed", linked(rss(item(1)), next_page("/2")))))
    assert said(report) == "ok: 2 episodes listed, 2 new"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [(Answer(status=500), "HTTP 500"), (page(), "web page"), (Answer(b"<rss", declared=99), "closed")],
)
def test_a_page_that_cannot_be_read_hides_nothing_the_next_time(
    server: Server, archive: Database, run: Run, answer: Answer, words: str
) -> None:
    head = linked(rss(item(2), ETag='"1"'), next_page("/2"))
    feed = show("a-show", server.give("/feed", head))
    server.give("/2", answer, rss(item(1)))
    report = run(feed)
    assert "failed: 1 episodes listed, 1 new; only the first 1 of its pages could be read" in said(report)
    assert words in said(report)
    assert rows(archive, "select etag, fully_fetched from feeds") == [(None, None)]
    assert said(run(feed)) == "ok: 2 episodes listed, 1 new"


def test_what_is_on_a_page_that_cannot_be_read_does_not_count_as_dropped(
    server: Server, archive: Database, run: Run
) -> None:
    feed = show("a-show", server.give("/feed", linked(rss(item(2)), next_page("/2"))))
    server.give("/2", rss(item(1)), Answer(status=503), Answer(status=503), rss())
    run(feed)
    server.give("/feed", linked(rss(item(3), item(2)), next_page("/2")))
    for now, new in ((LATER, 1), ("2026-06-04T06:00:00Z", 0)):
        report = run(feed, now=now)
        assert report.exit_code == 3
        assert said(report).startswith(f"failed: 2 episodes listed, {new} new; only the first 1 of its pages")
        ((told,),) = rows(archive, "select last_status from feeds")
        assert "could be read" in told
        assert [(one["episodes"], one["no_longer_listed"]) for one in status(archive.conn)["feeds"]] == [(3, 0)]
    assert run(feed, now=NEXT_MONTH).exit_code == 0
    assert [one["no_longer_listed"] for one in status(archive.conn)["feeds"]] == [1]


@pytest.mark.parametrize("code", [404, 410])
def test_a_page_that_is_gone_is_a_failure_once_and_a_remark_from_then_on(
    server: Server, archive: Database, run: Run, code: int
) -> None:
    feed = show("a-show", server.give("/feed", linked(rss(item(2)), next_page("/2"))))
    server.give("/2", rss(item(1)), Answer(status=code))
    run(feed)
    told = f"only the first 1 of its pages could be read: it leads to {server.address}/2, but it is not there"
    for number, outcome in ((3, "failed"), (4, "ok"), (5, "ok")):
        listed = [item(one) for one in range(number, 1, -1)]
        server.give("/feed", linked(rss(*listed), next_page("/2")))
        report = run(feed, now=f"2026-06-0{number}T06:00:00Z")
        assert said(report) == f"{outcome}: {number - 1} episodes listed, 1 new; {told} (HTTP 404 or 410)"
        (one,) = status(archive.conn)["feeds"]
        assert (one["episodes"], one["no_longer_listed"], one["gone_page"]) == (number, 0, f"{server.address}/2")
    server.give("/2", rss())
    assert run(feed, now=NEXT_MONTH).exit_code == 0
    (one,) = status(archive.conn)["feeds"]
    assert (one["no_longer_listed"], one["gone_page"]) == (1, None)


def test_another_page_that_is_gone_is_told_again_and_an_ended_show_is_left_in_peace(server: Server, run: Run) -> None:
    feed = show("a-show", server.give("/feed", linked(rss(item(2)), next_page("/2"))))
    assert said(run(feed)).startswith("failed")
    assert said(run(feed)).startswith("ok")
    assert said(run(feed.model_copy(update={"live": False}))).startswith("skipped: it has ended")
    server.give("/2", Answer(status=503))
    assert said(run(feed)).startswith("failed")
    server.give("/2", Answer(status=404))
    assert said(run(feed)).startswith("ok")
    server.give("/feed", linked(rss(item(2)), next_page("/page/2")))
    assert said(run(feed)).startswith("failed")


def test_there_is_a_limit_to_pages(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2, 9):
        server.give(f"/{number}", linked(rss(item(number)), next_page(f"/{number + 1}")))
    feed = show("a-show", server.give("/feed", linked(rss(item(1)), next_page("/2"))))
    monkeypatch.setattr(paging, "MAX_PAGES", 4)
    assert "4 episodes listed, 4 new; only the first 4 of its pages" in said(run(feed))
    monkeypatch.setattr(paging, "MAX_BYTES", 10)
    assert "only the first 1 of its pages" in said(run(feed))


def test_pages_of_a_feed_from_the_web_are_no_files(server: Server, tmp_path: Any, run: Run) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(rss(item(9)).body)
    report = run(show("a-show", server.give("/feed", linked(rss(item(1)), next_page(secret.as_uri())))))
    assert "1 episodes listed" in said(report)
    assert "the feed may not lead to" in said(report)


# Settings in feeds.yaml


def test_a_show_that_has_ended_is_read_once(server: Server, run: Run) -> None:
    feed = show("a-show", server.give("/feed", rss(item(1))), live=False)
    assert run(feed).counts("poll")["ok"] == 1
    assert said(run(feed)) == "skipped: it has ended (live: false in feeds.yaml)"
    assert len(server.requests) == 1


def test_what_was_deleted_on_purpose_does_not_come_back(server: Server, archive: Database, run: Run) -> None:
    url = server.give("/feed", rss(item(1), item(2), item(3)))
    run(show("a-show", url))
    gone = rows(archive, "select id from episodes where guid = 'guid-2'")[0][0]
    archive.execute("delete from episodes where guid != 'guid-1'")
    run(show("a-show", url, skip=[gone, "guid-3"]))
    assert rows(archive, "select guid from episodes") == [("guid-1",)]


TOKEN = "s3cret/+token"  # noqa: S105 - it is nobody’s


def test_a_secret_is_sent_and_neither_kept_nor_said(
    server: Server, archive: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOW_TOKEN", TOKEN)
    server.give("/feed", rss(item(1), ETag='"1"'), rss(item(1), ETag='"1"'), Answer(status=500), redirect("/f", 301))
    server.give("/f", Answer(status=404))
    feed = show("a-show", server.address + "/feed?auth=${SHOW_TOKEN}")
    reports = [run(feed) for _ in range(4)]
    assert server.requests[0].query["auth"][0].replace(" ", "+") == TOKEN
    assert server.requests[1].headers["if-none-match"] == '"1"'
    kept = "".join(str(row) for table in archive.table_names() for row in archive[table].rows)
    for text in (kept, *(said(report) for report in reports)):
        assert "s3cret" not in text
    assert "auth=${SHOW_TOKEN} answered HTTP 500" in said(reports[2])


def test_a_secret_that_is_not_set_is_named(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOW_TOKEN", raising=False)
    assert "the environment variable SHOW_TOKEN, which is not set" in said(
        run(show("a-show", server.address + "/feed?auth=${SHOW_TOKEN}"))
    )
    assert server.requests == []


def test_a_feed_cannot_have_a_secret_sent_elsewhere(
    server: Server, archive: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOW_TOKEN", TOKEN)
    head = f"<itunes:new-feed-url>{server.address}/thief?${{SHOW_TOKEN}}</itunes:new-feed-url>"
    server.give("/feed", linked(rss(item(1)), head))
    run(show("a-show", server.address + "/feed?auth=${SHOW_TOKEN}"))
    assert server.asked("/thief") == []
    assert moves(archive) == []


@given(st.text(alphabet="0123456789/+ &=", min_size=4, max_size=9))
def test_a_secret_that_a_server_repeats_is_concealed(value: str) -> None:
    repeated = f"https://example.org/?a={value}&b={quote(value)}&c={quote_plus(value)}."
    assert concealed(repeated, {"TOKEN": value}) == "https://example.org/?a=${TOKEN}&b=${TOKEN}&c=${TOKEN}."


# Apple's directory


def test_when_apples_directory_is_down_the_feed_is_asked_where_it_was(
    server: Server, archive: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = server.give("/feed", rss(item(1)), rss(item(1), item(2)))
    found = Answer(f'{{"results": [{{"feedUrl": "{known}"}}]}}'.encode())
    lookup = server.give("/lookup", found, Answer(status=503))
    monkeypatch.setattr("pipeline.feeds.fetch.resolve.__kwdefaults__", {"itunes_lookup": lookup})
    feed = show("a-show", "https://podcasts.apple.com/gb/podcast/an-invented-show/id1440737894")
    run(feed)
    report = run(feed)
    assert "2 episodes listed, 1 new; Apple's directory could not be asked" in said(report)
    assert rows(archive, "select feed_url from feeds") == [(known,)]


def test_a_password_in_an_address_is_sent_and_neither_kept_nor_said(
    server: Server, archive: Database, run: Run
) -> None:
    server.give("/feed", rss(item(1), ETag='"1"'), rss(item(1), ETag='"1"'), Answer(status=410))
    feed = show("a-show", server.address.replace("//", "//ann:s3cret@") + "/feed")
    reports = [run(feed) for _ in range(3)]
    assert all(request.headers["authorization"].startswith("Basic ") for request in server.requests)
    assert server.requests[1].headers["if-none-match"] == '"1"'
    kept = "".join(str(row) for table in archive.table_names() for row in archive[table].rows)
    for text in (kept, *(said(report) for report in reports)):
        assert "s3cret" not in text


# Content that servers and feeds no longer give


def test_what_an_emptied_feed_does_not_list_is_not_seen_when_that_stays_so(
    server: Server, archive: Database, run: Run
) -> None:
    feed = show("a-show", server.give("/feed", rss(item(1)), rss(ETag='"2"'), Answer(status=304)))
    run(feed)
    assert [one["no_longer_listed"] for one in status(archive.conn)["feeds"]] == [0]
    assert "the feed is empty now: what it listed before is kept (1 episode)" in said(run(feed, now=LATER))
    assert "unchanged" in said(run(feed, now="2026-06-05T06:00:00Z"))
    assert rows(archive, "select last_seen from episodes") == [(NOW,)]
    assert [(one["episodes"], one["no_longer_listed"]) for one in status(archive.conn)["feeds"]] == [(1, 1)]


def test_a_title_and_notes_that_a_feed_drops_stay(server: Server, archive: Database, run: Run) -> None:
    whole = item(1, notes="We ask why.")
    bare = whole.replace("<title>Episode 1</title>", "").replace("<description>We ask why.</description>", "")
    feed = show("a-show", server.give("/feed", rss(whole), rss(bare)))
    run(feed)
    run(feed)
    assert rows(archive, "select title, notes_text from episodes") == [("Episode 1", "We ask why.")]
    assert rows(archive, "select * from episode_history") == []


@pytest.mark.parametrize("date", ["0000-00-00T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_date_of_no_calendar_costs_the_date_alone(server: Server, archive: Database, run: Run, date: str) -> None:
    dateless = item(1).replace("01 Mar 2026 06:00:00 GMT", date)
    report = run(show("a-show", server.give("/feed", rss(dateless, item(2)))))
    assert said(report).startswith("ok: 2 episodes listed, 2 new; 1 item (“Episode 1”) with a date that cannot be read")
    assert rows(archive, "select published from episodes order by published") == [(None,), ("2026-03-02T06:00:00Z",)]


@pytest.mark.parametrize("by", ["guid", "id"])
def test_what_is_not_wanted_any_more_is_left_alone_and_not_planned(
    server: Server, archive: Database, make_tools: Callable[..., Tools], run: Run, by: str
) -> None:
    url = server.give("/feed", rss(item(1), item(2)))
    run(show("a-show", url))
    ((unwanted,),) = rows(archive, f"select {by} from episodes where guid = 'guid-1'")
    config = Config(feeds=[show("a-show", url, skip=[unwanted])])
    assert [one.title for one in plan(config, make_tools(), ("download",), Selection())] == ["Episode 2"]
    report = ingest(config, make_tools(), stages=("download",))
    assert server.asked("/1.mp3") == []
    assert len(report.items) == 1
    assert waiting(archive.conn)["download"] == 1
    ingest(Config(feeds=[show("a-show", url)]), make_tools(), stages=("poll",))
    assert waiting(archive.conn)["download"] == 2
