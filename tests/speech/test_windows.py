"""Speech detection, and the windows cut out of a recording: nothing is lost, and times can be mapped back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.sample import DATA
from pipeline.speech.activity import (
    FRAME,
    MIN_PAUSE_FRAMES,
    MIN_SPEECH_FRAMES,
    ONSET_FRAMES,
    Detector,
    Frames,
    speech_spans,
)
from pipeline.speech.windows import (
    BLOCK_SECONDS,
    LONGEST,
    PAD,
    SHORTEST,
    Samples,
    Span,
    Stretch,
    Window,
    pack,
    pad,
    windows,
)
from tests.support.speech_fakes import FakeDetector, levels, numbered

Runs = list[tuple[bool, float]]  # whether somebody speaks, and for how many seconds

LONGEST_SECONDS = 30


@pytest.fixture(scope="module")
def speech() -> Samples:
    """25 seconds of the sample show."""
    return decode(DATA / "episode-1.mp3")[: 25 * SAMPLE_RATE]


# Voice activity


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(lambda _, seconds: np.zeros(seconds.size), id="silence"),
        pytest.param(lambda random, seconds: random.normal(size=seconds.size) * 1e-5, id="near-silence"),
        pytest.param(lambda random, seconds: random.normal(size=seconds.size) / 100, id="hiss"),
        pytest.param(lambda random, seconds: random.normal(size=seconds.size) / 4, id="loud hiss"),
        pytest.param(lambda _, seconds: np.sin(2 * np.pi * 425 * seconds) / 2, id="tone"),
        pytest.param(lambda _, seconds: np.sin(2 * np.pi * 50 * seconds) / 20, id="hum"),
        pytest.param(lambda _, seconds: np.sin(2 * np.pi * 440 * seconds) * (seconds % 1 < 0.3), id="beeps"),
    ],
)
def test_where_nobody_speaks_there_is_no_speech(
    sound: Callable[[np.random.Generator, NDArray[np.float64]], NDArray[np.float64]],
) -> None:
    samples = sound(np.random.default_rng(1), np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    assert speech_spans(Detector().hear(samples)) == []


def test_a_voice_too_low_to_be_understood_is_no_speech(speech: Samples) -> None:
    """Crosstalk into a microphone that is turned down; the detector goes by shape, not by level."""
    assert speech_spans(Detector().hear(speech / np.float32(20)))
    assert speech_spans(Detector().hear(speech / np.float32(3000))) == []


def test_what_came_before_is_remembered_between_blocks(speech: Samples) -> None:
    in_one_go, little_by_little = Detector(), Detector()
    whole = in_one_go.hear(speech)
    for start in range(0, speech.size, 100 * FRAME):
        block = little_by_little.hear(speech[start : start + 100 * FRAME])
        frames = slice(start // FRAME, start // FRAME + 100)
        np.testing.assert_allclose(block.speech, whole.speech[frames], atol=1e-5)
        np.testing.assert_allclose(block.level, whole.level[frames], atol=1e-4)


def test_a_frame_is_32_milliseconds_and_the_last_may_be_cut_short() -> None:
    for size, count in [(0, 0), (1, 1), (FRAME, 1), (FRAME + 1, 2), (100 * FRAME, 100)]:
        frames = Detector().hear(np.zeros(size, np.float32))
        assert len(frames.speech) == len(frames.level) == count


def test_the_level_is_in_decibels_under_full_scale() -> None:
    frames = Detector().hear(np.concatenate([np.full(FRAME, 1.0), np.full(FRAME, 0.1)]).astype(np.float32))
    assert frames.level.tolist() == pytest.approx([0, -20], abs=0.01)


def frames_of(speech: Sequence[float], level: float = -30.0) -> Frames:
    return Frames(np.asarray(speech, np.float32), np.full(len(speech), level, np.float32))


@pytest.mark.parametrize(
    ("probabilities", "spans"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([0.1] * 30, [], id="silence"),
        pytest.param(
            [0.1] * 9 + [0.9] * 11 + [0.1] * 10, [(9 - ONSET_FRAMES, 20)], id="it begins before it is noticed"
        ),
        pytest.param([0.9] * 20, [(0, 20)], id="from the first frame to the last"),
        pytest.param([0.1] * 10 + [0.4] * 10 + [0.1] * 10, [], id="it has to be plain once"),
        pytest.param([0.4] * 5 + [0.9] + [0.4] * 5, [(0, 11)], id="and goes on until it is plainly over"),
        pytest.param([0.1] * 10 + [0.9] * (MIN_SPEECH_FRAMES - ONSET_FRAMES - 1) + [0.1] * 10, [], id="a click"),
        pytest.param([0.9] * 9 + [0.1] * (MIN_PAUSE_FRAMES - 1) + [0.9] * 9, [(0, 23)], id="a stop inside a word"),
        pytest.param(
            [0.9] * 9 + [0.1] * (MIN_PAUSE_FRAMES + ONSET_FRAMES) + [0.9] * 9, [(0, 9), (15, 25)], id="a pause"
        ),
    ],
)
def test_spans_of_speech(probabilities: list[float], spans: list[Span]) -> None:
    assert speech_spans(frames_of(probabilities)) == spans
    assert speech_spans(frames_of(probabilities, level=-70)) == []


# Packing


@st.composite
def spoken(draw: st.DrawFn, longest: int = 3 * LONGEST) -> tuple[list[Span], Frames]:
    """Spans of speech as ``speech_spans`` returns them, and frame levels; the last pause may be missing."""
    lengths = st.integers(MIN_SPEECH_FRAMES, 200) | st.integers(MIN_SPEECH_FRAMES, longest)
    pauses = st.integers(MIN_PAUSE_FRAMES, 60) | st.integers(MIN_PAUSE_FRAMES, 3000)
    at = draw(st.just(0) | pauses)
    spans = []
    for _ in range(draw(st.integers(0, 12))):
        spans.append((at, end := at + draw(lengths)))
        at = end + draw(pauses)
    count = (spans[-1][1] if spans else at) + draw(st.integers(0, 100))
    return spans, Frames(np.ones(count, np.float32), levels(np.arange(count, dtype=np.float32)))


def frames_in(stretches: Sequence[Stretch]) -> list[int]:
    return [frame for stretch in stretches for frame in range(stretch.start, stretch.end)]


def length(window: Sequence[Stretch]) -> int:
    return sum(stretch.end - stretch.start for stretch in window)


@given(spoken())
def test_every_frame_of_speech_is_kept_once_with_a_little_of_the_pauses(found: tuple[list[Span], Frames]) -> None:
    spans, frames = found
    kept = frames_in(pad(spans, len(frames.speech)))
    assert kept == sorted(set(kept))
    assert {frame for start, end in spans for frame in range(start, end)} <= set(kept)
    near = {frame for start, end in spans for frame in range(start - PAD, end + PAD)}
    assert set(kept) <= near & set(range(len(frames.speech)))


def test_padding_meets_in_the_middle_of_a_short_pause_and_stays_short_in_a_long_one() -> None:
    stretches = pad([(3, 100), (110, 200), (1000, 1100)], 1105)
    assert [stretch[:2] for stretch in stretches] == [(0, 105), (105, 200 + PAD), (1000 - PAD, 1105)]
    assert [stretch.pause for stretch in stretches] == [10, 800, 5]


@given(spoken())
def test_no_window_is_too_long_and_nothing_is_lost_in_packing(found: tuple[list[Span], Frames]) -> None:
    spans, frames = found
    stretches = pad(spans, len(frames.speech))
    packed = pack(stretches, frames)
    assert [frame for window in packed for frame in frames_in(window)] == frames_in(stretches)
    assert all(0 < length(window) <= LONGEST for window in packed)


@given(spoken(longest=LONGEST - 2 * PAD))
def test_windows_are_as_long_as_may_be(found: tuple[list[Span], Frames]) -> None:
    """A window that could have taken more speech is at least two thirds full."""
    spans, frames = found
    for window, following in pairwise(pack(pad(spans, len(frames.speech)), frames)):
        assert length(window) >= SHORTEST or length(window) + length(following[:1]) > LONGEST


@pytest.mark.parametrize(("size", "count"), [(LONGEST, 1), (LONGEST + 1, 2)])
def test_a_window_is_full_at_thirty_seconds(size: int, count: int) -> None:
    frames = Frames(np.ones(size, np.float32), levels(np.arange(size, dtype=np.float32)))
    assert len(pack([Stretch(0, size, 0)], frames)) == count
    assert len(pack([Stretch(0, 650, 9), Stretch(700, 50 + size, 9)], frames)) == count
    assert LONGEST * FRAME <= LONGEST_SECONDS * SAMPLE_RATE


def test_a_window_ends_at_the_longest_pause_near_its_end() -> None:
    pauses = {250: 8, 500: 40, 690: 20, 800: 10, 900: 7, 1000: 9}  # after this many frames of speech
    spans, at, said = [], 0, 0
    for until, pause in pauses.items():
        spans.append((at, at + until - said))
        at, said = at + until - said + pause, until
    packed = pack(pad(spans, at), Frames(np.ones(at, np.float32), np.zeros(at, np.float32)))
    assert [len(window) for window in packed] == [3, 3]


def test_speech_without_a_pause_is_cut_where_it_is_stillest() -> None:
    level = levels(np.arange(2000, dtype=np.float32))
    level[700:703] = -60
    level[900] = -80  # one silent frame may be inside a word
    level[[100, 1900]] = -100  # too early and too late
    packed = pack([Stretch(0, 2000, 0)], Frames(np.ones(2000, np.float32), level))
    assert packed[0] == [Stretch(0, 701, 0)]
    assert all(SHORTEST <= length(window) <= LONGEST for window in packed[:-1])
    assert frames_in([stretch for window in packed for stretch in window]) == list(range(2000))


# Windows of a recording


@pytest.fixture
def by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detects speech by the sign of samples (see ``speech_fakes.numbered``)."""
    monkeypatch.setattr("pipeline.speech.windows.Detector", FakeDetector)


