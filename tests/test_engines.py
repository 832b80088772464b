"""Both Whisper engines on real speech with real weights, and the files their transcripts are kept in."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from whisper.normalizers import EnglishTextNormalizer

from pipeline.audio.decode import SAMPLE_RATE, decode
from pipeline.errors import SpeechError, UnknownModelError
from pipeline.model import Segment, Transcript, Word
from pipeline.sample import DATA
from pipeline.speech.engine import Engine, make_engine
from pipeline.speech.hearing import hear
from pipeline.speech.names import EngineName
from pipeline.speech.pieces import pieces
from pipeline.speech.segments import Heard, tidy
from pipeline.speech.transcript_file import find, read, transcript_key, write

ENGINES: tuple[EngineName, ...] = ("faster-whisper", "openai-whisper")
SECONDS = 25.0  # the first four utterances of the sample show

Audio = NDArray[np.float32]

# whisper leaves the file of its tokens open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")


@dataclass
class Ear:
    """An engine and what it hears in ``audio``, heard once for all tests."""

    engine: Engine
    audio: Audio
    cache: Path
    told: list[float] = field(default_factory=list)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        return self.engine.transcribe(self.audio, language="en-GB", progress=self.told.append)

    @property
    def words(self) -> list[Word]:
        return [word for segment in self.segments for word in segment.words]

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> dict[EngineName, Ear]:
    cache = tmp_path_factory.mktemp("models")
    audio = decode(DATA / "episode-1.mp3")[: round(SECONDS * SAMPLE_RATE)]
    return {name: Ear(make_engine(name, "tiny.en", cache=cache), audio, cache) for name in ENGINES}


@pytest.fixture(params=ENGINES)
def ear(request: pytest.FixtureRequest, ears: dict[EngineName, Ear]) -> Ear:
    return ears[request.param]


def utterances() -> list[dict[str, Any]]:
    truth = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))
    return [utterance for utterance in truth["utterances"] if utterance["end"] < SECONDS]


def word_error_rate(said: str, heard: str) -> float:
    normalise = EnglishTextNormalizer()
    return float(jiwer.wer(normalise(said), normalise(heard)))


def assert_sane(words: Sequence[Word], duration: float) -> None:
    assert all(0 <= word.start < word.end <= duration for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))


# What is heard


def test_the_words_are_those_that_were_said(ear: Ear) -> None:
    assert word_error_rate(" ".join(utterance["text"] for utterance in utterances()), ear.text) < 0.15


def test_both_engines_hear_the_same_with_the_same_weights(ears: dict[EngineName, Ear]) -> None:
    """openai-whisper's weights are converted from faster-whisper's."""
    heard = [ear.text for ear in ears.values()]
    assert word_error_rate(*heard) < 0.15


def test_words_are_in_order_and_inside_the_recording(ear: Ear) -> None:
    assert_sane(ear.words, SECONDS)


@pytest.mark.parametrize("utterance", utterances(), ids=lambda utterance: str(utterance["start"]))
def test_an_utterance_starts_and_ends_when_it_is_spoken(ear: Ear, utterance: dict[str, Any]) -> None:
    assert min(abs(word.start - utterance["start"]) for word in ear.words) < 0.5
    assert min(abs(word.end - utterance["end"]) for word in ear.words) < 0.5


def test_a_segment_is_its_words(ear: Ear) -> None:
    for segment in ear.segments:
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
        assert segment.text == " ".join(word.text for word in segment.words)
        assert segment.confidence == pytest.approx(np.mean([word.probability for word in segment.words]), abs=1e-3)
        assert segment.flags == ()


def test_progress_is_told_in_seconds_up_to_the_end(ear: Ear) -> None:
    assert ear.segments
    assert ear.told == sorted(ear.told)
    assert ear.told[-1] == SECONDS


def test_words_after_a_pause_have_the_time_of_the_recording(ear: Ear) -> None:
    """The pause is cut out before decoding, and put back into the times."""
    speech = ear.audio[: 8 * SAMPLE_RATE]
    segments = ear.engine.transcribe(
        np.concatenate([speech, np.zeros(6 * SAMPLE_RATE, np.float32), speech]), language="en"
    )
    words = [word for segment in segments for word in segment.words]
    assert_sane(words, 22.0)
    first, second = (
        [word for word in words if (word.start < 11) == early and word.text.startswith(("people", "voices"))]
        for early in (True, False)
    )
    assert [word.text for word in first] == [word.text for word in second] == ["people", "voices"]
    for before, after in zip(first, second, strict=True):
        assert after.start - before.start == pytest.approx(14.0, abs=0.3)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(0), id="nothing"),
        pytest.param(np.ones(1), id="one sample"),
        pytest.param(np.zeros(5 * SAMPLE_RATE), id="silence"),
        pytest.param(np.random.default_rng(1).normal(size=5 * SAMPLE_RATE) / 100, id="hiss"),
        pytest.param(np.sin(np.arange(5 * SAMPLE_RATE) / 6) / 2, id="tone"),
    ],
)
def test_where_nobody_speaks_nothing_is_heard(ear: Ear, sound: NDArray[np.float64]) -> None:
    assert ear.engine.transcribe(sound.astype(np.float32), language="en") == ()


def test_an_english_model_at_a_path_refuses_other_languages(ears: dict[EngineName, Ear], tmp_path: Path) -> None:
    """A name says what language a model knows, a path does not."""
    assert ears["faster-whisper"].segments
    (folder,) = (path for path in ears["faster-whisper"].cache.iterdir() if path.is_dir())
    for name in ENGINES:
        engine = make_engine(name, str(folder), cache=tmp_path)
        with pytest.raises(UnknownModelError, match="does not know the language 'de'"):
            engine.transcribe(ears[name].audio, language="de")


def test_options_are_had_without_loading_a_model() -> None:
    """An archive that is up to date asks only for these."""
    script = (
        "import json, sys; from pathlib import Path; from pipeline.speech.engine import make_engine\n"
        f"for name in {ENGINES}: print(json.dumps(make_engine(name, 'tiny.en', cache=Path('unused')).options))\n"
        "assert 'torch' not in sys.modules and not Path('unused').exists()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    faster, reference = map(json.loads, done.stdout.splitlines())
    assert faster["weights"] == reference["weights"]
    assert (faster["beam_size"], faster["vad"]["threshold"]) == (5, 0.5)
    assert set(faster["versions"]) == {"faster-whisper", "ctranslate2"}


def test_a_long_recording_is_cut_into_pieces_that_lose_nothing(ears: dict[EngineName, Ear]) -> None:
    speech = ears["faster-whisper"].audio
    recording = np.concatenate([np.tile(speech, 30), np.zeros(400 * SAMPLE_RATE, np.float32), speech])
    cut = list(pieces(recording))
    assert all(piece.samples.size < 300 * SAMPLE_RATE for piece in cut)
    spans = [span for piece in cut for span in piece.spans]
    gaps = [(after[0] - before[1]) / SAMPLE_RATE for before, after in pairwise(spans)]
    assert min(gaps) >= 0
    assert [gap > 1 for gap in gaps] == [False] * (len(gaps) - 1) + [True]  # the silence, and nothing else, is left out
    assert gaps[-1] == pytest.approx(400, abs=2)
    for piece in cut:
        where = np.concatenate([np.arange(*span) for span in piece.spans])
        np.testing.assert_array_equal(piece.samples, recording[where])
        for second in range(0, piece.samples.size // SAMPLE_RATE, 7):
            assert round((second + piece.shift(second)) * SAMPLE_RATE) == where[second * SAMPLE_RATE]


# What a decoder wrote, made sane


def heard(
    *words: Word, avg_logprob: float = -0.2, compression_ratio: float = 1.5, no_speech_prob: float = 0.0
) -> Heard:
    return Heard(words, avg_logprob, compression_ratio, no_speech_prob)


@pytest.mark.parametrize(
    ("again", "words"),
    [
        pytest.param([(" when a", -0.2), (" friend", -0.2)], ["money", "when a", "friend", "then"], id="a sentence"),
        pytest.param([(" when", -0.2)], ["money", "when", "then"], id="only the word"),
        pytest.param([(" thank", -1.2), (" you", -1.2)], ["money", "when", "then"], id="what is doubtful itself"),
    ],
)
def test_speech_that_was_swallowed_by_a_word_is_decoded_again(
    ears: dict[EngineName, Ear], again: list[tuple[str, float]], words: list[str]
) -> None:
    """A word of five seconds stands for a sentence that the decoder left out."""
    asked: list[tuple[float, str | None]] = []

    def decode(samples: Audio, prompt: str | None) -> list[Heard]:
        asked.append((samples.size / SAMPLE_RATE, prompt))
        if len(asked) == 1:
            return [heard(Word(1, 2, " money", 0.9), Word(2, 7.5, " when", 0.2), Word(7.5, 8, " then", 0.9))]
        return [heard(Word(n, n + 0.5, text, 0.9), avg_logprob=p) for n, (text, p) in enumerate(again)]

    segments = hear(ears["faster-whisper"].audio, decode, prompt="Names.")
    assert [seconds for seconds, _ in asked[1:]] == [5.5]
    assert [prompt for _, prompt in asked] == ["Names.", None]
    found = [word for segment in segments for word in segment.words]
    assert [word.text for word in found] == words
    assert_sane(found, SECONDS)
    before, *between, after = found
    assert all(before.end <= word.start and word.end <= after.start for word in between)


def test_only_the_first_piece_is_prompted(ears: dict[EngineName, Ear]) -> None:
    prompts = []

    def decode(_samples: Audio, prompt: str | None) -> list[Heard]:
        prompts.append(prompt)
        return []

    assert hear(np.tile(ears["faster-whisper"].audio, 25), decode, prompt="Names.") == ()
    assert prompts == ["Names.", None, None]


@given(
    st.lists(st.lists(st.tuples(st.floats(-5, 50), st.floats(-5, 50)), max_size=30), max_size=5),
    st.floats(0.05, 40),
)
def test_any_times_come_out_sane(times: list[list[tuple[float, float]]], duration: float) -> None:
    segments = tidy([heard(*(Word(start, end, " a", 0.5) for start, end in some)) for some in times], duration)
    words = [word for segment in segments for word in segment.words]
    assert_sane(words, duration)
    assert len(words) == min(sum(map(len, times)), int(duration / 0.01))
    assert all(segment.words for segment in segments)


def test_sane_times_are_left_alone() -> None:
    words = (Word(0.5, 0.9, " one", 0.9), Word(0.9, 1.2, " two", 0.8), Word(1.9, 2.4, " three", 0.7))
    (segment,) = tidy([heard(*words)], 10.0)
    assert [word[:2] for word in segment.words] == [word[:2] for word in words]


def test_text_is_as_whisper_wrote_it_without_control_characters() -> None:
    words = [
        Word(0, 1, " The", 0.5),
        Word(1, 2, "  £\x0213\x03", 0.5),
        Word(2, 3, " week\n", 0.5),
        Word(3, 4, " \x00", 0.5),
    ]
    (segment,) = tidy([heard(*words)], 10.0)
    assert segment.text == "The £13 week"
    assert [word.text for word in segment.words] == ["The", "£13", "week"]


def test_what_whisper_parts_is_put_together() -> None:
    texts = [" a", " well", "-known", " £13", ".60", " deal"]
    (segment,) = tidy([heard(*(Word(n, n + 1, text, 0.9 - n / 10) for n, text in enumerate(texts)))], 10.0)
    assert [word.text for word in segment.words] == ["a", "well-known", "£13.60", "deal"]
    assert segment.words[1] == Word(1.0, 3.0, "well-known", 0.7)


def test_a_script_without_spaces_keeps_its_words() -> None:
    (segment,) = tidy([heard(Word(0, 1, "你", 0.9), Word(1, 2, "好。", 0.9))], 10.0)
    assert ([word.text for word in segment.words], segment.text) == (["你", "好。"], "你好。")


@pytest.mark.parametrize(
    ("figures", "flags"),
    [
        ({"compression_ratio": 2.5}, ("repetition",)),
        ({"avg_logprob": -1.1}, ("low_confidence",)),
        ({"no_speech_prob": 0.7}, ("maybe_no_speech",)),
        ({"compression_ratio": 2.4, "avg_logprob": -1.0, "no_speech_prob": 0.6}, ()),
        ({"compression_ratio": 9.0, "avg_logprob": -3.0}, ("repetition", "low_confidence")),
    ],
)
def test_what_is_suspicious_is_flagged(figures: dict[str, float], flags: tuple[str, ...]) -> None:
    (segment,) = tidy([heard(Word(0, 1, " word", 0.5), **figures)], 10.0)
    assert segment.flags == flags


# Transcript files

SHA256 = "ab" * 32
KEY = "0123456789ab"


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Transcripts whose times and probabilities have no more places than a file keeps."""
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
    return Transcript(SHA256, (now + 1000) / 1000, "faster-whisper", "tiny.en", "en", "now", tuple(segments), options)


