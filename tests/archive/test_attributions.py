"""Attributions by listeners in the archive: what is in force, what is found, and that nothing is ever lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.archive.attributions import attribute, history, speech, undo
from pipeline.archive.carrying import carry
from pipeline.archive.checks import undo as undo_check
from pipeline.archive.listened import attributions_of, checks_of
from pipeline.archive.people import person
from pipeline.archive.quoting import quotation
from pipeline.archive.rendition_choice import Choice
from pipeline.archive.renditions import save_rendition
from pipeline.archive.search import Filters, search
from pipeline.archive.segments import heard
from pipeline.archive.transcripts import save_transcript, stored_transcript
from pipeline.archive.voices import machine_speakers
from pipeline.config import Config, Feed
from pipeline.errors import CorrectionError
from pipeline.model import Comparison, KeptAudio, Piece, Segment, Signature, Speaker, Transcript
from pipeline.runs.ingest import ingest
from pipeline.stages import Tools
from tests.archive.test_checks import assert_sound, hear, in_memory
from tests.support.building import NOW, add_feed, add_transcript, episode, name_speaker, spoken

SHA256 = "ab" * 32
HOST, GUEST = "Dana Whitfield", "Speaker 2"
SPEAKERS = (Speaker(HOST, HOST, "host", 5.0, (0.6, 0.8)), Speaker(GUEST, None, "guest", 3.0, (1.0, 0.0)))
QUESTION = "What were you waiting for?"
SAID = spoken(QUESTION, "We waited for Ofsted.", "And then?", "It took a year, and then it came.")
MACHINE = tuple(replace(one, speaker=(HOST, GUEST)[n % 2]) for n, one in enumerate(SAID))


def transcript(segments: tuple[Segment, ...] = MACHINE, speakers: tuple[Speaker, ...] = SPEAKERS) -> Transcript:
    return Transcript(SHA256, 60.0, "faster-whisper", "tiny.en", "en", NOW, segments, speakers=speakers)


@pytest.fixture
def one(archive: Database) -> str:
    """An episode in which two voices alternate; one of them has no name."""
    (one,) = add_feed(archive, "show", episode("one", questions=[QUESTION]))
    add_transcript(archive, one, MACHINE, sha256=SHA256)
    save_transcript(archive, one, transcript(), "0" * 12)
    return one


def say(db: Database, episode_id: str, n: int, name: str, *, everywhere: bool = False, last: int | None = None) -> None:
    here = speech(db.conn, episode_id, n, n if last is None else last)
    passages = (here.first, here.last)
    attribute(db, here.episode, passages, name, Signature("ann", NOW), seen=here.seal, everywhere=everywhere)


def stands(db: Database, episode_id: str) -> list[str | None]:
    sql = """select speaker from segments where transcript =
        (select id from transcripts where episode = ? and preferred = 1) order by n"""
    return [speaker for (speaker,) in db.execute(sql, [episode_id])]


def rows(db: Database) -> list[list[Any]]:
    """All stored rows about transcripts."""
    return [db.execute(f"select * from {table} order by 1, 2").fetchall() for table in ("segments", "speakers")]


def test_a_voice_without_a_name_gets_one_and_is_found_by_it(archive: Database, one: str) -> None:
    assert person(archive.conn, "Ann Lee") is None
    say(archive, one, 1, "Ann Lee", everywhere=True)
    assert stands(archive, one) == [HOST, "Ann Lee", HOST, "Ann Lee"]
    found = person(archive.conn, "Ann Lee")
    assert found
    assert (found.episodes, found.guest) == (1, 1)
    assert [hit.speaker for hit in search(archive.conn, "year", Filters(speaker="Ann Lee")).hits] == ["Ann Lee"]
    assert search(archive.conn, "year speaker:dana").total == 0
    assert_sound(archive)


def test_a_passage_has_another_speaker_and_whom_the_machine_had_is_kept(archive: Database, one: str) -> None:
    say(archive, one, 2, "Ann Lee")
    assert stands(archive, one) == [HOST, GUEST, "Ann Lee", GUEST]
    assert heard(archive, 1) == MACHINE
    assert stored_transcript(archive, 1).speakers == SPEAKERS
    by = archive.execute("select attributed from segments order by n").fetchall()
    assert by == [(None,), (None,), (1,), (None,)]


def test_a_citation_knows_whether_somebody_listened_there(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee", everywhere=True)
    quotes = [quotation(archive.conn, SHA256, MACHINE[n].start, MACHINE[n].end) for n in (1, 3)]
    assert [quote.wording.lines[0].speaker for quote in quotes] == ["Ann Lee", "Ann Lee"]
    assert [[said.id for said in quote.attributions] for quote in quotes] == [[1], [1]]
    assert [quote.attributed for quote in quotes] == [True, False]
    say(archive, one, 3, "Ann Lee")
    assert quotation(archive.conn, SHA256, MACHINE[3].start, MACHINE[3].end).attributed
    assert not quotation(archive.conn, SHA256, MACHINE[1].start, MACHINE[2].end).attributed


def test_undoing_leaves_everything_as_it_was(archive: Database, one: str) -> None:
    before = rows(archive)
    say(archive, one, 1, "Ann Lee", everywhere=True)
    say(archive, one, 3, "Bo Cole")
    for number in (2, 1):
        undo(archive, one, number, Signature("bob", NOW, "wrong"))
    assert rows(archive) == before
    assert archive.execute("select machine_speakers from transcripts").fetchall() == [(None,)]
    summaries = [(entry.summary, entry.editor, entry.counts) for entry in history(archive.conn, SHA256)]
    assert summaries == [
        ("who speaks: undone", "bob", False),
        ("who speaks: undone", "bob", False),
        ("Bo Cole named as the speaker", "ann", False),
        ("Ann Lee named as the speaker wherever this voice is heard", "ann", False),
    ]
    with pytest.raises(CorrectionError, match="no longer in force"):
        undo(archive, one, 1, Signature("bob", NOW))


def test_words_may_be_checked_and_who_says_them_named_in_any_order(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee")
    hear(archive, one, 1, "We waited for the report.")
    say(archive, one, 3, "Ann Lee")
    (hit,) = search(archive.conn, '"for the report"').hits
    assert hit.speaker == "Ann Lee"
    assert heard(archive, 1) == MACHINE
    undo(archive, one, 1, Signature("ann", NOW))
    assert stands(archive, one) == [HOST, GUEST, HOST, "Ann Lee"]
    assert search(archive.conn, '"for the report"').total == 1
    assert_sound(archive)


def test_it_counts_in_another_transcript_too(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee", everywhere=True)
    again = tuple(
        replace(segment, text=segment.text.replace("year", "decade"), speaker=("Speaker 1", HOST)[n % 2], words=())
        for n, segment in enumerate(MACHINE)
    )
    other = (Speaker("Speaker 1", None, "host", 5.0), Speaker(HOST, HOST, "guest", 3.0))
    new = save_transcript(archive, one, transcript(again, other), "1" * 12)
    assert stands(archive, one) == ["Speaker 1", "Ann Lee", "Speaker 1", "Ann Lee"]
    assert heard(archive, new) == again
    assert stored_transcript(archive, new).speakers == other


def test_a_name_that_the_publisher_gives_later_does_not_take_its_place(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee")
    hear(archive, one, 3, "It took a decade.")
    name_speaker(archive, 1, GUEST, "A. B. Lee")
    assert stands(archive, one) == [HOST, "Ann Lee", HOST, "A. B. Lee"]
    undo(archive, one, 1, Signature("ann", NOW))
    assert stands(archive, one) == [HOST, "A. B. Lee", HOST, "A. B. Lee"]
    assert [one.label for one in stored_transcript(archive, 1).speakers] == [HOST, "A. B. Lee"]


def test_the_publisher_may_name_a_voice_that_an_editor_has_named(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee", everywhere=True)
    assert [one.label for one in machine_speakers(archive, 1) if one.name is None] == [GUEST]
    name_speaker(archive, 1, GUEST, "A. B. Lee")
    assert stands(archive, one) == [HOST, "Ann Lee", HOST, "Ann Lee"]
    assert speech(archive.conn, one, 3, 3).counting == (1,)
    undo(archive, one, 1, Signature("ann", NOW))
    assert stands(archive, one) == [HOST, "A. B. Lee", HOST, "A. B. Lee"]


def test_the_questions_are_aligned_anew(archive: Database, one: str, make_tools: Callable[..., Tools]) -> None:
    config = Config(feeds=[Feed(slug="show", title="Show", url="https://example.org/feed.xml")])

    def align() -> str | None:
        (item,) = ingest(config, make_tools(), stages=("align",)).items
        return item.reason

    assert "1 of 1 questions found" in (align() or "")
    assert align() == "already aligned"
    say(archive, one, 0, "Ann Lee")
    assert "questions found" in (align() or "")


OTHER = "cd" * 32


def another_recording(archive: Database, one: str) -> None:
    """Give the episode a current recording that begins five seconds later."""
    other = OTHER
    audio = KeptAudio(other, "audio/cd.mp3", 1000, "audio/mpeg", 65.0, "u", "u", NOW)
    compared = Comparison(SHA256, other, "spliced", (Piece(0.0, 30.0, 5.0),))
    save_rendition(archive, one, audio, choice=Choice(True, "newer"), comparison=compared)
    later = spoken(*(segment.text for segment in MACHINE), start=5.0)
    heard_later = [replace(segment, speaker=("Speaker 7", "Speaker 4")[n % 2]) for n, segment in enumerate(later)]
    add_transcript(archive, one, heard_later, sha256=other, key="2" * 12)


def test_it_is_carried_over_to_another_recording(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee", everywhere=True)
    another_recording(archive, one)
    carried = carry(archive, one, SHA256, OTHER)
    assert carried.remarks == ("1 name of a speaker carried over from the earlier recording",)
    assert stands(archive, one) == ["Speaker 7", "Ann Lee", "Speaker 7", "Ann Lee"]
    assert carry(archive, one, SHA256, OTHER).attributions == 0


def test_what_was_said_since_stands_when_it_is_carried_over(archive: Database, one: str) -> None:
    say(archive, one, 1, "An Lee", everywhere=True)
    another_recording(archive, one)
    here = speech(archive.conn, one, 3, 3)
    later = Signature("bob", "2026-12-01T00:00:00Z")
    attribute(archive, one, (here.first, here.last), "Ann Lee", later, seen=here.seal, everywhere=True)
    assert carry(archive, one, SHA256, OTHER).attributions == 1
    assert stands(archive, one) == ["Speaker 7", "Ann Lee", "Speaker 7", "Ann Lee"]


def test_of_what_was_said_in_one_second_the_last_counts_when_it_is_carried_over(archive: Database, one: str) -> None:
    for name in ("An Lee", "Ann Lee"):
        say(archive, one, 1, name)
    another_recording(archive, one)
    assert carry(archive, one, SHA256, OTHER).attributions == 2
    assert stands(archive, one) == ["Speaker 7", "Ann Lee", "Speaker 7", "Speaker 4"]
    assert carry(archive, one, SHA256, OTHER).attributions == 0


@pytest.mark.parametrize(
    ("name", "everywhere", "told"),
    [
        ("", True, "speaker: is missing"),
        (GUEST, False, "“Speaker 2” is not a person’s name"),
        ("x" * 201, False, "speaker: is longer than 200 characters"),
    ],
)
def test_what_makes_no_sense_is_refused(archive: Database, one: str, name: str, everywhere: bool, told: str) -> None:
    before = archive.execute("select * from attributions").fetchall(), rows(archive)
    with pytest.raises(CorrectionError, match=told):
        say(archive, one, 1, name, everywhere=everywhere)
    with pytest.raises(CorrectionError, match="no single voice"):
        say(archive, one, 0, "Ann Lee", everywhere=True, last=1)
    here = speech(archive.conn, one, 1, 1)
    with pytest.raises(CorrectionError, match="no such passage"):
        speech(archive.conn, one, 3, 4)
    assert (archive.execute("select * from attributions").fetchall(), rows(archive)) == before
    say(archive, one, 1, "Bo Cole")
    with pytest.raises(CorrectionError, match="has changed since"):
        attribute(
            archive, one, (here.first, here.last), "Ann Lee", Signature("ann", NOW), seen=here.seal, everywhere=False
        )


def test_the_tables_refuse_what_undoes_twice(archive: Database, one: str) -> None:
    say(archive, one, 1, "Ann Lee")
    undo(archive, one, 1, Signature("ann", NOW))
    with pytest.raises(sqlite3.IntegrityError):
        archive.execute("insert into attributions (rendition, undoes, made_at) values (?, 1, ?)", [SHA256, NOW])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["Ann Lee", HOST, "Bo Cole", ""]), st.sampled_from("hwcu")),
        max_size=6,
    )
)
def test_whatever_people_say_the_machines_is_kept_and_comes_back(steps: list[tuple[int, str, str]]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        db = in_memory(connection)
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, MACHINE, sha256=SHA256)
        save_transcript(db, one, transcript(), "0" * 12)
        before = rows(db)
        for n, name, how in steps:
            said = attributions_of(db.conn, SHA256)
            if how == "u" and said:
                undo(db, one, said[n % len(said)].id, Signature("bob", NOW))
            elif how == "c":
                hear(db, one, n, "I heard that.")
            else:
                say(db, one, n, name, everywhere=how == "w" and bool(name))
            assert heard(db, 1) == MACHINE
            assert stored_transcript(db, 1).speakers == SPEAKERS
        for left in attributions_of(db.conn, SHA256):
            undo(db, one, left.id, Signature("bob", NOW))
        while checks := checks_of(db.conn, SHA256):
            undo_check(db, one, checks[0].id, Signature("bob", NOW))
        assert rows(db) == before
        assert_sound(db)


def test_names_and_roles_that_came_later_and_what_was_compared_stay_when_the_same_is_stored_again(
    archive: Database, one: str
) -> None:
    (number,) = archive.execute("select id from transcripts").fetchone()
    name_speaker(archive, number, GUEST, "Ann Lee")
    archive.execute("update speakers set role = 'host' where label = 'Ann Lee'")
    archive.execute("update transcripts set word_error_rate = 0.04")
    before = archive.execute("select * from segments").fetchall(), archive.execute("select * from speakers").fetchall()
    other = spoken("Quite other words.")
    save_transcript(archive, one, replace(transcript(other, ()), model="base.en"), "1" * 12)
    assert save_transcript(archive, one, transcript(), "0" * 12) == number  # as in its file: without names
    after = archive.execute("select * from segments where transcript = ?", [number]).fetchall()
    assert (after, archive.execute("select * from speakers").fetchall()) == before
    assert archive.execute("select word_error_rate from transcripts where preferred").fetchall() == [(0.04,)]


def test_a_name_of_one_voice_is_not_given_to_two(archive: Database, one: str) -> None:
    (number,) = archive.execute("select id from transcripts").fetchone()
    name_speaker(archive, number, GUEST, "Ann Lee")
    told = [
        replace(part, speaker=("Speaker 1", "Speaker 2", "Speaker 3", "Speaker 4")[n]) for n, part in enumerate(SAID)
    ]
    voices = tuple(Speaker(f"Speaker {n}", None, "unknown", 1.0) for n in range(1, 5))
    save_transcript(archive, one, transcript(tuple(told), voices), "0" * 12)
    assert [part.speaker for part in heard(archive, number)] == [part.speaker for part in told]


def test_who_was_taken_for_the_speaker_before_somebody_said_otherwise_is_not_credited(
    archive: Database, one: str
) -> None:
    say(archive, one, 1, "Ann Lee")
    say(archive, one, 1, "Bo Carr")
    later, earlier = history(archive.conn, SHA256)
    assert (later.name, later.counts) == ("Bo Carr", True)
    assert (earlier.name, earlier.counts) == ("Ann Lee", False)
    undo(archive, one, later.id, Signature("ann", NOW))
    assert [(entry.name, entry.counts) for entry in history(archive.conn, SHA256)] == [
        *((None, False), ("Bo Carr", False), ("Ann Lee", True))
    ]


@pytest.mark.parametrize("silent", [False, True])
def test_a_name_that_another_voice_has_by_now_is_given_to_nobody(archive: Database, one: str, silent: bool) -> None:
    (number,) = archive.execute("select id from transcripts").fetchone()
    name_speaker(archive, number, GUEST, "Ann Lee")
    host = HOST if silent else "Ann Lee"
    told = [replace(part, speaker=(host, GUEST)[n % 2]) for n, part in enumerate(SAID)]
    others = (Speaker("Ann Lee", None if silent else "Ann Lee", "unknown", 0.0), Speaker(GUEST, None, "unknown", 3.0))
    save_transcript(archive, one, transcript(tuple(told), others), "0" * 12)
    assert [part.speaker for part in heard(archive, number)] == [part.speaker for part in told]
