"""Editors' corrections in the archive: what is in force, undoing, and what is worth a look."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.archive.corrections import (
    check,
    correct,
    history,
    question_number,
    undo,
)
from pipeline.archive.database import any_reader, editor, is_current, writer
from pipeline.archive.feeds import save_poll
from pipeline.archive.listened import corrections_of
from pipeline.archive.listing import changes, listing
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.questions.asked import questions_of
from pipeline.archive.questions.doubts import worth_a_look
from pipeline.archive.reading import episode_named
from pipeline.archive.rendition_choice import Choice
from pipeline.archive.renditions import save_rendition
from pipeline.archive.schema import migrations
from pipeline.errors import CorrectionError, DatabaseError, UnknownEpisodeError
from pipeline.model import Correction, KeptAudio, Match, Signature, Validators
from tests.support.building import NOW, add_feed, add_transcript, episode, spoken

SHA256 = "ab" * 32
QUESTIONS = ("Alpha?", "Beta?", "Gamma?", "Delta?")
MATCHES = (
    Match(1, "asked", 1.0, 2.0, 9.0, 0.95),
    Match(2, "uncertain", 10.0, 12.0, 19.0, 0.4),
    Match(3, "asked", 20.0, 22.0, 29.0, 0.9),
    Match(4, "not_asked", confidence=0.5),
)


def said(number: int, status: Any = "asked", *times: Any, **others: Any) -> Correction:
    return Correction(number, status, *times, **{"editor": "ann", "made_at": NOW, **others})


def align(db: Database, episode_id: str, matches: Sequence[Match], *, key: str = "0" * 12) -> int:
    transcript = add_transcript(db, episode_id, spoken("Some words are said."), sha256=SHA256, key=key)
    save_matches(db, episode_id, transcript, matches, key=key, now=NOW)
    return transcript


@pytest.fixture
def one(archive: Database) -> str:
    """An aligned episode of sixty seconds."""
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    align(archive, one, MATCHES)
    return one


def times(db: Database, number: int) -> tuple[Any, ...]:
    return tuple(
        db.execute(
            """select status, start, "end", answer_end, confidence, corrected, merged_with
               from question_times where number = ?""",
            [number],
        ).fetchone()
    )


def test_the_newest_correction_counts_and_undoing_goes_back_step_by_step(archive: Database, one: str) -> None:
    correct(archive, one, said(2, "asked", 11.5, 12.5, 18.0))
    correct(archive, one, said(2, "not_asked", note="he only reads it out"))
    assert times(archive, 2) == ("not_asked", None, None, None, 1.0, 1, None)
    undo(archive, one, 2, Signature("bob", NOW))
    assert times(archive, 2) == ("asked", 11.5, 12.5, 18.0, 1.0, 1, None)
    assert corrections_of(archive.conn, one, SHA256) == {2: said(2, "asked", 11.5, 12.5, 18.0)}
    undo(archive, one, 2, Signature("bob", NOW, "as it was"))
    assert times(archive, 2) == ("uncertain", 10.0, 12.0, 19.0, 0.4, 0, None)
    assert corrections_of(archive.conn, one, SHA256) == {}
    with pytest.raises(CorrectionError, match=f"question 2 of {one} has no correction to undo"):
        undo(archive, one, 2, Signature("bob", NOW))
    assert [(entry.summary, entry.editor, entry.note, entry.undone) for entry in history(archive, one)] == [
        ("undone", "bob", "as it was", False),
        ("undone", "bob", None, False),
        ("not asked", "ann", "he only reads it out", True),
        ("asked at 0:11.5 to 0:12.5, answer to 0:18", "ann", None, True),
    ]
    correct(archive, one, said(2, "asked", 11.0))
    assert [entry.counts for entry in history(archive, one)] == [True, False, False, False, False]


def test_to_confirm_a_time_keeps_the_ends_that_an_editor_gave(archive: Database, one: str) -> None:
    correct(archive, one, said(3, "asked", 20.5, 21.0, 28.0))
    correct(archive, one, said(3))
    assert times(archive, 3)[:4] == ("asked", 20.5, 21.0, 28.0)
    correct(archive, one, said(3, "asked", None, None, 27.0))
    assert times(archive, 3)[:4] == ("asked", 20.5, 21.0, 27.0)


def test_a_list_that_has_lost_a_corrected_question_is_told(archive: Database, one: str) -> None:
    def poll(*questions: str) -> tuple[str, ...]:
        item = episode("one", title="The episode", questions=questions)
        saved = save_poll(archive, "show", [item], now=NOW, feed_url="x", validators=Validators(), parser_version=1)
        return saved.unlisted

    correct(archive, one, said(3, "asked", 20.5))
    assert poll(QUESTIONS[2], *QUESTIONS[:2]) == ()  # another order, and one that nobody had corrected is gone
    assert poll(*QUESTIONS[:2]) == ("The episode",)
    assert poll(QUESTIONS[1]) == ()


def test_a_correction_changes_the_page_of_its_episode(archive: Database, one: str) -> None:
    later = "2027-01-01T00:00:00Z"
    correct(archive, one, said(1, "asked", 1.5, made_at=later))
    assert changes(archive.conn) == ((one, later),)


def test_a_list_has_the_length_of_what_is_played_while_a_newer_recording_waits(archive: Database, one: str) -> None:
    newer = KeptAudio("ef" * 32, "audio/ef/newer.mp3", 1, "audio/mpeg", 99.0, "u", "u", NOW)
    save_rendition(archive, one, newer, choice=Choice(True, "the newest"))
    assert [episode.duration for episode in listing(archive.conn, 9).episodes] == [60.0]


def test_undoing_what_does_not_count_any_more_is_refused(archive: Database, one: str) -> None:
    correct(archive, one, said(1, "asked", 1.5))
    (seen,) = history(archive, one)
    correct(archive, one, said(1, "asked", 1.7))
    with pytest.raises(CorrectionError, match="is no longer in force"):
        undo(archive, one, 1, Signature("bob", NOW), only=seen.id)
    assert times(archive, 1)[1] == 1.7


@pytest.mark.parametrize(
    ("correction", "shown"),
    [
        (said(3, "asked", 20.5), (20.5, 22.0, 29.0)),  # the ends of the match may still be right
        (said(3, "asked", 23.0), (23.0, None, None)),
        (said(3, "asked", 30.0), (30.0, None, None)),
        (said(3, "asked", 20.5, 24.0), (20.5, 24.0, 29.0)),
        (said(3, "asked", 20.5, 29.5), (20.5, 29.5, 29.5)),
        (said(3, "asked", 20.5, None, 21.0), (20.5, 21.0, 21.0)),
        (said(3, "asked", 20.5, None, 40.0), (20.5, 22.0, 40.0)),
        (said(4, "asked", 33.0), (33.0, None, None)),
        (said(3, "not_asked"), (None, None, None)),
        (said(3), (20.0, 22.0, 29.0)),  # a confirmation
    ],
)
def test_ends_that_an_editor_does_not_say_are_those_that_were_found_if_they_can_be(
    archive: Database, one: str, correction: Correction, shown: tuple[float | None, ...]
) -> None:
    correct(archive, one, correction)
    assert times(archive, correction.number)[1:4] == shown


def test_a_correction_outlives_transcribing_and_aligning_again_but_not_another_recording(
    archive: Database, one: str
) -> None:
    correct(archive, one, said(1, "asked", 1.5))
    align(archive, one, [Match(1, "not_asked", confidence=0.5), *MATCHES[1:]], key="1" * 12)
    assert times(archive, 1)[:2] == ("asked", 1.5)
    add_transcript(archive, one, spoken("Other words."), sha256="cd" * 32)
    assert times(archive, 1)[:2] == (None, None)
    assert corrections_of(archive.conn, one, "cd" * 32) == {}
    assert corrections_of(archive.conn, one, SHA256)[1].start == 1.5
    (entry,) = history(archive, one)
    assert (entry.rendition, entry.counts, entry.undone) == (SHA256, False, False)
    with pytest.raises(CorrectionError, match="no correction to undo"):
        undo(archive, one, 1, Signature("bob", NOW))


@pytest.mark.parametrize(
    ("correction", "named"),
    [
        (said(9, "asked", 1.0), "question: show/.* has no question 9; its list has 4"),
        (said(1, "asked", -0.1), "start: -0.1 s is before the beginning"),
        (said(1, "asked", 60.1), "start: 1:00.1 is past the end of the recording, 1:00"),
        (said(1, "asked", float("nan")), "start: nan is not a time"),
        (said(1, "asked", float("inf")), "start: inf is not a time"),
        (said(1, "asked", 5.0, 4.0), "end: 0:04 is before start, 0:05"),
        (said(1, "asked", 5.0, None, 4.0), "answer_end: 0:04 is before start"),
        (said(1, "asked", 5.0, 7.0, 6.0), "answer_end: 0:06 is before end"),
        (said(1, "asked", None, 0.5), "end: 0:00.5 is before start, 0:01"),  # the confirmed start
        (said(1, "not_asked", 5.0), "start: a question that is not asked has no time"),
        (said(1, "not_asked", None, None, 5.0), "answer_end: a question that is not asked"),
        (said(1, "uncertain", 5.0), "status: “uncertain” is not one of asked, not_asked"),
        (said(4), "start: question 4 has no time to confirm"),
    ],
)
def test_a_correction_that_makes_no_sense_names_its_field_and_is_not_recorded(
    archive: Database, one: str, correction: Correction, named: str
) -> None:
    with pytest.raises(CorrectionError, match=named):
        correct(archive, one, correction)
    assert history(archive, one) == ()


any_time = st.none() | st.floats() | st.integers(-2, 62).map(float)


@given(st.sampled_from(["asked", "not_asked", "merged", ""]), st.tuples(any_time, any_time, any_time))
def test_whatever_is_let_through_is_in_order_and_within_the_recording(
    status: Any, given: tuple[float | None, ...]
) -> None:
    correction = said(1, status, *given)
    try:
        check(correction, 60.0)
    except CorrectionError:
        return
    said_times = [time for time in given if time is not None]
    assert status in {"asked", "not_asked"}
    assert [0.0, *said_times, 60.0] == sorted([0.0, *said_times, 60.0])
    assert status == "asked" or not said_times


def test_an_episode_without_audio_or_list_cannot_be_corrected(archive: Database) -> None:
    first, second = add_feed(archive, "show", episode("one", questions=["A?"]), episode("two"))
    with pytest.raises(CorrectionError, match="its audio is not kept yet; run `python -m pipeline ingest` first"):
        correct(archive, first, said(1, "asked", 1.0))
    with pytest.raises(CorrectionError, match="has no list of questions"):
        correct(archive, second, said(1, "asked", 1.0))


def test_a_question_is_known_by_its_id_also_when_its_number_changes(archive: Database, one: str) -> None:
    (beta,) = archive.execute("select id from questions where text = 'Beta?'").fetchone()
    add_feed(archive, "show", episode("one", questions=["New?", *QUESTIONS]), episode("two", questions=QUESTIONS))
    assert question_number(archive, one, beta) == 3
    (other,) = archive.execute("select id from episodes where guid = 'two'").fetchone()
    with pytest.raises(CorrectionError, match="has no question"):
        question_number(archive, other, beta)


def test_what_is_worth_a_look_comes_most_urgent_first(archive: Database) -> None:
    (one, two) = add_feed(
        archive, "show", episode("one", title="One", questions=["A?"] * 6), episode("two", questions=["B?"])
    )
    matches = [
        Match(1, "asked", 50.0, confidence=0.99),  # after all that follow
        Match(2, "asked", 10.0, confidence=0.9),
        Match(3, "merged", 10.0, confidence=0.6, merged_with=2),
        Match(4, "not_asked", confidence=0.5),
        Match(5, "uncertain", 30.0, confidence=0.3),
        Match(6, "uncertain", 40.0, confidence=0.2),
    ]
    align(archive, one, matches)
    assert [(doubt.number, doubt.reasons) for doubt in worth_a_look(archive.conn)] == [
        (6, ("uncertain", "not sure")),
        (5, ("uncertain", "not sure")),
        (1, ("out of list order",)),
        (4, ("not sure",)),
        (3, ("not sure",)),
    ]
    correct(archive, one, said(5, "asked", 31.0))
    correct(archive, one, said(4, "not_asked"))
    assert [doubt.number for doubt in worth_a_look(archive.conn, one)] == [6, 1, 3]
    assert worth_a_look(archive.conn, two) == ()


@given(st.lists(st.integers(0, 50), max_size=9))
def test_without_those_out_of_order_the_list_never_goes_back(starts: list[int]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        db = Database(connection)
        migrations.apply(db)
        (one,) = add_feed(db, "show", episode("one", questions=[str(n) for n in range(len(starts))]))
        align(db, one, [Match(n, "asked", float(start), confidence=1.0) for n, start in enumerate(starts, start=1)])
        misplaced = {doubt.number for doubt in worth_a_look(db.conn)}
    rest = [start for n, start in enumerate(starts, start=1) if n not in misplaced]
    assert rest == sorted(rest)
    assert bool(misplaced) == (starts != sorted(starts))
    for number in misplaced:  # none is listed needlessly
        more = [start for n, start in enumerate(starts, start=1) if n not in misplaced or n == number]
        assert more != sorted(more)


def test_an_episode_is_found_by_its_id_link_title_and_part_of_it(archive: Database) -> None:
    first, second, third = add_feed(
        archive,
        "show",
        episode("one", title="Northbridge: ‘Nobody holds  a case alone’"),
        episode("two", title="Part 1"),
        episode("three", title="Part 10"),
    )
    archive.execute("update episodes set link = 'https://example.org/two' where id = ?", [second])
    for name, found in [
        (first, first),
        (first.split("/")[1], first),
        (f"/-/episode/{first}?t=3.7", first),
        (f"https://archive.example.org/-/episode/{first}#q2", first),
        (f"https://archive.example.org/-/export/{first}.vtt", first),
        ("NORTHBRIDGE", first),
        ("'nobody holds a case", first),
        ("https://example.org/two", second),
        ("part 1", second),
        ("Part 10", third),
    ]:
        assert episode_named(archive.conn, name) == found
    listed = "".join(
        rf"\n  {id_}  {title}" for id_, title in sorted([(second, "Part 1"), (third, "Part 10")], reverse=True)
    )
    with pytest.raises(UnknownEpisodeError, match=f"“par” fits 2 episodes.*{listed}"):
        episode_named(archive.conn, "par")
    for nothing in ("", "Southbridge", "%"):
        with pytest.raises(UnknownEpisodeError, match=f"no episode matches “{nothing}”: give an id, a part of a title"):
            episode_named(archive.conn, nothing)


def made_before(path: Path) -> str:
    """An archive from before the version in which corrections can be undone, with one correction in it."""
    with closing(sqlite3.connect(path)) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before="m003_corrections")
        one = "show/0a1b2c3d"
        with db.atomic():
            db.execute("insert into feeds (slug, title, url) values ('show', 'Show', 'https://example.org/feed.xml')")
            db.execute(
                """insert into episodes (id, feed, guid, title, first_seen, last_seen)
                   values (?, 'show', 'one', 'An episode', ?, ?)""",
                [one, NOW, NOW],
            )
            db.conn.executemany(
                "insert into questions (id, episode, number, text, source) values (?, ?, ?, ?, 'notes')",
                [(f"{one}/q{number}", one, number, text) for number, text in enumerate(QUESTIONS, start=1)],
            )
            db.execute(
                """insert into renditions
                       (sha256, episode, url, final_url, bytes, content_type, duration, fetched_at, path)
                   values (?, ?, 'u', 'u', 1000, 'audio/mpeg', 60.0, ?, 'audio/x.mp3')""",
                [SHA256, one, NOW],
            )
            (transcript,) = db.execute(
                """insert into transcripts (rendition, episode, source, engine, model, language, options, key, created,
                       preferred)
                   values (?, ?, 'whisper', 'faster-whisper', 'tiny.en', 'en', '{}', '0', ?, 1) returning id""",
                [SHA256, one, NOW],
            ).fetchone()
            db.execute(
                """insert into segments (transcript, episode, n, start, "end", text)
                   values (?, ?, 0, 0, 2, 'Some words are said.')""",
                [transcript, one],
            )
            db.execute("insert into transcripts_fts (rowid, text) select id, text from transcript_texts")
            db.conn.executemany(
                """insert into matches (question, transcript, status, start, "end", answer_end, confidence)
                   select id, ?, ?, ?, ?, ?, ? from questions where number = ?""",
                [(transcript, m.status, m.start, m.end, m.answer_end, m.confidence, m.number) for m in MATCHES],
            )
            db.execute(
                """insert into corrections (question, rendition, start, status, made_at)
                   select id, ?, 20.5, 'asked', ? from questions where number = 3""",
                [SHA256, NOW],
            )
    return one


def test_corrections_of_an_older_archive_can_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    one = made_before(path)
    with any_reader(path) as connection:
        assert not is_current(connection)
        columns = [row[1] for row in connection.execute("pragma table_info(question_times)")]
    with editor(path) as db:
        assert is_current(db.conn)
        assert [row[1] for row in db.execute("pragma table_info(question_times)")][: len(columns)] == columns
        assert times(db, 3)[:4] == ("asked", 20.5, 22.0, 29.0)
        undo(db, one, 3, Signature("ann", NOW))
        assert times(db, 3)[:4] == ("asked", 20.0, 22.0, 29.0)


def test_what_may_be_asked_elsewhere_is_worth_a_look(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS[:3]))
    near = Match(1, "asked", 1.0, 2.0, 9.0, 0.87, runner_up=30.0, runner_up_confidence=0.12)
    far = Match(2, "asked", 10.0, 12.0, 19.0, 0.95, runner_up=40.0, runner_up_confidence=0.02)
    nowhere = Match(3, "not_asked", confidence=0.98, runner_up=50.0, runner_up_confidence=0.01)
    align(archive, one, [near, far, nowhere])
    assert [(doubt.number, doubt.reasons, doubt.runner_up) for doubt in worth_a_look(archive.conn)] == [
        (1, ("another place may be right",), 30.0),
        (3, ("not asked, or in very different words",), 50.0),
    ]
    assert [shown.runner_up for shown in questions_of(archive.conn, [one])[one]] == [30.0, None, 50.0]
    correct(archive, one, said(3, "not_asked"))
    assert [doubt.number for doubt in worth_a_look(archive.conn)] == [1]


def test_two_editors_and_a_run_write_beside_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with writer(path) as run:
        (one,) = add_feed(run, "show", episode("one", questions=QUESTIONS))
        align(run, one, MATCHES)
        with editor(path) as ann, editor(path) as bob:
            correct(ann, one, said(1, "asked", 1.5))
            correct(bob, one, said(1, "asked", 1.7, editor="bob"))
            align(run, one, MATCHES, key="1" * 12)
            assert [entry.editor for entry in history(ann, one)] == ["bob", "ann"]


def test_a_locked_database_is_said_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.archive.database.BUSY_SECONDS", 0.05)
    path = tmp_path / "a.db"
    with writer(path) as run:
        (one,) = add_feed(run, "show", episode("one", questions=QUESTIONS))
        align(run, one, MATCHES)
        with run.atomic():
            run.execute("update episodes set title = 'busy'")
            with pytest.raises(DatabaseError, match="another program has locked it"), editor(path) as ann:
                correct(ann, one, said(1, "asked", 1.5))
        assert history(run, one) == ()


def test_rows_of_corrections_stay_whatever_is_done(archive: Database, one: str) -> None:
    correct(archive, one, said(1, "asked", 1.5))
    undo(archive, one, 1, Signature("ann", NOW))
    with pytest.raises(sqlite3.IntegrityError):  # nothing is undone twice
        archive.execute(
            """insert into corrections (question, rendition, undoes, made_at)
               select question, rendition, undoes, made_at from corrections where undoes is not null"""
        )
    add_feed(archive, "show", episode("one", questions=["Only?"]))
    assert archive.execute("select count(*) from corrections").fetchone() == (2,)
