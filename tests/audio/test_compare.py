"""Comparing two recordings of one episode: real speech, re-encoded, cut and spliced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.audio.compare import compare, comparison
from pipeline.audio.decode import decode
from pipeline.audio.fingerprint import RATE, SECONDS, Fingerprint, fingerprint_of
from pipeline.errors import NotAudioError
from pipeline.model import Comparison
from pipeline.sample import DATA, EPISODES
from tests.conftest import write_audio

Samples = NDArray[np.float32]
NAMES = ("aa", "bb")


@pytest.fixture(scope="session")
def talk() -> Samples:
    """A hundred seconds of an interview, at ``RATE`` Hz."""
    return decode(DATA / f"{EPISODES[0]}.mp3", sample_rate=RATE)[: 100 * RATE]


@pytest.fixture(scope="session")
def advertisement() -> Samples:
    """Forty seconds of other voices."""
    return decode(DATA / f"{EPISODES[1]}.mp3", sample_rate=RATE)[60 * RATE : 100 * RATE]


def between(samples: Samples, start: float, end: float) -> Samples:
    return samples[round(start * RATE) : round(end * RATE)]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def compared(old: Sequence[Samples], new: Sequence[Samples]) -> Comparison:
    """Compare recordings joined from pieces; the new one is quieter, so that no sample is equal."""
    return comparison(fingerprint_of(old), fingerprint_of([piece * np.float32(0.3) for piece in new]), names=NAMES)


def spans(stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(pytest.approx(start, abs=0.4), pytest.approx(end, abs=0.4)) for start, end in stretches]  # type: ignore[misc]


def offsets(found: Comparison) -> list[float]:
    return [piece.new_start - piece.old_start for piece in found.pieces]


def encoded(path: Path, samples: Samples, *, codec: str, rate: int, bit_rate: int, stereo: bool = False) -> Path:
    """Encode and decode again, at another rate than ``RATE``."""
    layout = "stereo" if stereo else "mono"
    with av.open(str(path), "w") as file:
        stream = cast("AudioStream", file.add_stream(codec, rate=rate, layout=layout))
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format.name, layout, rate, frame_size=stream.frame_size)
        for one in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(one))
        file.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def original(talk: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 15 seconds, encoded once."""
    path = tmp_path_factory.mktemp("old") / "old.mp3"
    return encoded(path, talk[: 15 * RATE], codec="libmp3lame", rate=44_100, bit_rate=128_000)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "bit_rate", "stereo"),
    [
        ("b.mp3", "libmp3lame", 44_100, 64_000, True),
        ("c.mp3", "libmp3lame", 22_050, 32_000, False),
        ("d.m4a", "aac", 44_100, 64_000, True),
        ("e.ogg", "libopus", 48_000, 24_000, False),
    ],
)
def test_what_was_encoded_again_is_the_same(
    original: Path, tmp_path: Path, name: str, codec: str, rate: int, bit_rate: int, stereo: bool
) -> None:
    again = encoded(
        tmp_path / name, decode(original, sample_rate=RATE) * 0.4, codec=codec, rate=rate, bit_rate=bit_rate,
        stereo=stereo,
    )  # fmt: skip
    found = compare(original, again, names=NAMES)
    assert (found.verdict, found.gone, found.added) == ("same", (), ())
    ((start, end, new_start),) = found.pieces
    assert start == pytest.approx(0, abs=0.1)
    assert end == pytest.approx(15, abs=0.2)
    assert new_start - start == pytest.approx(0, abs=0.06)  # encoder delay is included


def test_an_offset_is_right_to_hundredths_of_a_second(talk: Samples) -> None:
    for seconds in (0.507, 3.0, 7.1234):
        found = compared([talk], [silence(seconds), talk])
        assert found.verdict == "same"
        assert offsets(found) == pytest.approx([seconds], abs=0.005)


def test_advertisements_before_and_inside_are_spliced_in(talk: Samples, advertisement: Samples) -> None:
    new = [
        between(advertisement, 0, 12.3), between(talk, 0, 40), between(advertisement, 15, 20), between(talk, 40, 70),
        between(advertisement, 20, 40), between(talk, 70, 100),
    ]  # fmt: skip
    found = compared([talk], new)
    assert found.verdict == "spliced"
    assert offsets(found) == pytest.approx([12.3, 17.3, 37.3], abs=0.02)
    assert list(found.added) == spans([(0, 12.3), (52.3, 57.3), (87.3, 107.3)])
    back = comparison(fingerprint_of(new), fingerprint_of([talk]), names=NAMES)
    assert back.verdict == "changed"
    assert list(back.gone) == spans([(0, 12.3), (52.3, 57.3), (87.3, 107.3)])


@pytest.mark.parametrize("seconds", [0.25, 0.5, 2.0, 20.0])
def test_what_is_cut_out_is_gone_and_said_from_when_to_when(talk: Samples, seconds: float) -> None:
    found = compared([talk], [between(talk, 0, 50), between(talk, 50 + seconds, 100)])
    assert found.verdict == "changed"
    assert list(found.gone) == spans([(50, 50 + seconds)])
    assert offsets(found) == pytest.approx([0, -seconds], abs=0.02)