@st.composite
def recordings(draw: st.DrawFn) -> Runs:
    """Alternating speech and pauses, up to several blocks and windows."""
    speech = st.floats(0.3, 10) | st.floats(20, 70)
    pause = st.floats(0.3, 2) | st.floats(2, 80)
    first = draw(st.booleans())
    count = draw(st.integers(1, 10))
    return [(first ^ bool(n % 2), draw(speech if first ^ bool(n % 2) else pause)) for n in range(count)]


def in_blocks(samples: Samples, seed: int) -> Iterator[Samples]:
    """The same samples in blocks of any size, some of them empty."""
    random = np.random.default_rng(seed)
    longest = random.choice([5_000, 200_000, 2_000_000])
    at = 0
    while at < samples.size:
        size = int(random.integers(0, longest))
        yield samples[at : at + size]
        at += size


def where(window: Window) -> NDArray[np.int64]:
    """The index in the recording of each sample of a window."""
    return np.concatenate([np.arange(*span) for span in window.spans])


def joined(parts: Iterable[Span]) -> list[Span]:
    """Stretches of speech, rejoined where windows cut them."""
    whole: list[Span] = []
    for start, end in parts:
        whole.append((whole.pop()[0] if whole and whole[-1][1] == start else start, end))
    return whole


@given(recordings(), st.integers(0, 1000))
@settings(max_examples=25)
def test_every_sample_of_speech_is_in_exactly_one_window(runs: Runs, cut_short: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speech.windows.Detector", FakeDetector)
        recording = numbered(*runs)
        recording = recording[: max(0, recording.size - cut_short)]
        found = list(windows([recording]))

    spans = [span for window in found for span in window.spans]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert joined(part for window in found for part in window.speech) == [
        (start * FRAME, min(end * FRAME, recording.size)) for start, end in speech_spans(FakeDetector().hear(recording))
    ]
    for window in found:
        assert window.samples.size <= LONGEST_SECONDS * SAMPLE_RATE
        np.testing.assert_array_equal(window.samples, recording[where(window)])
        assert (window.start, window.end) == (window.spans[0][0] / SAMPLE_RATE, window.spans[-1][1] / SAMPLE_RATE)
        for part in window.speech:
            assert any(start <= part[0] < part[1] <= end for start, end in window.spans)


@given(recordings(), st.integers(0, 1000))
@settings(max_examples=25)
def test_the_size_of_blocks_does_not_matter(runs: Runs, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speech.windows.Detector", FakeDetector)
        recording = numbered(*runs)
        whole, cut = list(windows([recording])), list(windows(in_blocks(recording, seed)))
    assert [(window.spans, window.speech) for window in whole] == [(window.spans, window.speech) for window in cut]
    for one, other in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


@pytest.mark.usefixtures("by_number")
def test_long_silence_is_left_out() -> None:
    found = list(windows([numbered((False, 90), (True, 3), (False, 40), (True, 4), (False, 300))]))
    assert [round(window.start) for window in found] == [90]
    (window,) = found
    assert [(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in window.spans] == [
        pytest.approx((90 - 0.4, 93 + 0.4), abs=0.1),
        pytest.approx((133 - 0.4, 137 + 0.4), abs=0.1),
    ]
    assert window.speech_seconds == pytest.approx(7, abs=0.1)


@pytest.mark.usefixtures("by_number")
def test_no_window_is_kept_open_over_a_very_long_silence() -> None:
    """The silence in between would have to be held in memory."""
    found = list(windows([numbered((True, 3), (False, 300), (True, 4))]))
    assert [round(window.start) for window in found] == [0, 303]
    assert [window.speech_seconds for window in found] == [pytest.approx(3, abs=0.1), pytest.approx(4, abs=0.1)]


@pytest.mark.usefixtures("by_number")
@pytest.mark.parametrize("silence", np.arange(BLOCK_SECONDS - 0.5, BLOCK_SECONDS + 0.6, 0.1).tolist())
def test_speech_at_the_edge_of_a_block_keeps_its_beginning(silence: float) -> None:
    (found,) = windows([numbered((False, silence), (True, 3))])
    assert found.speech_seconds == pytest.approx(3, abs=0.1)
    assert found.start == pytest.approx(silence - PAD * FRAME / SAMPLE_RATE, abs=0.1)


@pytest.mark.usefixtures("by_number")
def test_somebody_who_never_pauses_is_heard_to_the_end() -> None:
    found = list(windows([numbered((True, 200))]))
    assert all(20 <= window.samples.size / SAMPLE_RATE <= LONGEST_SECONDS for window in found[:-1])
    spans = [span for window in found for span in window.spans]
    assert (spans[0][0], spans[-1][1]) == (0, 200 * SAMPLE_RATE)
    assert all(before[1] == after[0] for before, after in pairwise(spans))


@pytest.mark.usefixtures("by_number")
def test_blocks_are_taken_as_they_are_needed() -> None:
    """Memory must not grow with the recording."""
    taken = 0

    def blocks() -> Iterator[Samples]:
        nonlocal taken
        for _ in range(600):
            taken += 1
            yield numbered((True, 1.6), (False, 0.4))

    for window in windows(blocks()):
        assert taken * 2 < window.end + 2 * BLOCK_SECONDS + LONGEST_SECONDS
    assert taken == 600


@pytest.mark.parametrize("blocks", [[], [np.empty(0, np.float32)], [np.zeros(1, np.float32)]], ids=len)
def test_of_nothing_there_are_no_windows(blocks: list[Samples]) -> None:
    assert list(windows(blocks)) == []


def test_a_long_recording_is_cut_into_windows_that_lose_nothing(speech: Samples) -> None:
    recording = np.concatenate([np.tile(speech, 6), np.zeros(100 * SAMPLE_RATE, np.float32), speech])
    found = list(windows([recording]))
    assert all(window.samples.size <= LONGEST_SECONDS * SAMPLE_RATE for window in found)
    assert len(found) == pytest.approx(7, abs=1)
    inside = np.zeros(recording.size, int)
    for window in found:
        np.testing.assert_array_equal(window.samples, recording[where(window)])
        inside[where(window)] += 1
    assert inside.max() == 1
    # Speech detected in a single pass is in the windows, although they were cut block by block.
    for start, end in speech_spans(Detector().hear(recording)):
        assert inside[start * FRAME : end * FRAME].all()
    outside = np.flatnonzero(np.diff(np.flatnonzero(inside)) > 2 * SAMPLE_RATE)
    assert outside.size == 1  # only the silence is left out
    assert inside.sum() / SAMPLE_RATE == pytest.approx(7 * 25, abs=7)


# Mapping back to the recording's time


@st.composite
def some_windows(draw: st.DrawFn) -> Window:
    at, spans = draw(st.integers(0, 10_000_000)), []
    for _ in range(draw(st.integers(1, 8))):
        spans.append((at, end := at + draw(st.integers(1, 60_000))))
        at = end + draw(st.just(0) | st.integers(0, 1_000_000))
    size = sum(end - start for start, end in spans)
    return Window(np.zeros(size, np.float32), tuple(spans), ())


@given(some_windows(), st.lists(st.floats(0, 1), min_size=2))
def test_a_time_in_the_window_leads_to_the_recording_and_back(window: Window, shares: list[float]) -> None:
    total = window.samples.size / SAMPLE_RATE
    times = sorted(share * total for share in shares)
    there = [window.in_recording(time) for time in times]
    assert all(before <= after + 1e-9 for before, after in pairwise(there))
    assert window.start - 1e-9 <= there[0] <= there[-1] <= window.end + 1e-9
    assert [window.in_window(time) for time in there] == pytest.approx(times, abs=1e-6)


@given(some_windows(), st.data())
def test_a_time_in_the_recording_leads_to_the_window_and_back(window: Window, data: st.DataObject) -> None:
    start, end = data.draw(st.sampled_from(window.spans))
    sample = data.draw(st.integers(start, end - 1))
    time = (sample + 0.5) / SAMPLE_RATE
    there = window.in_window(time)
    assert where(window)[int(there * SAMPLE_RATE)] == sample
    assert window.in_recording(there) == pytest.approx(time, abs=1e-6)


def test_what_was_left_out_is_at_the_cut() -> None:
    spans = ((16_000, 32_000), (80_000, 96_000), (96_000, 112_000))
    window = Window(np.zeros(48_000, np.float32), spans, ())
    assert [window.in_window(time) for time in (0, 1, 1.5, 2, 3, 5, 5.5, 6, 7, 99)] == [
        0,
        0,
        0.5,
        1,
        1,
        1,
        1.5,
        2,
        3,
        3,
    ]
    assert [window.in_recording(time) for time in (0, 0.5, 1, 1.5, 2, 3)] == [1, 1.5, 5, 5.5, 6, 7]
