"""Which questions a passage asks and answers: on pages, in search and citations, before and after a correction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.addresses import Addresses
from pipeline.align.corrected import corrected_matches
from pipeline.align.labels import label_segments
from pipeline.archive import reading
from pipeline.archive.attributions import attribute, speech
from pipeline.archive.attributions import undo as undo_attribution
from pipeline.archive.corrections import correct, undo
from pipeline.archive.people import appearances
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.questions.groups import Asked, Filter, groups
from pipeline.archive.quoting import quotation
from pipeline.archive.schema import m014_questions
from pipeline.archive.search import Filters, search
from pipeline.archive.search.facets import facets
from pipeline.archive.search.query import compile_query
from pipeline.archive.transcripts import save_transcript
from pipeline.export.citation import citation
from pipeline.model import (
    Correction,
    FollowUp,
    Label,
    Match,
    MatchStatus,
    Role,
    Segment,
    Signature,
    Speaker,
    Transcript,
)
from pipeline.site.turns import turns
from tests.support.building import NOW, add_feed, add_transcript, episode

SHA256 = "ab" * 32
HOST, GUEST = "Dana Whitfield", "Ann Lee"
QUESTIONS = ("What did you do first?", "Who paid for it?", "What is next?", "And the budget?")
SAID = (
    (0.0, 4.0, HOST, "Welcome to the show."),
    (10.0, 14.0, HOST, "What did you do first, and who paid for it?"),
    (15.0, 20.0, GUEST, "We opened a house."),
    (21.0, 25.0, GUEST, "The council paid."),
    (30.0, 32.0, HOST, "And did the neighbours object?"),
    (33.0, 38.0, GUEST, "Some of them did."),
    (40.0, 42.0, HOST, "Now what is next?"),
    (43.0, 50.0, GUEST, "Another house."),
    (51.0, 54.0, HOST, "Thank you, and goodbye."),
)
MATCHES = (
    Match(1, "merged", 10.0, 14.0, 30.0, 0.9, 2),
    Match(2, "merged", 10.0, 14.0, 30.0, 0.9, 1),
    Match(3, "asked", 40.0, 42.0, 51.0, 0.9),
    Match(4, "uncertain", 51.0, 54.0, 54.0, 0.4),
)
FOLLOW_UP = FollowUp(1, 30.0, 32.0, 40.0, "And did the neighbours object?")
BOTH, NEXT = (1, 2), (3,)
FOUND = (
    Label("other"),
    *(Label("question", BOTH), Label("answer", BOTH), Label("answer", BOTH)),
    *(Label("question", BOTH), Label("answer", BOTH)),
    *(Label("question", NEXT), Label("answer", NEXT)),
    Label("other"),
)


@pytest.fixture
def one(archive: Database) -> str:
    """An aligned interview of one minute in which two questions are asked together."""
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    segments = tuple(Segment(start, end, text, speaker=who, confidence=0.9) for start, end, who, text in SAID)
    add_transcript(archive, one, segments, sha256=SHA256)
    speakers = (Speaker(HOST, HOST, "host", 20.0), Speaker(GUEST, GUEST, "guest", 30.0))
    transcript = Transcript(SHA256, 60.0, "faster-whisper", "tiny.en", "en", NOW, segments, speakers=speakers)
    number = save_transcript(archive, one, transcript, "0" * 12)
    save_matches(archive, one, number, MATCHES, follow_ups=(FOLLOW_UP,), key="k", now=NOW)
    return one


def labels(db: Database, episode_id: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    found = reading.episode(db.conn, episode_id)
    assert found
    return tuple((passage.role, passage.questions) for passage in found.passages)


def columns(db: Database) -> list[int | None]:
    """Each segment's single question number, as in the public schema."""
    return [number for (number,) in db.execute("select question from segments order by n")]


def say(db: Database, episode_id: str, number: int, *times: Any, status: MatchStatus = "asked") -> None:
    correct(db, episode_id, Correction(number, status, *times, editor="ann", made_at=NOW))


