"""Windows on their way through decoder, gate and journal: invented words, fake decoders."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.errors import SpeechError, WeightsError
from pipeline.model import Word
from pipeline.sample import DATA
from pipeline.speech.activity import FRAME
from pipeline.speech.decoder import Heard
from pipeline.speech.gate import Verdict
from pipeline.speech.hearing import HEARING_VERSION, WindowedEngine
from pipeline.speech.journal import FileJournal
from pipeline.speech.windows import Samples
from tests.support.speech_fakes import FakeDecoder, FakeDetector, frame_words, heard, numbered, spread, window

TEN_WORDS = "this is what somebody says when they are asked something."
UNSURE = ("low_confidence",)


# All windows of a recording


@pytest.fixture(autouse=True)
def by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detects speech by the sign of samples (see ``speech_fakes.numbered``)."""
    monkeypatch.setattr("pipeline.speech.windows.Detector", FakeDetector)


SIX_WINDOWS = numbered(*[(True, 12), (False, 2), (True, 12), (False, 3)] * 6)
EVERY = 29  # seconds at which one begins


def window_number(samples: Samples) -> int:
    return int(np.abs(samples[0]) * FRAME / SAMPLE_RATE + 1) // EVERY


def doubted(*numbers: int) -> Callable[[Samples, str | None], Heard]:
    """Hear the text, with low confidence in these windows."""

    def hears(samples: Samples, _prompt: str | None) -> Heard:
        said = frame_words(samples)
        return heard(*said.words, avg_logprob=-1.5) if window_number(samples) in numbers else said

    return hears


@pytest.mark.parametrize(("lanes", "batch"), [(1, 1), (3, 1), (1, 4), (2, 2), (8, 8)])
def test_words_come_in_order_with_the_recordings_times(lanes: int, batch: int) -> None:
    decoder = FakeDecoder(lanes=lanes, batch=batch)
    told: list[float] = []
    hearing = WindowedEngine(decoder).transcribe([SIX_WINDOWS], language="en-GB", progress=told.append)
    words = [word for segment in hearing.segments for word in segment.words]
    frames = [int(word.text.rstrip(".")) for word in words]
    assert frames == sorted(frames)
    assert len(words) == pytest.approx(6 * 48, abs=6)
    for word, frame in zip(words, frames, strict=True):
        assert word.start == pytest.approx(frame * FRAME / SAMPLE_RATE, abs=0.1)
    assert told == sorted(told)
    assert told[-1] == hearing.duration == SIX_WINDOWS.size / SAMPLE_RATE
    assert decoder.loaded == ["en"]
    assert max(len(samples) for _, samples in decoder.batches) <= batch
    assert decoder.busiest <= lanes
    assert hearing.windows == 6
    assert [start for start, _ in hearing.speech[::2]] == pytest.approx([EVERY * n for n in range(6)], abs=0.1)


def test_as_many_windows_are_decoded_at_once_as_there_are_lanes() -> None:
    together = threading.Barrier(3, timeout=10)

    def hears(samples: Samples, _prompt: str | None) -> Heard:
        together.wait()
        return frame_words(samples)

    assert WindowedEngine(FakeDecoder(hears, lanes=3)).transcribe([SIX_WINDOWS], language="cy").windows == 6


def test_what_was_done_about_windows_is_kept_as_plain_json() -> None:
    decoder = FakeDecoder(doubted(1, 4))
    hearing = WindowedEngine(decoder).transcribe([SIX_WINDOWS], language="cy")
    assert [window_number(samples) for samples in decoder.careful] == [1, 4]
    report = json.loads(json.dumps(hearing.report()))
    assert {**report, "decisions": len(report["decisions"])} == {
        "windows": 6,
        "speech_seconds": pytest.approx(6 * 24, abs=1),
        "languages": {"cy": pytest.approx(6 * 24, abs=1)},
        "decisions": 2,
    }
    for decision, start in zip(report["decisions"], (EVERY, 4 * EVERY), strict=True):
        assert decision.pop("start") == pytest.approx(start, abs=0.5)
        assert decision.pop("end") == pytest.approx(start + 26, abs=0.5)
        assert decision == {
            "tried": [["decoded", ["low_confidence"]], ["decoded carefully", []]],
            "flags": [],
            "dropped": "",
            "language": "cy",
        }


def test_what_stays_doubtful_is_flagged_in_its_own_window_only() -> None:
    decoder = FakeDecoder(doubted(2), carefully=lambda samples: doubted(2)(samples, None))
    hearing = WindowedEngine(decoder).transcribe([SIX_WINDOWS], language="cy")
    flagged = [segment for segment in hearing.segments if segment.flags]
    assert {segment.flags for segment in flagged} == {UNSURE}
    assert len(flagged) == pytest.approx(48, abs=1)
    assert all(2 * EVERY - 0.1 <= segment.start < segment.end <= 3 * EVERY - 2.5 for segment in flagged)


