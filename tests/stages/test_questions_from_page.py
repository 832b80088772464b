"""``questions_from: page``: real HTTP, a real database, and a page for every kind of failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from xml.sax.saxutils import escape

import pytest
from sqlite_utils import Database

from pipeline.config import Config, Feed
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.support.misbehaving import Answer, Server, gzipped, redirect

HTML = {"Content-Type": "text/html; charset=utf-8"}
LIST = "<article><p>The full list of questions is:</p><p>1)Why?</p><p>2)How?</p></article>"
SOON, WEEK_LATER = "2026-06-05T06:00:00Z", "2026-06-09T06:00:01Z"


def web_page(body: str = LIST, *, head: str = "", **headers: str) -> Answer:
    return Answer(f"<html><head>{head}</head><body>{body}</body></html>".encode(), headers={**HTML, **headers})


def item(number: int, link: str, *, notes: str = "About bread.") -> str:
    return (
        f"<item><title>Episode {number}</title><guid isPermaLink='false'>{number}</guid><link>{escape(link)}</link>"
        f"<pubDate>{number:02} Mar 2026 06:00:00 GMT</pubDate><description>{escape(notes)}</description></item>"
    )


@pytest.fixture
def poll(make_tools: Callable[..., Tools], server: Server) -> Callable[..., Report]:
    """Poll a show of these items."""

    def do(
        *items: str, questions_from: Literal["notes", "page"] = "page", limit: int | None = None, **changes: Any
    ) -> Report:
        body = f"<rss version='2.0'><channel><title>A show</title>{''.join(items)}</channel></rss>"
        url = server.give("/feed.xml", Answer(body.encode(), headers={"Content-Type": "application/rss+xml"}))
        feed = Feed(
            slug="a-show", title="A show", url=url, allow_private=True, questions_from=questions_from, limit=limit
        )
        return ingest(Config(feeds=[feed]), make_tools(**changes), stages=("poll",))

    return do


def listed(db: Database) -> list[tuple[str, str, str]]:
    return db.execute(
        """select e.title, q.text, q.source from questions q join episodes e on e.id = q.episode
           where q.number is not null order by e.published, q.number"""
    ).fetchall()


def said(report: Report) -> list[tuple[str, str]]:
    return [(entry.status, entry.reason or "") for entry in report.items if entry.episode]


def test_a_list_is_found_on_the_page_once(server: Server, archive: Database, poll: Callable[..., Report]) -> None:
    canonical = '<link rel="canonical" href="/episodes/1">'
    link = server.give("/1", web_page(head=canonical, ETag='"1"')) + "?utm_source=rss&replytocom=7#comments"
    report = poll(item(1, link))
    assert said(report) == [("ok", "2 questions listed on the episode’s page")]
    assert listed(archive) == [("Episode 1", "Why?", "page"), ("Episode 1", "How?", "page")]
    (request,) = server.asked("/1")
    assert request.query == {}
    assert "interview-archive" in request.headers["user-agent"]
    assert archive.execute("select link, address, questions, problem from episode_pages").fetchall() == [
        (server.address + "/1", server.address + "/episodes/1", 2, None)
    ]
    assert said(poll(item(1, link), now=lambda: WEEK_LATER)) == []
    assert len(server.asked("/1")) == 1
    assert len(listed(archive)) == 2


def test_pages_are_left_alone_unless_they_are_asked_for(
    server: Server, archive: Database, poll: Callable[..., Report]
) -> None:
    link = server.give("/1", web_page())
    assert said(poll(item(1, link), questions_from="notes")) == []
    assert said(poll(item(1, link, notes="We asked: 1) Who? 2) Where?"))) == []
    assert server.asked("/1") == []
    assert [source for _, _, source in listed(archive)] == ["notes", "notes"]


def test_a_list_in_the_notes_takes_the_place_of_the_one_on_the_page(
    server: Server, archive: Database, poll: Callable[..., Report]
) -> None:
    link = server.give("/1", web_page())
    poll(item(1, link))
    poll(item(1, link, notes="We asked: 1) Who? 2) Where?"))
    assert listed(archive) == [("Episode 1", "Who?", "notes"), ("Episode 1", "Where?", "notes")]


def test_a_page_without_a_list_is_not_asked_for_again(server: Server, poll: Callable[..., Report]) -> None:
    link = server.give("/1", web_page("<p>About bread.</p>", ETag='"1"'), web_page(ETag='"2"'))
    assert said(poll(item(1, link))) == [("ok", "no questions listed on the episode’s page")]
    assert said(poll(item(1, link), now=lambda: WEEK_LATER)) == []
    assert said(poll(item(1, link), again=True)) == [("ok", "2 questions listed on the episode’s page")]
    assert server.asked("/1")[1].headers["if-none-match"] == '"1"'
    assert said(poll(item(1, link), again=True)) == [("ok", "the episode’s page is unchanged since the last time")]


def test_a_page_without_a_list_is_asked_for_when_lists_are_read_in_a_new_way(
    server: Server, archive: Database, poll: Callable[..., Report]
) -> None:
    link = server.give("/1", web_page("<p>About bread.</p>", ETag='"1"'))
    poll(item(1, link))
    archive.execute("update episode_pages set parser_version = parser_version - 1")
    assert said(poll(item(1, link))) == [("ok", "no questions listed on the episode’s page")]
    assert "if-none-match" not in server.asked("/1")[1].headers
    assert said(poll(item(1, link))) == []


def test_an_episode_that_moved_is_asked_for_at_its_new_page(server: Server, poll: Callable[..., Report]) -> None:
    poll(item(1, server.give("/old", web_page("<p>About bread.</p>"))))
    report = poll(item(1, server.give("/new", web_page())))
    assert said(report) == [("ok", "2 questions listed on the episode’s page")]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=404), "not there"),
        (Answer(status=503), "HTTP 503"),
        (Answer(b"ID3", headers={"Content-Type": "audio/mpeg"}), "not a web page (audio/mpeg)"),
        (Answer(b"<p>1) Why?", headers=HTML, declared=999), "could not be reached"),
        (gzipped(b"<p>" * 2_000_000, **HTML), "larger than 5 MB"),
        (redirect("http://[/"), "could not be reached"),
        (redirect("/"), "front page"),
        (web_page(head='<link rel="canonical" href="/">'), "front page"),
    ],
    ids=["gone", "down", "audio", "cut", "huge", "nowhere", "front", "canonical"],
)
def test_a_page_that_cannot_be_had_is_its_episodes_remark(
    server: Server, archive: Database, poll: Callable[..., Report], answer: Answer, words: str
) -> None:
    server.give("/", web_page())
    bad, good = server.give("/bad", answer), server.give("/good", web_page())
    report = poll(item(1, bad), item(2, good))
    assert report.exit_code == 0
    (_, fine), (status, reason) = said(report)
    assert fine == "2 questions listed on the episode’s page"
    assert status == "skipped"
    assert reason.startswith("the episode’s page was not read: ")
    assert words in reason
    assert {title for title, _, _ in listed(archive)} == {"Episode 2"}
    assert archive.execute("select last_status from feeds").fetchone()[0] == "ok"
    server.give("/bad", web_page())
    assert said(poll(item(1, bad), item(2, good), now=lambda: SOON)) == []
    assert said(poll(item(1, bad), item(2, good), now=lambda: WEEK_LATER)) == [
        ("ok", "2 questions listed on the episode’s page")
    ]


def test_a_page_of_several_episodes_is_no_episodes_own(
    server: Server, archive: Database, poll: Callable[..., Report]
) -> None:
    shared = server.give("/show", web_page())
    front = server.give("/", web_page())
    report = poll(item(1, shared + "?utm_content=1"), item(2, shared + "?utm_content=2"), item(3, front))
    assert said(report) == []
    assert server.asked("/show") == server.asked("/") == []
    assert listed(archive) == []


def test_two_links_that_lead_to_one_page_give_it_to_one_episode(
    server: Server, archive: Database, poll: Callable[..., Report]
) -> None:
    same = web_page(head='<link rel="canonical" href="/latest">')
    report = poll(item(1, server.give("/1", same)), item(2, server.give("/2", same)))
    assert [status for status, _ in said(report)] == ["ok", "skipped"]
    assert "is also the page of a-show/" in said(report)[1][1]
    assert {title for title, _, _ in listed(archive)} == {"Episode 2"}


def test_the_users_own_network_is_not_visited(
    server: Server, archive: Database, make_tools: Callable[..., Tools], tmp_path: Any
) -> None:
    link = server.give("/1", web_page())
    (tmp_path / "feed.xml").write_text(f"<rss version='2.0'><channel><title>A</title>{item(1, link)}</channel></rss>")
    feed = Feed(slug="a-show", title="A", url="feed.xml", questions_from="page")
    report = ingest(Config(feeds=[feed]), make_tools(), stages=("poll",))
    assert "your own network" in said(report)[0][1]
    assert server.asked("/1") == []
    assert listed(archive) == []


def test_episodes_beyond_the_limit_are_left_alone(server: Server, poll: Callable[..., Report]) -> None:
    old, new = server.give("/1", web_page()), server.give("/2", web_page())
    assert len(said(poll(item(1, old), item(2, new), limit=1))) == 1
    assert server.asked("/1") == []
