from __future__ import annotations

import pytest

from benchmarks.speech_measures import (
    TimedWord,
    invented,
    matches,
    name_recall,
    ratios,
    spread,
    start_errors,
    tokens,
    word_errors,
)


def timed(*words: tuple[float, str]) -> list[TimedWord]:
    return [TimedWord(start, start + 0.1, text) for start, text in words]


def test_word_errors_are_counted_by_kind_over_all_recordings() -> None:
    found = word_errors(["one two three", "four five"], ["one too three", "four"])

    assert (found.substitutions, found.deletions, found.insertions, found.said) == (1, 1, 0, 5)
    assert found.rate == pytest.approx(2 / 5)


def test_nothing_heard_is_all_deletions_and_more_words_than_said_is_above_one() -> None:
    assert word_errors(["one two"], [""]).deletions == 2
    assert word_errors(["yes"], ["yes yes yes"]).rate == 2


def test_tokens_are_without_case_and_punctuation_but_keep_apostrophes() -> None:
    assert tokens("Well – we’ve 24 ‘front-line’ posts.") == ["well", "we've", "24", "front", "line", "posts"]
    assert tokens(" … ") == []


def test_matches_are_equal_words_in_order() -> None:
    assert matches(list("abcd"), list("axcd")) == [(0, 0), (2, 2), (3, 3)]
    assert matches([], ["a"]) == []


@pytest.mark.parametrize(
    ("said", "heard", "count"),
    [
        ("", "", 0),
        ("", "Thank you.", 2),
        ("Ah yeah", "Yeah.", 0),
        ("Ah yeah", "Oh, yeah. Bye!", 2),
        ("", "[BLANK_AUDIO] (upbeat music) you", 1),
    ],
)
def test_invented_words_are_those_that_were_not_said(said: str, heard: str, count: int) -> None:
    assert invented(said, heard) == count


def test_a_name_is_recalled_once_for_each_mention_and_as_whole_words() -> None:
    said = "Alice met Graham Seabrook. Alice, Alice!"

    assert name_recall(["Alice", "Graham Seabrook"], said, "alice met Graham Sea brook, Alices, Alice") == (2, 4)
    assert name_recall(["Alice"], said, "Alice Alice Alice Alice Alice") == (3, 3)
    assert name_recall(["MASH"], "The MASH team", "the mesh team") == (0, 1)


def test_start_errors_are_of_words_heard_as_said() -> None:
    said = timed((1.0, "We"), (2.0, "ask"), (3.0, "Alice"), (4.0, "now"))
    heard = timed((1.05, " we"), (2.2, " ask,"), (3.0, " Ellis"), (3.7, " now."))

    found = start_errors([(said, heard)], bounds=(100, 200, 500))

    assert (found.said, found.matched) == (4, 3)
    assert found.median == pytest.approx(0.2)
    assert found.bias == pytest.approx(0.05)
    assert found.within == {100: pytest.approx(1 / 3), 200: pytest.approx(2 / 3), 500: 1}
    # Two of four spoken, and of four recognised, words are right to 200 ms.
    assert found.f1[200] == pytest.approx(0.5)


def test_words_missed_and_invented_lower_f1_but_not_the_share_within() -> None:
    truth = timed((1.0, "yes"), (2.0, "please"))

    missed = start_errors([(truth, truth[:1])])
    more = start_errors([(truth, [*truth, *timed((5.0, "thank"), (6.0, "you"))])])

    assert missed.within[50] == more.within[50] == 1
    assert missed.f1[50] == pytest.approx(2 / 3)
    assert more.f1[50] == pytest.approx(2 / 3)


def test_remarks_in_brackets_are_no_words() -> None:
    truth = timed((1.0, "yes"))

    assert start_errors([(truth, [*timed((0.0, "(upbeat"), (0.5, "music)")), *truth])]).f1[50] == 1


def test_start_errors_of_several_recordings_are_pooled_without_aligning_across_them() -> None:
    one, other = timed((1.0, "a")), timed((9.0, "b"))

    assert start_errors([(one, one), (other, other)]).matched == 2
    with pytest.raises(ValueError, match="not one word"):
        start_errors([(one, other), (other, one)])


def test_rounds_are_given_as_median_and_range_and_ratios_within_a_round() -> None:
    assert spread([3.0, 1.0, 2.0]).median == 2
    found = ratios([1.0, 10.0, 2.0], [3.0, 30.0, 8.0])
    assert (found.median, found.least, found.most) == (3, 3, 4)
