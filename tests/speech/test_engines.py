"""Both Whisper engines end to end: real speech, real weights."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray
from whisper.normalizers import EnglishTextNormalizer

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.errors import SpeechError, UnknownModelError
from pipeline.model import Word
from pipeline.sample import DATA
from pipeline.speech.decoder import Decoder
from pipeline.speech.engine import Engine, make_engine
from pipeline.speech.faster import FasterWhisper
from pipeline.speech.hearing import HEARING_VERSION, Hearing, WindowedEngine
from pipeline.speech.journal import FileJournal
from pipeline.speech.reference import OpenAIWhisper
from pipeline.whisper_models import EngineName
from tests.support.speech_fakes import Counted

ENGINES: tuple[EngineName, ...] = ("faster-whisper", "openai-whisper")
SECONDS = 25.0  # the first four utterances of the sample show

Audio = NDArray[np.float32]

# whisper leaves its tokenizer file open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")


@dataclass
class Ear:
    """An engine and what it hears in ``audio``, computed once for all tests."""

    decoder: FasterWhisper | OpenAIWhisper
    audio: Audio
    cache: Path
    told: list[float] = field(default_factory=list)

    @cached_property
    def engine(self) -> Engine:
        return WindowedEngine(self.decoder)

    @cached_property
    def hearing(self) -> Hearing:
        return self.engine.transcribe([self.audio], language="en-GB", progress=self.told.append)

    @property
    def words(self) -> list[Word]:
        return words_of(self.hearing)

    @property
    def text(self) -> str:
        return text_of(self.hearing)


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> dict[EngineName, Ear]:
    cache = tmp_path_factory.mktemp("models")
    audio = decode(DATA / "episode-1.mp3")[: round(SECONDS * SAMPLE_RATE)]
    decoders = (FasterWhisper("tiny.en", cache=cache), OpenAIWhisper("tiny.en", cache=cache))
    return {decoder.name: Ear(decoder, audio, cache) for decoder in decoders}


@pytest.fixture(params=ENGINES)
def ear(request: pytest.FixtureRequest, ears: dict[EngineName, Ear]) -> Ear:
    return ears[request.param]


def utterances() -> list[dict[str, Any]]:
    truth = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))
    return [utterance for utterance in truth["utterances"] if utterance["end"] < SECONDS]


def words_of(hearing: Hearing) -> list[Word]:
    return [word for segment in hearing.segments for word in segment.words]


def text_of(hearing: Hearing) -> str:
    return " ".join(segment.text for segment in hearing.segments)


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
    assert ear.hearing.duration == SECONDS
    assert_sane(ear.words, SECONDS)


@pytest.mark.parametrize("utterance", utterances(), ids=lambda utterance: str(utterance["start"]))
def test_an_utterance_starts_and_ends_when_it_is_spoken(ear: Ear, utterance: dict[str, Any]) -> None:
    assert min(abs(word.start - utterance["start"]) for word in ear.words) < 0.2
    assert min(abs(word.end - utterance["end"]) for word in ear.words) < 0.5


def test_a_segment_is_its_words(ear: Ear) -> None:
    for segment in ear.hearing.segments:
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
        assert segment.text == " ".join(word.text for word in segment.words)
        assert segment.confidence == pytest.approx(np.mean([word.probability for word in segment.words]), abs=1e-3)
        assert segment.flags == ()


def test_clear_speech_passes_the_gate_at_once(ear: Ear) -> None:
    assert ear.hearing.report() == {
        "windows": 1,
        "speech_seconds": pytest.approx(21, abs=1),
        "languages": {"en": ear.hearing.report()["speech_seconds"]},
        "decisions": [],
    }


def test_progress_is_told_in_seconds_up_to_the_end(ear: Ear) -> None:
    assert ear.hearing.segments
    assert ear.told == sorted(ear.told)
    assert ear.told[-1] == SECONDS


def test_words_after_a_pause_have_the_time_of_the_recording(ear: Ear) -> None:
    """The pause is cut out before decoding, and added back to the times."""
    speech = ear.audio[: 8 * SAMPLE_RATE]
    hearing = ear.engine.transcribe([speech, np.zeros(6 * SAMPLE_RATE, np.float32), speech], language="en")
    words = words_of(hearing)
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
    hearing = ear.engine.transcribe([sound.astype(np.float32)], language="en")
    assert (hearing.segments, hearing.speech, hearing.windows) == ((), (), 0)
    assert hearing.duration == sound.size / SAMPLE_RATE


def test_a_recording_without_a_single_block_is_empty(ear: Ear) -> None:
    assert ear.engine.transcribe([], language="en").segments == ()


def test_a_prompt_says_how_names_are_spelt(ear: Ear) -> None:
    introduction = ear.audio[13 * SAMPLE_RATE :]
    (heard,) = ear.decoder.decode([introduction], language="en", prompt="Alyce Watermann, Northbridge")
    assert "Alice Waterman" in ear.text
    assert "Alyce Watermann" in heard.text


def test_what_is_decoded_carefully_is_the_same_speech(ear: Ear) -> None:
    heard = ear.decoder.decode_carefully(ear.audio[: 13 * SAMPLE_RATE], language="en")
    assert word_error_rate(" ".join(word.text for word in ear.words if word.end < 13), heard.text) < 0.15
    assert heard.avg_logprob > -1
    assert heard.no_speech_prob < 0.6
    assert heard.words[-1].end == pytest.approx(12.8, abs=0.5)


def test_windows_decoded_in_one_pass_are_those_decoded_alone(ears: dict[EngineName, Ear]) -> None:
    """To the last digit: which windows are batched depends on chance, and the words must be the same each time."""
    ear = ears["faster-whisper"]
    cuts = [0, 8, 13, 15, 25]
    parts = [ear.audio[a * SAMPLE_RATE : b * SAMPLE_RATE] for a, b in pairwise(cuts)]
    assert ear.decoder.decode(parts, language="en") == [ear.decoder.decode([part], language="en")[0] for part in parts]


def test_an_english_model_at_a_path_refuses_other_languages(ears: dict[EngineName, Ear], tmp_path: Path) -> None:
    """A name tells which languages a model knows, a path does not."""
    assert ears["faster-whisper"].words
    (folder,) = (path for path in ears["faster-whisper"].cache.iterdir() if path.is_dir())
    for name in ENGINES:
        engine = make_engine(name, str(folder), cache=tmp_path)
        with pytest.raises(UnknownModelError, match="does not know the language 'de'"):
            engine.transcribe([ears[name].audio], language="de")


def test_options_are_had_without_loading_a_model() -> None:
    """An archive that is up to date needs only these."""
    script = (
        "import json, sys; from pathlib import Path; from pipeline.speech.engine import make_engine\n"
        f"for name in {ENGINES}: print(json.dumps(make_engine(name, 'tiny.en', cache=Path('unused')).options))\n"
        "assert 'torch' not in sys.modules and not Path('unused').exists()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    faster, reference = map(json.loads, done.stdout.splitlines())
    assert faster["weights"] == reference["weights"]
    assert faster["hearing"] == reference["hearing"] == HEARING_VERSION
    assert faster["beam_size"] == 5
    assert set(faster["versions"]) == {"faster-whisper", "ctranslate2", "onnxruntime"}
    assert set(reference["versions"]) == {"openai-whisper", "torch"}


# Hearing a recording of several windows, in blocks of any size and with any interruptions


@pytest.fixture(scope="module")
def decoder(ears: dict[EngineName, Ear]) -> Decoder:
    return ears["faster-whisper"].decoder


@pytest.fixture(scope="module")
def recording(ears: dict[EngineName, Ear]) -> Audio:
    """Four windows of 25 seconds."""
    return np.tile(ears["faster-whisper"].audio, 4)


@pytest.fixture(scope="module")
def whole(decoder: Decoder, recording: Audio) -> Hearing:
    """What is heard in it without interruption."""
    counted = Counted(decoder)
    hearing = WindowedEngine(counted).transcribe([recording], language="en")
    assert counted.windows == hearing.windows == 4
    return hearing


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    return tmp_path / "not" / "there" / "yet.jsonl"


def small_blocks(audio: Audio) -> Iterator[Audio]:
    """The same samples in small blocks of varying size, as from a file."""
    sizes = np.random.default_rng(1).integers(0, 5_000, audio.size // 1_000)
    yield from np.split(audio, np.cumsum(sizes))


def test_a_recording_may_come_in_small_blocks(ears: dict[EngineName, Ear], recording: Audio, whole: Hearing) -> None:
    """And its windows are decoded in parallel."""
    assert ears["faster-whisper"].engine.transcribe(small_blocks(recording), language="en") == whole


def test_what_a_journal_remembers_is_not_decoded_again(
    decoder: Decoder, recording: Audio, whole: Hearing, unfinished: Path
) -> None:
    for windows in (4, 0):
        counted, journal = Counted(decoder), FileJournal(unfinished)
        hearing = WindowedEngine(counted).transcribe([recording], language="en", journal=journal)
        journal.close()
        assert (counted.windows, hearing) == (windows, whole)
    journal.discard()
    assert not unfinished.exists()
    assert WindowedEngine(counted).transcribe([recording], language="en", journal=journal) == whole
    journal.close()
    assert (counted.windows, unfinished.exists()) == (4, True)  # heard again, and recorded


def assert_goes_on(unfinished: Path, decoder: Decoder, recording: Audio, whole: Hearing) -> None:
    """At least two of four windows are in the journal; the others are decoded now, as if nothing had happened."""
    counted, journal = Counted(decoder), FileJournal(unfinished)
    assert WindowedEngine(counted).transcribe([recording], language="en", journal=journal) == whole
    journal.close()
    assert 1 <= counted.windows <= 2


def test_after_a_failure_at_the_third_window_the_next_run_goes_on_from_there(
    decoder: Decoder, recording: Audio, whole: Hearing, unfinished: Path
) -> None:
    journal = FileJournal(unfinished)
    with pytest.raises(SpeechError, match=r"^faster-whisper failed: out of memory$"):
        WindowedEngine(Counted(decoder, fails_at=3)).transcribe([recording], language="en", journal=journal)
    journal.close()
    assert_goes_on(unfinished, decoder, recording, whole)


def test_after_an_interruption_the_next_run_goes_on_from_there(
    decoder: Decoder, recording: Audio, whole: Hearing, unfinished: Path
) -> None:
    def interrupt(seconds: float) -> None:
        if seconds > 30:
            raise KeyboardInterrupt

    journal = FileJournal(unfinished)
    with pytest.raises(KeyboardInterrupt):
        WindowedEngine(Counted(decoder)).transcribe([recording], language="en", journal=journal, progress=interrupt)
    journal.close()
    assert_goes_on(unfinished, decoder, recording, whole)


def test_a_last_line_that_was_cut_short_is_passed_over(
    decoder: Decoder, recording: Audio, whole: Hearing, unfinished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The machine crashed while it was being written."""
    journal = FileJournal(unfinished)
    WindowedEngine(decoder).transcribe([recording], language="en", journal=journal)
    journal.close()
    unfinished.write_bytes(unfinished.read_bytes()[:-40])

    for damaged, windows in ((1, 1), (1, 0)):  # what was written after it is read
        caplog.clear()
        counted, journal = Counted(decoder), FileJournal(unfinished)
        assert WindowedEngine(counted).transcribe([recording], language="en", journal=journal) == whole
        journal.close()
        assert (caplog.text.count("damaged line"), counted.windows) == (damaged, windows)
