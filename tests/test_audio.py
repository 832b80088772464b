"""Audio: what is sound, what is kept, and that nothing else ever is."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from pipeline.audio.decode import check, decode
from pipeline.audio.keep import keep
from pipeline.audio.transfer import Limits
from pipeline.errors import AudioError, DiskFullError, DownloadError, NotAudioError
from pipeline.model import KeptAudio
from pipeline.web import make_client
from tests.conftest import NOW, tones, write_audio
from tests.misbehaving import Answer, Server, gzipped, page, redirect

# Checking and decoding


@pytest.mark.parametrize(
    ("name", "codec", "container", "content_type"),
    [
        ("a.mp3", "libmp3lame", None, "audio/mpeg"),
        ("a.m4a", "aac", "ipod", "audio/mp4"),
        ("a.wav", "pcm_s16le", None, "audio/wav"),
        ("a.flac", "flac", None, "audio/flac"),
        ("a.ogg", "libopus", None, "audio/ogg"),
        ("a.aac", "aac", "adts", "audio/aac"),
        ("a.aiff", "pcm_s16be", None, "audio/aiff"),
        ("a.webm", "libopus", None, "audio/webm"),
    ],
)
def test_sound_files_of_every_kind(
    tmp_path: Path, name: str, codec: str, container: str | None, content_type: str
) -> None:
    rate = 48_000 if codec == "libopus" else 22_050
    samples = tones(seconds=1.0, rate=rate)
    path = write_audio(
        tmp_path / "nameless", samples, rate=rate, codec=codec, container=container or Path(name).suffix[1:]
    )
    facts = check(path)
    assert facts.duration == pytest.approx(1.0, abs=0.15)
    assert (facts.ending, facts.content_type) == (Path(name).suffix, content_type)
    heard = decode(path)
    assert heard.dtype == np.dtype(np.float32)
    assert heard.ndim == 1
    assert heard.size == pytest.approx(16_000 * facts.duration, abs=200)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.1 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("dead", [0, 1])
def test_a_dead_channel_does_not_silence_the_other(tmp_path: Path, dead: int) -> None:
    samples = np.stack([tones(seconds=0.5, rate=44_100)] * 2, axis=1)
    samples[:, dead] = 0
    heard = decode(write_audio(tmp_path / "a.wav", samples, rate=44_100, codec="pcm_s16le"))
    assert heard.size == pytest.approx(8000, abs=50)
    assert np.sqrt(np.mean(heard**2)) > 0.03


def test_telephone_sound_is_heard_at_its_own_pitch(tmp_path: Path) -> None:
    time = np.arange(8000) / 8000
    samples = (3000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    heard = decode(write_audio(tmp_path / "a.wav", samples, rate=8000, codec="pcm_s16le"))
    assert heard.size == pytest.approx(16_000, abs=50)
    assert np.argmax(np.abs(np.fft.rfft(heard, 16_000))) == pytest.approx(440, abs=2)


def test_joined_recordings_of_different_kinds_are_one(tmp_path: Path) -> None:
    # What hosts do that join advertisements to an episode when it is fetched.
    stereo = np.stack([tones(seconds=1.0, rate=44_100)] * 2, axis=1)
    pieces = [
        write_audio(tmp_path / "1.mp3", tones(seconds=1.0, rate=16_000), rate=16_000, codec="libmp3lame"),
        write_audio(tmp_path / "2.mp3", stereo, rate=44_100, codec="libmp3lame"),
        write_audio(tmp_path / "3.mp3", tones(seconds=1.0, rate=24_000), rate=24_000, codec="libmp3lame"),
    ]
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    facts = check(joined)
    assert facts.duration == pytest.approx(3.0, abs=0.3)
    assert decode(joined).size == pytest.approx(16_000 * facts.duration, abs=200)


def test_an_mp3_that_ends_in_mid_stream_is_still_sound(tmp_path: Path, tone_mp3: bytes) -> None:
    # That it was cut short is told by its length, where that is known: see the tests of keep.
    path = tmp_path / "cut.mp3"
    path.write_bytes(tone_mp3[: len(tone_mp3) // 2])
    assert check(path).duration == pytest.approx(1.0, abs=0.2)
    assert decode(path).size == pytest.approx(16_000, abs=3200)


def test_a_few_damaged_packets_are_passed_over(tmp_path: Path, tone_mp3: bytes) -> None:
    damaged = bytearray(tone_mp3)
    damaged[4000:4600] = np.random.default_rng(1).bytes(600)
    path = tmp_path / "damaged.mp3"
    path.write_bytes(damaged)
    assert 1.0 < check(path).duration <= 2.2
    assert decode(path).size > 16_000


NOT_AUDIO: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda _: b"",
    "white space": lambda _: b" \n" * 400,
    "a web page": lambda _: b"\n  <!DOCTYPE html><html><body>Sorry</body></html>",
    "xml": lambda _: b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "json": lambda _: b'{"error": "quota exceeded"}',
    "text": lambda _: b"Forbidden",
    "random": lambda _: np.random.default_rng(5).bytes(60_000),
    "zeros": lambda _: bytes(60_000),
    "m3u": lambda sound: f"#EXTM3U\n#EXTINF:2,A local file\n{sound}\n".encode(),
    "hls": lambda sound: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{sound}\n#EXT-X-ENDLIST\n".encode(),
    "concat": lambda sound: f"ffconcat version 1.0\nfile '{sound}'\n".encode(),
    "pls": lambda sound: f"[playlist]\nFile1={sound}\nNumberOfEntries=1\n".encode(),
    "asx": lambda sound: f"<asx version='3.0'><entry><ref href='{sound}'/></entry></asx>".encode(),
    "sdp": lambda _: b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n",
    "a picture": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(200),
}


@pytest.mark.parametrize("kind", NOT_AUDIO)
def test_what_is_no_audio_is_refused(tmp_path: Path, kind: str) -> None:
    sound = write_audio(tmp_path / "sound.wav", tones(seconds=0.2, rate=16_000), rate=16_000, codec="pcm_s16le")
    path = tmp_path / "episode.mp3"
    path.write_bytes(NOT_AUDIO[kind](sound))
    for read in (check, decode):
        with pytest.raises(NotAudioError):
            read(path)


def test_what_came_instead_of_audio_is_said(tmp_path: Path) -> None:
    path = tmp_path / "episode.mp3"
    for content, words in ((b"", "empty"), (b"<html>", "web page"), (b'{"a":1}', "JSON"), (b"Forbidden", "no audio")):
        path.write_bytes(content)
        with pytest.raises(NotAudioError, match=words):
            check(path)


def test_a_header_that_promises_days_of_sound_is_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", tones(seconds=6.0, rate=16_000), rate=16_000, codec="pcm_s16le")
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 12
    content[at : at + 4] = (1).to_bytes(4, "little")  # samples a second
    path.write_bytes(content)
    with pytest.raises(NotAudioError, match="27 hours"):
        check(path)


@pytest.mark.parametrize("kind", ["mp3", "m4a", "wav", "flac", "aiff", "ogg", "webm"])
def test_damaged_files_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    codec = {"mp3": "libmp3lame", "m4a": "aac", "flac": "flac", "aiff": "pcm_s16be", "wav": "pcm_s16le"}.get(
        kind, "libopus"
    )
    rate = 48_000 if codec == "libopus" else 16_000
    container = "ipod" if kind == "m4a" else kind
    sound = write_audio(tmp_path / "a", tones(seconds=0.5, rate=rate), rate=rate, codec=codec, container=container)
    content = sound.read_bytes()
    for seed in range(25):
        dice = np.random.default_rng(seed)
        damaged = bytearray(content[: dice.integers(200, len(content)) if seed % 2 else None])
        for _ in range((1, 5, 50)[seed % 3]):
            damaged[dice.integers(min(len(damaged), (64, 10_000)[seed % 2]))] = dice.integers(256)
        sound.write_bytes(damaged)
        for read in (check, decode):
            with suppress(NotAudioError):
                read(sound)


# Keeping


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "db"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(data: Path) -> Iterator[Callable[..., KeptAudio]]:
    """Keep what an address gives, as the download stage does."""
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
    """Every file in the data folder, by its path in it."""
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
        "random": (Answer(np.random.default_rng(9).bytes(40_000)), NotAudioError, "no audio"),
        "packed all the same": (gzipped(sound), DownloadError, "'gzip', which was not asked for"),
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
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(tone_mp3) // 2, before[1]))  # no file may grow beyond this
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
    with pytest.raises(DownloadError, match="only in the folder it lies in"):
        kept(url, local_root=feed)
    assert files(data) == {}


def test_a_feed_from_the_web_names_no_files(
    tmp_path: Path, data: Path, kept: Callable[..., KeptAudio], tone_mp3: bytes
) -> None:
    (tmp_path / "1.mp3").write_bytes(tone_mp3)
    with pytest.raises(DownloadError, match="only in the folder it lies in"):
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
