"""Decoding: which files are sound, how long they are, and that nothing else is accepted as audio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.container import InputContainer

from pipeline.audio import decode as audio_decode
from pipeline.audio.decode import check, decode
from pipeline.errors import NotAudioError
from tests.conftest import tones, write_audio
from tests.support.recordings import damaged_m4a


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


def test_channels_that_cancel_each_other_are_heard(tmp_path: Path) -> None:
    left = tones(seconds=2.0, rate=44_100)
    right = -left
    right[44_100:] = left[44_100:]
    heard = decode(write_audio(tmp_path / "a.wav", np.stack([left, right], axis=1), rate=44_100, codec="pcm_s16le"))
    for second in (heard[:16_000], heard[16_000:]):
        assert 0.06 < np.sqrt(np.mean(second**2)) < 0.11


def test_telephone_sound_is_heard_at_its_own_pitch(tmp_path: Path) -> None:
    time = np.arange(8000) / 8000
    samples = (3000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    heard = decode(write_audio(tmp_path / "a.wav", samples, rate=8000, codec="pcm_s16le"))
    assert heard.size == pytest.approx(16_000, abs=50)
    assert np.argmax(np.abs(np.fft.rfft(heard, 16_000))) == pytest.approx(440, abs=2)


def test_joined_recordings_of_different_kinds_are_one(tmp_path: Path) -> None:
    # As produced by hosts that insert advertisements when an episode is downloaded.
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


def test_ogg_in_which_mono_and_stereo_are_joined_is_not_called_damaged(tmp_path: Path) -> None:
    mono = tones(seconds=1.0, rate=48_000)
    joined = tmp_path / "joined.ogg"
    with joined.open("wb") as file:
        for n, samples in enumerate((mono, np.stack([mono] * 2, axis=1))):
            piece = write_audio(tmp_path / f"{n}.ogg", samples, rate=48_000, codec="libopus")
            file.write(piece.read_bytes())
    with pytest.raises(NotAudioError, match=r"it may be sound.* mono and stereo are joined in one Ogg file"):
        check(joined)


def test_an_mp3_that_ends_in_mid_stream_is_still_sound(tmp_path: Path, tone_mp3: bytes) -> None:
    # That it is truncated is detected by its length, if known: see the tests of keep.
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


def test_damage_of_some_seconds_is_told_and_costs_no_more_than_these(tmp_path: Path) -> None:
    path = damaged_m4a(tmp_path / "a.m4a", 0.06)
    facts = check(path)
    assert [facts.duration, facts.lost] == pytest.approx([60.0, 3.6], abs=0.4)
    assert decode(path).size == pytest.approx(16_000 * facts.duration, abs=200)
    assert check(damaged_m4a(path, 0.0)).lost == 0.0


def test_what_is_damaged_for_the_most_part_is_refused_before_it_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = damaged_m4a(tmp_path / "a.m4a", 0.5)
    seconds: list[float] = []
    whole = audio_decode._decoded

    def counted(container: InputContainer, read: Any) -> Iterator[list[AudioFrame]]:
        for frames in whole(container, read):
            seconds.extend(frame.samples / frame.sample_rate for frame in frames)
            yield frames

    monkeypatch.setattr(audio_decode, "_decoded", counted)
    with pytest.raises(NotAudioError, match="more than 10 % of it cannot be decoded"):
        check(path)
    assert sum(seconds) < 25
    # In a film the sound is the lesser part of the file.
    monkeypatch.setattr(audio_decode, "_FEW_PACKETS", 10)
    film = damaged_m4a(tmp_path / "b.m4a", 0.15, seconds=10.0)
    with film.open("ab") as file:
        file.write((100_000_000).to_bytes(4, "big") + b"free")
        file.truncate(file.tell() + 100_000_000 - 8)
    with pytest.raises(NotAudioError, match="more than 10 % of it cannot be decoded"):
        check(film)


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
    for content, words in ((b"", "empty"), (b"<html>", "web page"), (b'{"a":1}', "JSON"), (b"Forbidden", "not audio")):
        path.write_bytes(content)
        with pytest.raises(NotAudioError, match=words):
            check(path)


def test_a_header_that_promises_days_of_sound_is_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", tones(seconds=6.0, rate=16_000), rate=16_000, codec="pcm_s16le")
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 12
    content[at : at + 4] = (1).to_bytes(4, "little")  # samples per second
    path.write_bytes(content)
    with pytest.raises(NotAudioError, match="longer than 24 hours"):
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


@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("ogg", "libopus"), ("webm", "libopus")])
def test_what_comes_after_a_gap_between_time_stamps_is_heard_when_a_player_plays_it(
    tmp_path: Path, container: str, codec: str
) -> None:
    # The times are those at which Chromium plays the sound after a jump to the second before it.
    samples = np.zeros(6 * 48_000, np.int16)
    samples[48_000:54_000] = samples[-48_000:-42_000] = tones(seconds=0.125, rate=48_000)
    path = write_audio(
        tmp_path / "a",
        samples,
        rate=48_000,
        codec=codec,
        container=container,
        later=lambda seconds: 2.0 if seconds < 3 else 6.0,
    )
    facts = check(path)
    assert [facts.duration, facts.gaps] == pytest.approx([12.0, 6.0], abs=0.1)
    heard = decode(path)
    assert heard.size == pytest.approx(16_000 * facts.duration, abs=200)
    loud = np.flatnonzero(np.abs(heard) > 0.03) / 16_000
    assert [loud[0], loud[loud > 5][0]] == pytest.approx([3.0, 11.0], abs=0.05)


def test_silence_without_end_is_not_decoded_to_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", tones(seconds=6.0, rate=16_000), rate=16_000, codec="pcm_s16le")
    decoded: list[float] = []
    whole = audio_decode._decoded

    def counted(container: InputContainer, read: Any) -> Iterator[list[AudioFrame]]:
        for frames in whole(container, read):
            decoded.extend(frame.samples / frame.sample_rate for frame in frames)
            yield frames

    monkeypatch.setattr(audio_decode, "_decoded", counted)
    monkeypatch.setattr(audio_decode, "MAX_SECONDS", 1)
    with pytest.raises(NotAudioError, match="longer than"):
        check(path)
    assert sum(decoded) < 2