def test_what_is_asked_in_one_breath_has_both_numbers_where_it_is_asked_and_answered(
    archive: Database, one: str
) -> None:
    assert labels(archive, one) == FOUND
    assert columns(archive) == [None, 1, 1, 1, 1, 1, 3, 3, None]
    for typed in ("question:1", "question:2"):
        hits = search(archive.conn, typed).hits
        assert [(hit.role, hit.question, hit.questions) for hit in hits] == [
            (label.role, 1, BOTH) for label in FOUND if label.questions == BOTH
        ]
        assert {hit.about for hit in hits} == {"questions 1 and 2", "answer to questions 1 and 2"}
    assert search(archive.conn, "paid", Filters(question=2)).total == 2
    assert facets(archive.conn, compile_query("paid")).questions == ((1, 2), (2, 2))
    cited = quotation(archive.conn, SHA256, 21.0, 25.0)
    assert cited.wording.lines[0].questions == BOTH
    text = citation(cited, Addresses()).text
    assert f"Published question 1: “{QUESTIONS[0]}”\nPublished question 2: “{QUESTIONS[1]}”" in text
    (said,) = appearances(archive.conn, GUEST, 10).appearances
    assert [passage.questions for passage in said.passages] == [BOTH, BOTH, BOTH, NEXT]
    answers = [asked.answer for group in groups_of(archive) for asked in group]
    assert [answer and answer.text for answer in answers] == [
        *(["We opened a house. The council paid."] * 2),
        *("Another house.", None),
    ]


def groups_of(db: Database) -> list[tuple[Asked, ...]]:
    return [group.questions for group in groups(db.conn, Filter(), page=1, size=10, members=10).groups]


def test_a_heading_names_all_that_is_asked_together(archive: Database, one: str) -> None:
    found = reading.episode(archive.conn, one)
    assert found
    assert [(turn.about, turn.questions) for turn in turns(found.passages)] == [
        ("", ()),
        ("asks", (1, 2)),
        ("", (1, 2)),
        ("follows up on", (1, 2)),
        ("", (1, 2)),
        ("asks", (3,)),
        ("", (3,)),
        ("", ()),
    ]


def test_a_correction_counts_at_once_wherever_labels_are_shown(archive: Database, one: str) -> None:
    say(archive, one, 3, status="not_asked")
    assert labels(archive, one) == (*FOUND[:6], Label("other"), Label("other"), Label("other"))
    assert search(archive.conn, "question:3").total == 0
    assert not quotation(archive.conn, SHA256, 43.0, 50.0).questions
    undo(archive, one, 3, Signature("ann", NOW))
    assert labels(archive, one) == FOUND
    assert search(archive.conn, "question:3").total == 2


def test_what_was_uncertain_and_is_confirmed_labels_what_is_said(archive: Database, one: str) -> None:
    say(archive, one, 4)
    assert labels(archive, one) == (*FOUND[:-1], Label("question", (4,)))


def test_a_question_that_is_moved_takes_its_answer_along_and_ends_the_one_before(archive: Database, one: str) -> None:
    say(archive, one, 3, 30.0)
    assert labels(archive, one)[3:] == (
        Label("answer", BOTH),
        *(Label("question", NEXT), Label("answer", NEXT), Label("other", NEXT), Label("answer", NEXT)),
        Label("other"),
    )
    assert columns(archive)[4:8] == [3, 3, 3, 3]
    say(archive, one, 3, 40.2)
    assert labels(archive, one) == FOUND


def test_what_followed_up_on_a_question_that_is_moved_away_is_nobodys() -> None:
    segments = [Segment(start, end, text, speaker=speaker) for start, end, speaker, text in SAID]
    matches = (Match(1, "asked", 0.0, 4.0, 10.0, 0.9), Match(2, "asked", 10.0, 14.0, 30.0, 0.9))
    moved = {2: Correction(2, "asked", 40.0, editor="ann", made_at=NOW)}
    follow_up = replace(FOLLOW_UP, after=2)
    counting, besides = corrected_matches(matches, (follow_up,), moved, segments)
    assert besides == ()
    assert {label.questions for label in label_segments(counting, besides, segments)[1:6]} == {()}
    longer = replace(matches[0], answer_end=30.0)  # the previous one is still being answered there
    assert corrected_matches((longer, matches[1]), (follow_up,), moved, segments)[1] == (replace(follow_up, after=1),)


def test_a_question_that_is_taken_out_of_a_breath_leaves_the_other_alone(archive: Database, one: str) -> None:
    say(archive, one, 2, 40.0, 42.0, 51.0)
    assert labels(archive, one) == (
        Label("other"),
        *(Label("question", (1,)), Label("answer", (1,)), Label("answer", (1,))),
        *(Label("question", (1,)), Label("answer", (1,))),
        *(Label("question", (2, 3)), Label("answer", (2, 3))),
        Label("other"),
    )


