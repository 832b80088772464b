"""Fetching feeds from a server that misbehaves in every way."""

from __future__ import annotations

import gzip
import json
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.errors import FeedGoneError, FeedUnreachableError, NotAFeedError
from pipeline.feeds import fetch as module
from pipeline.feeds.fetch import FeedBody, Unchanged, fetch, resolve
from pipeline.model import Validators
from pipeline.net.client import TIMEOUT, make_client
from tests.support.misbehaving import Answer, Server, gzipped, page, redirect

FEED = b"<?xml version='1.0'?><rss version='2.0'><channel><title>A show</title></channel></rss>"
NONE = Validators()


@pytest.fixture(scope="module")
def one_client() -> Iterator[httpx.Client]:
    with make_client(allow_private=True) as made:
        yield made


@pytest.fixture
def client(one_client: httpx.Client) -> httpx.Client:
    """One client for all tests: creating one loads all certificates of the system."""
    one_client.timeout = TIMEOUT
    return one_client


def patience(answer: Answer) -> httpx.Timeout:
    """Shorten timeouts."""
    return httpx.Timeout(0.2 if answer.drip else 10.0)


def test_a_feed_comes_with_all_that_is_said_about_it(server: Server, client: httpx.Client) -> None:
    headers = {"Content-Type": "text/xml", "ETag": 'W/"a b,c"', "Last-Modified": "Tue, 2 Jun 2026 06:00:00 GMT"}
    body = fetch(server.give("/feed", Answer(FEED, headers=headers)), client, NONE)
    assert isinstance(body, FeedBody)
    assert (body.content, body.content_type, body.base) == (FEED, "text/xml", server.address + "/feed")
    assert body.validators == Validators('W/"a b,c"', "Tue, 2 Jun 2026 06:00:00 GMT")
    request = server.requests[0]
    assert "if-none-match" not in request.headers
    assert request.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "validators",
    [
        Validators(etag='W/"a b,c"'),
        Validators(etag='unquoted"'),
        Validators(last_modified="some day in June"),
        Validators('"1"', "Tue, 02 Jun 2026 06:00:00 GMT"),
    ],
)
def test_validators_go_back_verbatim_and_nothing_changed(
    server: Server, client: httpx.Client, validators: Validators
) -> None:
    said = {"ETag": validators.etag, "Last-Modified": validators.last_modified}
    url = server.give("/feed", Answer(FEED, headers={name: value for name, value in said.items() if value}))
    assert fetch(url, client, validators) == Unchanged(validators)
    sent = server.requests[0].headers
    assert sent.get("if-none-match") == validators.etag
    assert sent.get("if-modified-since") == validators.last_modified


def test_a_changed_feed_comes_in_spite_of_validators(server: Server, client: httpx.Client) -> None:
    url = server.give("/feed", Answer(FEED, headers={"ETag": '"new"'}))
    body = fetch(url, client, Validators('"old"'))
    assert isinstance(body, FeedBody)
    assert body.validators.etag == '"new"'


def test_a_validator_that_cannot_be_sent_is_not(server: Server, client: httpx.Client) -> None:
    url = server.give("/feed", Answer(FEED, headers={"ETag": b'"\xe9t\xe9"', "Last-Modified": "yesterday"}))
    body = fetch(url, client, NONE)
    assert isinstance(body, FeedBody)
    assert isinstance(fetch(url, client, body.validators), Unchanged)
    assert "if-none-match" not in server.requests[1].headers


def test_unchanged_is_no_answer_to_a_first_request(server: Server, client: httpx.Client) -> None:
    with pytest.raises(FeedUnreachableError, match="304"):
        fetch(server.give("/feed", Answer(status=304)), client, NONE)


def test_redirects_are_followed_and_addresses_start_at_the_last(server: Server, client: httpx.Client) -> None:
    server.give("/moved/feed", Answer(FEED))
    body = fetch(server.give("/feed", redirect("/moved/feed", 301)), client, NONE)
    assert isinstance(body, FeedBody)
    assert body.base == server.address + "/moved/feed"


@pytest.mark.parametrize("status", [404, 410])
def test_gone(server: Server, client: httpx.Client, status: int) -> None:
    with pytest.raises(FeedGoneError, match=rf"{status}.*What is archived stays") as caught:
        fetch(server.give("/feed", Answer(status=status)), client, NONE)
    assert server.address in str(caught.value)


