"""The quality gate: invented words, fake decoders."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Word
from pipeline.speech.decoder import Heard, spoken_language
from pipeline.speech.gate import SLACK_SECONDS, Verdict, faults, missed, pass_gate
from pipeline.speech.windows import Samples, Window
from tests.support.speech_fakes import heard, spread, window

TEN_WORDS = "this is what somebody says when they are asked something."
UNSURE = ("low_confidence",)


# Implausible windows


def test_the_compression_ratio_is_whispers() -> None:
    assert heard().compression_ratio == 0
    assert heard(*spread(TEN_WORDS, 0, 5)).compression_ratio < 1.2
    assert heard(Word(0, 5, " ha" * 100, 0.9)).compression_ratio > 10


def different(count: int, *, end: str = ".") -> str:
    """This many different words; the last one ends with ``end``."""
    random = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return " ".join("".join(random.choice(letters, 6)) for _ in range(count)) + end


LOOP = "over and over and again"

FAULTS = [
    # seconds of speech, text, the decoder's scores, faults
    (10.0, TEN_WORDS, {}, ()),
    (1.6, "ha" * 20, {}, ("repetition",)),
    (10.0, f"{LOOP} {different(6)} {LOOP} {different(9)} {LOOP} that is all.", {}, ("repetition",)),
    (10.0, f"{LOOP} {different(6)} {LOOP} {different(9)} that is all.", {}, ()),
    (10.0, TEN_WORDS, {"avg_logprob": -1.01}, UNSURE),
    (10.0, TEN_WORDS, {"avg_logprob": -1.0}, ()),
    (10.0, TEN_WORDS, {"no_speech_prob": 0.61, "avg_logprob": -1.01}, (*UNSURE, "maybe_no_speech")),
    (10.0, TEN_WORDS, {"no_speech_prob": 0.99}, ()),
    (1.4, "Yes.", {"no_speech_prob": 0.61}, ("maybe_no_speech",)),
    (1.4, "Yes.", {"no_speech_prob": 0.6}, ()),
    (4.0, different(31), {}, ("too_fast",)),
    (4.0, different(30), {}, ()),
    (0.1, "A b c d e f.", {}, ("too_fast",)),
    (0.1, "A b c d e.", {}, ()),
    (10.0, different(30, end=""), {}, ("no_punctuation",)),
    (10.0, different(29, end=""), {}, ()),
    (1.4, "Thank you.", {"avg_logprob": -0.71}, ("stock_phrase",)),
    (1.4, "Thanks for watching!", {"no_speech_prob": 0.41}, ("stock_phrase",)),
    (1.4, "Thank you.", {"avg_logprob": -0.7, "no_speech_prob": 0.4}, ()),
    (1.4, "Thank you, Alice.", {}, ()),
    (1.6, "Thank you.", {}, ()),
    (10.0, "", {}, ("missing_words",)),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text", "figures", "found"), FAULTS)
def test_each_fault_is_named(seconds: float, text: str, figures: dict[str, Any], found: tuple[str, ...]) -> None:
    words = spread(text, 0, seconds)
    assert faults(heard(*words, **figures), window((0, seconds), seconds=30)) == found


@pytest.mark.parametrize(
    ("spoken", "speech", "found"),
    [
        pytest.param([(0, 10)], [(0, 10)], [], id="all is there"),
        pytest.param([], [(2, 9)], [(2, 9)], id="nothing is there"),
        pytest.param([(0, 4)], [(0, 10)], [(4.1, 10)], id="it stops early"),
        pytest.param([(5, 10)], [(0, 10)], [(0, 4.9)], id="it begins late"),
        pytest.param([(0, 4), (7, 10)], [(0, 10)], [(4.1, 6.9)], id="a gap"),
        pytest.param([(0, 4), (5.1, 10)], [(0, 10)], [], id="a short gap"),
        pytest.param([(0, 4), (14, 20)], [(0, 4), (14, 20)], [], id="a pause is no gap"),
        pytest.param([(0, 4)], [(0, 4), (5, 5.9), (8, 8.9)], [], id="two short stretches"),
        pytest.param([(0, 2), (6, 7)], [(0, 4), (5, 9)], [(2.1, 4), (7.1, 9)], id="in each of two"),
    ],
)
def test_speech_without_words_is_found(
    spoken: list[tuple[float, float]], speech: list[tuple[float, float]], found: list[tuple[float, float]]
) -> None:
    words = [word for start, end in spoken for word in spread("a " * round(2 * (end - start)), start, end)]
    assert missed(words, window(*speech, seconds=30)) == [pytest.approx(span) for span in found]


def test_no_word_lasts_as_long_as_the_speech_that_it_swallowed() -> None:
    words = [Word(0, 1, " when", 0.9), Word(1, 8, " I", 0.9), Word(8, 9, " came.", 0.9)]
    assert missed(words, window((0, 9), seconds=10)) == [pytest.approx((2.6, 7.9))]


# Countermeasures


class Answers:
    """A decoder function that returns these answers in turn, and records its arguments."""

    def __init__(self, *answers: Heard) -> None:
        self.left = list(answers)
        self.asked: list[Samples] = []

    def __call__(self, part: Window) -> Heard:
        self.asked.append(part.samples)
        return self.left.pop(0)

    @property
    def seconds(self) -> list[tuple[float, float]]:
        """The span of each part within a ``window``, in its seconds."""
        return [(float(samples[0]) / SAMPLE_RATE, float(samples[-1] + 1) / SAMPLE_RATE) for samples in self.asked]


GOOD = heard(*spread(TEN_WORDS, 0, 5))
DOUBTFUL = heard(*spread(TEN_WORDS, 0, 5), avg_logprob=-1.3)


def test_what_passes_is_decoded_once() -> None:
    again, carefully = Answers(), Answers()
    verdict = pass_gate(GOOD, window((0, 5), seconds=5), again=again, carefully=carefully)
    assert verdict == Verdict(GOOD, (), (("decoded", ()),))
    assert again.asked == carefully.asked == []


def test_careful_decoding_mends() -> None:
    again, carefully = Answers(), Answers(GOOD)
    verdict = pass_gate(DOUBTFUL, window((0, 5), seconds=6), again=again, carefully=carefully)
    assert verdict == Verdict(GOOD, (), (("decoded", UNSURE), ("decoded carefully", ())))
    assert carefully.seconds == [(0, 6)]
    assert again.asked == []


def test_two_halves_mend_each_with_its_own_times() -> None:
    """It is cut in a long pause away from its ends; a half that fails is decoded carefully."""
    pauses = window((0, 1), (3.5, 9), (11, 15), seconds=16)
    first = heard(*spread(different(16), 0, 9))
    poor, second = heard(*spread("no no.", 1, 4)), heard(*spread(TEN_WORDS, 1, 5))
    again, carefully = Answers(first, heard()), Answers(DOUBTFUL, second)
    verdict = pass_gate(heard(*poor.words, avg_logprob=-2), pauses, again=again, carefully=carefully)
    assert again.seconds == [(0, 10), (10, 16)]
    assert carefully.seconds == [(0, 16), (10, 16)]
    assert verdict.flags == ()
    assert verdict.tried[-1] == ("split at its longest pause", ())
    shifted = [word._replace(start=word.start + 10, end=word.end + 10) for word in second.words]
    assert verdict.heard.words == (*first.words, *shifted)


def test_missed_speech_is_decoded_alone_and_put_in_its_place() -> None:
    before, after = spread("it was when", 0, 3), spread("then it was over.", 8, 10)
    swallowing = Word(3, 8, " I", 0.5)
    gap = heard(*before, swallowing, *after)
    found = heard(*spread("came home and saw.", 0, 3.4))
    again, carefully = Answers(found), Answers()
    verdict = pass_gate(gap, window((0, 10), seconds=10), again=again, carefully=carefully)
    ((start, end),) = again.seconds
    assert (start, end) == pytest.approx((4.5, 8), abs=SLACK_SECONDS + 0.01)
    assert verdict.flags == ()
    assert [action for action, _ in verdict.tried] == ["decoded", "missed speech decoded alone"]
    assert carefully.asked == []
    assert verdict.heard.text == "it was when I came home and saw. then it was over."
    words = verdict.heard.words
    assert all(word.end <= following.start + 1e-9 for word, following in pairwise(words))
    assert words[3] == Word(3, words[3].end, " I", 0.5)
    assert [words[3].end, words[4].start] == pytest.approx([start, start])


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(heard(), id="nothing"),
        pytest.param(heard(*spread("came home.", 0, 3), avg_logprob=-1.5), id="what is doubtful itself"),
    ],
)
def test_of_missed_speech_only_what_passes_is_taken(found: Heard) -> None:
    gap = heard(*spread("it was when", 0, 3), *spread("then it was over.", 8, 10))
    verdict = pass_gate(gap, window((0, 10), seconds=10), again=Answers(found), carefully=Answers())
    assert verdict.heard == gap
    assert verdict.flags == ("missing_words",)
    assert verdict.tried[-1] == ("missed speech decoded alone", ("missing_words",))


def test_where_most_words_are_missing_the_times_of_the_others_say_nothing() -> None:
    """A decoder that stopped after the first sentence spreads it over the whole window."""
    strewn = heard(*spread("it was", 0, 0.8), *spread("when I came.", 9, 10))
    full = heard(*spread(TEN_WORDS, 0, 10))
    again, carefully = Answers(), Answers(full)
    verdict = pass_gate(strewn, window((0, 10), seconds=10), again=again, carefully=carefully)
    assert verdict.heard == full
    assert verdict.tried == (("decoded", ("missing_words",)), ("decoded carefully", ()))


def test_all_that_follows_an_early_stop_is_decoded_in_one_piece() -> None:
    """It is not split at its pauses, only at words after it."""
    spoken = window((0, 10), (11, 15), (16, 19), (20, 24), (25, 30), seconds=30)
    stopped = heard(*spread(TEN_WORDS, 0, 10), *spread("and then it was", 20, 24))
    rest, last = heard(*spread(different(14), 0.1, 8.1)), heard(*spread(TEN_WORDS, 0.1, 5))
    again = Answers(rest, last)
    verdict = pass_gate(stopped, spoken, again=again, carefully=Answers())
    assert again.seconds == [pytest.approx((10.9, 19.1)), pytest.approx((24.9, 30))]
    assert verdict.flags == ()
    assert verdict.heard.text.startswith(f"{TEN_WORDS} {rest.text} and then it was")


def test_a_window_without_any_word_is_decoded_carefully() -> None:
    """However short its stretches of speech are."""
    spoken = window((0, 0.9), (2, 2.9), (4, 4.9), (6, 7.2), seconds=8)
    full = heard(*spread(TEN_WORDS, 0, 7.2))
    assert pass_gate(heard(), spoken, again=Answers(), carefully=Answers(full)).heard == full


def test_what_whisper_likes_to_invent_is_not_taken_for_missed_speech() -> None:
    gap = heard(*spread("it was when they all came", 0, 5), *spread("then it was over.", 10, 12))
    again = Answers(heard(*spread("Thank you.", 2, 3)))
    verdict = pass_gate(gap, window((0, 12), seconds=12), again=again, carefully=Answers())
    assert (verdict.heard, verdict.flags) == (gap, ("missing_words",))


def test_where_a_decoder_stops_once_more_it_goes_on_after_its_last_word() -> None:
    stopped = heard(*spread(TEN_WORDS, 0, 10))
    again = Answers(heard(*spread("they came home", 0.1, 4)), heard(*spread("and saw it all.", 0.1, 4.8)))
    verdict = pass_gate(stopped, window((0, 19), seconds=19), again=again, carefully=Answers())
    assert [start for start, _ in again.seconds] == pytest.approx([10, 14], abs=0.02)
    assert verdict.heard.text == f"{TEN_WORDS} they came home and saw it all."
    assert verdict.flags == ()


def test_what_nothing_helps_is_flagged_with_what_is_wrong() -> None:
    spoken = window((0, 5), (6, 11), seconds=12)
    first = heard(*spread(f"{LOOP} " * 4, 0, 11), avg_logprob=-1.4)
    others = [heard(*spread(f"{LOOP} " * 4, 0, 5), avg_logprob=-1.5) for _ in range(5)]
    verdict = pass_gate(first, spoken, again=Answers(*others[:2]), carefully=Answers(*others[2:]))
    assert verdict.heard == first
    assert verdict.flags == ("repetition", "low_confidence", "no_punctuation")[:2]
    assert [action for action, _ in verdict.tried] == ["decoded", "decoded carefully", "split at its longest pause"]


def test_a_second_attempt_that_is_worse_is_not_taken() -> None:
    worse = heard(*spread("ha" * 100, 0, 5), avg_logprob=-3)
    verdict = pass_gate(DOUBTFUL, window((0, 5), seconds=5), again=Answers(), carefully=Answers(worse))
    assert (verdict.heard, verdict.flags) == (DOUBTFUL, UNSURE)


def test_of_two_attempts_with_the_same_fault_the_surer_is_taken() -> None:
    surer = heard(*spread(TEN_WORDS, 0, 5), avg_logprob=-1.1)
    verdict = pass_gate(DOUBTFUL, window((0, 5), seconds=5), again=Answers(), carefully=Answers(surer))
    assert (verdict.heard, verdict.flags) == (surer, UNSURE)


@pytest.mark.parametrize(
    ("text", "figures", "sign"),
    [
        ("Thank you.", {"no_speech_prob": 0.5}, "stock_phrase"),
        ("Yes.", {"no_speech_prob": 0.8}, "maybe_no_speech"),
        ("Yes, oh yes, I do, I do, of course I did it all.", {}, "too_fast"),
    ],
)
def test_what_is_invented_where_hardly_anybody_speaks_is_dropped(text: str, figures: dict[str, Any], sign: str) -> None:
    said = heard(*spread(text, 3, 4), **figures)
    verdict = pass_gate(said, window((3, 4), seconds=6), again=Answers(), carefully=Answers())
    assert verdict.heard.words == ()
    assert (verdict.flags, verdict.dropped) == ((), text)
    assert verdict.tried == (("decoded", (sign,)),)


def test_what_is_invented_over_a_murmur_is_dropped_and_what_was_missed_is_flagged() -> None:
    said = heard(*spread("Thank you.", 9, 10), avg_logprob=-0.95, no_speech_prob=0.78)
    verdict = pass_gate(said, window((0, 20), seconds=20), again=Answers(said, said), carefully=Answers(said))
    assert verdict.heard.words == ()
    assert (verdict.flags, verdict.dropped) == (("missing_words",), "Thank you.")


def test_thanks_that_are_certain_stay_where_much_was_missed() -> None:
    said = heard(*spread("Thank you.", 9, 10))
    verdict = pass_gate(said, window((0, 20), seconds=20), again=Answers(said, said), carefully=Answers(said))
    assert (verdict.heard, verdict.flags, verdict.dropped) == (said, ("missing_words",), "")


def test_a_doubtful_answer_is_kept_and_flagged() -> None:
    said = heard(*spread("Yes.", 3, 4), avg_logprob=-1.2)
    verdict = pass_gate(said, window((3, 4), seconds=6), again=Answers(), carefully=Answers(said))
    assert (verdict.heard, verdict.flags, verdict.dropped) == (said, ("low_confidence",), "")


def test_words_that_were_missed_outweigh_doubt() -> None:
    full = heard(*spread(TEN_WORDS, 0, 10), avg_logprob=-1.05)
    verdict = pass_gate(heard(), window((0, 10), seconds=10), again=Answers(full), carefully=Answers(full))
    assert (verdict.heard, verdict.flags) == (full, ("low_confidence",))


def test_a_short_answer_stays() -> None:
    said = heard(*spread("Yes, I did.", 3, 4))
    verdict = pass_gate(said, window((3, 4), seconds=6), again=Answers(), carefully=Answers())
    assert (verdict.heard, verdict.flags, verdict.dropped) == (said, (), "")


@pytest.mark.parametrize(
    ("probabilities", "code"),
    [({"en": 0.6, "de": 0.4}, "en"), ({"en": 0.11, "de": 0.89}, "en"), ({"en": 0.1, "de": 0.9}, "de")],
)
def test_another_language_has_to_be_plain(probabilities: dict[str, float], code: str) -> None:
    assert spoken_language(probabilities, "en") == code