def test_where_nobody_is_told_apart_no_more_than_one_passage_is_taken_for_the_asking(archive: Database) -> None:
    (two,) = add_feed(archive, "other", episode("two", questions=QUESTIONS[:1]))
    segments = [Segment(start, end, text) for start, end, _, text in SAID]
    number = add_transcript(archive, two, segments, sha256="cd" * 32)
    save_matches(archive, two, number, [Match(1, "not_asked", confidence=0.9)], key="k", now=NOW)
    say(archive, two, 1, 10.0)
    assert labels(archive, two) == (Label("other"), Label("question", (1,)), *[Label("answer", (1,))] * 7)


def test_an_answer_that_an_editor_gave_an_end_is_as_long_as_that(archive: Database, one: str) -> None:
    say(archive, one, 1, 10.0, 14.0, 50.0)
    assert labels(archive, one)[6:8] == (Label("question", NEXT), Label("answer", (1, 3)))


def test_numbers_that_change_places_in_the_list_change_in_the_labels(archive: Database, one: str) -> None:
    add_feed(archive, "show", episode("one", questions=(QUESTIONS[2], *QUESTIONS[:2], QUESTIONS[3])))
    assert [questions for _, questions in labels(archive, one)[1:8]] == [*[(2, 3)] * 5, (1,), (1,)]


def interrupted(who: str | None) -> tuple[Segment, ...]:
    """The same interview, with an interjection during an answer."""
    said = [*SAID[:3], (20.2, 20.8, who, "That is quite a record."), *SAID[3:]]
    return tuple(Segment(start, end, text, speaker=one) for start, end, one, text in said)


@pytest.mark.parametrize(("who", "role"), [(HOST, "other"), (GUEST, "answer"), (None, "answer"), ("Bo", "answer")])
def test_what_the_host_says_within_an_answer_is_none(who: str | None, role: Role) -> None:
    found = label_segments(MATCHES, (FOLLOW_UP,), interrupted(who))
    assert found[3] == Label(role, BOTH)
    assert (*found[:3], *found[4:]) == FOUND


@pytest.mark.parametrize("who", [GUEST, "Bo"])
def test_what_a_guest_says_while_the_host_asks_is_no_asking(who: str) -> None:
    def labelled(*asking: tuple[float, float, str, str]) -> tuple[Label, ...]:
        said = [Segment(start, end, text, speaker=one) for start, end, one, text in (SAID[0], *asking, *SAID[2:])]
        found = label_segments(MATCHES, (FOLLOW_UP,), said)
        assert (found[0], *found[-7:]) == (FOUND[0], *FOUND[-7:])
        return found[1:-7]

    word, asked = (10.0, 10.6, who, "Glad to be here."), (10.8, *SAID[1][1:])
    assert labelled(word, asked) == (Label("other"), Label("question", BOTH))  # an editor's start may be early
    first, rest = (10.0, 11.0, HOST, "What did you do first,"), (12.0, 14.0, HOST, "and who paid for it?")
    assert labelled(first, (11.2, 11.8, who, "Well."), rest)[1] == Label("other", BOTH)
    assert labelled((10.0, 10.6, HOST, "So."), asked) == (Label("question", BOTH),) * 2


def test_where_the_host_is_not_heard_in_an_asking_whoever_is_heard_asks() -> None:
    said = [Segment(start, end, text, speaker=GUEST if start == 40.0 else one) for start, end, one, text in SAID]
    assert label_segments(MATCHES, (FOLLOW_UP,), said) == FOUND


def test_where_voices_are_not_told_apart_an_answer_stays_one() -> None:
    alone = tuple(replace(segment, speaker=HOST) for segment in interrupted(HOST))
    nobody = tuple(replace(segment, speaker=None) for segment in interrupted(HOST))
    for segments in (alone, nobody):
        assert label_segments(MATCHES, (FOLLOW_UP,), segments)[2:5] == (Label("answer", BOTH),) * 3


def test_who_is_told_to_speak_in_an_answer_answers_or_does_not(archive: Database, one: str) -> None:
    here = speech(archive.conn, one, 3, 3)
    attribute(archive, one, (here.first, here.last), HOST, Signature("ann", NOW), seen=here.seal, everywhere=False)
    assert labels(archive, one) == (*FOUND[:3], Label("other", BOTH), *FOUND[4:])
    assert search(archive.conn, "paid", Filters(role="answer")).total == 0
    found = reading.episode(archive.conn, one)
    assert found
    assert [turn.about for turn in turns(found.passages)][3:5] == ["", "follows up on"]
    undo_attribution(archive, one, 1, Signature("ann", NOW))
    assert labels(archive, one) == FOUND


