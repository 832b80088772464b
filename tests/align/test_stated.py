"""Times that the publisher gives beside the questions."""

from __future__ import annotations

import pytest

from pipeline.align import align
from pipeline.model import Correction, Match, Question, Segment

ASKED = (
    "How have caseloads been kept manageable for practitioners?",
    "Where do the young people go once they turn eighteen?",
    "Why should anybody in Leeds take that job?",
    "Which promise did you find hardest to keep?",
)
# What was published shares hardly a word with what was asked, except for the first.
LISTED = (ASKED[0], "What support do care leavers get?", "How do you recruit?", "Any regrets?")
TURN = 60.0  # seconds from one asking to the next


def interview(*asked: str) -> tuple[Segment, ...]:
    """An asking a minute, each with an answer of five sentences."""
    answer = [f"That is what the {word} told us about it." for word in ("report", "staff", "court", "school", "board")]
    return tuple(
        Segment(TURN * turn + 10.0 * n, TURN * turn + 10.0 * n + 9.0, text, speaker="Guest" if n else "Host")
        for turn, question in enumerate(asked)
        for n, text in enumerate((question, *answer))
    )


def found(*stated: float | None, asked: tuple[str, ...] = ASKED) -> list[Match]:
    questions = [Question(n, text, time) for n, (text, time) in enumerate(zip(LISTED, stated, strict=True), 1)]
    return list(align(questions, interview(*asked)).matches)


def test_a_question_in_quite_other_words_is_found_at_the_publishers_time() -> None:
    assert [match.start for match in found(None, None, None, None)] != [0.0, 60.0, 120.0, 180.0]
    matches = found(0.0, 57.0, 118.0, 184.0)
    assert [match.start for match in matches] == [0.0, 60.0, 120.0, 180.0]
    assert [match.status for match in matches] == ["asked"] * 4


@pytest.mark.parametrize("shift", [-45.0, 0.0, 200.0])
def test_the_times_are_those_of_other_advertisements(shift: float) -> None:
    asked = ("Good morning, and welcome to all of you.",) * 5 + ASKED
    began = TURN * 5
    matches = found(*(began + TURN * n - shift for n in range(4)), asked=asked)
    assert [match.start for match in matches] == [began + TURN * n for n in range(4)]


def test_what_is_said_word_for_word_prevails_over_a_wrong_time() -> None:
    matches = found(150.0, 60.0, 120.0, 180.0)
    assert matches[0].start == 0.0


def test_a_time_at_which_nobody_speaks_is_of_no_use() -> None:
    assert found(0.0, 5000.0, 6000.0, 7000.0)[1:] == found(None, None, None, None)[1:]


def test_an_editors_word_counts_more_than_the_publishers_time() -> None:
    corrected = {2: Correction(2, "asked", start=130.0, end=139.0, editor="Ann", made_at="2026-05-04T10:00:00Z")}
    matches = align(
        [Question(n, text, TURN * (n - 1)) for n, text in enumerate(LISTED, 1)],
        interview(*ASKED),
        corrections=corrected,
    ).in_force
    assert matches[1].start == 130.0
