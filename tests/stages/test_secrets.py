"""Private feeds: the secrets in their URLs are sent only to their host, and stored nowhere."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.config import Config, Feed
from pipeline.model import StageName
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.support.misbehaving import Answer, Request, Server, redirect, serving

FEED = b"<?xml version='1.0'?><rss version='2.0'><channel><title>A show</title></channel></rss>"
SECRETS = ("t0ken&123", "p@ssw0rd")


@pytest.fixture
def run(make_tools: Callable[..., Tools], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Poll a feed, and run other given stages, with secrets in the environment."""
    for name, value in zip(("TOKEN", "PASSWORD"), SECRETS, strict=True):
        monkeypatch.setenv(name, value)

    def visit(url: str, *stages: StageName) -> Report:
        feed = Feed(slug="show", title="Show", url=url, allow_private=True)
        return ingest(Config(feeds=[feed]), make_tools(), stages=("poll", *stages))

    return visit


def private(server: Server, path: str) -> str:
    return server.address.replace("//", "//ann:${PASSWORD}@") + path + "?key=${TOKEN}"


def written(db: Database, report: Report, caplog: pytest.LogCaptureFixture) -> str:
    """Everything that is stored, reported and logged."""
    return "\n".join([*db.conn.iterdump(), str(report.as_dict()), str(report.items), caplog.text])


