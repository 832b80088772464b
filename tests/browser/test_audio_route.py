"""The kept audio from a real server, requested by curl and played by Chromium."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.archive.database import writer
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import save_transcript
from pipeline.model import KeptAudio, Transcript
from tests.conftest import write_audio
from tests.support.archive_fixture import Kept, Serve, kept, listening, serve
from tests.support.browsing import chromium, launched, wait_for, watched
from tests.support.building import NOW, spoken

__all__ = ["chromium", "kept", "serve"]  # fixtures

HOUR = 3600
CONTENT = np.random.default_rng(3).bytes(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
TAG = f'"{SHA}"'
SIZE = len(CONTENT)
WHOLE = (200, CONTENT, None)


@dataclass(frozen=True)
class Answer:
    """A response as received by curl; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


Curl = Callable[..., Answer]


@pytest.fixture(scope="session")
def curl_program() -> str:
    found = shutil.which("curl")
    if found is None:
        message = "what curl gets was left out: there is no curl (on Debian: apt install curl)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def curl(curl_program: str, tmp_path: Path) -> Curl:
    def ask(url: str, *options: str) -> Answer:
        head, body = tmp_path / "curl.head", tmp_path / "curl.body"
        body.unlink(missing_ok=True)
        saved = ["--dump-header", str(head), "--output", str(body)]
        subprocess.run([curl_program, "--silent", "--show-error", *saved, *options, url], check=True, timeout=60)
        first, *lines = head.read_text("latin-1").strip().splitlines()
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        return Answer(int(first.split()[1]), headers, body.read_bytes() if body.exists() else b"")

    return ask


def keep(kept: Kept, sha256: str, size: int, *, duration: float = 60.0, path: str = "audio/kept.mp3") -> Path:
    """Register a file as kept; return the path where it must be put."""
    audio = KeptAudio(sha256, path, size, "audio/mpeg", duration, "u", "u", NOW)
    with writer(kept.path) as db:
        save_rendition(db, kept.waiting, audio)
    return kept.path.parent / path


@pytest.fixture
def address(kept: Kept, serve: Serve) -> Iterator[str]:
    """The URL of a kept file on a real server."""
    keep(kept, SHA, SIZE).write_bytes(CONTENT)
    with listening(serve()) as base:
        yield f"{base}/-/audio/{SHA}"


def test_curl_gets_what_it_asks_for(curl: Curl, address: str) -> None:
    for options, expected in {
        (): WHOLE,
        ("--range", "0-1"): (206, CONTENT[:2], f"bytes 0-1/{SIZE}"),  # Safari's first request
        ("--range", "100000-199999"): (206, CONTENT[100_000:200_000], f"bytes 100000-199999/{SIZE}"),
        ("--range", "299990-"): (206, CONTENT[-10:], f"bytes 299990-299999/{SIZE}"),
        ("--range", "0-"): (206, CONTENT, f"bytes 0-299999/{SIZE}"),
        ("--range", "-10"): (206, CONTENT[-10:], f"bytes 299990-299999/{SIZE}"),
        ("--range", "299999-999999"): (206, CONTENT[-1:], f"bytes 299999-299999/{SIZE}"),
        ("--range", "300000-"): (416, b"", f"bytes */{SIZE}"),
        ("--header", "Range: bytes=x-y"): WHOLE,
        ("--header", "Range: bytes=9-3"): WHOLE,
        ("--header", "Range: bytes=0-1, 5-6"): WHOLE,  # more than requested, as is allowed
        ("--range", "0-1", "--header", f"If-Range: {TAG}"): (206, CONTENT[:2], f"bytes 0-1/{SIZE}"),
        ("--range", "0-1", "--header", 'If-Range: "another"'): WHOLE,
        ("--range", "0-1", "--header", "If-Range: Tue, 02 Jun 2026 06:00:00 GMT"): WHOLE,
        ("--header", f"If-None-Match: {TAG}"): (304, b"", None),
        ("--range", "0-1", "--header", f"If-None-Match: {TAG}"): (304, b"", None),
    }.items():
        answer = curl(address, *options)
        assert (answer.status, answer.body, answer.headers.get("content-range")) == expected, options
        assert answer.headers["etag"] == TAG
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "audio/mpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get("content-length", "0") == str(len(answer.body))


def test_head_says_as_much_and_sends_nothing(curl: Curl, address: str) -> None:
    answer = curl(address, "--head")
    assert (answer.status, answer.headers["content-length"], answer.headers["etag"]) == (200, str(SIZE), TAG)


def test_a_download_that_broke_off_is_resumed(curl_program: str, address: str, tmp_path: Path) -> None:
    begun = tmp_path / "begun.mp3"
    begun.write_bytes(CONTENT[:123_456])
    subprocess.run([curl_program, "-sS", "--fail", "--continue-at", "-", "-o", begun, address], check=True, timeout=60)
    assert begun.read_bytes() == CONTENT


def test_eight_at_once_get_each_their_own_bytes(curl_program: str, address: str, tmp_path: Path) -> None:
    parts = {tmp_path / f"{n}.part": (n * 30_000, n * 30_000 + 80_000) for n in range(8)}
    asked = [
        subprocess.Popen([curl_program, "-sS", "--range", f"{first}-{last}", "-o", path, address])
        for path, (first, last) in parts.items()
    ]
    assert [one.wait(60) for one in asked] == [0] * 8
    for path, (first, last) in parts.items():
        assert path.read_bytes() == CONTENT[first : last + 1]


