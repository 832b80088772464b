"""Replacing the machine's words by checked ones: whatever the segments are, nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editing.checking import TEXT_LENGTH, clean, is_checked, overlap, with_checked_words
from pipeline.errors import CorrectionError
from pipeline.model import Check, Segment, Word
from pipeline.text import timed_words
from tests.support.building import NOW, spoken

TEXT = st.lists(st.sampled_from(["a", "b", "no", "not", "Ofsted", "Ofsted,"]), max_size=7).map(" ".join)


def check(start: float, end: float, text: str, id_: int = 1, *, machine: str = "") -> Check:
    return Check(id_, "ab" * 32, start, end, text, machine, None, "ann", NOW)


def words_of(segments: tuple[Segment, ...]) -> list[Word]:
    return [word for segment in segments for word in timed_words(segment)]


def said(*segments: Segment) -> str:
    return " ".join(segment.text for segment in segments if segment.text)


@st.composite
def transcripts(draw: st.DrawFn) -> tuple[Segment, ...]:
    """Segments in order, some without word times, some flagged; words do not overlap."""
    now, segments = 0.0, []
    tenths = st.integers(0, 12).map(lambda number: number / 8)  # exact in binary
    for _ in range(draw(st.integers(1, 6))):
        words = []
        for text in draw(TEXT).split() or ["oh"]:
            start = now + draw(tenths)
            now = start + 0.125 + draw(tenths)
            words.append(Word(start, now, text, draw(st.sampled_from([0.25, 0.5, 1.0]))))
        timed = tuple(words) if draw(st.booleans()) else ()
        flags = draw(st.sampled_from([(), ("low_confidence",)]))
        segments.append(Segment(words[0].start, now, " ".join(word.text for word in words), timed, flags=flags))
    return tuple(segments)


@st.composite
def whole_checks(draw: st.DrawFn) -> tuple[tuple[Segment, ...], Check, tuple[int, int]]:
    """A transcript, a check of some of its segments, and the numbers of the first and the last one."""
    segments = draw(transcripts())
    first = draw(st.integers(0, len(segments) - 1))
    last = draw(st.integers(first, len(segments) - 1))
    machine = said(*segments[first : last + 1])
    return segments, check(segments[first].start, segments[last].end, draw(TEXT), machine=machine), (first, last)


@st.composite
def any_checks(draw: st.DrawFn) -> tuple[tuple[Segment, ...], Check]:
    """A transcript, and a check of unrelated words, made on another transcript of the same recording."""
    segments = draw(transcripts())
    start = draw(st.integers(0, 200)) / 8
    text = draw(st.sampled_from(["", "Quick.", "Quick quick quick quick quick."]))
    return segments, check(start, start + draw(st.integers(1, 100)) / 8, text, machine="Wick.")


@given(whole_checks())
def test_whole_segments_say_what_was_heard_and_the_others_are_untouched(
    case: tuple[tuple[Segment, ...], Check, tuple[int, int]],
) -> None:
    segments, one, (first, last) = case
    found = with_checked_words(segments, [one])
    assert said(*found[first : last + 1]) == one.text
    assert found[:first] == segments[:first]
    assert found[last + 1 :] == segments[last + 1 :]
    assert [segment.flags for segment in found[first : last + 1]] == [()] * (last - first + 1)
    assert all(is_checked(segment, [one]) == (first <= n <= last) for n, segment in enumerate(found))


@given(any_checks())
def test_in_other_segments_only_words_in_the_stretch_change(case: tuple[tuple[Segment, ...], Check]) -> None:
    segments, one = case
    found = with_checked_words(segments, [one])
    assert len(found) == len(segments)

    before, after = words_of(segments), words_of(found)
    gone = [word for word in before if one.start <= word.start and word.end <= one.end]
    heard = [word for word in after if one.start <= (word.start + word.end) / 2 < one.end]
    assert [word.text for word in heard] == one.text.split()
    assert [word.text for word in after if word not in heard] == [word.text for word in before if word not in gone]
    assert said(*found) == " ".join(word.text for word in after)


def test_where_nothing_is_alike_a_word_across_the_edge_stays() -> None:
    for shift, then in ((0.0, "We did not fail everyone again"), (0.4, "We did not fail everyone again")):
        texts = ["We", "did", "not", "help", "again"]
        times = [n / 2 + (shift if 1 < n < 4 else 0) for n in range(6)]
        words = tuple(Word(a, b, text, 0.9) for text, a, b in zip(texts, times, times[1:], strict=False))
        one = check(1.5, 2.0, "fail everyone", machine="fail anyone")
        assert said(*with_checked_words([Segment(0.0, 3.0, " ".join(texts), words)], [one])) == then


@given(any_checks(), any_checks())
def test_words_never_overlap(case: tuple[tuple[Segment, ...], Check], other: tuple[tuple[Segment, ...], Check]) -> None:
    segments, one = case
    checks = [one, replace(other[1], id=2)] if not overlap(one, other[1]) else [one]
    words = words_of(with_checked_words(segments, checks))
    assert all(word.start <= word.end for word in words)
    assert all(a.end <= b.start for a, b in pairwise(words))


DISTINCT = "We did not fail anyone, it was a good year and then they came back to say so I heard no more of that at all"


@st.composite
def other_runs(draw: st.DrawFn) -> tuple[list[Segment], list[Segment], int]:
    """A transcript, another model's with the same words at slightly other times in other segments, and a segment."""
    now, words, chance = 2.0, [], draw(st.randoms(use_true_random=False))
    for text in DISTINCT.split():
        start = now + chance.choice([0.0, 0.0, 0.0, 0.2, 1.5])
        now = start + chance.uniform(0.1, 0.6)
        words.append(Word(start, now, text, 0.5))
    shift = draw(st.floats(-0.4, 0.4))
    moved = [word._replace(start=word.start + shift, end=word.end + shift) for word in words]

    def cut(found: list[Word]) -> list[Segment]:
        segments = []
        while found:
            size = chance.randint(1, 9)
            own, found = found[:size], found[size:]
            segments.append(Segment(own[0].start, own[-1].end, " ".join(word.text for word in own), tuple(own)))
        return segments

    segments = cut(words)
    return segments, cut(moved), draw(st.integers(0, len(segments) - 1))


