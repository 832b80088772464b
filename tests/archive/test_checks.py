"""Checked passages in the archive: what is in force, what is found, and that nothing is ever lost."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.archive.checks import check, checked_passages, history, place, undo
from pipeline.archive.database import editor, writer
from pipeline.archive.listened import checks_of
from pipeline.archive.listing import changes
from pipeline.archive.preferred import passages_at, preferred_transcript
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.questions.lists import save_questions
from pipeline.archive.search import search
from pipeline.archive.segments import heard, read_segments
from pipeline.archive.transcripts import save_transcript
from pipeline.config import Config, Feed
from pipeline.errors import CorrectionError
from pipeline.model import Match, Question, Segment, Signature, Transcript, Word
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.archive.test_corrections import made_before
from tests.conftest import FakeEngine
from tests.support.building import NOW, add_feed, add_transcript, episode, spoken

SHA256 = "ab" * 32
MACHINE = spoken("We waited for the Offstead report.", "Thanks for watching!", "It took a year.", "And then it came.")


@pytest.fixture
def one(archive: Database) -> str:
    """An episode with a transcript of four passages, the first of them doubtful."""
    (one,) = add_feed(archive, "show", episode("one", questions=["What were you waiting for?"]))
    doubtful = replace(MACHINE[0], flags=("low_confidence",))
    add_transcript(archive, one, [doubtful, *MACHINE[1:]], sha256=SHA256)
    return one


def hear(
    db: Database, episode_id: str, first: int, text: str | None, *, last: int | None = None, who: str = "ann"
) -> None:
    passages = (first, first if last is None else last)
    seen = place(db.conn, episode_id, *passages).seal
    check(db, episode_id, passages, text, Signature(who, NOW), seen=seen)


def test_a_question_that_was_heard_has_the_words_that_were_checked(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    add_transcript(archive, one, spoken("Welcome all.", "What do inspectors see?", "A calm front door."), sha256=SHA256)
    transcript = preferred_transcript(archive.conn, one)
    assert transcript
    second = read_segments(archive, transcript.id)[1]
    save_questions(archive, one, [Question(1, "What do inspectors see?")], source="detected")
    matches = [Match(1, "asked", second.start, second.end, 9.0, 0.9)]
    save_matches(archive, one, transcript.id, matches, key="k", now=NOW)
    hear(archive, one, 1, "What did inspectors see?")
    assert archive.execute("select text from questions").fetchall() == [("What did inspectors see?",)]
    undo(archive, one, 1, Signature("bob", NOW))
    assert archive.execute("select text from questions").fetchall() == [("What do inspectors see?",)]
    save_questions(archive, one, [Question(1, "What do inspectors see?")], source="notes")
    hear(archive, one, 1, "What did inspectors see?")
    assert archive.execute("select text from questions").fetchall() == [("What do inspectors see?",)]


def texts(db: Database, episode_id: str) -> list[str]:
    transcript = preferred_transcript(db.conn, episode_id)
    assert transcript is not None
    return [segment.text for segment in read_segments(db, transcript.id)]


def rows(db: Database) -> list[tuple[Any, ...]]:
    return db.execute("select * from segments order by id").fetchall()


def assert_sound(db: Database) -> None:
    for table in ("segments_fts", "transcripts_fts"):
        db.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    for (transcript,) in db.execute("select id from transcripts").fetchall():
        words = [word for segment in read_segments(db, transcript) for word in segment.words]
        assert all(
            one.end <= other.start for one, other in pairwise(words)
        )  # so that each can be quoted without the other


def test_corrected_words_count_and_are_found_and_the_machines_are_kept(archive: Database, one: str) -> None:
    before = rows(archive)
    hear(archive, one, 0, "We waited for the Ofsted report.")
    assert texts(archive, one)[0] == "We waited for the Ofsted report."
    assert search(archive.conn, "Ofsted").total == search(archive.conn, '"Ofsted report. Thanks"').total == 1
    assert search(archive.conn, "Offstead").total == search(archive.conn, '"Offstead report"').total == 0
    assert heard(archive, 1)[0].text == MACHINE[0].text
    assert archive.execute(
        "select json_extract(machine, '$.text') from segments where machine is not null"
    ).fetchall() == [(MACHINE[0].text,)]
    assert archive.execute("select * from needs_listening").fetchall() == []
    assert checked_passages(archive.conn, one) == {0}
    (found,) = checks_of(archive.conn, SHA256)
    assert (found.start, found.end, found.text, found.machine, found.editor, found.made_at) == (
        *(MACHINE[0].start, MACHINE[0].end),
        "We waited for the Ofsted report.",
        MACHINE[0].text,
        "ann",
        NOW,
    )
    assert_sound(archive)
    undo(archive, one, found.id, Signature("bob", NOW, "no"))
    assert rows(archive) == before
    assert search(archive.conn, '"Offstead report"').total == 1
    assert checks_of(archive.conn, SHA256) == ()
    assert [(entry.summary, entry.editor, entry.note, entry.start, entry.undone, entry.counts) for entry in history(
        archive.conn, SHA256
    )] == [
        ("undone", "bob", "no", MACHINE[0].start, False, False),
        ("heard as “We waited for the Ofsted report.”", "ann", None, MACHINE[0].start, True, False),
    ]  # fmt: skip
    assert_sound(archive)


def test_confirming_keeps_every_word_and_takes_the_doubt_away(archive: Database, one: str) -> None:
    before = read_segments(archive, 1)
    hear(archive, one, 0, None)
    after = read_segments(archive, 1)
    assert [(one.start, one.end, one.text) for one in after] == [(one.start, one.end, one.text) for one in before]
    assert [word[:3] for word in after[0].words] == [word[:3] for word in before[0].words]
    assert {word.probability for word in after[0].words} == {after[0].confidence} == {1.0}
    assert (after[0].flags, after[1:]) == ((), before[1:])
    assert checked_passages(archive.conn, one) == {0}
    assert history(archive.conn, SHA256)[0].summary == "confirmed"
    assert_sound(archive)


def test_what_the_machine_invented_is_taken_out_and_comes_back(archive: Database, one: str) -> None:
    hear(archive, one, 1, "")
    assert texts(archive, one) == [MACHINE[0].text, "", MACHINE[2].text, MACHINE[3].text]
    assert search(archive.conn, '"Offstead report. It took"').total == 1
    assert history(archive.conn, SHA256)[0].summary == "heard: nothing is said"
    assert_sound(archive)
    hear(archive, one, 1, "Thanks for waiting.")
    assert search(archive.conn, '"thanks for waiting"').hits[0].start == MACHINE[1].start
    assert [entry.counts for entry in history(archive.conn, SHA256)] == [True, False]
    assert_sound(archive)
    undo(archive, one, 2, Signature("ann", NOW))
    assert texts(archive, one)[1] == ""  # the previous one is in force again


def test_several_passages_are_checked_together_and_only_together_checked_anew(archive: Database, one: str) -> None:
    hear(archive, one, 1, "Thanks for waiting. It took two years.", last=2)
    assert texts(archive, one)[1:3] == ["Thanks for waiting.", "It took two years."]
    assert checked_passages(archive.conn, one) == {1, 2}
    again = place(archive.conn, one, 2, 2)
    assert (again.first, again.last, again.text) == (1, 2, "Thanks for waiting. It took two years.")
    hear(archive, one, 2, "Thanks for waiting. It took three years.", last=3)
    assert place(archive.conn, one, 3, 3).first == 1
    assert [found.id for found in checks_of(archive.conn, SHA256)] == [2]


def test_inserted_words_take_their_time_from_a_neighbour(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    add_transcript(archive, one, [Segment(0.0, 2.0, "We fail", (Word(0, 1, "We", 0.9), Word(1, 2, "fail", 0.9)))])
    hear(archive, one, 0, "So we did not fail")
    assert read_segments(archive, 1)[0].words == (
        *(Word(0, 0.5, "So", 1.0), Word(0.5, 0.75, "we", 1.0), Word(0.75, 0.875, "did", 1.0)),
        *(Word(0.875, 1, "not", 1.0), Word(1, 2, "fail", 1.0)),
    )
    assert_sound(archive)


def test_a_check_and_its_undoing_change_the_page_of_their_episode_alone(archive: Database, one: str) -> None:
    add_feed(archive, "other", episode("two"))
    before = dict(changes(archive.conn))
    for moment in ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"):
        if checks_of(archive.conn, SHA256):
            undo(archive, one, 1, Signature("ann", moment))
        else:
            seen = place(archive.conn, one, 0, 0).seal
            check(archive, one, (0, 0), None, Signature("ann", moment), seen=seen)
        assert dict(changes(archive.conn)) == {**before, one: moment}


def test_whoever_looked_before_something_changed_is_told(archive: Database, one: str) -> None:
    seen = place(archive.conn, one, 0, 0).seal
    hear(archive, one, 0, "We waited.")
    made: list[Callable[[], object]] = [
        lambda: None,
        lambda: undo(archive, one, 1, Signature("ann", NOW)),
        lambda: add_transcript(archive, one, spoken("Other words."), sha256=SHA256, key="1" * 12),
    ]
    for change in made:
        change()
        if change is made[1]:
            seen = place(archive.conn, one, 1, 1).seal  # of another passage
        with pytest.raises(CorrectionError, match="changed since"):
            check(archive, one, (0, 0), "So?", Signature("ann", NOW), seen=seen)
    assert len(history(archive.conn, SHA256)) == 2


@pytest.mark.parametrize(
    ("doing", "said"),
    [
        (lambda db, one: hear(db, one, 4, "x"), "has no such passage"),
        (lambda db, one: hear(db, one, -1, "x"), "has no such passage"),
        (lambda db, one: hear(db, one, 2, "x", last=1), "has no such passage"),
        (lambda db, one: hear(db, one, 0, "x" * 10_001), "text: is longer than 10,000 characters"),
        (lambda db, _: hear(db, "show/none", 0, "x"), "show/none is not transcribed"),
        (lambda db, one: undo(db, one, 1, Signature("ann", NOW)), "no longer in force"),
        (lambda db, one: passages_at(db.conn, one, 99.0, None), "nothing is said in .* at 1:39"),
    ],
)
def test_what_makes_no_sense_is_refused(archive: Database, one: str, doing: Callable[..., None], said: str) -> None:
    with pytest.raises(CorrectionError, match=said):
        doing(archive, one)
    assert history(archive.conn, SHA256) == ()


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(0.0, None, (0, 0)), (2.95, None, (1, 1)), (3.5, 5.0, (1, 2)), (3.5, 0.0, (1, 1)), (8.0, None, (3, 3))],
)
def test_passages_are_found_by_when_they_are_said(
    archive: Database, one: str, start: float, end: float | None, found: tuple[int, int]
) -> None:
    assert passages_at(archive.conn, one, start, end) == found


def test_a_check_of_another_recording_cannot_be_undone(archive: Database, one: str) -> None:
    (other,) = add_feed(archive, "other", episode("two"))
    add_transcript(archive, other, MACHINE, sha256="cd" * 32)
    hear(archive, other, 0, "We waited.")
    with pytest.raises(CorrectionError, match="no longer in force"):
        undo(archive, one, 1, Signature("ann", NOW))


def test_a_file_in_two_episodes_says_the_same_in_both(archive: Database, one: str) -> None:
    (other,) = add_feed(archive, "other", episode("two"))
    add_transcript(archive, other, spoken("We waited for the", "Offstead report. Thanks"), sha256=SHA256)
    hear(archive, one, 0, "We waited for the Ofsted report.")
    assert texts(archive, other) == ["We waited for the", "Ofsted report. Thanks"]
    assert checked_passages(archive.conn, other) == {0}


def test_another_model_other_segments_and_the_same_again_keep_what_was_checked(archive: Database, one: str) -> None:
    hear(archive, one, 0, "We waited for the Ofsted report.")
    other = spoken("We wait for", "the off-stead report. Thanks for watching!", "It took a year.")
    second = add_transcript(archive, one, other, sha256=SHA256, key="1" * 12)
    assert texts(archive, one) == ["We waited for", "the Ofsted report. Thanks for watching!", "It took a year."]
    assert search(archive.conn, '"waited for the Ofsted report"').total == 1
    assert heard(archive, second) == other
    before = rows(archive)
    assert add_transcript(archive, one, other, sha256=SHA256, key="1" * 12) == second
    assert rows(archive) == before
    assert add_transcript(archive, one, [*MACHINE[:3]], sha256=SHA256, key="1" * 12) != second
    assert texts(archive, one)[0] == "We waited for the Ofsted report."
    assert archive.execute("select count(*) from transcripts").fetchone() == (3,)
    assert_sound(archive)
    # A check made while another transcript was preferred is in force again when that is preferred again.
    hear(archive, one, 1, "")
    add_transcript(archive, one, other, sha256=SHA256, key="1" * 12)
    assert texts(archive, one)[1] == "the Ofsted report."
    assert_sound(archive)


def test_what_was_undone_is_left_in_no_transcript(archive: Database, one: str) -> None:
    hear(archive, one, 0, "We waited for the Ofsted report.")
    publishers = Transcript(
        SHA256, 60.0, "vtt", "vtt", "en", NOW, (Segment(0.0, 2.9, MACHINE[0].text),), source="publisher"
    )
    save_transcript(archive, one, publishers, "p")
    add_transcript(archive, one, spoken("We wait for the Offstead report."), sha256=SHA256, key="1" * 12)

    def firsts() -> list[str]:
        return [read_segments(archive, transcript)[0].text for transcript in (1, 2, 3)]

    assert firsts() == ["We waited for the Ofsted report."] * 3
    undo(archive, one, 1, Signature("bob", NOW))
    assert firsts() == [MACHINE[0].text, MACHINE[0].text, "We wait for the Offstead report."]
    assert archive.execute("select count(*) from segments where checked or machine is not null").fetchone() == (0,)
    assert_sound(archive)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from(["", "Oh.", "It is so, I said.", None])),
        min_size=1,
        max_size=5,
    ),
    st.data(),
)
def test_whatever_is_checked_undoing_it_all_gives_the_machines_words_back(
    heard_so: list[tuple[int, int, str | None]], data: st.DataObject
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        db = in_memory(connection)
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, MACHINE, sha256=SHA256)
        before = rows(db)
        for first, more, text in heard_so:
            here = place(connection, one, first, min(first + more, 3))
            hear(db, one, here.first, text, last=here.last)
            assert place(connection, one, here.first, here.last).text == (here.text if text is None else text)
            counting = checks_of(connection, SHA256)
            assert all(a.end <= b.start for a, b in pairwise(counting))
            assert_sound(db)
        while counting := checks_of(connection, SHA256):
            undo(db, one, data.draw(st.sampled_from(counting)).id, Signature("ann", NOW))
            assert_sound(db)
        assert rows(db) == before


def in_memory(connection: sqlite3.Connection) -> Database:
    from pipeline.archive.schema import migrations  # noqa: PLC0415

    db = Database(connection)
    migrations.apply(db)
    return db


def test_passages_of_an_archive_that_an_older_version_made_can_be_checked(tmp_path: Path) -> None:
    one = made_before(tmp_path / "old.db")
    with editor(tmp_path / "old.db") as db:
        hear(db, one, 0, "Other words.")
        assert texts(db, one) == ["Other words."]


FEED = """<rss version="2.0"><channel><title>Show</title><item><guid>1</guid><title>Episode</title>
<description>The questions: 1) What had changed most? 2) How did the team decide?</description>
<enclosure url="1.mp3" type="audio/mpeg" length="1"/></item></channel></rss>"""


def test_a_check_outlives_ingesting_with_another_model_and_is_aligned(
    tmp_path: Path, tone_mp3: bytes, make_tools: Callable[..., Tools], engine: FakeEngine, archive: Database
) -> None:
    (tmp_path / "feed.xml").write_text(FEED, encoding="utf-8")
    (tmp_path / "1.mp3").write_bytes(tone_mp3)
    feed = Feed(slug="show", title="Show", url="feed.xml")
    engine.segments = (Segment(0.0, 0.8, "A hut by the moss."), Segment(1.0, 1.9, "Everything."))

    def run(**changes: str) -> Report:
        return ingest(Config(feeds=[feed.model_copy(update=changes)], folder=tmp_path), make_tools())

    assert run().exit_code == 0
    (one,) = archive.execute("select id from episodes").fetchone()

    def asked() -> tuple[Any, ...]:
        return tuple(archive.execute("select status, start from question_times where number = 1").fetchone())

    assert asked()[0] == "not_asked"
    hear(archive, one, 0, "What had changed most?")
    hear(archive, one, 1, "")
    assert run().skip_reasons("transcribe") == {"already transcribed": 1}
    assert asked() == ("asked", 0.0)  # the words in force were aligned
    assert run().skip_reasons("align") == {"already aligned": 1}
    engine.segments = (Segment(0.0, 1.9, "A hut by the moss. Everything was."),)
    engine.model = "base"
    run(model="base")
    assert archive.execute("select count(*) from transcripts").fetchone() == (2,)
    assert texts(archive, one)[0].startswith("What had changed most?")
    assert asked() == ("asked", 0.0)
    assert [segment.text for segment in heard(archive, 2)] == ["A hut by the moss. Everything was."]


def test_editors_check_beside_a_run_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, MACHINE, sha256=SHA256)
        begun, stop = threading.Event(), threading.Event()

        def check_over_and_over() -> int:
            times = 0
            with editor(path) as desk:
                while not stop.is_set():
                    hear(desk, one, 0, f"We waited {times} years.", who="bob")
                    times += 1
                    begun.set()
            return times

        with ThreadPoolExecutor() as pool:
            checking = pool.submit(check_over_and_over)
            try:
                assert begun.wait(10)
                for n in range(60):  # a publisher's starts with reads, as does a poll
                    heard_again = (Segment(0.0, 3.0, f"We waited for {n}."), *MACHINE[1:])
                    save_transcript(
                        db, one, Transcript(SHA256, 60.0, "vtt", "vtt", "en", NOW, heard_again, source="publisher"), "p"
                    )
                    add_feed(db, "show", episode("one", title=f"Title {n}"))
            finally:
                stop.set()
            assert (times := checking.result(10)) > 0
        assert texts(db, one)[0] == f"We waited {times - 1} years."
        assert_sound(db)
