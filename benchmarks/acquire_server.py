"""A podcast host on loopback for the download benchmark: feeds of synthetic episodes, sent as fast as possible.

    python benchmarks/acquire_server.py AUDIO --feeds 200 --episodes 10 [--away 0.04 --rate 10]

Every episode is the same sound with a different tag, so that no two have the same bytes. Feeds and audio have ETags,
conditional and range requests are honoured, connections are kept alive. ``/count`` returns the number of requests by
kind and the seconds spent sending audio, since the last such request. The first line printed is the address. ``away``
is the delay in seconds, once for a new connection and once for a response; ``rate`` is the limit in megabytes per
second over one connection.
"""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import click

ITEM = """<item><guid>{feed}-{episode}</guid><title>Episode {episode} of show {feed}</title>
<pubDate>{day:02} Jan {year} 06:00:00 GMT</pubDate><description>Made for measuring.</description>
<enclosure url="{address}/audio/{feed}-{episode}.mp3" length="{length}" type="audio/mpeg"/></item>"""
PART = 100_000  # bytes sent at once if the rate is limited
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>Show {feed}</title>{items}</channel></rss>'


def tag(name: str) -> bytes:
    """An ID3v2.4 tag (id3.org, sections 3.1 and 4.2) with a title."""
    text = b"\x03" + name.encode()
    size = len(text) + 10
    return (
        b"ID3\x04\x00\x00" + bytes([0, 0, size >> 7, size & 127]) + b"TIT2" + bytes([0, 0, 0, len(text), 0, 0]) + text
    )


class Host(ThreadingHTTPServer):
    """The server, with what it serves and counts."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, audio: Path, *, feeds: int, episodes: int, away: float, rate: float | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.audio, self.feeds, self.episodes = audio, feeds, episodes
        self.away, self.rate = away, rate
        self.lock, self.asked, self.seconds = Lock(), Counter[str](), 0.0

    def feed(self, number: str) -> bytes:
        """The body of one feed."""
        length = self.audio.stat().st_size + len(tag(f"{number}-1000"))
        items = "".join(
            ITEM.format(
                feed=number, episode=episode, day=1 + episode % 28, year=2000 + episode // 28, length=length,
                address=f"http://127.0.0.1:{self.server_port}",
            )
            for episode in range(self.episodes, 0, -1)
        )  # fmt: skip
        return FEED.format(feed=number, items=items).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        time.sleep(self.server.away)

    def do_GET(self) -> None:
        time.sleep(self.server.away)
        if self.path == "/count":
            with self.server.lock:
                told = {"asked": self.server.asked, "seconds": self.server.seconds}
                self.server.asked, self.server.seconds = Counter(), 0.0
            self._send(json.dumps(told).encode(), "application/json")
            return
        kind, name = self.path.strip("/").split("/")
        etag = f'"{kind}-{name}"'
        unchanged = self.headers.get("If-None-Match") == etag
        with self.server.lock:
            self.server.asked[f"{self.command} {kind}{' (304)' if unchanged else ''}"] += 1
        if unchanged:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
        elif kind == "feed":
            self._send(self.server.feed(name), "application/rss+xml", etag)
        else:
            self._send_audio(tag(name.removesuffix(".mp3")), etag)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, body: bytes, content_type: str, etag: str = '""') -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", etag)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_audio(self, head: bytes, etag: str) -> None:
        with self.server.audio.open("rb") as file:
            size = len(head) + self.server.audio.stat().st_size
            wanted = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0]
            start = int(wanted)
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", "audio/mpeg")
            self.send_header("Content-Length", str(size - start))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", etag)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.end_headers()
            if self.command != "HEAD":
                self._send_file(head, file, start)

    def _send_file(self, head: bytes, file: BinaryIO, start: int) -> None:
        began = time.monotonic()
        try:
            self.wfile.write(head[start:])
            file.seek(max(0, start - len(head)))
            if self.server.rate:
                self._send_slowly(file, self.server.rate)
            else:
                self.connection.sendfile(file, file.tell())
        except ConnectionError:
            self.close_connection = True
        with self.server.lock:
            self.server.seconds += time.monotonic() - began

    def _send_slowly(self, file: BinaryIO, rate: float) -> None:
        began, sent = time.monotonic(), 0
        while part := file.read(PART):
            self.wfile.write(part)
            sent += len(part)
            time.sleep(max(0.0, began + sent / (rate * 1e6) - time.monotonic()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing: only the counts matter."""


@click.command()
@click.argument("audio", type=click.Path(path_type=Path))
@click.option("--feeds", default=1)
@click.option("--episodes", default=1)
@click.option("--away", default=0.0, help="Seconds there and back.")
@click.option("--rate", type=float, help="Megabytes a second over one connection, at most.")
def main(audio: Path, feeds: int, episodes: int, away: float, rate: float | None) -> None:
    """Serve until the end."""
    host = Host(audio, feeds=feeds, episodes=episodes, away=away, rate=rate)
    click.echo(f"http://127.0.0.1:{host.server_port}")
    host.serve_forever()


if __name__ == "__main__":
    main()
