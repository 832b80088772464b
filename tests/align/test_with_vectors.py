"""The aligner with sentence vectors, on the sample show's scripts: answers, follow-ups, corrections, explanations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pipeline.align import Alignment, align
from pipeline.align.aligner import ASKED_PROBABILITY, ASKING_WORTH_NAMING, SURER
from pipeline.align.detect import detect
from pipeline.align.explain import explanation, table
from pipeline.align.labels import label_segments
from pipeline.align.meaning import SentenceEncoder
from pipeline.model import Correction, Label, Match, Question, Segment
from pipeline.sample import DATA

Truth = dict[str, Any]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def truth(episode: int) -> Truth:
    found: Truth = json.loads((DATA / f"episode-{episode}.truth.json").read_text(encoding="utf-8"))
    return found


def segments_of(script: Truth) -> tuple[Segment, ...]:
    return tuple(Segment(u["start"], u["end"], u["text"], speaker=u["speaker"]) for u in script["utterances"])


def questions_of(script: Truth) -> tuple[Question, ...]:
    return tuple(Question(q["number"], q["text"]) for q in script["questions"])


@pytest.fixture(scope="module")
def rephrased(encoder: SentenceEncoder) -> Alignment:
    script = truth(2)
    return align(questions_of(script), segments_of(script), encode=encoder.encode)


def test_rephrased_merged_skipped_and_swapped_questions_are_all_right(rephrased: Alignment) -> None:
    for expected, match in zip(truth(2)["questions"], rephrased.matches, strict=True):
        if expected["start"] is None:
            assert match.status == "not_asked", match
            continue
        if match.status not in {"asked", "uncertain"}:
            assert (match.status, match.merged_with) == (expected["status"], expected["merged_with"])
        assert match.start == pytest.approx(expected["start"], abs=2.0)
        assert match.end == pytest.approx(expected["end"], abs=2.0)
        assert match.answer_end == pytest.approx(expected["answer_end"], abs=2.0)


def test_what_the_host_asks_besides_the_list_follows_its_question(rephrased: Alignment) -> None:
    (expected,) = truth(2)["follow_ups"]
    (found,) = rephrased.follow_ups
    assert found.after == expected["after"]
    assert found.start == pytest.approx(expected["start"], abs=0.5)
    assert found.end == pytest.approx(expected["end"], abs=0.5)
    assert found.text == "Did any of the neighbours object?"


def test_a_follow_up_has_the_number_of_its_question_where_that_is_sure(rephrased: Alignment) -> None:
    script = truth(2)
    sure = tuple(replace(match, status="asked") if match.number == 3 else match for match in rephrased.matches)
    labels = label_segments(sure, rephrased.follow_ups, segments_of(script))
    by_text = {u["text"]: label for u, label in zip(script["utterances"], labels, strict=True)}
    assert by_text["Did any of the neighbours object?"] == Label("question", (3,))
    assert by_text[
        "One man, who had signed a petition against us, now teaches the children to grow vegetables."
    ] == Label("answer", (3,))
    assert by_text["Graham Seabrook, thanks for speaking so openly."] == Label("other")


def test_a_correction_wins_and_its_neighbours_are_decided_given_it(
    encoder: SentenceEncoder, rephrased: Alignment
) -> None:
    script = truth(2)
    late = Correction(6, "asked", start=99.4, editor="Ada", made_at="2026-11-26T00:00:00Z")
    given = align(questions_of(script), segments_of(script), encode=encoder.encode, corrections={6: late})
    in_force = {match.number: match for match in given.in_force}
    assert (in_force[6].status, in_force[6].start, in_force[6].confidence) == ("asked", 99.4, 1.0)
    assert in_force[3].answer_end == 99.4
    assert given.follow_ups == ()  # now it is a listed question
    # Its own match is kept, to be used again when the correction is undone.
    assert given.matches[5].status == rephrased.matches[5].status == "not_asked"


def test_a_question_that_an_editor_says_is_not_asked_has_no_place(encoder: SentenceEncoder) -> None:
    script = truth(2)
    gone = Correction(7, "not_asked", editor="Ada", made_at="2026-11-26T00:00:00Z")
    given = align(questions_of(script), segments_of(script), encode=encoder.encode, corrections={7: gone})
    assert (given.in_force[6].status, given.in_force[6].start) == ("not_asked", None)
    assert given.matches[6].status == "asked"


def test_an_explanation_adds_up_and_reads_as_a_table(rephrased: Alignment) -> None:
    explained = explanation(questions_of(truth(2)), rephrased)
    assert json.loads(json.dumps(explained)) == explained
    for one in explained:
        for place in one["places"]:
            assert sum(piece["log_odds"] for piece in place["evidence"].values()) == pytest.approx(
                place["log_odds"], abs=0.1
            )
    text = "\n".join(table(explained))
    assert "7. And finally, what’s next for Greenhaven?" in text
    assert "next best" in text


def test_an_explanation_tells_what_of_a_question_is_asked() -> None:
    asked = "How have caseloads been kept manageable?"
    question = Question(1, f"{asked} What do you hear of foster carers in Northbridge?")
    segments = [
        Segment(0, 5, asked, speaker="Ann"),
        Segment(5, 20, "We hired and hired again, for years.", speaker="Ben"),
    ]
    (explained,) = explanation([question], align([question], segments))
    assert explained["places"][0]["part"] == asked
    assert f"only this part: {asked}" in "\n".join(table([explained]))


@pytest.mark.parametrize("episode", [1, 2])
def test_without_a_list_what_the_host_asks_is_found(episode: int) -> None:
    script = truth(episode)
    questions, matches = detect(segments_of(script))
    expected = {q["start"] for q in script["questions"] if q["start"]} | {f["start"] for f in script["follow_ups"]}
    assert len(questions) == len(matches) == len(expected)
    assert [match.start for match in matches] == pytest.approx(sorted(expected), abs=2.0)
    assert [question.number for question in questions] == list(range(1, len(questions) + 1))


def test_without_speakers_a_list_is_found_from_the_text_alone() -> None:
    segments = tuple(replace(segment, speaker=None) for segment in segments_of(truth(1)))
    _, matches = detect(segments)
    starts = [match.start for match in matches if match.start is not None]
    for question in truth(1)["questions"]:
        assert any(question["start"] <= start < question["end"] for start in starts)


def test_where_nobody_asks_there_is_no_list() -> None:
    assert detect(()) == ((), ())
    assert detect((Segment(0, 5, "It rained all day.", speaker="A"), Segment(5, 9, "It did.", speaker="B"))) == ((), ())


LISTED = (
    "How have caseloads been kept manageable for practitioners?",
    "With less money, whose choice is it which teams shrink?",
    "What does the therapeutic team do for foster carers?",
)
ASKED = "So when there is less money, who decides which of the teams loses people?"
ANSWER = (
    ("We spent most of that winter visiting every single team in person.", "guest"),
    ("And did you ever want to leave?", "host"),
    ("The weather was dreadful and the trains were worse.", "guest"),
    ("My deputy wrote everything down in a green notebook.", "guest"),
    ("Were you surprised by that?", "host"),
    ("I remember thinking that nobody would ever read it.", "guest"),
)


def aligned(encoder: SentenceEncoder, listed: Sequence[str], spoken: Sequence[tuple[str, str]]) -> Alignment:
    segments = [Segment(10.0 * n, 10.0 * n + 9.5, text, speaker=who) for n, (text, who) in enumerate(spoken)]
    return align([Question(n, text) for n, text in enumerate(listed, 1)], segments, encode=encoder.encode)


def second_match(encoder: SentenceEncoder, listed: str, spoken: Sequence[tuple[str, str]]) -> Match:
    """The match of the second question; only the others are asked as listed."""
    matches = aligned(encoder, (LISTED[0], listed, LISTED[2]), spoken).matches
    assert [matches[n].status for n in (0, 2)] == ["asked", "asked"]
    return matches[1]


def conversation(said: str, speaker: str) -> list[tuple[str, str]]:
    """Two listed questions, and something said at 1:10 between their answers."""
    return [(LISTED[0], "host"), *ANSWER, (said, speaker), *ANSWER, (LISTED[2], "host"), *ANSWER]


def assert_is_likely_but_not_named(match: Match, at: float) -> None:
    assert (match.status, match.runner_up) == ("not_asked", at)
    assert match.runner_up_confidence is not None
    assert match.runner_up_confidence > ASKING_WORTH_NAMING


def test_what_is_asked_in_other_words_is_named_though_unlikely(encoder: SentenceEncoder) -> None:
    match = second_match(encoder, "Fewer people for less money: who has to choose?", conversation(ASKED, "host"))
    assert (match.status, match.start) == ("uncertain", 70.0)
    assert ASKING_WORTH_NAMING**SURER < match.confidence < ASKED_PROBABILITY**SURER


def test_what_is_unlikely_is_not_named_where_the_host_asks_nothing(encoder: SentenceEncoder) -> None:
    said = "So when there is less money, somebody decides which of the teams loses people."
    match = second_match(encoder, LISTED[1], conversation(said, "host"))
    assert_is_likely_but_not_named(match, 70.0)


def test_what_a_guest_asks_is_hardly_likely(encoder: SentenceEncoder) -> None:
    match = second_match(encoder, LISTED[1], conversation(ASKED, "guest"))
    assert (match.status, match.runner_up) == ("not_asked", 70.0)
    assert 0 < (match.runner_up_confidence or 0) < ASKING_WORTH_NAMING


def test_what_is_unlikely_is_not_named_in_the_introduction(encoder: SentenceEncoder) -> None:
    spoken = [(ASKED, "host"), *ANSWER, (LISTED[0], "host"), *ANSWER, (LISTED[2], "host"), *ANSWER]
    match = second_match(encoder, LISTED[1], spoken)
    assert_is_likely_but_not_named(match, 0.0)


def test_the_only_asking_that_is_left_is_not_named_for_a_question_of_other_things(encoder: SentenceEncoder) -> None:
    answer = [turn for turn in ANSWER if turn[1] == "guest"]
    other = ("And who was with you on that long journey?", "host")
    spoken = [(LISTED[0], "host"), *answer, other, *answer, (LISTED[2], "host"), *answer]
    match = second_match(encoder, "How did you choose your new software?", spoken)
    assert_is_likely_but_not_named(match, 50.0)


def test_what_may_be_a_question_of_the_list_is_no_follow_up(encoder: SentenceEncoder) -> None:
    spoken = conversation(ASKED, "host")
    without = aligned(encoder, (LISTED[0], LISTED[2]), spoken)
    assert [(found.start, found.after) for found in without.follow_ups][2:3] == [(70.0, 1)]
    with_it = aligned(encoder, (LISTED[0], "Fewer people for less money: who has to choose?", LISTED[2]), spoken)
    assert with_it.matches[1].status == "uncertain"
    assert 70.0 not in [found.start for found in with_it.follow_ups]
    assert with_it.matches[0].answer_end == without.matches[0].answer_end