def test_a_correction_spoken_over_the_old_words(talk: Samples, advertisement: Samples) -> None:
    found = compared([talk], [between(talk, 0, 30), between(advertisement, 5, 12), between(talk, 34, 100)])
    assert (found.verdict, list(found.gone), list(found.added)) == ("changed", spans([(30, 34)]), spans([(30, 37)]))


def test_an_ending_that_is_cut_off(talk: Samples) -> None:
    found = compared([talk], [between(talk, 0, 80)])
    assert (found.verdict, list(found.gone)) == ("changed", spans([(80, 100)]))


def test_music_that_comes_again_and_again_confuses_nothing(talk: Samples, advertisement: Samples) -> None:
    rng = np.random.default_rng(5)
    jingle = np.repeat(np.sin(np.cumsum(rng.uniform(0.2, 2.0, 40))), RATE // 10).astype(np.float32) * np.sin(
        np.arange(4 * RATE) * 0.7
    ).astype(np.float32)
    old = [jingle, between(talk, 0, 30), jingle, between(talk, 30, 60), jingle, between(talk, 60, 90), jingle]
    new = [between(advertisement, 0, 9), *old[:5], between(advertisement, 20, 26), *old[5:]]
    found = compared(old, new)
    assert found.verdict == "spliced"
    assert offsets(found) == pytest.approx([9, 15], abs=0.02)


def test_a_long_silence_neither_joins_nor_parts(talk: Samples) -> None:
    parts = [between(talk, 0, 30), silence(40), between(talk, 30, 60)]
    assert compared(parts, parts).verdict == "same"
    shorter = compared(parts, [parts[0], silence(10), parts[2]])
    assert (shorter.verdict, shorter.gone) == ("spliced", ())
    assert offsets(shorter) == pytest.approx([0, -30], abs=0.02)


def test_another_recording_is_another(talk: Samples, advertisement: Samples) -> None:
    found = compared([talk], [advertisement])
    assert (found.verdict, found.pieces) == ("other", ())


def test_silence_alone_has_nothing_in_common_with_anything(talk: Samples) -> None:
    for old, new in (([silence(20)], [talk]), ([talk], [silence(20)]), ([silence(20)], [silence(20)]), ([], [talk])):
        assert compared(old, new).pieces == ()


def test_a_file_that_cannot_be_decoded_is_told(original: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"<html>")
    with pytest.raises(NotAudioError):
        compare(original, broken, names=NAMES)


def test_blocks_of_any_length_have_one_fingerprint(talk: Samples) -> None:
    whole = fingerprint_of([talk])
    pieces = fingerprint_of(np.split(talk, [1, 700, 400_001, 400_002]))
    assert np.array_equal(whole.words, pieces.words)
    assert len(whole.words) * SECONDS == pytest.approx(100, abs=2 * SECONDS)


def test_a_file_and_its_samples_have_one_fingerprint(tmp_path: Path, talk: Samples) -> None:
    path = write_audio(tmp_path / "a.wav", (talk[: 10 * RATE] * 32767).astype(np.int16), rate=RATE, codec="pcm_s16le")
    assert compare(path, path, names=NAMES).verdict == "same"


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """A new recording made from an old one of 200 s: pairs of duration and start (None: other sound), in seconds."""
    made: list[tuple[int, int | None]] = []
    position = 0
    while position < 200:
        kind = draw(st.sampled_from(["keep", "keep", "cut", "insert"]))
        seconds = draw(st.integers(3, 60))
        if kind == "insert":
            made.append((seconds, None))
            continue
        if kind == "keep":
            made.append((min(seconds, 200 - position), position))
        position += seconds
    return made


@settings(max_examples=40)
@given(edits=edits(), seed=st.integers(0, 2**32))
def test_however_it_is_cut_each_kept_second_is_found_where_it_is(
    edits: list[tuple[int, int | None]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    second = round(1 / SECONDS)

    def sound(seconds: int) -> NDArray[np.uint32]:
        return np.repeat(rng.integers(0, 2**32, seconds * second // 5, np.uint32), 5)  # the next one is very similar

    old = sound(200)
    parts = [sound(n) if start is None else old[start * second : (start + n) * second] for n, start in edits]
    new = np.concatenate([*parts, sound(1)])
    found = comparison(*(Fingerprint(words, np.ones(len(words), np.float32)) for words in (old, new)), names=NAMES)
    at = 0
    for seconds, start in edits:
        if start is not None:
            inside = [p for p in found.pieces if p.old_start <= start + 1 and start + seconds - 1 <= p.old_end]
            assert [p.new_start - p.old_start for p in inside] == pytest.approx([at - start], abs=0.05)
        at += seconds
    for earlier, later in zip(found.pieces, found.pieces[1:], strict=False):
        assert earlier.old_end <= later.old_start + 0.001
        assert earlier.new_start + earlier.old_end - earlier.old_start <= later.new_start + 0.03