@given(other_runs(), st.sampled_from([None, "Ofsted", "Ofsted said", ""]))
def test_another_models_times_neither_lose_nor_double_a_word(
    case: tuple[list[Segment], list[Segment], int], instead: str | None
) -> None:
    segments, again, n = case
    machine = segments[n].text
    text = machine if instead is None else " ".join([instead, *machine.split()[1:]]).strip()
    one = check(segments[n].start, segments[n].end, text, machine=machine)
    expected = [segment.text for segment in segments]
    expected[n] = text
    found = with_checked_words(again, [one])
    assert said(*found).split() == " ".join(expected).split()
    words = words_of(found)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(words))
    heard = [word.text for word in words if one.start <= (word.start + word.end) / 2 < one.end]
    assert heard == text.split()


@pytest.mark.parametrize(
    ("again", "said_then"),
    [
        ("We did not fail everyone again", "We did not fail everyone again"),  # what the editor heard
        ("We did not failing any one again", "We did not fail everyone again"),
        ("We did fail anyone again", "We did fail everyone again"),
        ("We did not fail again", "We did not fail everyone again"),
    ],
)
@pytest.mark.parametrize("shift", [-0.2, 0.0, 0.2])
def test_a_check_is_found_again_where_other_words_were_heard(again: str, said_then: str, shift: float) -> None:
    words = again.split()
    after = words[2:] if "not" in words else ["", *words[2:]]
    times = [0.0, 0.5, 1.0, *(1.5 + n / (len(after) - 2) for n in range(len(after) - 2)), 2.5, 3.0]
    texts = [*words[:2], *after]
    heard = [Word(a + shift, b + shift, text, 0.9) for text, a, b in zip(texts, times, times[1:], strict=False) if text]
    one = check(1.5, 2.5, "fail everyone", machine="fail anyone")
    assert said(*with_checked_words([Segment(0.0, 3.5, again, tuple(heard))], [one])) == said_then


@pytest.mark.parametrize(
    ("again", "machine"),
    [
        ("And then Eh think so. Well", "I think so."),  # the first word is misheard now,
        ("And then I think go. Well", "I think so."),
        ("And then did the results surprise him? Well", "did the result surprise you?"),  # or the last one
        ("And then four young people. Well", "Three young people."),
    ],
)
def test_no_misheard_word_stays_beside_those_that_were_checked(again: str, machine: str) -> None:
    texts = again.split()
    words = tuple(Word(n / 4, (n + 1) / 4, text, 0.9) for n, text in enumerate(texts))
    end = (len(texts) - 1) / 4
    for text in (machine, machine.upper()):
        found = with_checked_words([Segment(0.0, end + 0.25, again, words)], [check(0.5, end, text, machine=machine)])
        assert said(*found) == f"And then {text} Well"


