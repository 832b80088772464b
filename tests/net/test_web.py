"""The HTTP client: which addresses it connects to, which it refuses, and its error messages."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event, Thread
from typing import Any

import httpx
import pytest

from pipeline.net import client as web
from pipeline.net.client import ForbiddenAddressError, in_time, is_public, make_client, reason
from pipeline.net.local_files import local_path
from pipeline.net.urls import scheme
from pipeline.stages.together import AT_ONCE
from tests.support.misbehaving import Answer, Server, gzipped, redirect


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::1",
        "2001:db8::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_addresses_that_are_not_on_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00:1450::5", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "10.0.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "[fe80::1]",
    ],
)
def test_the_users_own_network_is_not_visited(server: Server, host: str) -> None:
    url = server.give("/secret", Answer(b"secret")).replace("127.0.0.1", host, 1)
    with make_client() as client, pytest.raises(ForbiddenAddressError, match="allow_private: true"):
        client.get(url)
    assert server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_is_when_the_feed_may(server: Server, host: str) -> None:
    url = server.give("/feed", Answer(b"feed")).replace("127.0.0.1", host, 1)
    with make_client(allow_private=True) as client:
        assert client.get(url).content == b"feed"
    assert server.requests[0].headers["user-agent"].startswith("interview-archive/")


def names(monkeypatch: pytest.MonkeyPatch, known: dict[str, list[str]]) -> list[str]:
    """Resolve names from ``known``, with the given answers in turn; returns the list of names looked up."""
    real, asked = socket.getaddrinfo, []

    def lookup(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        addresses = known.get(host)
        if addresses is None:
            return real(host, *args, **options)
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [entry for one in address.split() for entry in real(one, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, {"mixed.example": ["93.184.216.34 10.1.2.3"]})
    with make_client() as client, pytest.raises(ForbiddenAddressError, match=r"mixed\.example.*10\.1\.2\.3"):
        client.get("http://mixed.example/")


def test_a_name_is_looked_up_once_and_cannot_change_its_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    asked = names(monkeypatch, {"rebinding.example": ["127.0.0.1", "10.0.0.1"]})
    url = server.give("/", Answer(b"checked")).replace("127.0.0.1", "rebinding.example")
    with make_client() as client:
        assert client.get(url).content == b"checked"
    assert asked.count("rebinding.example") == 1
    assert server.requests[0].headers["host"].startswith("rebinding.example")


def test_a_redirect_onto_the_users_own_network_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")  # this one stands for the internet
    secret = server.give("/secret", Answer(b"secret"))
    url = server.give("/", redirect(secret.replace("127.0.0.1", "127.0.0.2")))
    with make_client() as client, pytest.raises(ForbiddenAddressError, match=r"127\.0\.0\.2"):
        client.get(url)
    assert server.asked("/secret") == []


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://example.org/a", "data:text/plain,a", "javascript:alert(1)"]
)
def test_only_http_is_visited_wherever_a_redirect_goes(server: Server, to: str) -> None:
    url = server.give("/", redirect(to))
    with make_client(allow_private=True) as client, pytest.raises((ForbiddenAddressError, httpx.InvalidURL)):
        client.get(url)


def test_redirects_are_followed_and_counted(server: Server) -> None:
    server.give("/1", redirect("/2", 301))
    server.give("/2", redirect(server.address + "/3", 307))
    server.give("/3", Answer(b"there"))
    loop = server.give("/loop", redirect("/loop"))
    with make_client(allow_private=True) as client:
        response = client.get(server.address + "/1")
        assert (response.content, str(response.url)) == (b"there", server.address + "/3")
        with pytest.raises(httpx.TooManyRedirects) as caught:
            client.get(loop)
    assert reason(caught.value) == "more than 10 redirects"


def test_the_endless_body_of_a_redirect_is_not_read(server: Server) -> None:
    sent = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * 65536

    server.give("/", Answer(endless, status=302, headers={"Location": "/there"}))
    server.give("/there", Answer(b"there"))
    with make_client(allow_private=True) as client:
        assert client.get(server.address + "/").content == b"there"
    assert len(sent) < 200


def test_a_redirect_may_come_packed_and_with_a_cookie(server: Server) -> None:
    packed = gzipped(b"moved", **{"Location": "/there", "Set-Cookie": "seen=1"})
    server.give("/", Answer(packed.body, status=302, headers=packed.headers))
    server.give("/there", Answer(b"there"))
    with make_client(allow_private=True) as client:
        assert client.get(server.address + "/").content == b"there"
    assert server.asked("/there")[0].headers["cookie"] == "seen=1"


def test_a_proxy_of_the_environment_is_no_way_around(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, server.address)
    with make_client() as client, pytest.raises(ForbiddenAddressError):
        client.get("http://10.0.0.1/")
    assert server.requests == []


def refused(_server: Server) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (refused, "refused"),
        (lambda _server: "http://a..b/", "cannot be looked up"),
        (lambda _server: f"http://{'a' * 70}.example/", "cannot be looked up"),
        (lambda server: server.give("/", Answer(b"x", drip=9.0)), "did not answer in time"),
        (lambda server: server.give("/", Answer(b"half", declared=8)), "incomplete|closed"),
        (lambda server: server.give("/", Answer(b"a", ending="reset", declared=9)), "reset"),
        (lambda server: server.give("/", Answer(b"x" * 10, headers={"Content-Encoding": "gzip"})), "header|decompress"),
        (lambda _server: "nonsense", "nonsense” is not visited"),
        (lambda _server: "http://", "is not visited"),
        (lambda _server: "http://0177.0.0.1/", "not a valid address"),
        (lambda server: server.give("/", redirect("javascript:alert(1)")), "not a valid address"),
    ],
)
def test_why_a_request_failed_is_said(server: Server, address: Callable[[Server], str], words: str) -> None:
    with make_client(allow_private=True) as client:
        client.timeout = httpx.Timeout(0.2 if "in time" in words else 10.0)
        with pytest.raises((httpx.HTTPError, httpx.InvalidURL)) as caught:
            client.get(address(server))
    said = reason(caught.value)
    assert any(word in said for word in words.split("|")), said
    assert "\n" not in said


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with make_client() as client, pytest.raises(httpx.ConnectError) as caught:
        client.get("http://nobody.example/")
    assert reason(caught.value) == "the name nobody.example cannot be looked up (Name or service not known)"


def test_an_error_status_is_said_in_a_few_words(server: Server) -> None:
    with make_client(allow_private=True) as client, pytest.raises(httpx.HTTPStatusError) as caught:
        client.get(server.give("/", Answer(status=503))).raise_for_status()
    assert reason(caught.value) == "it answered HTTP 503"


def test_a_body_that_drips_for_ever_comes_to_an_end(server: Server) -> None:
    began = time.monotonic()
    url = server.give("/", Answer(b"x" * 1000, drip=0.02))
    with (
        make_client(allow_private=True) as client,
        client.stream("GET", url) as response,
        pytest.raises(httpx.ReadTimeout),
    ):
        list(in_time(response.iter_raw(), 0.1))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [("HTTPS://a", "https"), ("file:///a", "file"), ("a/b.xml", ""), ("", ""), ("http://[", ""), ("http://a℀b", "")],
)
def test_schemes(url: str, expected: str) -> None:
    assert scheme(url) == expected


def test_a_file_address_is_unpacked() -> None:
    assert str(local_path("file:///srv/a%20b%C3%A9.mp3")) == "/srv/a bé.mp3"
    assert bytes(local_path("file:///srv/é%20b%E9.mp3")) == b"/srv/\xc3\xa9 b\xe9.mp3"


def test_a_head_that_drips_for_ever_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "HEAD_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: 1\r\n")

        thread = Thread(target=drip)
        thread.start()
        try:
            with make_client(allow_private=True) as client, pytest.raises(httpx.ReadTimeout):
                client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            over.set()
            thread.join()


def test_all_visits_of_a_run_are_under_way_at_once(server: Server) -> None:
    everybody = Barrier(AT_ONCE)

    def together() -> Iterator[bytes]:
        everybody.wait(10)
        yield b"there"

    url = server.give("/", Answer(together))
    with make_client(allow_private=True) as client, ThreadPoolExecutor(AT_ONCE) as visits:
        client.timeout = httpx.Timeout(10.0, pool=0.5)
        answers = [visits.submit(client.get, url) for _ in range(AT_ONCE)]
        assert {answer.result().content for answer in answers} == {b"there"}


def test_a_body_may_take_longer_than_its_head(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "HEAD_SECONDS", 0.5)
    with make_client(allow_private=True) as client:
        assert client.get(server.give("/slow", Answer(b"12345678", drip=0.1))).content == b"12345678"
