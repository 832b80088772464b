"""Transcript files."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SpeechError
from pipeline.model import Segment, Speaker, Transcript, Word
from pipeline.speech.transcript_file import find, read, transcript_key, write

SHA256 = "ab" * 32
KEY = "0123456789ab"


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Transcripts whose times and probabilities have no more digits than a file keeps."""
    some_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    probability = st.integers(0, 10_000).map(lambda n: n / 10_000)
    segments = []
    now = 0
    for _ in range(draw(st.integers(0, 4))):
        steps = draw(st.lists(st.integers(0, 5_000), min_size=2, max_size=8))
        edges = [now := now + step for step in steps]
        words = tuple(
            Word(start / 1000, end / 1000, draw(some_text), draw(probability)) for start, end in pairwise(edges)
        )
        segments.append(
            Segment(
                edges[0] / 1000,
                edges[-1] / 1000,
                draw(some_text),
                words,
                speaker=draw(st.none() | some_text),
                confidence=draw(st.none() | probability),
                flags=tuple(draw(st.lists(some_text, max_size=2))),
            )
        )
    options = draw(st.dictionaries(some_text, st.none() | st.integers(0, 9) | some_text, max_size=3))
    role: st.SearchStrategy[Literal["host", "guest", "unknown"]] = st.sampled_from(["host", "guest", "unknown"])
    voice = st.lists(st.integers(-10_000, 10_000).map(lambda n: n / 10_000), max_size=3).map(tuple)
    speaker = st.builds(Speaker, some_text, st.none() | some_text, role, st.integers(0, 999).map(float), voice)
    return Transcript(
        SHA256,
        (now + 1000) / 1000,
        "faster-whisper",
        "tiny.en",
        "en",
        "now",
        tuple(segments),
        options,
        tuple(draw(st.lists(speaker, max_size=2))),
    )


def transcript() -> Transcript:
    words = (Word(0.1, 0.4, "Good", 0.9), Word(0.5, 0.9, "morning.", 0.8))
    segment = Segment(0.1, 0.9, "Good morning.", words, confidence=0.85)
    speaker = Speaker("Alice Waterman", "Alice Waterman", "host", 0.8, (0.6, -0.8))
    created = "2026-06-02T06:00:00Z"
    return Transcript(SHA256, 2.0, "faster-whisper", "tiny.en", "en", created, (segment,), {"beam": 5}, (speaker,))


@given(transcripts())
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, written: Transcript) -> None:
    data = tmp_path_factory.mktemp("data")
    path = write(data, written, KEY)
    assert read(path) == written
    assert find(data, SHA256, KEY) == written
    assert [file for file in data.rglob("*") if file.is_file()] == [data / "transcripts" / f"{SHA256}.{KEY}.json"]


def test_the_file_is_the_documented_layout(tmp_path: Path) -> None:
    long = replace(transcript(), duration=2.00049, segments=(replace(transcript().segments[0], start=0.10004),))
    assert json.loads(write(tmp_path, long, KEY).read_text(encoding="utf-8")) == {
        "format": 2,
        "audio_sha256": SHA256,
        "duration": 2.0,
        "engine": "faster-whisper",
        "model": "tiny.en",
        "language": "en",
        "created": "2026-06-02T06:00:00Z",
        "options": {"beam": 5},
        "segments": [
            {
                "start": 0.1,
                "end": 0.9,
                "text": "Good morning.",
                "speaker": None,
                "confidence": 0.85,
                "flags": [],
                "words": [[0.1, 0.4, "Good", 0.9], [0.5, 0.9, "morning.", 0.8]],
            }
        ],
        "speakers": [
            {
                "label": "Alice Waterman",
                "name": "Alice Waterman",
                "role": "host",
                "seconds": 0.8,
                "voice": [0.6, -0.8],
            }
        ],
    }


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


BACKWARDS = {"start": 5, "end": 4, "text": "", "speaker": None, "confidence": None, "flags": [], "words": []}

DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "another format": lambda path: change(path, format=1),
    "something else": lambda path: path.write_text('{"transcript": "hello"}'),
    "text for a number": lambda path: change(path, duration="2.0"),
    "no number": lambda path: change(path, duration=math.nan),
    "times beyond the end": lambda path: change(path, duration=0.5),
    "times backwards": lambda path: change(path, segments=[BACKWARDS], duration=9),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_counts_as_none_and_gives_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], object]
) -> None:
    path = write(tmp_path, transcript(), KEY)
    damage(path)
    with pytest.raises(SpeechError, match=path.name):
        read(path)
    with caplog.at_level(logging.WARNING):
        assert find(tmp_path, SHA256, KEY) is None
    assert path.name in caplog.text
    assert "transcribed again" in caplog.text
    write(tmp_path, transcript(), KEY)
    assert find(tmp_path, SHA256, KEY) == transcript()


def test_a_transcript_of_other_audio_counts_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, transcript(), KEY)
    change(path, audio_sha256="cd" * 32)
    with caplog.at_level(logging.WARNING):
        assert find(tmp_path, SHA256, KEY) is None
    assert "other audio" in caplog.text


def test_what_was_heard_before_in_other_words_is_kept_beside_the_new(tmp_path: Path) -> None:
    first = Transcript(SHA256, 9.0, "e", "m", "en", "2026-01-02T03:04:05Z", (Segment(0.0, 1.0, "Old words."),))
    path = write(tmp_path, first, KEY)
    write(tmp_path, replace(first, created="2026-01-03T03:04:05Z"), KEY)
    assert list(path.parent.iterdir()) == [path]  # the same words
    second = replace(first, segments=(Segment(0.0, 1.0, "New words."),))
    write(tmp_path, second, KEY)
    write(tmp_path, second, KEY)
    (aside,) = set(path.parent.iterdir()) - {path}
    assert read(aside).segments == first.segments
    assert find(tmp_path, SHA256, KEY) == second


def test_a_failed_write_leaves_the_file_before_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path, transcript(), KEY)
    before = path.read_bytes()
    with pytest.raises(SpeechError, match="segment 1 has the times"):
        write(tmp_path, replace(transcript(), duration=0.5), KEY)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_nothing_but_a_checksum_becomes_a_file_name(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="not the SHA-256"):
        find(tmp_path, "../../etc/passwd", KEY)


def test_the_key_changes_with_whatever_could_change_the_words() -> None:
    usual: dict[str, Any] = {
        "engine": "faster-whisper",
        "model": "tiny.en",
        "language": "en",
        "terms": [],
        "options": {"beam_size": 5, "weights": {"sha256": "ab"}},
    }
    key = transcript_key(**usual)
    assert len(key) == 12
    assert int(key, 16) >= 0
    assert transcript_key(**usual | {"options": {"weights": {"sha256": "ab"}, "beam_size": 5}}) == key
    others: list[dict[str, Any]] = [
        {"engine": "openai-whisper"},
        {"model": "base"},
        {"language": "cy"},
        {"terms": ["Ofsted"]},
        {"options": {"beam_size": 5, "weights": {"sha256": "cd"}}},
    ]
    assert len({key, *(transcript_key(**usual | other) for other in others)}) == 6
