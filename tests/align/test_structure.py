"""The structure of an interview: teasers, recaps, advertisements, two hosts, what introduces and ends a question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.align import align
from pipeline.align.askings import hosts_of, unanswered
from pipeline.align.detect import detect
from pipeline.align.units import cut
from pipeline.model import Match, Question, Segment

FLOODS = "Why are people still building on flood plains?"
WARNING = "How much warning does a village get before the river rises?"
INSURANCE = "Who pays when an insurance company refuses to?"
CHILDREN = "What do you tell children who are afraid of the rain?"
ASKED = (FLOODS, WARNING, INSURANCE, CHILDREN)
ANSWER = (
    "It began when the mill was sold to a builder from the coast who had never seen the meadow in winter.",
    "My neighbours wrote letters for two years and nobody at the council read a single one of them.",
    "In the end we took photographs every morning and hung them up in the library for all to see.",
    "That was what changed it, more than any report that an engineer ever wrote about the valley.",
)
WELCOME = "Welcome to the show, I am Ann, and with me is Bob, who has looked after the river for thirty years now."


def interview(*turns: tuple[str, str]) -> tuple[Segment, ...]:
    """Sentences with their speakers, at 2.5 words per second."""
    found, now = [], 0.0
    for speaker, text in turns:
        seconds = len(text.split()) / 2.5
        found.append(Segment(round(now, 3), round(now + seconds, 3), text, speaker=speaker))
        now += seconds + 0.4
    return tuple(found)


def start_of(text: str, segments: Sequence[Segment], *, which: int = 0) -> float:
    return [segment.start for segment in segments if segment.text == text][which]


def found(segments: Sequence[Segment], *questions: str) -> tuple[Match, ...]:
    return align([Question(n, text) for n, text in enumerate(questions, 1)], segments).matches


def answered(asked: str, host: str = "ann", guest: str = "bob") -> list[tuple[str, str]]:
    return [(host, asked), *((guest, sentence) for sentence in ANSWER)]


TEASER = [("ann", "Today we hear:"), *(("ann", one) for one in ASKED[:3]), ("ann", WELCOME), ("ann", WELCOME)]
RECAP = [("ann", "So we asked three things."), *(("ann", one) for one in ASKED[:3]), ("ann", "Goodbye, and thank you.")]


@pytest.mark.parametrize(("before", "after"), [(TEASER, []), ([], RECAP), (TEASER, RECAP)])
def test_what_is_read_out_before_or_after_is_not_the_asking(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    asking = [turn for asked in ASKED for turn in answered(asked)]
    segments = interview(*before, *asking, *after)
    starts = [start_of(asked, segments, which=int(bool(before))) for asked in ASKED[:3]]
    matches = found(segments, *ASKED)
    assert [match.status for match in matches] == ["asked"] * 4
    assert [match.start for match in matches] == [*starts, start_of(CHILDREN, segments)]


def test_what_is_only_read_out_is_not_asked() -> None:
    asking = [turn for asked in (WARNING, CHILDREN) for turn in answered(asked)]
    matches = found(interview(*TEASER, *asking, *RECAP), *ASKED)
    assert [match.status for match in matches] == ["not_asked", "asked", "not_asked", "asked"]


def test_what_nobody_answers_is_at_either_end_alone() -> None:
    segments = interview(*TEASER, *answered(FLOODS), *answered(WARNING), *RECAP)
    told = unanswered(cut(segments), {"ann"})
    spoken = [unit.text for unit, is_unanswered in zip(cut(segments), told, strict=True) if is_unanswered]
    assert spoken[0] == "Today we hear:"
    assert spoken[-1] == "Goodbye, and thank you."
    assert len(spoken) == 5 + len(RECAP)  # the first of two repetitions: the host asks soon after the second
    assert not any(unanswered(cut(segments), ()))


def test_what_somebody_of_the_audience_asks_a_guest_is() -> None:
    segments = interview(*answered(FLOODS), *answered(WARNING), *answered(INSURANCE, host="cat"), *answered(CHILDREN))
    assert found(segments, *ASKED)[2].start == start_of(INSURANCE, segments)


def test_both_hosts_ask_and_no_guest_does() -> None:
    turns = [turn for n, asked in enumerate(ASKED * 2) for turn in answered(asked, host=("ann", "eve")[n % 2])]
    units = cut(interview(*turns))
    assert hosts_of(units, "ann") == {"ann", "eve"}
    assert hosts_of(units, None) == frozenset()
    guest = [
        ("bob", "Do you know what they said to me then?"),
        ("ann", "No, I have never heard what they said to you."),
    ]
    once = interview(*[turn for asked in ASKED for turn in [*answered(asked), *guest]])
    assert hosts_of(cut(once), "ann") == {"ann"}


def test_an_answer_ends_where_the_host_begins_to_speak_of_something_else() -> None:
    talk = "That reminds me of the winter in which my own cellar was full of water up to the third step."
    segments = interview(*answered(FLOODS), ("ann", talk), *answered(WARNING))
    match = found(segments, FLOODS, WARNING)[0]
    assert match.answer_end == start_of(talk, segments)


@pytest.mark.parametrize(
    ("lead", "is_of_it"),
    [
        ("Let's come to the warnings that people get.", True),
        ("So, if we can start at the very beginning of a night like that.", True),
        ("I have lived beside a river all my life.", False),
    ],
)
def test_an_asking_begins_with_what_leads_to_it(lead: str, is_of_it: bool) -> None:
    segments = interview(*answered(FLOODS), ("ann", "Thank you."), ("ann", lead), *answered(WARNING))
    match = found(segments, FLOODS, WARNING)[1]
    assert match.start == start_of(lead if is_of_it else WARNING, segments)


def test_a_near_twin_that_is_not_asked_is_not_merged_with_the_one_that_is() -> None:
    head, parent = "What would you say to a head teacher today?", "What would you say to a worried parent today?"
    matches = found(interview(*answered(FLOODS), *answered(head), *answered(WARNING)), FLOODS, head, parent, WARNING)
    assert [match.status for match in matches] == ["asked", "asked", "not_asked", "asked"]


def test_a_long_question_that_comes_soon_after_a_short_one_is_detected() -> None:
    short = [("ann", "And was the bridge still there?"), ("bob", "It was, but only just, I have to say.")]
    questions, _ = detect(interview(*answered(FLOODS), *short, *answered(WARNING)))
    assert WARNING in {question.text for question in questions}


def test_a_guest_who_answers_their_own_questions_does_not_ask() -> None:
    own = ("bob", "And what would you have done in my place then?"), *(("bob", sentence) for sentence in ANSWER)
    remark = ("ann", "That is a very long time to wait for a letter.")
    segments = interview(*(turn for asked in ASKED for turn in [("ann", asked), *own, remark, *own]))
    questions, _ = detect(segments)
    assert [question.text for question in questions] == list(ASKED)


def test_an_asking_does_not_begin_with_what_the_guest_tells_before_it() -> None:
    before, asked = "We had no warning at all in our village.", "So how much does one get before the river rises?"
    segments = interview(*answered(FLOODS), ("bob", before), *answered(asked), *answered(INSURANCE))
    match = found(segments, FLOODS, WARNING, INSURANCE)[1]
    assert match.start == start_of(asked, segments)


def test_a_sentence_that_the_host_ends_begins_where_somebody_else_seems_to_begin_it() -> None:
    begun = "So how much warning does a village get"
    segments = interview(*answered(FLOODS), ("bob", begun), *answered("before the river rises?"), *answered(INSURANCE))
    match = found(segments, FLOODS, WARNING, INSURANCE)[1]
    assert match.start == start_of(begun, segments)


def test_what_a_listener_asks_begins_there_also_if_the_host_asks_for_an_answer() -> None:
    passed_on = answered("What do you say to that?")
    segments = interview(*answered(FLOODS), ("cat", WARNING), *passed_on, *answered(INSURANCE))
    match = found(segments, FLOODS, WARNING, INSURANCE)[1]
    assert match.start == start_of(WARNING, segments)


@pytest.mark.parametrize(("second", "status"), [("ann", "merged"), ("eve", "asked")])
def test_what_another_host_asks_next_is_not_merged(second: str, status: str) -> None:
    also = f"And {INSURANCE[0].lower()}{INSURANCE[1:]}"
    besides = [turn for host in ("ann", "eve") * 3 for turn in answered("What did the engineers say?", host)]
    segments = interview(("ann", FLOODS), *answered(also, host=second), *besides)
    matches = found(segments, FLOODS, INSURANCE)
    assert [match.status for match in matches] == [status, status]
    assert matches[1].start == start_of(FLOODS if status == "merged" else also, segments)
