"""A small loopback web server for a folder that behaves like a podcast host: ETag, 304 and byte ranges."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_TYPES = {".xml": "application/rss+xml; charset=utf-8", ".mp3": "audio/mpeg", ".json": "application/json"}
_RANGE = re.compile(r"^bytes=(?P<first>\d+)-(?P<last>\d*)$")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, *args: object, **kwargs: object) -> None:
        self._folder = folder
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # the socketserver machinery calls it

    def do_GET(self) -> None:
        # Only existing file names are served: no part of the URL becomes a path.
        files = {f"/{path.name}": path for path in self._folder.iterdir() if path.suffix in _TYPES}
        path = files.get(self.path)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = path.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if self.headers.get("If-None-Match") == etag:
            self._answer(HTTPStatus.NOT_MODIFIED, etag)
            return
        wanted = _RANGE.match(self.headers.get("Range", ""))
        if wanted is None or self.headers.get("If-Range", etag) != etag:
            self._answer(HTTPStatus.OK, etag, path, body)
        elif int(wanted["first"]) >= len(body):
            self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, etag, extra=f"bytes */{len(body)}")
        else:
            first = int(wanted["first"])
            part = body[first : int(wanted["last"] or len(body) - 1) + 1]
            span = f"bytes {first}-{first + len(part) - 1}/{len(body)}"
            self._answer(HTTPStatus.PARTIAL_CONTENT, etag, path, part, extra=span)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(
        self, status: HTTPStatus, etag: str, path: Path | None = None, body: bytes = b"", *, extra: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Accept-Ranges", "bytes")
        if extra:
            self.send_header("Content-Range", extra)
        if path:
            self.send_header("Content-Type", _TYPES[path.suffix])
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder's files on a free port of 127.0.0.1 while the block runs; yields the base URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, folder)) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
