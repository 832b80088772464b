"""Clips: the right seconds of the kept file, in every format."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio import clip as clip_module
from pipeline.audio.clip import clip
from pipeline.audio.decode import check, decode
from pipeline.errors import NotAudioError
from tests.conftest import write_audio

RATE = 8_000
KINDS = [
    ("mp3", "libmp3lame", None, 24_000),
    ("aac", "aac", "adts", 24_000),
    ("m4a", "aac", "ipod", 24_000),
    ("ogg", "libopus", "ogg", 48_000),
    ("flac", "flac", None, 24_000),
    ("wav", "pcm_s16le", None, 24_000),
    ("aiff", "pcm_s16be", None, 24_000),
    ("webm", "libopus", "webm", 48_000),
    ("webm", "aac", "matroska", 24_000),
]


def noise(seconds: float, rate: int) -> NDArray[np.int16]:
    """Sound that repeats nowhere, and that every codec preserves."""
    samples = np.random.default_rng(7).normal(0, 1, round(seconds * rate))
    low = np.convolve(samples, np.ones(16) / 16, "same")
    return (low / float(np.abs(low).max()) * 20_000).astype(np.int16)


def place(part: NDArray[np.float32], whole: NDArray[np.float32]) -> float:
    """The second of the whole at which the part is found."""
    size = 1 << (len(whole) + len(part)).bit_length()
    product = np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size))
    return float(np.fft.irfft(product, size)[: len(whole)].argmax() / RATE)


@pytest.mark.parametrize(("ending", "codec", "container", "rate"), KINDS)
def test_a_clip_is_the_right_second_of_a_file_of_any_kind(
    tmp_path: Path, ending: str, codec: str, container: str | None, rate: int
) -> None:
    kept = write_audio(tmp_path / f"kept.{ending}", noise(10, rate), rate=rate, codec=codec, container=container)
    cut = tmp_path / f"clip.{ending}"
    cut.write_bytes(clip(kept, 6.0, 9.0, duration=check(kept).duration))
    assert check(cut).content_type == check(kept).content_type
    heard = decode(cut, sample_rate=RATE)
    assert 2.9 < len(heard) / RATE < 3.3
    # The first tenth of a second may need packets that were left out.
    assert place(heard[RATE // 2 :], decode(kept, sample_rate=RATE)) - 0.5 == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize(
    ("ending", "codec", "container", "rate"), [kind for kind in KINDS if kind[0] in {"m4a", "ogg", "webm"}]
)
def test_a_clip_of_a_file_with_gaps_between_its_time_stamps_is_what_is_heard_then(
    tmp_path: Path, ending: str, codec: str, container: str | None, rate: int
) -> None:
    kept = write_audio(
        tmp_path / f"kept.{ending}",
        noise(10, rate),
        rate=rate,
        codec=codec,
        container=container,
        later=lambda seconds: 1.0 if seconds < 4 else 3.0,
    )
    cut = tmp_path / f"clip.{ending}"
    cut.write_bytes(clip(kept, 8.0, 11.0, duration=check(kept).duration))
    heard = decode(cut, sample_rate=RATE)
    assert 2.9 < len(heard) / RATE < 3.3
    assert place(heard[RATE // 2 :], decode(kept, sample_rate=RATE)) - 0.5 == pytest.approx(8.0, abs=0.1)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts what a process reads")
@pytest.mark.parametrize(
    ("ending", "codec", "container", "rate"),
    [kind for kind in KINDS if kind[0] in {"m4a", "ogg", "flac", "wav", "aiff"}],
)
def test_a_file_in_which_seconds_can_be_found_is_not_read_from_its_beginning(
    tmp_path: Path, ending: str, codec: str, container: str | None, rate: int
) -> None:
    kept = write_audio(tmp_path / f"kept.{ending}", noise(120, rate), rate=rate, codec=codec, container=container)
    before = read_so_far()
    clip(kept, 110.0, 112.0, duration=120.0)
    assert read_so_far() - before < kept.stat().st_size / 2
    with pytest.raises(NotAudioError, match="no sound at that time"):
        clip(kept, 130.0, 131.0, duration=120.0)


def read_so_far() -> int:
    """The number of bytes this process has read."""
    (line,) = (one for one in Path("/proc/self/io").read_text().splitlines() if one.startswith("rchar"))
    return int(line.split()[1])


def test_advertisements_joined_before_an_episode_do_not_move_it(tmp_path: Path) -> None:
    kept = tmp_path / "joined.mp3"
    parts = [noise(6, rate) for rate in (24_000, 44_100)]
    for n, (samples, rate) in enumerate(zip(parts, (24_000, 44_100), strict=True)):
        write_audio(tmp_path / f"{n}.mp3", samples, rate=rate, codec="libmp3lame")
    kept.write_bytes((tmp_path / "0.mp3").read_bytes() + (tmp_path / "1.mp3").read_bytes())
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(clip(kept, 8.0, 10.0, duration=12.0))
    whole = decode(kept, sample_rate=RATE)
    assert place(decode(cut, sample_rate=RATE)[RATE // 2 :], whole) - 0.5 == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("seconds", [(10, 6), (6, 10)])
@pytest.mark.parametrize(
    ("ending", "codec", "container", "rate"), [kind for kind in KINDS if kind[0] in {"ogg", "flac"}]
)
def test_of_a_file_that_was_joined_from_several_there_are_no_clips_rather_than_wrong_ones(
    tmp_path: Path, ending: str, codec: str, container: str | None, rate: int, seconds: tuple[int, int]
) -> None:
    parts = [
        write_audio(tmp_path / f"{n}.{ending}", noise(length, rate), rate=rate, codec=codec, container=container)
        for n, length in enumerate(seconds)
    ]
    kept = tmp_path / f"joined.{ending}"
    kept.write_bytes(b"".join(part.read_bytes() for part in parts))
    for start in (1.0, 12.0):
        with pytest.raises(NotAudioError, match="joined from several"):
            clip(kept, start, start + 2, duration=check(kept).duration)


def test_a_clip_ends_with_the_recording_and_has_nothing_else_in_it(tmp_path: Path, tone_mp3: bytes) -> None:
    kept = tmp_path / "kept.mp3"
    kept.write_bytes(tone_mp3)
    with av.open(io.BytesIO(clip(kept, 1.5, 60.0, duration=2.0)), "r") as file:
        assert [stream.type for stream in file.streams] == ["audio"]
        assert sum(frame.samples for frame in file.decode(audio=0)) / 24_000 == pytest.approx(0.5, abs=0.15)
    with pytest.raises(NotAudioError, match="no sound at that time"):
        clip(kept, 5.0, 6.0, duration=2.0)


def test_what_is_no_audio_is_not_cut(tmp_path: Path) -> None:
    kept = tmp_path / "kept.mp3"
    kept.write_bytes(b"#EXTM3U\n/etc/passwd\n")
    with pytest.raises(NotAudioError, match="not audio"):
        clip(kept, 0.0, 1.0, duration=1.0)


def test_a_clip_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = write_audio(tmp_path / "kept.wav", noise(3, 24_000), rate=24_000, codec="pcm_s16le")
    monkeypatch.setattr(clip_module, "MAX_BYTES", 50_000)
    assert len(clip(kept, 0.0, 0.5, duration=3.0)) < 50_000
    with pytest.raises(NotAudioError, match="larger than"):
        clip(kept, 0.0, 3.0, duration=3.0)