@given(any_checks())
def test_times_stay_in_order(case: tuple[tuple[Segment, ...], Check]) -> None:
    segments, one = case
    found = with_checked_words(segments, [one])
    words = words_of(found)
    assert all(word.start <= word.end for word in words)
    middles = [(word.start + word.end) / 2 for word in words]
    assert middles == sorted(middles)
    assert all(segment.start <= word.start and word.end <= segment.end for segment in found for word in segment.words)
    assert all(one.start <= two.start for one, two in pairwise(found))


@given(any_checks())
def test_twice_is_as_once(case: tuple[tuple[Segment, ...], Check]) -> None:
    segments, one = case
    once = with_checked_words(segments, [one])
    assert [replace(two, words=timed_words(two)) for two in with_checked_words(once, [one])] == [
        replace(two, words=timed_words(two)) for two in once
    ]


@given(whole_checks(), TEXT)
def test_the_order_in_which_checks_are_given_does_not_matter(
    case: tuple[tuple[Segment, ...], Check, tuple[int, int]], text: str
) -> None:
    segments, one, _ = case
    others = [check(s.start, s.end, text, id_=2 + n) for n, s in enumerate(segments) if not overlap(s, one)]
    assert with_checked_words(segments, [one, *others]) == with_checked_words(segments, [*reversed(others), one])


def test_words_that_stay_keep_their_times_and_others_take_those_of_what_they_replace() -> None:
    (machine,) = spoken("We waited for the Offstead report to come.")
    heard = check(machine.start, machine.end, "We waited for the Ofsted report.", machine=machine.text)
    (found,) = with_checked_words([machine], [heard])
    assert found.text == heard.text
    old = {word.text: word for word in machine.words}
    assert found.words[:4] == tuple(word._replace(probability=1.0) for word in machine.words[:4])
    assert found.words[4] == old["Offstead"]._replace(text="Ofsted", probability=1.0)
    assert found.words[5] == old["report"]._replace(text="report.", probability=1.0)
    assert len(found.words) == 6


def test_words_that_were_left_out_lie_in_the_pause() -> None:
    machine = Segment(
        0.0, 4.0, "It is good.", (Word(0, 0.5, "It", 0.9), Word(0.5, 1, "is", 0.9), Word(3, 4, "good.", 1))
    )
    (found,) = with_checked_words([machine], [check(0.0, 4.0, "It is certainly not good.")])
    times = [(word.text, word.start, word.end) for word in found.words]
    assert times[0] == ("It", 0.0, 0.5)
    assert times[-1] == ("good.", 3.0, 4.0)
    assert [text for text, *_ in times[2:4]] == ["certainly", "not"]
    assert 1 <= times[2][1] < times[2][2] == times[3][1] < times[3][2] <= 3


def test_confirming_changes_no_word_but_makes_it_certain() -> None:
    for words in (True, False):
        machine = tuple(
            replace(one, flags=("low_confidence",), words=one.words if words else ())
            for one in spoken("One two.", "No.")
        )
        found = with_checked_words(machine, [check(machine[0].start, machine[0].end, "One two.")])
        certain = tuple(word._replace(probability=1.0) for word in machine[0].words)
        assert found == (replace(machine[0], words=certain, confidence=1.0, flags=()), machine[1])


def test_a_stretch_in_which_nothing_is_said_has_no_words_and_can_get_some() -> None:
    machine = spoken("Thanks for watching!", "Good morning.")
    silent = check(machine[0].start, machine[0].end, "")
    found = with_checked_words(machine, [silent])
    assert [(one.text, one.words, one.confidence) for one in found] == [
        ("", (), None),
        (machine[1].text, machine[1].words, 0.9),
    ]
    assert is_checked(found[0], [silent])
    unheard = check(20.0, 22.0, "One more thing.")
    found = with_checked_words(machine, [unheard])
    assert found[0] == machine[0]
    assert found[1].text == "Good morning. One more thing."
    assert (found[1].words[2].start, found[1].end) == (20.0, 22.0)
    assert not is_checked(found[1], [unheard])
    assert with_checked_words((), [unheard]) == ()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  two \n\n words\t", "two words"),
        ("a\x00b \x02c\x03 \x7f\x1b[31m", "ab c [31m"),
        ("<script>alert(1)</script> & “so”", "<script>alert(1)</script> & “so”"),
        ("e\u0301\u200b \ufeff\u202ecafe\u0301", "é café"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800", ""),
    ],
)
def test_what_nobody_can_see_is_left_out_of_what_is_written(written: str, kept: str) -> None:
    assert clean(written) == kept
    with pytest.raises(CorrectionError, match="longer than 10,000 characters"):
        clean("x" * (TEXT_LENGTH + 1))