def test_what_was_missed_comes_behind_the_word_that_was_stretched_over_it() -> None:
    """A decoder that stops early stretches its last word to the end."""
    before = spread("this is what somebody said when they were", 0, 11)

    def hears(samples: Samples, _prompt: str | None) -> Heard:
        if samples.size / SAMPLE_RATE > 18:
            return heard(*before, Word(11, 19, " asked.", 0.9))
        return heard(*spread("Then they came home and saw it all.", 0.1, samples.size / SAMPLE_RATE))

    recording = numbered((True, 19), (False, 2))
    (segment, other) = WindowedEngine(FakeDecoder(hears)).transcribe([recording], language="cy").segments
    assert segment.text == "this is what somebody said when they were asked."
    assert other.text == "Then they came home and saw it all."


def test_the_gate_knows_english_words_by_their_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whisper stopped early and spread its words over the whole window; the sounds reveal what is missing."""
    monkeypatch.undo()
    recording = decode(DATA / "episode-1.mp3")[: 20 * SAMPLE_RATE]
    utterances = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))["utterances"]
    asked: list[float] = []

    def hears(samples: Samples, _prompt: str | None) -> Heard:
        asked.append(samples.size / SAMPLE_RATE)
        return replace(heard(*(spread(utterances[0]["text"], 0, 19) if len(asked) == 1 else ())), language="en")

    decoder = FakeDecoder(hears, carefully=lambda _: replace(heard(), language="en"))
    (segment, *_) = WindowedEngine(decoder).transcribe([recording], language="en").segments
    assert segment.end == pytest.approx(utterances[0]["end"], abs=0.3)
    assert 5 < asked[1] < asked[0] - utterances[0]["end"] + 0.5


def test_the_peak_is_that_of_the_whole_recording() -> None:
    blocks = [np.full(SAMPLE_RATE, level, np.float32) for level in (0.001, -0.02, 0.01)]
    hearing = WindowedEngine(FakeDecoder(lambda *_: heard())).transcribe(blocks, language="en")
    assert hearing.peak == pytest.approx(0.02)
    assert WindowedEngine(FakeDecoder(lambda *_: heard())).transcribe([], language="en").peak == 0.0


def test_what_is_dropped_is_said() -> None:
    recording = numbered((True, 1), (False, 40))
    thanks = heard(*spread("Thank you.", 0, 1), no_speech_prob=0.5)
    hearing = WindowedEngine(FakeDecoder(lambda *_: thanks)).transcribe([recording], language="en")
    assert hearing.segments == ()
    (decision,) = hearing.decisions
    assert (decision.dropped, decision.flags) == ("Thank you.", ())
    assert hearing.languages == {}


def test_seconds_of_speech_are_counted_for_each_language() -> None:
    def hears(samples: Samples, _prompt: str | None) -> Heard:
        return heard(*frame_words(samples).words, language="de" if window_number(samples) in (1, 2) else "cy")

    hearing = WindowedEngine(FakeDecoder(hears, lanes=2)).transcribe([SIX_WINDOWS], language="cy")
    assert hearing.languages == {"cy": pytest.approx(96, abs=0.5), "de": pytest.approx(48, abs=0.5)}


def test_only_what_may_be_a_known_term_is_decoded_with_it() -> None:
    def hears(samples: Samples, prompt: str | None) -> Heard:
        if window_number(samples) != 3:
            return frame_words(samples)
        first = Word(0.4, 1.0, " Ofsted" if prompt else " Offset", 0.5)
        return heard(first, *(word for word in frame_words(samples).words if word.start > 1))

    decoder = FakeDecoder(hears)
    hearing = WindowedEngine(decoder).transcribe([SIX_WINDOWS], language="cy", terms=["Ofsted", "Social Work"])
    assert [(prompt, window_number(batch[0])) for prompt, batch in decoder.batches if prompt] == [("Ofsted.", 3)]
    assert [word.text for segment in hearing.segments for word in segment.words if "O" in word.text] == ["Ofsted"]
    assert [decision.tried[-1] for decision in hearing.decisions] == [("heard as Ofsted", ())]


def test_where_nobody_speaks_no_weights_are_loaded() -> None:
    decoder = FakeDecoder()
    hearing = WindowedEngine(decoder).transcribe([numbered((False, 100))], language="en")
    assert (hearing.segments, hearing.windows, decoder.loaded) == ((), 0, [])
    assert hearing.duration == pytest.approx(100, abs=0.1)


def test_an_engine_goes_by_its_decoders_name() -> None:
    engine = WindowedEngine(FakeDecoder())
    assert (engine.name, engine.model) == ("faster-whisper", "tiny.en")
    assert engine.options == {"fake": True, "hearing": HEARING_VERSION, "pocketsphinx": version("pocketsphinx")}


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("error", [RuntimeError("out of memory"), OSError("disk full"), ValueError("bad shape")])
def test_a_decoder_that_fails_ends_the_recording(lanes: int, error: Exception) -> None:
    def hears(samples: Samples, _prompt: str | None) -> Heard:
        if window_number(samples) == 2:
            raise error
        return frame_words(samples)

    told: list[float] = []
    with pytest.raises(SpeechError, match=f"^faster-whisper failed: {error}$"):
        WindowedEngine(FakeDecoder(hears, lanes=lanes)).transcribe([SIX_WINDOWS], language="cy", progress=told.append)
    assert told == pytest.approx([26.4, EVERY + 26.4], abs=0.5)


def test_errors_that_say_what_is_wrong_stay_as_they_are() -> None:
    def hears(_samples: Samples, _prompt: str | None) -> Heard:
        raise WeightsError("the weights are gone")

    with pytest.raises(WeightsError, match=r"^the weights are gone$"):
        WindowedEngine(FakeDecoder(hears)).transcribe([SIX_WINDOWS], language="cy")


# The journal


def some_verdicts() -> list[Verdict]:
    tried = (("decoded", ("stock_phrase",)),)
    return [
        Verdict(heard(Word(0.1, 0.7, " Grüß", 1 / 3), Word(0.7, 1.1, " Gott!", 0.9), language="de"), (), ()),
        Verdict(heard(avg_logprob=-1.2, no_speech_prob=0.99), (), tried, dropped="Thank you."),
        Verdict(heard(*spread(TEN_WORDS, 0, 9)), ("low_confidence", "too_fast"), (*tried, ("decoded carefully", ()))),
    ]


def test_what_is_added_to_a_journal_is_found_by_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.jsonl"
    windows = [window(seconds=seconds) for seconds in (1, 2, 3)]
    for one, verdict in zip(windows, some_verdicts(), strict=True):
        journal = FileJournal(path)
        assert journal.find(one) is None
        journal.add([(one, verdict)])
        journal.close()
    journal = FileJournal(path)
    assert [journal.find(one) for one in windows] == some_verdicts()
    journal.discard()
    journal.discard()
    assert list(path.parent.iterdir()) == []


def test_of_a_batch_only_what_the_journal_does_not_know_is_decoded(tmp_path: Path) -> None:
    def hears(samples: Samples, _prompt: str | None) -> Heard:
        if window_number(samples) == 3:
            raise RuntimeError("out of memory")
        return frame_words(samples)

    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    with pytest.raises(SpeechError):
        WindowedEngine(FakeDecoder(hears)).transcribe([SIX_WINDOWS], language="cy", journal=journal)
    journal.close()
    journal, decoder = FileJournal(path), FakeDecoder(batch=4)
    hearing = WindowedEngine(decoder).transcribe([SIX_WINDOWS], language="cy", journal=journal)
    journal.close()
    decoded = {window_number(samples) for _, batch in decoder.batches for samples in batch}
    assert 3 in decoded
    assert decoded <= {3, 4, 5}  # the lane may have continued with queued work before it was stopped
    assert hearing == WindowedEngine(FakeDecoder()).transcribe([SIX_WINDOWS], language="cy")
    assert len([line for line in path.read_text(encoding="utf-8").splitlines() if line]) == 6


DAMAGE: Sequence[bytes] = (b"", b"\n", b"\xff\xfe", b"{", b"[]", b"null", b'{"spans": [[0, 1]]}', b'"text"')


@pytest.mark.parametrize("damage", DAMAGE, ids=repr)
def test_a_damaged_line_costs_one_window_only(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    windows = [window(seconds=seconds) for seconds in (1, 2, 3)]
    verdicts: list[Any] = some_verdicts()
    for one, verdict in zip(windows, verdicts, strict=True):
        journal.add([(one, verdict)])
    journal.close()
    lines = [line for line in path.read_bytes().splitlines() if line]
    path.write_bytes(b"\n".join([*lines[:-2], damage, lines[-1]]))
    with caplog.at_level(logging.WARNING):
        journal = FileJournal(path)
    assert [journal.find(one) for one in windows] == [verdicts[0], None, verdicts[2]]
    assert ("damaged line" in caplog.text) == bool(damage.strip())
