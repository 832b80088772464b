"""Cleaning up decoder output: plausible times, words as written, sentences with flags."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Segment, Word
from pipeline.speech.segments import make_segments
from pipeline.speech.words import LAG, LONGEST, REACH, STEP, fit, in_order, whole

Span = tuple[float, float]

TIME = st.floats(-5, 50)


def settle(words: Sequence[Word], spoken: Sequence[Span], duration: float) -> list[Word]:
    """The settled words of a recording that is a single window."""
    return in_order(fit(whole(words), spoken), duration)


def segments_of(
    words: Sequence[Word], duration: float = 10.0, flags: Sequence[tuple[float, float, tuple[str, ...]]] = ()
) -> tuple[Segment, ...]:
    """The sentences of a recording that is speech throughout."""
    return make_segments(settle(words, [(0.0, duration)], duration), flags)


@st.composite
def speech(draw: st.DrawFn) -> list[Span]:
    """Stretches of speech in order, with pauses between them."""
    at, found = 0.0, []
    for _ in range(draw(st.integers(0, 6))):
        start = at + draw(st.floats(0.2, 5))
        at = start + draw(st.floats(0.16, 8))
        found.append((start, at))
    return found


def assert_sane(words: Sequence[Word], duration: float) -> None:
    assert all(0 <= word.start < word.end <= duration for word in words)
    assert all(word.end - word.start == pytest.approx(STEP) or word.end - word.start > STEP for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))
    for word in words:
        assert (word.start, word.end) == (round(word.start, 3), round(word.end, 3))


# Times


@given(st.lists(st.tuples(TIME, TIME), max_size=60), speech(), st.floats(0.05, 40))
def test_any_times_come_out_sane(times: list[Span], spoken: list[Span], duration: float) -> None:
    words = settle([Word(start, end, " a", 0.5) for start, end in times], spoken, duration)
    assert_sane(words, duration)
    assert len(words) == min(len(times), int(duration / STEP))
    segments = make_segments(words, [])
    assert [word for segment in segments for word in segment.words] == [word._replace(text="a") for word in words]


@given(st.lists(st.tuples(TIME, TIME), max_size=60), speech())
def test_sane_times_come_out_sane_again(times: list[Span], spoken: list[Span]) -> None:
    once = settle([Word(start, end, " word", 0.5) for start, end in times], spoken, 40.0)
    assert_sane(settle(once, spoken, 40.0), 40.0)


@given(st.lists(st.tuples(st.floats(0.25, 0.45), st.floats(0, 1)), min_size=1, max_size=30), st.floats(0, 5))
def test_sane_times_inside_speech_are_hardly_moved(steps: list[tuple[float, float]], begin: float) -> None:
    """Words of usual length, with pauses too short to be detected."""
    given_words, at = [], begin + LAG
    for length, pause in steps:
        given_words.append(Word(at, at + length, " word", 0.9))
        at += length + pause
    found = settle(given_words, [(begin, at + 1)], at + 2)
    for word, before in zip(found, given_words, strict=True):
        assert word.start == pytest.approx(before.start, abs=LAG + 0.001)
        assert word.end == pytest.approx(before.end, abs=LAG + 0.001)


@pytest.mark.parametrize("early", [0.0, 0.1, REACH - 0.1], ids=lambda early: f"{early:.1f} s early")
def test_a_word_that_begins_in_a_pause_begins_where_speech_does(early: float) -> None:
    spoken = [(1.0, 3.0), (6.0, 9.0)]
    words = [Word(2.5, 2.9, " before", 0.9), Word(6 - early, 6.4, " After", 0.9), Word(6.4, 6.8, " that", 0.9)]
    _, after, that = settle(words, spoken, 10.0)
    assert after.start == pytest.approx(6.0, abs=0.001)
    assert after.end == pytest.approx(6.4, abs=LAG + 0.001)
    assert that.start == pytest.approx(6.4, abs=LAG + 0.001)


def test_a_whole_word_in_the_pause_just_before_speech_is_its_first() -> None:
    first, second = settle(
        [Word(6 - REACH / 2, 6 - REACH / 4, " After", 0.9), Word(6.4, 6.8, " that", 0.9)], [(1, 3), (6, 9)], 10.0
    )
    assert first.start == pytest.approx(6.0, abs=0.001)
    assert second.start == pytest.approx(6.4, abs=0.2)


def test_a_word_that_ends_in_a_pause_ends_where_speech_does() -> None:
    before, after = settle(
        [Word(2.6, 5.0, " before", 0.9), Word(6.1, 6.5, " after", 0.9)], [(1.0, 3.0), (6.0, 9.0)], 10.0
    )
    assert before.end == pytest.approx(3.0, abs=0.001)
    assert before.start == pytest.approx(2.6, abs=LAG + 0.001)
    assert after.start == pytest.approx(6.1, abs=0.1 + 0.001)


def test_of_two_words_the_first_that_reaches_over_a_pause_stays_before_it() -> None:
    first, second = settle(
        [Word(2.6, 6.0, " word", 0.9), Word(6.05, 6.5, " again", 0.9)], [(1.0, 3.0), (6.0, 9.0)], 10.0
    )
    assert first.end <= 3.0
    assert second.start >= 6.0 - 0.1


def test_a_word_that_only_touches_the_speech_before_belongs_after_the_pause() -> None:
    """The attention begins with the end of the previous word."""
    before, after = settle(
        [Word(2.5, 2.95, " word", 0.9), Word(2.99, 6.5, " again", 0.9)], [(1.0, 3.0), (6.0, 9.0)], 10.0
    )
    assert before.end <= 3.0
    assert after.start == pytest.approx(6.0, abs=0.001)


def test_no_word_is_longer_than_it_takes_to_say_it() -> None:
    """An "er" precedes it, which Whisper omits."""
    _, word, _ = settle(
        [Word(1, 1.4, " then", 0.9), Word(1.4, 5, " I", 0.9), Word(5, 5.4, " came", 0.9)], [(0.5, 8.0)], 10.0
    )
    assert word.end - word.start <= LONGEST
    assert word.end == pytest.approx(5, abs=0.1)


@given(st.floats(0.03, 3), st.integers(0, 400))
def test_what_has_no_place_in_a_short_recording_gets_none(duration: float, count: int) -> None:
    """A looping decoder can write more words than there is time for."""
    words = settle([Word(0, 0.1, " no", 0.5)] * count, [(0, duration)], duration)
    assert_sane(words, duration)
    assert len(words) == min(count, int(duration / STEP))


@pytest.mark.parametrize("hundredths", [3, 29, 57, 58, 113, 115, 435])
def test_a_recording_full_of_words_does_not_begin_before_it_begins(hundredths: int) -> None:
    duration = hundredths / 100
    assert_sane(settle([Word(9, 9, " no", 0.5)] * 1000, [], duration), duration)


@pytest.mark.parametrize("times", [(0.0, 0.0), (9.0, 1.0), (-3.0, -2.0), (99.0, 100.0)])
def test_without_any_speech_a_word_still_has_a_place(times: Span) -> None:
    (word,) = settle([Word(*times, " hello", 0.5)], [], 10.0)
    assert_sane([word], 10.0)


def test_of_no_words_there_are_none() -> None:
    assert settle([], [(0, 1)], 10.0) == []
    assert settle([Word(0, 1, " ", 0.5), Word(1, 2, "", 0.5), Word(2, 3, "\x02", 0.5)], [(0, 1)], 10.0) == []
    assert make_segments([], [(0, 10, ("repetition",))]) == ()


# Text


def test_text_is_as_whisper_wrote_it_without_control_characters() -> None:
    words = [
        Word(0, 1, " The", 0.5),
        Word(1, 2, "  £\x0213\x03", 0.5),
        Word(2, 3, " week\n", 0.5),
        Word(3, 4, " \x00", 0.5),
    ]
    (segment,) = segments_of(words)
    assert segment.text == "The £13 week"
    assert [word.text for word in segment.words] == ["The", "£13", "week"]


def test_what_whisper_parts_is_put_together() -> None:
    texts = [" a", " well", "-known", " £13", ".60", " deal"]
    words = settle([Word(n, n + 0.5, text, 0.9 - n / 10) for n, text in enumerate(texts)], [(0, 10)], 10.0)
    assert [word.text for word in words] == [" a", " well-known", " £13.60", " deal"]
    assert [word.probability for word in words] == [0.9, 0.7, 0.5, 0.4]
    for word, end in zip(words[1:3], (2.5, 4.5), strict=True):
        assert word.end == pytest.approx(end, abs=LAG + 0.001)


def test_a_script_without_spaces_keeps_its_words() -> None:
    words = [Word(0, 0.5, "你", 0.9), Word(0.5, 1, "好", 0.9), Word(1, 1, "。", 0.8), Word(1.5, 2, "谢谢", 0.9)]
    (segment,) = segments_of(words)
    assert ([word.text for word in segment.words], segment.text) == (["你", "好。", "谢谢"], "你好。谢谢")


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=12))
def test_no_text_is_lost_but_control_characters(texts: list[str]) -> None:
    words = [Word(n, n + 0.5, text, 0.5) for n, text in enumerate(texts)]
    kept = "".join(c for text in texts for c in text if c.isprintable() and not c.isspace())
    found = "".join(segment.text for segment in segments_of(words, 20.0))
    assert "".join(c for c in found if c.isprintable() and not c.isspace()) == kept
    assert not any(mark in found for mark in "\x00\x02\x03\x1b\x7f\x9f")


# Sentences


def sentence(text: str, start: float) -> list[Word]:
    return [Word(start + n * 0.5, start + n * 0.5 + 0.4, f" {word}", 0.8) for n, word in enumerate(text.split())]


def test_a_segment_is_a_sentence_with_the_mean_of_its_words() -> None:
    words = [*sentence("Good morning.", 1), *sentence("How are you?", 2.5)]
    words[0] = words[0]._replace(probability=0.3)
    first, second = segments_of(words)
    assert (first.text, second.text) == ("Good morning.", "How are you?")
    assert (first.confidence, second.confidence) == (0.55, 0.8)
    assert (first.start, first.end) == (first.words[0].start, first.words[-1].end)
    assert (first.flags, second.flags) == ((), ())


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        pytest.param([], [(), (), ()], id="nothing is wrong"),
        pytest.param([(0, 4, ("repetition",))], [("repetition",), (), ()], id="the first"),
        pytest.param([(0, 4.5, ("repetition",))], [("repetition",), ("repetition",), ()], id="part of the second"),
        pytest.param(
            [(0, 6, ("repetition", "too_fast")), (6, 20, ("missing_words", "too_fast"))],
            [("repetition", "too_fast")] * 2 + [("missing_words", "too_fast")],
            id="two windows",
        ),
        pytest.param(
            [(0, 4.5, ("low_confidence", "too_fast")), (4.5, 6, ("missing_words", "low_confidence"))],
            [("low_confidence", "too_fast"), ("low_confidence", "too_fast", "missing_words"), ()],
            id="a sentence in both has each once",
        ),
        pytest.param([(30, 40, ("missing_words",))], [(), (), ("missing_words",)], id="all of a window missed"),
    ],
)
def test_a_sentence_has_the_flags_of_its_windows(flags: list[Any], found: list[tuple[str, ...]]) -> None:
    words = [*sentence("One and two.", 2), *sentence("Three and four.", 4.2), *sentence("Five and six.", 8)]
    assert [segment.flags for segment in segments_of(words, 20.0, flags)] == found