@pytest.mark.parametrize("status", [500, 503, 403, 429, 204, 206])
def test_any_other_status_is_told(server: Server, client: httpx.Client, status: int) -> None:
    with pytest.raises(FeedUnreachableError, match=f"HTTP {status}"):
        fetch(server.give("/feed", Answer(b"" if status == 204 else FEED, status)), client, NONE)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(FEED, declared=len(FEED) + 9), "closed|incomplete"),
        (Answer(FEED, framing="chunked", ending="cut"), "closed|incomplete"),
        (Answer(FEED, declared=len(FEED) + 9, ending="reset"), "reset"),
        (Answer(FEED, drip=9.0), "in time"),
        (redirect("/feed"), "more than 10 redirects"),
        (redirect("file:///etc/passwd"), "is not visited"),
        (redirect("http://[::1"), "URL"),
        (Answer(b"not packed", headers={"Content-Encoding": "gzip"}), "damaged"),
        (Answer(gzip.compress(FEED)[:-30], headers={"Content-Encoding": "gzip"}, framing="none"), "cut short"),
        (Answer(gzip.compress(FEED)[:-1], headers={"Content-Encoding": "gzip"}), "cut short"),
        (Answer(gzip.compress(FEED) + gzip.compress(FEED)[:9], headers={"Content-Encoding": "gzip"}), "cut short"),
        (Answer(FEED, headers={"Content-Encoding": "br"}), "'br', which was not requested"),
        (Answer(FEED, headers={"Content-Encoding": "gzip, gzip"}), "not requested"),
    ],
)
def test_what_cannot_be_had_whole_is_told(server: Server, client: httpx.Client, answer: Answer, words: str) -> None:
    client.timeout = patience(answer)
    with pytest.raises(FeedUnreachableError, match=words) as caught:
        fetch(server.give("/feed", answer), client, NONE)
    assert server.address in str(caught.value)