def test_the_index_stays_sound(archive: Database, one: str) -> None:
    say(archive, one, 3, 30.0)
    undo(archive, one, 3, Signature("ann", NOW))
    for table in ("segments_fts", "transcripts_fts"):
        archive.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
    assert search(archive.conn, '"another house"').total == 1


def test_an_archive_of_an_older_version_has_the_one_number_until_it_is_aligned_anew(
    archive: Database, one: str
) -> None:
    archive.execute("alter table segments drop column questions")
    archive.conn.executescript(m014_questions.SQL)
    assert [questions for _, questions in labels(archive, one)[1:8]] == [*[(1,)] * 5, NEXT, NEXT]
    assert archive.execute("select count(*) from alignments").fetchone() == (0,)


def times(db: Database) -> list[tuple[object, ...]]:
    """The view's values for each question: status, start, end, end of the answer, and what it is merged with."""
    return db.execute(
        'select status, start, "end", answer_end, merged_with from question_times order by number'
    ).fetchall()


ALONE = ("asked", 10.0, 14.0, 30.0, None)


def test_a_question_that_is_moved_ends_where_it_is_asked_now_and_leaves_those_around_it_alone(
    archive: Database, one: str
) -> None:
    found = times(archive)
    say(archive, one, 2, 40.0)
    assert times(archive)[:3] == [ALONE, ("asked", 40.0, 42.0, 51.0, None), ("asked", 40.0, 42.0, 51.0, None)]
    undo(archive, one, 2, Signature("ann", NOW))
    assert times(archive) == found
    say(archive, one, 3, 29.5)  # a little early: the guest is still heard
    assert times(archive)[2] == ("asked", 29.5, 32.0, 51.0, None)
    assert [end for *_, end, _ in times(archive)[:2]] == [29.5, 29.5]


def test_what_is_asked_after_all_that_was_found_is_answered_until_nobody_speaks(archive: Database, one: str) -> None:
    say(archive, one, 3, status="not_asked")
    say(archive, one, 4, 52.0)
    assert times(archive)[3] == ("asked", 52.0, 54.0, 54.0, None)
    say(archive, one, 4, 57.0)
    assert times(archive)[3] == ("asked", 57.0, None, None, None)


def test_a_time_within_an_answer_does_not_have_the_guest_ask_all_of_it(archive: Database, one: str) -> None:
    say(archive, one, 3, 18.0)
    assert times(archive)[2] == ("asked", 18.0, 20.0, 30.0, None)
    assert labels(archive, one)[2:4] == (Label("answer", BOTH), Label("answer", NEXT))


def test_a_correction_that_is_made_while_an_alignment_is_at_work_counts_when_that_is_stored(
    archive: Database, one: str
) -> None:
    (transcript,) = archive.execute("select id from transcripts where preferred").fetchone()
    say(archive, one, 3, status="not_asked")
    said = times(archive), labels(archive, one)
    save_matches(archive, one, transcript, MATCHES, follow_ups=(FOLLOW_UP,), key="k", now=NOW)
    assert (times(archive), labels(archive, one)) == said


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 60), st.booleans()), max_size=4))
def test_whatever_is_said_times_are_in_order_and_what_nobody_spoke_of_stays_in_its_place(
    said: list[tuple[int, float, bool]],
) -> None:
    segments = tuple(Segment(start, end, text, speaker=who) for start, end, who, text in SAID)
    corrections = {
        number: Correction(number, "asked", start, editor="ann", made_at=NOW)
        if is_asked
        else Correction(number, "not_asked", editor="ann", made_at=NOW)
        for number, start, is_asked in said
    }
    counting, besides = corrected_matches(MATCHES, (FOLLOW_UP,), corrections, segments)
    for found, counted in zip(MATCHES, counting, strict=True):
        correction = corrections.get(found.number)
        assert counted.start == (correction.start if correction else found.start)
        known = [time for time in (counted.start, counted.end, counted.answer_end) if time is not None]
        assert known == sorted(known)
        assert counted.merged_with not in {*corrections, counted.number}
        assert (counted.status == "merged") == (counted.merged_with is not None)
    assert all(one.start <= one.end <= one.answer_end for one in besides)
    label_segments(counting, besides, segments)
