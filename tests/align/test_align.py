"""The aligner, through its single public function."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.align import align
from pipeline.align.answers import with_answers
from pipeline.align.askings import Asking
from pipeline.align.labels import label_segments
from pipeline.align.units import cut
from pipeline.model import Label, Match, MatchStatus, Question, Segment, Word
from pipeline.sample import DATA

FILLER = [
    "We spent most of that winter visiting every single team in person.",
    "The weather was dreadful and the trains were worse.",
    "My deputy wrote everything down in a green notebook.",
    "I remember thinking that nobody would ever read it.",
]


def interview(*turns: str) -> tuple[Segment, ...]:
    """Segments of ten seconds, each turn followed by four sentences about something else."""
    texts = [text for turn in turns for text in (turn, *FILLER)]
    return tuple(Segment(10.0 * n, 10.0 * n + 9.5, text) for n, text in enumerate(texts))


def found(questions: Sequence[Question], segments: Sequence[Segment]) -> tuple[Match, ...]:
    """The matches by wording alone."""
    return align(questions, segments).matches


QUESTIONS = (
    Question(1, "How have caseloads been kept manageable for practitioners?"),
    Question(2, "What does the therapeutic team do for foster carers?"),
    Question(3, "And finally, what’s next for the apprenticeship scheme?"),
)


def test_questions_asked_in_order_are_found_at_their_first_word() -> None:
    segments = interview(*(question.text for question in QUESTIONS))
    matches = found(QUESTIONS, segments)
    assert [match.status for match in matches] == ["asked"] * 3
    assert [match.start for match in matches] == [0.0, 50.0, 100.0]
    assert [match.answer_end for match in matches] == [50.0, 100.0, pytest.approx(segments[-1].end)]
    assert all(match.confidence > 0.8 for match in matches)


def test_a_question_that_is_not_asked_gets_no_time() -> None:
    matches = found(QUESTIONS, interview(QUESTIONS[0].text, QUESTIONS[2].text))
    assert [match.status for match in matches] == ["asked", "not_asked", "asked"]
    assert matches[1].start is None
    assert matches[1].answer_end is None
    assert matches[1].confidence == 0.5  # its wording does not occur; it may have been asked in other words


def test_swapped_questions_are_found_where_they_are_asked() -> None:
    matches = found(QUESTIONS, interview(QUESTIONS[1].text, QUESTIONS[0].text, QUESTIONS[2].text))
    assert [match.start for match in matches] == [50.0, 0.0, 100.0]


def test_misheard_words_count_in_part() -> None:
    heard = "How have caselodes been kept managable for practioners?"
    matches = found(QUESTIONS, interview(heard, QUESTIONS[1].text))
    assert matches[0].status == "asked"
    assert matches[0].start == 0.0


def test_two_questions_in_one_breath_are_merged() -> None:
    matches = found(QUESTIONS, interview(QUESTIONS[0].text + " " + QUESTIONS[1].text, QUESTIONS[2].text))
    assert matches[0].start is not None
    assert matches[1].start is not None
    assert matches[1].start - matches[0].start < 10


def test_questions_in_one_sentence_name_each_other() -> None:
    both = "How have caseloads been kept manageable for practitioners and what does the therapeutic team do for carers?"
    matches = found(QUESTIONS, interview(both, QUESTIONS[2].text))
    assert [(match.status, match.merged_with) for match in matches] == [("merged", 2), ("merged", 1), ("asked", None)]
    assert matches[0].start == matches[1].start == 0.0


def test_what_is_uncertain_labels_no_segment_and_ends_no_answer() -> None:
    segments = interview(QUESTIONS[0].text, "What does that team do?", QUESTIONS[2].text)
    sure = found((QUESTIONS[0], QUESTIONS[2]), segments)
    unsure = Match(2, "uncertain", 50.0, 59.5, 100.0, 0.4)
    assert sure[0].answer_end == 100.0
    assert label_segments((*sure, unsure), (), segments) == label_segments(sure, (), segments)


def test_word_times_decide_where_a_sentence_begins() -> None:
    text = "Thank you. How have caseloads been kept manageable for practitioners?"
    words = tuple(Word(3.0 + 0.5 * n, 3.4 + 0.5 * n, word, 0.9) for n, word in enumerate(text.split()))
    matches = found(QUESTIONS[:1], (Segment(3.0, 9.0, text, words),))
    assert matches[0].start == 4.0


@pytest.mark.parametrize(
    ("other", "pause", "start"),
    [("host", 0.5, 10.0), ("guest", 0.5, 20.0), ("host", 4.0, 20.0)],
    ids=["the same breath", "another speaker", "after a pause"],
)
def test_a_sentence_that_is_parted_into_segments_begins_where_the_first_does(
    other: str, pause: float, start: float
) -> None:
    segments = (
        Segment(0.0, 9.5, "We have heard a great deal about that.", speaker="guest"),
        Segment(10.0, 20.0 - pause, "You told me of the winter,", speaker=other),
        Segment(20.0, 29.5, "so how have caseloads been kept manageable for practitioners?", speaker="host"),
        *(Segment(30.0 + 10 * n, 39.5 + 10 * n, text, speaker="guest") for n, text in enumerate(FILLER)),
    )
    assert found(QUESTIONS[:1], segments)[0].start == start


def test_without_full_stops_a_segment_is_all_that_is_known_of_a_sentence() -> None:
    texts = [text.rstrip(".?") for text in (FILLER[0], QUESTIONS[0].text, *FILLER[1:])]
    segments = tuple(Segment(10.0 * n, 10.0 * n + 9.5, text) for n, text in enumerate(texts))
    assert found(QUESTIONS[:1], segments)[0].start == 10.0


def test_a_question_with_several_good_places_is_uncertain_not_unasked() -> None:
    (match,) = found(QUESTIONS[:1], interview(*[QUESTIONS[0].text] * 3))
    assert match.status == "uncertain"
    assert match.start is not None
    assert match.runner_up is not None
    assert match.runner_up != match.start


def test_what_is_not_asked_has_its_likeliest_place_as_runner_up() -> None:
    (match,) = found(QUESTIONS[:1], interview("What does the therapeutic team do?"))
    assert (match.status, match.start) == ("not_asked", None)
    assert match.runner_up is not None
    assert match.runner_up_confidence is not None
    assert match.runner_up_confidence < 0.45


def test_a_question_that_the_introduction_names_is_found_where_it_is_asked() -> None:
    segments = interview(*[QUESTIONS[0].text, *["That was long ago, in another town."] * 20, QUESTIONS[0].text])
    (match,) = found(QUESTIONS[:1], segments)
    assert match.start == 1050.0


def test_a_place_that_is_only_a_guess_does_not_cut_an_answer_unless_the_host_asks_there() -> None:
    def answered(speaker: str | None) -> float | None:
        said = [("Question one?", "host"), (FILLER[0], "guest"), ("So what does the team do?", speaker)]
        said += [(FILLER[1], "guest"), ("Question three it is?", "host"), (FILLER[2], "guest")]
        segments = [Segment(10.0 * n, 10.0 * n + 9.5, text, speaker=who) for n, (text, who) in enumerate(said)]
        places = {n: Asking(2 * n - 2, 2 * n - 2, 20.0 * n - 20, 20.0 * n - 10.5) for n in (1, 2, 3)}
        statuses: tuple[MatchStatus, ...] = ("asked", "uncertain", "asked")
        matches = [Match(n, status, places[n].start, places[n].end) for n, status in enumerate(statuses, 1)]
        return with_answers(matches, places, cut(segments))[0][0].answer_end

    assert answered("guest") == 40.0
    assert answered("host") == 20.0


def test_a_question_numbered_nought_has_follow_ups_too() -> None:
    answer = [(text, "guest") for text in FILLER]
    said = [(QUESTIONS[0].text, "host"), *answer, ("And did it rain that winter?", "host"), *answer]
    segments = tuple(Segment(10.0 * n, 10.0 * n + 9.5, text, speaker=who) for n, (text, who) in enumerate(said))
    alignment = align((Question(0, QUESTIONS[0].text),), segments)
    assert [one.after for one in alignment.follow_ups] == [0]
    assert alignment.matches[0].answer_end == alignment.follow_ups[0].start == 50.0


def test_asking_wins_over_answering_where_two_questions_share_a_segment() -> None:
    segments = (Segment(0.0, 10.0, "A?"), Segment(10.0, 20.0, "B?"))
    matches = (Match(1, "asked", 0.0, 10.0, 30.0, 0.9), Match(2, "asked", 10.0, 20.0, 30.0, 0.9))
    assert label_segments(matches, (), segments) == (Label("question", (1,)), Label("question", (2,)))
    assert label_segments(matches[::-1], (), segments) == (Label("question", (1,)), Label("question", (2,)))


def test_nothing_to_align() -> None:
    assert found((), interview("Hello.")) == ()
    assert found(QUESTIONS[:1], ())[0].status == "not_asked"
    assert found((Question(1, "…?"),), interview("Hello."))[0].status == "not_asked"


def test_segments_are_labelled_by_the_question_they_ask_or_answer() -> None:
    segments = (Segment(-5.0, -1.0, "Welcome to the show."), *interview(QUESTIONS[0].text, QUESTIONS[1].text))
    labels = label_segments(found(QUESTIONS[:2], segments), (), segments)
    assert labels[0] == Label("other")
    assert labels[1] == Label("question", (1,))
    assert labels[2:6] == (Label("answer", (1,)),) * 4
    assert labels[6] == Label("question", (2,))


def test_the_sample_read_from_its_script() -> None:
    """Nearly verbatim questions are all found at their first word, in the sentences of the ground truth."""
    truth = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))
    segments = tuple(Segment(u["start"], u["end"], u["text"]) for u in truth["utterances"])
    questions = tuple(Question(q["number"], q["text"]) for q in truth["questions"])
    for expected, match in zip(truth["questions"], found(questions, segments), strict=True):
        assert match.start == pytest.approx(expected["start"], abs=2.0)


texts = st.text(alphabet="abcdefg ABC?.,’'1\n", max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, max_size=6), st.lists(texts, max_size=12))
def test_any_text_gives_sane_and_repeatable_matches(questions: list[str], spoken: list[str]) -> None:
    asked = tuple(Question(n, text) for n, text in enumerate(questions, start=1))
    segments = tuple(Segment(5.0 * n, 5.0 * n + 4.0, text) for n, text in enumerate(spoken))
    matches = found(asked, segments)
    assert matches == found(asked, segments)
    assert [match.number for match in matches] == [question.number for question in asked]
    for match in matches:
        assert 0.0 <= match.confidence <= 1.0
        if match.start is None or match.end is None or match.answer_end is None:
            assert match.status == "not_asked"
        else:
            assert 0 <= match.start <= match.end <= match.answer_end <= 5.0 * len(spoken)
    assert len(label_segments(matches, (), segments)) == len(segments)


@given(st.lists(texts, max_size=8))
def test_sentences_keep_every_word_in_order(spoken: list[str]) -> None:
    segments = tuple(Segment(5.0 * n, 5.0 * n + 4.0, text) for n, text in enumerate(spoken))
    units = cut(segments)
    assert " ".join(unit.text for unit in units).split() == " ".join(spoken).split()
    assert all(unit.start <= unit.end for unit in units)


def sentences_of(*said: str) -> list[str]:
    return [unit.text for unit in cut(tuple(Segment(20.0 * n, 20.0 * n + 9.0, text) for n, text in enumerate(said)))]


def test_a_full_stop_before_a_small_letter_ends_no_sentence() -> None:
    assert sentences_of("It came from the U.S. government. Then?", "Nobody knew.") == [
        "It came from the U.S. government.",
        "Then?",
        "Nobody knew.",
    ]


def test_where_nothing_begins_with_a_capital_full_stops_count() -> None:
    assert sentences_of("it came late. nobody knew.", "so it went.") == ["it came late.", "nobody knew.", "so it went."]


@pytest.mark.parametrize(
    ("before", "asked", "begins"),
    [
        ("you did the work yourselves for years", "and how did that change", 20.0),
        ("you did the work yourselves for years", "how did that change", 24.0),
        ("because at the end we would like to know", "how did that change", 20.0),
        ("You did the work yourselves for years.", "And how did that change?", 24.0),
        ("You did the work yourselves for years", "and how did that change?", 20.0),
    ],
)
def test_a_sentence_begins_before_the_segment_that_goes_on_with_it(before: str, asked: str, begins: float) -> None:
    host = [Segment(20.0, 24.0, before, speaker="host"), Segment(24.0, 28.0, asked, speaker="host")]
    stop = "." if "?" in asked else ""
    talk = [Segment(n, n + 4.0, f"That was long ago{stop}", speaker="host") for n in (0.0, 5.0, 10.0)]
    assert cut([*talk, *host])[-1].sentence_start == begins
