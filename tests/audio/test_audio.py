"""Audio: what is kept, and that nothing else ever is."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from pipeline.audio.decode import AudioFacts
from pipeline.audio.keep import keep
from pipeline.audio.transfer import Limits
from pipeline.errors import AudioError, DiskFullError, DownloadError, NotAudioError, PassingError
from pipeline.model import KeptAudio
from pipeline.net.client import make_client
from tests.conftest import NOW
from tests.support.misbehaving import Answer, Server, gzipped, page, redirect, seekable


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "db"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(data: Path) -> Iterator[Callable[..., KeptAudio]]:
    """Download and keep a URL as the download stage does."""
    with make_client(allow_private=True) as client:

        def fetch(
            url: str, *, local_root: Path | None = None, name: str = "show/1", patience: float = 10.0, **limits: Any
        ) -> KeptAudio:
            client.timeout = httpx.Timeout(patience)
            limits = {"attempts": 1, **limits}
            kept = keep(url, client, data, name=name, now=NOW, local_root=local_root, limits=Limits(**limits))
            assert kept
            return kept

        yield fetch


def files(data: Path) -> dict[str, bytes]:
    """The relative paths of all files in the data folder."""
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def test_audio_is_kept_under_its_own_hash(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    server.give("/1.mp3", Answer(tone_mp3, headers={"Content-Type": "text/plain"}))
    url = server.give("/track/1", redirect("/1.mp3?token=1"))
    audio = kept(url)
    sha256 = hashlib.sha256(tone_mp3).hexdigest()
    assert audio == KeptAudio(
        sha256=sha256,
        path=f"audio/{sha256[:2]}/{sha256}.mp3",
        bytes=len(tone_mp3),
        content_type="audio/mpeg",
        duration=audio.duration,
        url=url,
        final_url=server.address + "/1.mp3?token=1",
        fetched_at=NOW,
        redirects=(server.address + "/1.mp3?token=1",),
    )
    assert audio.duration == pytest.approx(2.0, abs=0.1)
    assert files(data) == {audio.path: tone_mp3}
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_the_ending_is_what_the_bytes_are(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_m4a: bytes
) -> None:
    audio = kept(server.give("/1.mp3", Answer(tone_m4a, headers={"Content-Type": "audio/mpeg"})))
    assert (audio.content_type, Path(audio.path).suffix) == ("audio/mp4", ".m4a")
    assert files(data) == {audio.path: tone_m4a}


@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
def test_every_way_to_end_the_audio(
    server: Server, kept: Callable[..., KeptAudio], tone_mp3: bytes, framing: Any
) -> None:
    assert kept(server.give("/1.mp3", Answer(tone_mp3, framing=framing))).bytes == len(tone_mp3)


def bad_answers(sound: bytes) -> dict[str, tuple[Answer, type[AudioError], str]]:
    half = sound[: len(sound) // 2]
    return {
        "cut short": (Answer(half, declared=len(sound)), DownloadError, "incomplete|closed"),
        "chunked without end": (Answer(sound, framing="chunked", ending="cut"), DownloadError, "incomplete|closed"),
        "reset": (Answer(half, declared=len(sound), ending="reset"), DownloadError, "reset"),
        "silent": (Answer(sound, drip=9.0), DownloadError, "in time"),
        "not found": (Answer(sound, status=404), DownloadError, "HTTP 404"),
        "forbidden": (Answer(sound, status=403), DownloadError, "refuses this program"),
        "down": (Answer(sound, status=503), DownloadError, "HTTP 503"),
        "a part unasked": (Answer(half, status=206), DownloadError, "HTTP 206"),
        "no content": (Answer(status=204), DownloadError, "HTTP 204"),
        "empty": (Answer(b""), DownloadError, "empty"),
        "empty chunks": (Answer(b"", framing="chunked"), DownloadError, "empty"),
        "a web page": (page(), NotAudioError, "web page"),
        "json": (Answer(b'{"error": 1}'), NotAudioError, "JSON"),
        "random": (Answer(np.random.default_rng(9).bytes(40_000)), NotAudioError, "not audio"),
        "packed all the same": (gzipped(sound), DownloadError, "'gzip', which was not requested"),
        "going round": (redirect("/1.mp3"), DownloadError, "redirects"),
        "to a file": (redirect("file:///etc/passwd"), DownloadError, "is not visited"),
        "to nonsense": (redirect("http://[::1"), DownloadError, "URL"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", bad_answers(b"12"))
def test_nothing_bad_is_kept_and_nothing_kept_is_harmed(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes, tone_m4a: bytes, kind: str
) -> None:
    good = kept(server.give("/good.mp3", Answer(tone_m4a)))
    before = files(data)
    answer, error, words = bad_answers(tone_mp3)[kind]
    with pytest.raises(error, match=words):
        kept(server.give("/1.mp3", answer), patience=0.2 if answer.drip else 10.0)
    assert files(data) == before == {good.path: tone_m4a}


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "http://", "http://[", "ftp://example.org/1.mp3", "javascript:alert(1)", "data:audio/mpeg,x", "http://a..b/"],
)  # fmt: skip
def test_what_is_no_address_is_not_visited(data: Path, kept: Callable[..., KeptAudio], url: str) -> None:
    with pytest.raises(DownloadError):
        kept(url)
    assert files(data) == {}


def test_a_server_that_is_not_there(data: Path, kept: Callable[..., KeptAudio]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/1.mp3"
    with pytest.raises(DownloadError, match="refused"):
        kept(url)
    assert files(data) == {}


def test_a_public_feed_cannot_make_it_visit_the_users_own_network(server: Server, data: Path, tone_mp3: bytes) -> None:
    url = server.give("/1.mp3", Answer(tone_mp3))
    with make_client() as client, pytest.raises(DownloadError, match="allow_private"):
        keep(url, client, data, name="show/1", now=NOW, local_root=None)
    assert server.requests == []
    assert files(data) == {}


def test_the_same_bytes_twice_are_one_file(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    first = kept(server.give("/1.mp3", Answer(tone_mp3)), name="show/1")
    second = kept(server.give("/2.mp3", Answer(tone_mp3)), name="show/2")
    assert first.path == second.path
    assert files(data) == {first.path: tone_mp3}


def test_a_failed_download_can_be_done_again(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    url = server.give("/1.mp3", Answer(tone_mp3[:500], declared=len(tone_mp3)), Answer(tone_mp3))
    with pytest.raises(DownloadError):
        kept(url)
    assert kept(url).bytes == len(tone_mp3)
    assert len(files(data)) == 1


def test_what_came_whole_and_was_not_checked_stays_for_the_next_run(
    server: Server, data: Path, tone_mp3: bytes
) -> None:
    def ends(_path: Path) -> AudioFacts:
        raise PassingError("the run ended")

    url = server.give("/1.mp3", seekable(tone_mp3, ETag='"1"'))
    with make_client(allow_private=True) as client:
        with pytest.raises(PassingError):
            keep(url, client, data, name="show/1", now=NOW, local_root=None, check=ends)
        assert list(files(data).values()) == [tone_mp3]
        audio = keep(url, client, data, name="show/1", now=NOW, local_root=None)
    assert audio
    assert files(data) == {audio.path: tone_mp3}


def test_audio_that_is_too_large_is_given_up(server: Server, data: Path, kept: Callable[..., KeptAudio]) -> None:
    endless = Answer(lambda: iter(lambda: bytes(65_536), None), framing="none")
    with pytest.raises(DownloadError, match=r"larger than 1 MB \(`max_mb` in feeds.yaml\)"):
        kept(server.give("/1.mp3", endless), max_bytes=1_000_000)
    assert files(data) == {}


def test_audio_that_drips_for_ever_is_given_up(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    with pytest.raises(DownloadError, match="in time"):
        kept(server.give("/1.mp3", Answer(tone_mp3, drip=0.02)), seconds=0.1, attempts=9)
    assert len(server.requests) == 1
    assert files(data) == {}


@pytest.mark.parametrize("call", ["fsync", "replace", "mkdir"])
def test_a_full_disk_is_told_and_nothing_is_left(
    server: Server,
    data: Path,
    kept: Callable[..., KeptAudio],
    tone_mp3: bytes,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os if call == "fsync" else Path, call, full)
    with pytest.raises(DiskFullError, match="cannot be kept: No space left on device"):
        kept(server.give("/1.mp3", Answer(tone_mp3)))
    assert files(data) == {}


def test_a_write_that_fails_half_way_leaves_nothing(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(tone_mp3) // 2, before[1]))  # maximum file size
    try:
        with pytest.raises(DownloadError, match="cannot be kept: File too large"):
            kept(server.give("/1.mp3", Answer(tone_mp3)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(data) == {}


def test_a_file_in_the_way_of_the_folder_is_told(
    server: Server, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    (data / "audio").write_text("not a folder")
    with pytest.raises(DownloadError, match="cannot be kept"):
        kept(server.give("/1.mp3", Answer(tone_mp3)))


# Files that a local feed names


def test_a_file_beside_a_local_feed_is_kept(
    tmp_path: Path, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    feed = tmp_path / "my feed"
    (feed / "audio").mkdir(parents=True)
    for path in (feed / "é 1.mp3", feed / "audio/2.mp3"):
        path.write_bytes(tone_mp3)
        audio = kept(path.as_uri(), local_root=feed)
        assert audio.final_url == path.as_uri()
        assert path.read_bytes() == tone_mp3
    assert files(data) == {audio.path: tone_mp3}


@pytest.mark.parametrize("way", ["outside", "dots", "packed dots", "symlink", "sibling", "folder of a link"])
def test_a_local_feed_reaches_nothing_outside_its_folder(
    tmp_path: Path, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes, way: str
) -> None:
    feed, outside, sibling = tmp_path / "feed", tmp_path / "outside", tmp_path / "feed-more"
    for folder in (feed, outside, sibling):
        folder.mkdir()
        (folder / "1.mp3").write_bytes(tone_mp3)
    (feed / "link.mp3").symlink_to(outside / "1.mp3")
    (feed / "folder").symlink_to(outside)
    url = {
        "outside": (outside / "1.mp3").as_uri(),
        "dots": f"{feed.as_uri()}/../outside/1.mp3",
        "packed dots": f"{feed.as_uri()}/%2e%2e/outside/1.mp3",
        "symlink": f"{feed.as_uri()}/link.mp3",
        "sibling": (sibling / "1.mp3").as_uri(),
        "folder of a link": f"{feed.as_uri()}/folder/1.mp3",
    }[way]
    with pytest.raises(DownloadError, match="only in the folder that it is in"):
        kept(url, local_root=feed)
    assert files(data) == {}


def test_a_feed_from_the_web_names_no_files(
    tmp_path: Path, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    (tmp_path / "1.mp3").write_bytes(tone_mp3)
    with pytest.raises(DownloadError, match="only in the folder that it is in"):
        kept((tmp_path / "1.mp3").as_uri(), local_root=None)
    assert files(data) == {}


def test_files_that_are_none(tmp_path: Path, data: Path, kept: Callable[..., KeptAudio]) -> None:
    feed = tmp_path / "feed"
    (feed / "folder.mp3").mkdir(parents=True)
    (feed / "empty.mp3").touch()
    (feed / "page.mp3").write_text("<html>")
    (feed / "ring.mp3").symlink_to("ring.mp3")
    os.mkfifo(feed / "pipe.mp3")
    for name, error in [
        ("none.mp3", DownloadError),
        ("folder.mp3", DownloadError),
        ("pipe.mp3", DownloadError),
        ("ring.mp3", DownloadError),
        ("empty.mp3", DownloadError),
        ("nul%00.mp3", DownloadError),
        ("page.mp3", NotAudioError),
    ]:
        with pytest.raises(error):
            kept(f"{feed.as_uri()}/{name}", local_root=feed)
    assert files(data) == {}