def transcript() -> Transcript:
    words = (Word(0.1, 0.4, "Good", 0.9), Word(0.5, 0.9, "morning.", 0.8))
    segment = Segment(0.1, 0.9, "Good morning.", words, confidence=0.85)
    return Transcript(SHA256, 2.0, "faster-whisper", "tiny.en", "en", "2026-06-02T06:00:00Z", (segment,), {"beam": 5})


@given(transcripts())
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, written: Transcript) -> None:
    folder = tmp_path_factory.mktemp("transcripts")
    path = write(folder, written, KEY)
    assert read(path) == written
    assert find(folder, SHA256, KEY) == written
    assert [file.name for file in folder.iterdir()] == [f"{SHA256}.{KEY}.json"]


def test_the_file_is_the_documented_layout(tmp_path: Path) -> None:
    long = replace(transcript(), duration=2.00049, segments=(replace(transcript().segments[0], start=0.10004),))
    assert json.loads(write(tmp_path, long, KEY).read_text(encoding="utf-8")) == {
        "format": 1,
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
    }


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


BACKWARDS = {"start": 5, "end": 4, "text": "", "speaker": None, "confidence": None, "flags": [], "words": []}

DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "another format": lambda path: change(path, format=2),
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


def test_a_failed_write_leaves_the_file_before_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path, transcript(), KEY)
    before = path.read_bytes()
    with pytest.raises(SpeechError, match="segment 1 has the times"):
        write(tmp_path, replace(transcript(), duration=0.5), KEY)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_but_a_checksum_becomes_a_file_name(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="not the SHA-256"):
        find(tmp_path, "../../etc/passwd", KEY)


def test_the_key_changes_with_whatever_could_change_the_words() -> None:
    usual: dict[str, Any] = {
        "engine": "faster-whisper",
        "model": "tiny.en",
        "language": "en",
        "prompt": None,
        "options": {"beam_size": 5, "vad": {"threshold": 0.5}},
    }
    key = transcript_key(**usual)
    assert len(key) == 12
    assert int(key, 16) >= 0
    assert transcript_key(**usual | {"options": {"vad": {"threshold": 0.5}, "beam_size": 5}}) == key
    others: list[dict[str, Any]] = [
        {"engine": "openai-whisper"},
        {"model": "base"},
        {"language": "cy"},
        {"prompt": "Good morning."},
        {"options": {"beam_size": 5, "vad": {"threshold": 0.6}}},
    ]
    assert len({key, *(transcript_key(**usual | other) for other in others)}) == 6
