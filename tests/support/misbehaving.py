"""A real loopback web server that misbehaves as configured, and records the requests.

    with serving() as server:
        url = server.give("/a.mp3", Answer(b"half", declared=8), Answer(b"all of it"))

The first request for ``/a.mp3`` then gets a truncated body, every later one the whole.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Literal
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Answer:
    """The answer to one request.

    If ``headers`` contain ``ETag`` or ``Last-Modified``, a request that sends this value back gets a 304.

    Args:
        body: the bytes, or a function that yields them in pieces (for bodies too large for memory).
        status: the HTTP status.
        headers: sent as they are; a value may be bytes, if ASCII is not bad enough.
        framing: how the end of the body is marked: by its ``length``, by ``chunked`` encoding, or not at all
            (``none``): the connection is closed.
        declared: a Content-Length that differs from what is sent.
        ending: ``clean``, ``cut`` (a chunked body without its end), or ``reset`` (the connection is reset).
        drip: seconds to wait before every piece; a body of bytes is then sent byte by byte.
    """

    body: bytes | Callable[[], Iterable[bytes]] = b""
    status: int = 200
    headers: Mapping[str, str | bytes] = field(default_factory=dict)
    framing: Literal["length", "chunked", "none"] = "length"
    declared: int | None = None
    ending: Literal["clean", "cut", "reset"] = "clean"
    drip: float = 0.0


@dataclass(frozen=True)
class Request:
    """A received request: the path without its query, the query, and the headers with names in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


# The behaviour of a path: an answer, or a function that makes one from the request.
Behaviour = Answer | Callable[[Request], Answer]


def seekable(body: bytes, **headers: str) -> Callable[[Request], Answer]:
    """Answer range requests correctly, unless If-Range names another version (RFC 9110, section 14.2)."""

    def answer(request: Request) -> Answer:
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if not wanted or request.headers.get("if-range") not in {None, *headers.values()}:
            return Answer(body, headers=headers)
        first = int(wanted[1])
        if first >= len(body):
            return Answer(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
        return rest(body, first, **headers)

    return answer


def rest(body: bytes, first: int, **headers: str) -> Answer:
    """Send a body from its byte ``first`` on, as a partial response."""
    span = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
    return Answer(body[first:], status=206, headers={**headers, **span})


def cut(
    behaviour: Behaviour, after: int, *, ending: Literal["clean", "reset"] = "clean"
) -> Callable[[Request], Answer]:
    """Declare the whole body and close the connection after this many bytes of it."""

    def answer(request: Request) -> Answer:
        whole = behaviour if isinstance(behaviour, Answer) else behaviour(request)
        assert isinstance(whole.body, bytes)
        return replace(whole, body=whole.body[:after], declared=len(whole.body), ending=ending)

    return answer


def redirect(to: str, status: int = 302) -> Answer:
    """Redirect the client to any URL."""
    return Answer(status=status, headers={"Location": to})


def gzipped(body: bytes, **headers: str) -> Answer:
    """Send a body compressed."""
    return Answer(gzip.compress(body, mtime=0), headers={"Content-Encoding": "gzip", **headers})


def page(text: str = "Sorry, we are having trouble.") -> Answer:
    """Send a web page, as hosts do instead of an error status."""
    body = f"<!DOCTYPE html>\n<html><head><title>Oops</title></head><body><p>{text}</p></body></html>"
    return Answer(body.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


class Server:
    """Answers by path; if a path has several answers, they are given in turn, and the last one from then on."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[Request] = []
        self.closing = Event()
        self._answers: dict[str, list[Behaviour]] = {}

    def give(self, path: str, *answers: Behaviour) -> str:
        """Set the answers for a path, replacing earlier ones, and return its URL."""
        self._answers[path] = list(answers)
        return self.address + path

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path, in order."""
        return [request for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Answer:
        """Record a request and return its answer."""
        self.requests.append(request)
        answers: list[Behaviour] = self._answers.get(request.path, [Answer(status=404)])
        behaviour = answers.pop(0) if len(answers) > 1 else answers[0]
        return behaviour if isinstance(behaviour, Answer) else behaviour(request)


@contextmanager
def serving() -> Iterator[Server]:
    """Serve on a free port of 127.0.0.1 while the block runs."""

    class Handler(_Handler):
        """The handler for this server's answers."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = False  # the block then ends only once every connection is closed
        server = Handler.told_by = Server(f"http://127.0.0.1:{http.server_address[1]}")
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5.0  # seconds to wait for a silent client
    told_by: Server

    def do_GET(self) -> None:
        self.close_connection = True  # one answer per connection, so that a bad one affects no other
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, address.path, parse_qs(address.query), headers)
        answer = self.told_by.answer(request)
        try:
            self._send(self._not_modified(answer, headers) or answer)
        except ConnectionError:
            return  # the client hung up

    def do_HEAD(self) -> None:
        self.do_GET()

    @staticmethod
    def _not_modified(answer: Answer, headers: Mapping[str, str]) -> Answer | None:
        for validator, condition in (("ETag", "if-none-match"), ("Last-Modified", "if-modified-since")):
            if validator in answer.headers and condition in headers:
                same = headers[condition] == answer.headers[validator]
                return Answer(status=HTTPStatus.NOT_MODIFIED, headers=answer.headers) if same else None
        return None

    def _send(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}".encode()]
        for name, value in {**answer.headers, **self._framing(answer), "Connection": "close"}.items():
            lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
        self.wfile.write(b"\r\n".join(lines) + b"\r\n\r\n")
        if self.command != "HEAD":
            for piece in self._pieces(answer):
                if self.told_by.closing.wait(answer.drip) and answer.drip:
                    return
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.framing == "chunked" else piece)
            if answer.framing == "chunked" and answer.ending == "clean":
                self.wfile.write(b"0\r\n\r\n")
        if answer.ending == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    @staticmethod
    def _framing(answer: Answer) -> dict[str, str]:
        if answer.framing == "chunked":
            return {"Transfer-Encoding": "chunked"}
        if answer.framing == "none" or answer.status == HTTPStatus.NOT_MODIFIED:
            return {}
        length = len(answer.body) if isinstance(answer.body, bytes) else None
        declared = length if answer.declared is None else answer.declared
        return {} if declared is None else {"Content-Length": str(declared)}

    @staticmethod
    def _pieces(answer: Answer) -> Iterable[bytes]:
        if not isinstance(answer.body, bytes):
            return answer.body()
        if answer.drip:
            return (bytes([byte]) for byte in answer.body)
        return [answer.body] if answer.body else []

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing: the requests are recorded."""


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Odd"
