"""The kept audio over HTTP: exactly the requested bytes of exactly the right file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.database import writer
from pipeline.archive.renditions import save_rendition
from pipeline.model import KeptAudio
from pipeline.site.audio import CHUNK
from pipeline.site.ranges import answer
from tests.support.archive_fixture import AUDIO, SHA256, Kept, Serve, Site, kept, listening, serve, site
from tests.support.building import NOW

__all__ = ["kept", "serve", "site"]  # fixtures

URL = f"/-/audio/{SHA256}"
TAG = f'"{SHA256}"'
SIZE = len(AUDIO)
WHOLE = (200, AUDIO, None)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, WHOLE),
        ({"Range": "bytes=0-0"}, (206, AUDIO[:1], f"bytes 0-0/{SIZE}")),
        ({"Range": "bytes=0-"}, (206, AUDIO, f"bytes 0-999/{SIZE}")),
        ({"Range": "bytes=100-299"}, (206, AUDIO[100:300], f"bytes 100-299/{SIZE}")),
        ({"Range": "bytes=900-5000"}, (206, AUDIO[900:], f"bytes 900-999/{SIZE}")),
        ({"Range": "bytes=-10"}, (206, AUDIO[-10:], f"bytes 990-999/{SIZE}")),
        ({"Range": "bytes=-5000"}, (206, AUDIO, f"bytes 0-999/{SIZE}")),
        ({"Range": "Bytes= 999- "}, (206, AUDIO[-1:], f"bytes 999-999/{SIZE}")),
        ({"Range": "bytes=1000-"}, (416, b"", f"bytes */{SIZE}")),
        ({"Range": "bytes=1000-2000"}, (416, b"", f"bytes */{SIZE}")),
        ({"Range": "bytes=-0"}, (416, b"", f"bytes */{SIZE}")),
        # Invalid and multiple ranges are answered with the whole file.
        ({"Range": "bytes=5-2"}, WHOLE),
        ({"Range": "bytes=-"}, WHOLE),
        ({"Range": "bytes=a-b"}, WHOLE),
        ({"Range": "bytes=--5"}, WHOLE),
        ({"Range": "bytes=0-1,5-6"}, WHOLE),
        ({"Range": "seconds=0-1"}, WHOLE),
        ({"Range": "bytes=0-" + "9" * 5000}, WHOLE),
        ({"Range": "bytes=²-"}, WHOLE),
        # Only if the file is still the same.
        ({"Range": "bytes=0-0", "If-Range": TAG}, (206, AUDIO[:1], f"bytes 0-0/{SIZE}")),
        ({"Range": "bytes=0-0", "If-Range": f"W/{TAG}"}, WHOLE),
        ({"Range": "bytes=0-0", "If-Range": '"another"'}, WHOLE),
        ({"Range": "bytes=0-0", "If-Range": "Tue, 02 Jun 2026 06:00:00 GMT"}, WHOLE),
        ({"If-None-Match": TAG}, (304, b"", None)),
        ({"If-None-Match": f'"another", W/{TAG}'}, (304, b"", None)),
        ({"If-None-Match": "*", "Range": "bytes=0-0"}, (304, b"", None)),
        ({"If-None-Match": '"another"', "Range": "bytes=0-0"}, (206, AUDIO[:1], f"bytes 0-0/{SIZE}")),
    ],
)
def test_what_is_asked_for_is_what_comes(
    site: Site, headers: dict[str, str], expected: tuple[int, bytes, str | None]
) -> None:
    response = site.ask(URL, **{name: value.encode("latin-1") for name, value in headers.items()})  # type: ignore[arg-type]
    assert (response.status_code, response.content, response.headers.get("content-range")) == expected
    assert response.headers["etag"] == TAG
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-type"] == "audio/mpeg"
    assert "public" not in response.headers["cache-control"]
    if response.status_code != 304:
        assert int(response.headers["content-length"]) == len(response.content)


def test_head_tells_the_size_and_sends_nothing(site: Site) -> None:
    for headers in ({}, {"Range": "bytes=5-9"}):  # ranges apply to GET only
        response = site.ask(URL, method="HEAD", **headers)
        assert response.status_code == 200
        assert response.headers["content-length"] == str(SIZE)
        assert response.content == b""


@given(
    asked=st.text() | st.from_regex(r"bytes=[ ,\-0-9]*", fullmatch=True),
    size=st.integers(0, 50),
    method=st.sampled_from(["GET", "HEAD"]),
)
def test_no_header_asks_for_bytes_that_are_not_there(asked: str, size: int, method: str) -> None:
    found = answer(method, {"range": asked}, size=size, etag='"x"')
    assert found.status in {200, 206, 416}
    assert 0 <= found.first <= found.first + found.length <= size
    assert found.status != 206 or found.length
    assert found.status != 200 or found.length == size


def add_file(
    kept: Kept, path: str, content: bytes, *, size: int | None = None, content_type: str = "audio/mpeg"
) -> str:
    """Put a file beside the archive and register it as kept; return its URL."""
    file = kept.path.parent / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    audio = KeptAudio(sha256, path, len(content) if size is None else size, content_type, 1.0, "u", "u", NOW)
    with writer(kept.path) as db:
        save_rendition(db, kept.waiting, audio)
    return f"/-/audio/{sha256}"


@pytest.mark.parametrize("path", ["secret.mp3", "audio/../secret.mp3", "audiobooks/secret.mp3", "../secret.mp3"])
def test_a_path_that_leads_out_of_the_audio_folder_is_not_served(site: Site, kept: Kept, path: str) -> None:
    response = site.ask(add_file(kept, path, b"secret"))
    assert response.status_code == 404
    assert "secret" not in response.text


def test_neither_are_an_absolute_path_and_a_link_that_leads_out(site: Site, kept: Kept, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp3"
    assert site.ask(add_file(kept, str(outside), b"outside")).status_code == 404
    link = tmp_path / "audio" / "link.mp3"
    url = add_file(kept, "audio/link.mp3", b"linked")
    assert site.ask(url).status_code == 200
    link.unlink()
    outside.write_bytes(b"linked")
    link.symlink_to(outside)
    assert site.ask(url).status_code == 404


def test_the_audio_folder_itself_may_lie_elsewhere(site: Site, tmp_path: Path) -> None:
    (tmp_path / "audio").rename(tmp_path / "large disk")
    (tmp_path / "audio").symlink_to(tmp_path / "large disk")
    assert site.ask(URL).content == AUDIO


def test_the_database_may_be_a_link_to_one_with_its_audio(serve: Serve, kept: Kept, tmp_path: Path) -> None:
    alias = tmp_path / "alias" / "a.db"
    alias.parent.mkdir()
    alias.symlink_to(kept.path)
    assert serve(alias).ask(URL).content == AUDIO


def test_a_file_that_is_gone_or_is_not_what_it_was_is_not_served(site: Site, kept: Kept) -> None:
    assert site.ask(add_file(kept, "audio/short.mp3", b"short", size=6)).status_code == 404
    (kept.path.parent / "audio" / SHA256[:2] / f"{SHA256}.mp3").unlink()
    response = site.ask(URL)
    assert response.status_code == 404
    assert "missing from the audio folder" in response.text
    assert str(kept.path.parent) not in response.text


@pytest.mark.parametrize("content_type", ["text/html", "audio/mpeg\r\nSet-Cookie: a=b", "", "AUDIO/MP4", "video/mp4"])
def test_only_media_types_are_passed_on(site: Site, kept: Kept, content_type: str) -> None:
    response = site.ask(add_file(kept, "audio/x.mp3", b"<script>", content_type=content_type))
    harmless = content_type if content_type in {"AUDIO/MP4", "video/mp4"} else "application/octet-stream"
    assert response.headers["content-type"] == harmless
    assert "set-cookie" not in response.headers


async def _ask_and_leave(app: Any, path: str, *, after: int | None) -> list[bytes]:
    """Call the application directly and disconnect after some chunks; return the chunks received."""
    pieces: list[bytes] = []
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            pieces.append(message["body"])
            if len(pieces) == after:
                left.set()
        await asyncio.sleep(0)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    await app(scope, receive, send)
    return pieces


def test_a_large_file_comes_in_pieces_and_stops_when_nobody_listens(site: Site, kept: Kept) -> None:
    content = os.urandom(CHUNK) * 20 + b"end"
    url = add_file(kept, "audio/large.mp3", content)
    app = site.datasette.app()
    pieces = site.run(_ask_and_leave(app, url, after=None))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == CHUNK
    assert len(site.run(_ask_and_leave(app, url, after=3))) < 6


def test_ranges_over_a_real_server(serve: Serve, kept: Kept) -> None:
    content = os.urandom(CHUNK + 7)
    url = add_file(kept, "audio/real.mp3", content)
    with listening(serve()) as address, httpx.Client(base_url=address) as client:
        part = client.get(url, headers={"Range": f"bytes={CHUNK - 5}-{CHUNK + 1}"})
        assert (part.status_code, part.content) == (206, content[CHUNK - 5 : CHUNK + 2])
        whole = client.get(url)
        assert (whole.status_code, whole.content) == (200, content)
        head = client.head(url)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(content)))
        assert client.get(url, headers={"Range": f"bytes={len(content)}-"}).status_code == 416
        assert client.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
        with client.stream("GET", url) as leaving:
            next(leaving.iter_raw(100))
        assert client.get(url, headers={"Range": "bytes=-1"}).content == content[-1:]  # the server goes on
