"""Searching by speaker: by the full name, by a part of it, and not by a name that is no longer in force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.archive.database import reader, writer
from pipeline.archive.reading import speakers
from pipeline.archive.search import Filters, search
from pipeline.archive.search.instead import instead
from pipeline.archive.search.query import compile_query
from tests.support.building import add_feed, add_transcript, episode, name_speaker, new_archive, spoken


def test_somebody_who_was_given_a_name_is_found_by_it_and_no_longer_by_the_label_before(tmp_path: Path) -> None:
    with new_archive(tmp_path / "k.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        transcript = add_transcript(db, one, spoken("One door.", "Two doors."))
        db.execute("update segments set speaker = 'Speaker ' || (n + 1)")
        db.execute(
            """insert into speakers (transcript, label, role, seconds)
            select transcript, speaker, 'guest', 1 from segments"""
        )
        db.conn.commit()
        name_speaker(db, transcript, "Speaker 2", "Ann Lee")
        assert [hit.text for hit in search(db.conn, "door speaker:ann").hits] == ["Two doors."]
        assert [hit.text for hit in search(db.conn, "", Filters(speaker="Ann Lee")).hits] == ["Two doors."]
        assert search(db.conn, 'speaker:"speaker 2"').total == 0


def test_a_filter_that_is_a_whole_name_means_nobody_else(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        said = [
            replace(line, speaker=who)
            for line, who in zip(spoken("A word.", "A word."), ("Ann", "Ánna Lee"), strict=True)
        ]
        transcript = add_transcript(db, one, said)
        for label in ("Ann", "Ánna Lee"):
            db.execute(
                "insert into speakers (transcript, label, role, seconds) values (?, ?, 'guest', 1)", [transcript, label]
            )
    with reader(tmp_path / "a.db") as connection:
        totals = [
            search(connection, "word", Filters(speaker=name)).total for name in ("Ann", "ann", "anna", "LEE", "x")
        ]
    assert totals == [1, 2, 1, 1, 0]


def test_names_are_found_without_regard_to_accents_and_one_of_several_will_do(tmp_path: Path) -> None:
    path = tmp_path / "k.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("One door.", "Two doors.", "Three doors."))
        for n, name in enumerate(("Élodie Lee", "Bob", "Ann")):
            db.execute("update segments set speaker = ? where n = ?", [name, n])
            db.execute("insert into speakers (transcript, label, role, seconds) values (1, ?, 'guest', 1)", [name])
    with reader(path) as connection:
        assert [hit.speaker for hit in search(connection, "door speaker:elodie").hits] == ["Élodie Lee"]
        assert {hit.speaker for hit in search(connection, "door speaker:bob speaker:ANN").hits} == {"Bob", "Ann"}
        assert search(connection, "door feed:SHOW").total == 3
        assert search(connection, "", Filters(speaker="Ann")).total == 1


def test_names_are_found_as_they_can_be_typed(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        names = ("Siân O’Brien", "Łukasz Sørensen", "Anne‑Marie Strauß")
        said = [replace(line, speaker=who) for line, who in zip(spoken(*["A word."] * 3), names, strict=True)]
        transcript = add_transcript(db, one, said)
        for label in names:
            db.execute(
                "insert into speakers (transcript, label, role, seconds) values (?, ?, 'guest', 1)", [transcript, label]
            )
    with reader(tmp_path / "a.db") as connection:
        for typed, found in (
            ("o'brien", names[0]),
            ("OBrien", names[0]),
            ("O’Brien", names[0]),
            ("lukasz", names[1]),
            ("sorensen", names[1]),
            ("Anne-Marie", names[2]),
            ("strauss", names[2]),
        ):
            assert [hit.speaker for hit in search(connection, "word", Filters(speaker=typed)).hits] == [found]
            assert [hit.speaker for hit in search(connection, f'word speaker:"{typed}"').hits] == [found]


def test_speakers_of_a_transcript_that_was_set_aside_are_nobody(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        for key, label in (("0" * 12, "Speaker 1"), ("1" * 12, "Speaker 1, then Ann")):
            said = [replace(line, speaker=label) for line in spoken(f"A word of {key}.")]
            transcript = add_transcript(db, one, said, key=key)
            db.execute(
                "insert into speakers (transcript, label, role, seconds) values (?, ?, 'guest', 1)", [transcript, label]
            )
    with reader(tmp_path / "a.db") as connection:
        assert speakers(connection) == ("Speaker 1, then Ann",)
        # The full name occurs only in superseded transcripts, so a part of a name matches.
        assert search(connection, "word", Filters(speaker="Speaker 1")).total == 1
        offered = instead(connection, compile_query("word speaker:anne"))
        assert offered.remarks == ("Nobody is called “anne” in this archive.",)
        assert offered.spelling == 'word speaker:"Speaker 1, then Ann"'
        assert search(connection, offered.spelling).total == 1
        offered = instead(connection, compile_query("nowhere speaker:anne"))
        assert offered.remarks == ("Nobody is called “anne” in this archive; did you mean “Speaker 1, then Ann”?",)
        assert offered.spelling is None