def test_a_server_that_is_not_there(client: httpx.Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/feed"
    with pytest.raises(FeedUnreachableError, match="refused"):
        fetch(url, client, NONE)


def test_the_users_own_network_is_told_with_the_mend(server: Server) -> None:
    with make_client() as guarded, pytest.raises(FeedUnreachableError, match="allow_private: true"):
        fetch(server.give("/feed", Answer(FEED)), guarded, NONE)
    assert server.requests == []


def test_a_feed_that_drips_for_ever_holds_nothing_up(
    server: Server, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 0.15)
    began = time.monotonic()
    with pytest.raises(FeedUnreachableError, match="in time"):
        fetch(server.give("/feed", Answer(FEED * 100, drip=0.02)), client, NONE)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
def test_every_way_to_end_a_body(server: Server, client: httpx.Client, framing: str) -> None:
    body = fetch(server.give("/feed", Answer(FEED, framing=framing)), client, NONE)  # type: ignore[arg-type]
    assert isinstance(body, FeedBody)
    assert body.content == FEED


def test_a_packed_feed_of_several_members_is_read_whole(server: Server, client: httpx.Client) -> None:
    members = gzip.compress(FEED[:20]) + gzip.compress(FEED[20:])
    for framing in ("length", "chunked"):
        answer = Answer(members, headers={"Content-Encoding": "gzip"}, framing=framing)
        body = fetch(server.give("/feed", answer), client, NONE)
        assert isinstance(body, FeedBody)
        assert body.content == FEED


def test_a_packed_feed_is_unpacked(server: Server, client: httpx.Client) -> None:
    body = fetch(server.give("/feed", gzipped(FEED)), client, NONE)
    assert isinstance(body, FeedBody)
    assert body.content == FEED


def test_a_feed_may_have_fifty_megabytes() -> None:
    assert module.MAX_FEED_BYTES == 50_000_000


MEGABYTE = 1 << 20


def huge() -> Iterator[bytes]:
    """Sixty megabytes, in pieces."""
    return (b" " * (MEGABYTE // 16) for _ in range(60 * 16))


def bomb() -> Iterator[bytes]:
    """Sixty megabytes, compressed to sixty kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    for piece in huge():
        yield packer.compress(piece)
    yield packer.flush()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(huge, framing="chunked"),
        Answer(huge, framing="none"),
        Answer(b"".join(bomb()), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["chunked", "without-length", "bomb"],
)
def test_a_feed_that_is_too_large_is_refused_in_bounded_memory(
    server: Server, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(module, "MAX_FEED_BYTES", 2_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(NotAFeedError, match="larger than 2 MB"):
            fetch(server.give("/feed", answer), client, NONE)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


def test_a_feed_of_just_the_size_is_taken(
    server: Server, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FEED_BYTES", len(FEED))
    for answer in (Answer(FEED), gzipped(FEED)):
        body = fetch(server.give("/feed", answer), client, NONE)
        assert isinstance(body, FeedBody)
        assert body.content == FEED
    for answer in (Answer(FEED + b" "), gzipped(FEED + b" ")):
        with pytest.raises(NotAFeedError):
            fetch(server.give("/feed", answer), client, NONE)


def test_a_web_page_is_bytes_like_any_other(server: Server, client: httpx.Client) -> None:
    body = fetch(server.give("/feed", page()), client, NONE)
    assert isinstance(body, FeedBody)
    assert body.content_type.startswith("text/html")


# Local feeds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("shows/feed.xml", "{folder}/shows/feed.xml"),
        ("./shows/../feed.xml", "{folder}/feed.xml"),
        ("file:feed.xml", "{folder}/feed.xml"),
        ("file:///srv/a%20b.xml", "file:///srv/a%20b.xml"),
        ("/srv/a b.xml", "file:///srv/a%20b.xml"),
        ("http://example.org/feed.xml", "http://example.org/feed.xml"),
        ("HTTPS://example.org/feed.xml", "HTTPS://example.org/feed.xml"),
    ],
)
def test_where_a_feed_is(tmp_path: Path, client: httpx.Client, written: str, expected: str) -> None:
    assert resolve(written, tmp_path, client) == expected.format(folder=tmp_path.resolve().as_uri())


def test_a_file_is_read(tmp_path: Path, client: httpx.Client) -> None:
    (tmp_path / "feed.xml").write_bytes(FEED)
    url = resolve("feed.xml", tmp_path, client)
    body = fetch(url, client, Validators('"1"'))
    assert isinstance(body, FeedBody)
    assert (body.content, body.base) == (FEED, url)


def test_a_file_that_cannot_be_read(tmp_path: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("none.xml", ""):
        with pytest.raises(FeedUnreachableError, match="cannot be read"):
            fetch(resolve(name, tmp_path, client), client, NONE)
    with pytest.raises(FeedUnreachableError, match=r"No such file or directory\. A url without https://"):
        fetch(resolve("example.org/feed", tmp_path, client), client, NONE)
    (tmp_path / "feed.xml").write_bytes(FEED)
    monkeypatch.setattr(module, "MAX_FEED_BYTES", 10)
    with pytest.raises(NotAFeedError, match="larger"):
        fetch(resolve("feed.xml", tmp_path, client), client, NONE)
    with pytest.raises(NotAFeedError, match="larger"):
        fetch(resolve("/dev/zero", tmp_path, client), client, NONE)


# Apple's directory

APPLE = "https://podcasts.apple.com/gb/podcast/an-invented-show/id1440737894"


@pytest.fixture
def ask_apple(server: Server, client: httpx.Client, tmp_path: Path) -> Callable[..., str]:
    """Resolve an Apple Podcasts URL with this answer from the directory."""

    def ask(answer: Answer, address: str = APPLE) -> str:
        client.timeout = patience(answer)
        return resolve(address, tmp_path, client, itunes_lookup=server.give("/lookup", answer))

    return ask


def results(*entries: object) -> Answer:
    body = json.dumps({"resultCount": len(entries), "results": entries}).encode()
    return Answer(body, headers={"Content-Type": "text/javascript; charset=utf-8"})


@pytest.mark.parametrize(
    "address",
    [
        APPLE,
        APPLE + "?i=1000423",
        "https://podcasts.apple.com/podcast/id1440737894",
        "http://itunes.apple.com/us/podcast/an-invented-show/id1440737894?mt=2",
    ],
)
def test_apples_directory_knows_the_feed(server: Server, ask_apple: Callable[..., str], address: str) -> None:
    found = results({"wrapperType": "track", "feedUrl": "https://feeds.example.org/show"})
    assert ask_apple(found, address) == "https://feeds.example.org/show"
    assert server.requests[0].query == {"id": ["1440737894"], "entity": ["podcast"]}


def test_apples_packed_answer(ask_apple: Callable[..., str]) -> None:
    body = results({"feedUrl": "https://feeds.example.org/show"}).body
    assert isinstance(body, bytes)
    assert ask_apple(gzipped(body)) == "https://feeds.example.org/show"


@pytest.mark.parametrize(
    "answer",
    [
        results(),
        results({"trackName": "A show without a feed"}),
        results({"feedUrl": None}),
        results({"feedUrl": "file:///etc/passwd"}),
        results({"feedUrl": "/etc/passwd"}),
        results({"feedUrl": "http://["}),
    ],
)
def test_a_show_that_apple_knows_no_feed_of(ask_apple: Callable[..., str], answer: Answer) -> None:
    with pytest.raises(FeedGoneError, match=r"1440737894.*RSS address"):
        ask_apple(answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=503), "HTTP 503"),
        (Answer(status=404), "HTTP 404"),
        (page(), "not understood"),
        (Answer(b""), "not understood"),
        (Answer(b"[]"), "not understood"),
        (Answer(b"null"), "not understood"),
        (Answer(b'{"results": 3}'), "not understood"),
        (Answer(b'{"results": [null]}'), "not understood"),
        (Answer(b"\xff\xfe"), "not understood"),
        (Answer(b'{"results"', declared=99), "closed|incomplete"),
        (Answer(b"x", drip=9.0), "in time"),
        (redirect("javascript:x"), "not a valid address"),
    ],
)
def test_apples_directory_is_down(ask_apple: Callable[..., str], answer: Answer, words: str) -> None:
    with pytest.raises(FeedUnreachableError, match=words) as caught:
        ask_apple(answer)
    assert "put the show's RSS address into feeds.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)