def test_a_player_gets_the_same_bytes_only_not_all_at_once(curl: Curl, address: str) -> None:
    answer = curl(address, "--header", "Sec-Fetch-Dest: audio")
    assert (answer.status, answer.body) == (200, CONTENT)


def test_a_large_file_takes_no_memory_whether_it_is_taken_or_left(curl_program: str, kept: Kept, serve: Serve) -> None:
    size = 200_000_000
    file = keep(kept, "a" * 64, size, path="audio/large.mp3")
    file.touch()
    os.truncate(file, size)  # sparse, so it takes no disk space
    command = [curl_program, "-sS", "-o", os.devnull, "--write-out", "%{size_download}"]
    with listening(serve()) as base:
        url = f"{base}/-/audio/{'a' * 64}"
        subprocess.run([*command, url, "--range", "0-1"], check=True, capture_output=True)
        tracemalloc.start()
        try:
            taken = subprocess.run([*command, url], check=True, capture_output=True, timeout=120)
            left = subprocess.run([*command, url, "--limit-rate", "50k", "--max-time", "1"], capture_output=True)  # noqa: PLW1510 - it ends with an error
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        again = subprocess.run([*command, url, "--range", "-5"], check=True, capture_output=True)
    assert int(taken.stdout) == size
    assert int(left.stdout) < size
    assert int(again.stdout) == 5  # the server goes on
    assert peak < 8_000_000


def test_no_path_in_the_database_leads_out_of_the_audio_folder(curl: Curl, kept: Kept, serve: Serve) -> None:
    secret = kept.path.parent / "secret.mp3"
    secret.write_bytes(b"secret")
    link = kept.path.parent / "audio" / "link.mp3"
    link.symlink_to(secret)
    paths = ("secret.mp3", "audio/../secret.mp3", "../x/secret.mp3", str(secret), "audio/link.mp3", "audio")
    for n, path in enumerate(paths):
        keep(kept, f"{n:064x}", 6, path=path)
    with listening(serve()) as base:
        for n in range(len(paths)):
            answer = curl(f"{base}/-/audio/{n:064x}")
            assert answer.status == 404
            assert b"secret" not in answer.body
        for inside in ("../secret.mp3", "..%2Fsecret.mp3", "%2e%2e/%2e%2e/secret.mp3"):
            answer = curl(f"{base}/-/audio/{inside}", "--path-as-is")
            assert answer.status >= 300  # Datasette itself answers some with a redirect or a 500
            assert b"secret" not in answer.body


class Counting:
    """Counts the bytes of audio that leave the application, whether or not they arrive."""

    def __init__(self) -> None:
        self.sent = 0

    def around(self, app: Any) -> Any:
        async def counted(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def count(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.body" and "/-/audio/" in scope["path"]:
                    self.sent += len(message.get("body", b""))
                await send(message)

            await app(scope, receive, count)

        return counted


def hour_of_noise(path: Path) -> Path:
    """An hour of MP3 at 128 kbit/s: ten seconds whose packets are repeated, so that little has to be encoded."""
    rate, ten = 44_100, path.with_name("ten.mp3")
    samples = np.random.default_rng(5).normal(0, 3000, (rate * 10, 2)).astype(np.int16)
    write_audio(ten, samples, rate=rate, codec="libmp3lame")
    with av.open(str(ten)) as source, av.open(str(path), "w") as file:
        stream = source.streams.audio[0]
        copy = file.add_stream_from_template(stream)
        packets = [bytes(packet) for packet in source.demux(stream) if packet.size]
        assert stream.time_base is not None
        step = round(Fraction(1152, rate) / stream.time_base)
        for n in range(HOUR * rate // 1152):
            packet = av.Packet(packets[n % len(packets)])
            packet.pts = packet.dts = n * step
            packet.duration, packet.time_base, packet.stream = step, stream.time_base, copy
            file.mux(packet)
    return path


@pytest.fixture
def hour(kept: Kept, serve: Serve, tmp_path: Path) -> Iterator[tuple[str, Counting]]:
    """An hour's episode page opened at 90 %, and the counter of bytes that leave the server."""
    content = hour_of_noise(tmp_path / "hour.mp3").read_bytes()
    assert len(content) > 50_000_000
    sha256 = hashlib.sha256(content).hexdigest()
    keep(kept, sha256, len(content), duration=HOUR).write_bytes(content)
    transcript = Transcript(sha256, HOUR, "faster-whisper", "tiny.en", "en", NOW, spoken("Late words.", start=3240.0))
    with writer(kept.path) as db:
        save_transcript(db, kept.waiting, transcript, "k")
    counting = Counting()
    with listening(serve(), counting.around) as base:
        yield f"{base}/-/episode/{kept.waiting}?t=3240", counting


@pytest.mark.browser
def test_a_link_into_the_end_of_an_hour_plays_without_the_hour(hour: tuple[str, Counting], chromium: str) -> None:
    address, counting = hour
    with launched(chromium) as browser, watched(browser) as page:
        page.goto(address)
        wait_for(page, "document.querySelector('audio').readyState >= 1")
        page.evaluate("document.querySelector('audio').play()")
        wait_for(page, "document.querySelector('audio').currentTime > 3240.01")
        assert 0 < counting.sent < 1_000_000