@pytest.mark.parametrize("answer", [Answer(FEED, headers={"ETag": '"1"'}), Answer(status=404), Answer(b"<html>")])
def test_secrets_go_to_the_host_and_nowhere_else(
    server: Server, archive: Database, run: Callable[..., Report], caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    caplog.set_level(logging.DEBUG)
    server.give("/feed", answer)
    report = run(private(server, "/feed"))
    (request,) = server.asked("/feed")
    assert request.query == {"key": ["t0ken&123"]}
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"ann:p@ssw0rd"
    text = written(archive, report, caplog)
    assert "/feed" in text
    for secret in (*SECRETS, "t0ken%26123", "p%40ssw0rd", "ann:"):
        assert secret not in text


def test_a_feed_with_a_password_is_asked_whether_it_changed(server: Server, run: Callable[..., Report]) -> None:
    server.give("/feed", Answer(FEED, headers={"ETag": '"1"'}))
    run(private(server, "/feed"))
    assert run(private(server, "/feed")).items[0].reason == "unchanged since the last time"


@pytest.mark.parametrize("moved", [False, True])
def test_a_password_in_the_clear_is_not_stored_either(
    server: Server, archive: Database, make_tools: Callable[..., Tools], caplog: pytest.LogCaptureFixture, moved: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    server.give("/feed", *[redirect("/new", 301)] * moved, Answer(FEED))
    server.give("/new", Answer(FEED))
    url = server.address.replace("//", "//ann:plainly@") + "/feed"
    feed = Feed(slug="show", title="Show", url=url, allow_private=True)
    for again in (False, True):
        report = ingest(Config(feeds=[feed]), make_tools(again=again), stages=("poll",))
        assert report.exit_code == 0
    for request in server.requests:
        assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"ann:plainly"
    assert [request.path for request in server.requests][:2] == (["/feed", "/new"] if moved else ["/feed", "/feed"])
    assert "plainly" not in written(archive, report, caplog)


def test_a_redirect_and_a_cookie_that_repeat_the_secret_are_not_logged(
    server: Server, archive: Database, run: Callable[..., Report], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    location = redirect("/there?key=t0ken%26123")
    server.give("/feed", replace(location, headers={**location.headers, "Set-Cookie": "key=t0ken&123"}))
    server.give("/there", Answer(FEED))
    report = run(private(server, "/feed"))
    assert server.asked("/there")[0].query == {"key": ["t0ken&123"]}
    assert "t0ken" not in written(archive, report, caplog)


@pytest.mark.parametrize("name", ["HOME", "PATH"])
def test_a_redirect_cannot_ask_for_what_else_the_environment_has(
    server: Server, run: Callable[..., Report], name: str
) -> None:
    server.give("/feed", redirect(f"/there?steal=${{{name}}}"))
    server.give("/there", Answer(FEED))
    run(private(server, "/feed"))
    assert server.asked("/there")[0].query == {"steal": [f"${{{name}}}"]}


def test_another_host_is_not_told_the_secret(server: Server, run: Callable[..., Report]) -> None:
    elsewhere = server.address.replace("127.0.0.1", "localhost")
    server.give("/feed", redirect(f"{elsewhere}/there?steal=${{TOKEN}}"))
    server.give("/there", Answer(FEED))
    run(private(server, "/feed"))
    (request,) = server.asked("/there")
    assert request.query == {"steal": ["${TOKEN}"]}
    assert "authorization" not in request.headers


def test_a_variable_that_is_missing_is_this_feeds_failure(
    server: Server, run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOKEN")
    report = run(private(server, "/feed"))
    assert report.exit_code == 3
    assert "feeds.yaml uses the environment variable TOKEN" in (report.items[0].reason or "")
    assert server.requests == []


def feed_of(address: str, secret: str) -> bytes:
    """A feed as written by hosts of private shows: with the listener's secret in every URL."""
    written = escape(secret)
    return f"""<?xml version='1.0'?><rss version='2.0'><channel><title>A show</title><item>
        <title>One</title><guid>{address}/one?key={written}</guid><link>{address}/page?key={written}</link>
        <description>Listen at {address}/one.mp3?key={written}.</description>
        <enclosure url="{address}/one.mp3?key={written}" type="audio/mpeg" length="1"/>
        </item></channel></rss>""".encode()


@pytest.mark.parametrize("sent", ["t0ken&123", "t0ken%26123"])
def test_a_secret_that_the_feed_repeats_is_sent_for_the_audio_and_stored_nowhere(
    server: Server, archive: Database, make_tools: Callable[..., Tools], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, tmp_path: Path, tone_mp3: bytes, sent: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    for name, value in zip(("TOKEN", "PASSWORD"), SECRETS, strict=True):
        monkeypatch.setenv(name, value)
    server.give("/feed", Answer(feed_of(server.address, sent)))
    server.give("/one.mp3", Answer(tone_mp3))
    feed = Feed(slug="show", title="Show", url=private(server, "/feed"), allow_private=True)
    for _ in range(2):
        report = ingest(Config(feeds=[feed]), make_tools(), stages=("poll", "download"))
        assert report.exit_code == 0, report.as_dict()
    (request,) = server.asked("/one.mp3")
    assert request.query == {"key": ["t0ken&123"]}
    address, notes = archive.execute("select enclosure_url, notes_text from episodes").fetchone()
    assert address == f"{server.address}/one.mp3?key=${{TOKEN}}"
    assert "/one.mp3?key=${TOKEN}" in notes
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("t0ken&123", "t0ken%26123", "t0ken&amp;123"):
        assert secret not in written(archive, report, caplog)
        assert secret.encode() not in kept


def login_of(request: Request) -> bytes:
    return base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic "))


@pytest.mark.parametrize(("login", "sent"), [("ann:${PASSWORD}", b"ann:p@ssw0rd"), ("ann:pl%40inly", b"ann:pl@inly")])
def test_audio_at_the_feeds_host_is_asked_for_with_the_feeds_login(
    server: Server, archive: Database, run: Callable[..., Report], caplog: pytest.LogCaptureFixture,
    tone_mp3: bytes, login: str, sent: bytes,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    server.give("/feed", Answer(feed_of(server.address, "x")))
    server.give("/one.mp3", redirect("/two.mp3"))
    server.give("/two.mp3", lambda request: Answer(tone_mp3) if login_of(request) == sent else Answer(status=401))
    report = run(server.address.replace("//", f"//{login}@") + "/feed", "download")
    assert report.counts("download")["ok"] == 1
    assert login_of(server.asked("/one.mp3")[0]) == sent
    text = written(archive, report, caplog)
    assert not any(secret in text for secret in ("p@ssw0rd", "pl@inly", "pl%40inly", base64.b64encode(sent).decode()))


@pytest.mark.parametrize("by", ["the feed", "a redirect"])
def test_a_login_goes_to_no_other_host_or_port(server: Server, run: Callable[..., Report], by: str) -> None:
    with serving() as other:
        for elsewhere in (server.address.replace("127.0.0.1", "localhost"), other.address):
            server.give("/feed", Answer(feed_of(server.address if by == "a redirect" else elsewhere, "x")))
            server.give("/one.mp3", redirect(f"{elsewhere}/two.mp3"))
            for one in (server, other):
                one.give("/two.mp3", Answer(status=401))
            other.give("/one.mp3", Answer(status=401))
            report = run(server.address.replace("//", "//ann:${PASSWORD}@") + "/feed", "download")
            assert "it is sent to the feed's own host only" in (report.failures[0].reason or "")
        asked = [*other.requests, *server.asked("/two.mp3"), *(server.asked("/one.mp3") if by == "the feed" else [])]
        assert len({request.headers["host"] for request in asked}) == 2
        assert not any("authorization" in request.headers for request in asked)


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("to", ["/files/one.mp3?key=t0ken%26123", "{server}/t0ken&123/one.mp3#t0ken&123"])
def test_a_secret_that_a_redirect_repeats_is_sent_and_stored_nowhere(
    server: Server, archive: Database, run: Callable[..., Report], caplog: pytest.LogCaptureFixture,
    tone_mp3: bytes, to: str, status: int,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    server.give("/feed", Answer(feed_of(server.address, "t0ken%26123")))
    server.give("/one.mp3", redirect(to.format(server=server.address)))
    for path in ("/files/one.mp3", "/t0ken%26123/one.mp3"):
        server.give(path, Answer(tone_mp3 if status == 200 else b"", status=status))
    report = run(private(server, "/feed"), "download")
    assert server.requests[-1].path == "/t0ken%26123/one.mp3" or server.requests[-1].query == {"key": ["t0ken&123"]}
    text = written(archive, report, caplog)
    assert "one.mp3?key=${TOKEN}" in text
    assert "t0ken" not in text
    assert archive.execute("select count(*) from renditions").fetchone() == (status == 200,)


TOKEN = "abCD/ef+GH12=="  # noqa: S105 - it is nobody’s
REPEATED = {
    "upper": "abCD%2Fef%2BGH12%3D%3D",
    "lower": "abCD%2fef%2bGH12%3d%3d",
    "mixed": "abCD/ef%2bGH12%3D=",
    "numbers": "abCD/ef&#43;GH12&#x3D;&#x3d;",
    "markup": "abCD&amp;#47;ef&amp;#43;GH12&amp;#61;=",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("form", REPEATED.values(), ids=REPEATED)
def test_however_a_feed_writes_its_secret_it_is_stored_nowhere(
    server: Server, archive: Database, run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, tone_mp3: bytes, form: str, encoding: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("TOKEN", TOKEN)
    body = feed_of(server.address, "SECRET").decode().replace("?>", f" encoding='{encoding}'?>", 1)
    server.give("/feed", Answer(body.replace("SECRET", form).encode(encoding)))
    server.give("/one.mp3", Answer(tone_mp3))
    report = run(private(server, "/feed"), "download")
    if "%" in form:  # “+” in a query is a space: a host that writes it so does not want it back
        assert server.asked("/one.mp3")[0].query == {"key": [TOKEN]}
    (kept,) = (path.read_bytes().decode(encoding) for path in tmp_path.glob("feeds/*.xml"))
    assert kept.count("?key=${TOKEN}") == 4
    for text in (kept, "\n".join([*archive.conn.iterdump(), str(report.as_dict())])):
        assert "/one.mp3?key=${TOKEN}" in text
        assert "GH12" not in text


def test_a_secret_that_a_redirect_writes_in_its_own_way_is_not_said(
    server: Server, archive: Database, run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("TOKEN", TOKEN)
    server.give("/feed", redirect(f"/new?key={REPEATED['lower']}"))
    server.give("/new", Answer(status=500))
    report = run(private(server, "/feed"))
    assert server.asked("/new")[0].query == {"key": [TOKEN]}
    text = written(archive, report, caplog)
    assert "/new?key=${TOKEN} answered HTTP 500" in text
    assert "GH12" not in text


def test_a_feed_that_moved_to_an_address_with_its_secret_is_asked_there(
    server: Server, archive: Database, run: Callable[..., Report], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.give("/feed", redirect("/new?key=t0ken%26123", 301))
    server.give("/new", Answer(FEED))
    for _ in range(2):
        report = run(server.address + "/feed?key=${TOKEN}")
    assert [request.path for request in server.requests] == ["/feed", "/new", "/new"]
    assert server.requests[-1].query == {"key": ["t0ken&123"]}
    assert archive.execute("select became from feed_moves").fetchall() == [(f"{server.address}/new?key=${{TOKEN}}",)]
    assert "t0ken" not in written(archive, report, caplog)


@pytest.mark.parametrize("status", [404, 500])
def test_a_secret_in_the_address_of_a_feeds_next_page_is_not_logged(
    server: Server, archive: Database, run: Callable[..., Report], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO)
    link = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="next" href="{server.address}/2?key=t0ken%26123"/>'
    server.give("/feed", Answer(FEED.replace(b"</channel>", f"{link}</channel>".encode())))
    server.give("/2", Answer(status=status))
    report = run(private(server, "/feed"))
    assert server.asked("/2")[0].query == {"key": ["t0ken&123"]}
    text = written(archive, report, caplog)
    assert "/2?key=${TOKEN}" in text
    assert "t0ken" not in text


def test_audio_elsewhere_keeps_its_address_and_that_is_said(server: Server, run: Callable[..., Report]) -> None:
    elsewhere = server.address.replace("127.0.0.1", "localhost")
    server.give("/feed", Answer(feed_of(elsewhere, "t0ken%26123")))
    (item,) = run(private(server, "/feed")).items
    assert "has its secret in audio addresses at another host" in (item.reason or "")


def test_a_short_secret_is_not_taken_out_of_what_a_feed_says(
    server: Server, archive: Database, run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.give("/feed", Answer(feed_of(server.address, "one")))
    feed = private(server, "/feed")
    report = run(feed)
    monkeypatch.setenv("TOKEN", "one")
    assert report.exit_code == 0
    run(feed)
    assert archive.execute("select enclosure_url from episodes").fetchall() == [(f"{server.address}/one.mp3?key=one",)]
