"""The command ``check``: confirming and correcting words, undoing, and the history."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.archive.checks import CheckEntry, history
from pipeline.archive.database import editor, reader, writer
from pipeline.archive.reading import episode_named
from pipeline.cli import main
from tests.support.building import add_feed, add_transcript, episode, new_archive, spoken

SHA256 = "ab" * 32


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An episode of three passages, and one that is only listed."""
    path = tmp_path / "a.db"
    with new_archive(path) as db:
        one, _ = add_feed(
            db, "show", episode("one", title="Northbridge council"), episode("two", title="Southbridge council")
        )
        add_transcript(
            db, one, spoken("We waited for Offstead.", "It took a year.", "Thanks for watching!"), sha256=SHA256
        )
    return path


def call(database: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", "--db", str(database), *(str(one) for one in arguments)])


def texts(database: Path) -> list[str]:
    """The words in force."""
    with reader(database) as connection:
        return [row[0] for row in connection.execute("select text from segments order by n")]


def recorded(database: Path) -> list[CheckEntry]:
    """All recorded checks, oldest first."""
    with reader(database) as connection:
        return list(reversed(history(connection, SHA256)))


def test_correcting_undoing_and_the_history(database: Path) -> None:
    given = ["--text", "We waited for Ofsted.", "--note", "a name", "--editor", "ann"]
    result = call(database, "northbridge", "--at", "0:01", *given)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(" 0:00 to 0:01 checked: We waited for Ofsted.\n")
    now = json.loads(call(database, "northbridge", "--at", 1, "--undo", "--editor", "bob", "--json").stdout)
    assert (now["text"], now["machine"], now["checks"]) == ("We waited for Offstead.", "We waited for Offstead.", [])
    shown = call(database, "northbridge", "--history")
    undone, first = shown.stdout.splitlines()
    assert first.endswith(" ann: 0:00 heard as “We waited for Ofsted.” (undone since) – a name")
    assert undone.endswith(" bob: 0:00 undone")
    assert shown.stderr == "2 entries\n"
    assert len(json.loads(call(database, "north", "--history", "--json", "--at", "1").stdout)) == 2
    assert call(database, "north", "--history", "--at", "3").stdout == ""
    assert call(database, "southbridge", "--history").stderr == "0 entries\n"


def test_without_text_the_words_that_are_there_are_confirmed(database: Path) -> None:
    result = call(database, "northbridge", "--at", "0:00", "--to", "0:03")
    assert result.stdout.endswith(" 0:00 to 0:03 checked: We waited for Offstead. It took a year.\n")
    entries = recorded(database)
    assert [(entry.summary, entry.editor) for entry in entries] == [("confirmed", getpass.getuser())] * 2


def test_a_passage_of_a_stretch_that_was_confirmed_is_mended_alone(database: Path) -> None:
    call(database, "northbridge", "--at", "0:00", "--to", "0:06")
    result = call(database, "northbridge", "--at", "0:03", "--text", "It took two years.")
    assert result.stdout.endswith("checked: It took two years.\n")
    assert texts(database) == ["We waited for Offstead.", "It took two years.", "Thanks for watching!"]


def test_words_of_one_passage_do_not_take_the_place_of_others_that_were_checked_with_it(database: Path) -> None:
    call(database, "northbridge", "--at", "0:00", "--to", "0:03", "--text", "We waited for Ofsted. It took a year.")
    before = texts(database)
    result = call(database, "northbridge", "--at", "0:03", "--text", "It took two years.")
    assert result.exit_code == 2
    assert "is spoken, as one: give all of its words, with --at 0:00" in result.stderr
    assert texts(database) == before
    assert call(database, "northbridge", "--at", "0:00", "--to", "0:03", "--text", "Both anew.").exit_code == 0


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("0:02", "It took a year."),  # as the page displays 2.26
        ("2", "It took a year."),
        ("2.2", "It took a year."),  # truncated to tenths
        ("0:03", "It took a year."),
        ("0:05", "Thanks!"),
    ],
)
def test_a_whole_second_is_that_which_the_page_shows_at_a_passage(database: Path, at: str, words: str) -> None:
    said = (spoken(text, start=start)[0] for text, start in (("It took a year.", 2.26), ("Thanks!", 5.9)))
    with writer(database) as db:
        add_transcript(db, episode_named(db.conn, "north"), [*spoken("We waited."), *said], sha256=SHA256)
    assert call(database, "northbridge", "--at", at).stdout.endswith(f"checked: {words}\n")


def test_a_pause_is_nobodys(database: Path) -> None:
    said = (spoken(text, start=start)[0] for text, start in (("It took a year.", 2.26), ("Thanks!", 5.9)))
    with writer(database) as db:
        add_transcript(db, episode_named(db.conn, "north"), [*spoken("We waited."), *said], sha256=SHA256)
    result = call(database, "northbridge", "--at", "2.0")
    assert result.exit_code == 2
    assert "at 0:02; the passage before ends at 0:00.9, the next one begins at 0:02.26" in result.stderr
    assert call(database, "northbridge", "--at", "2.0", "--to", "4.2").stdout.endswith("checked: It took a year.\n")


def test_a_note_is_kept_without_what_nobody_can_see(database: Path) -> None:
    call(database, "north", "--at", "0", "--note", " heard \u202e twice\x1b[31m ")
    call(database, "north", "--at", "0", "--undo", "--note", "\u200b")
    assert [entry.note for entry in recorded(database)] == ["heard twice[31m", None]


def test_what_the_machine_invented_is_taken_out(database: Path) -> None:
    assert "checked: (nothing is said)" in call(database, "north", "--at", "4.5", "--text", "").stdout
    found = CliRunner().invoke(main, ["search", "--db", str(database), "watching"])
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--at", "1"], "no episode matches “nowhere”"),
        (["council", "--at", "1"], "“council” fits 2 episodes"),
        (["south", "--at", "1"], "is not transcribed yet: there are no passages to listen to"),
        (["south", "--at", "1", "--undo"], "is not transcribed"),
        (["north", "--at", "soon"], "at: “soon” is not a time such as 3:12"),
        (["north", "--at", "0:75"], "at: “0:75” is not a time"),
        (["north", "--at", "9:00"], "at: nothing is said in show/"),
        (["north", "--at", "3", "--to", "2"], "to: 0:02 is before --at, 0:03"),
        (["north", "--at", " "], "at: is missing"),
        (["north", "--at", "1", "--undo"], "has no check to undo at 0:00"),
        (["north", "--at", "1", "--text", "x" * 10_001], "text: is longer than 10,000 characters"),
        (["north", "--at", "1", "--note", "x" * 1001], "note: is longer than 1,000 characters"),
        (["north"], "Say where: --at TIME"),
        (["north", "--at", "1", "--undo", "--text", ""], "--text cannot be used with --undo"),
        (["north", "--history", "--text", "x"], "--text cannot be used with --history"),
        (["north", "--history", "--undo"], "--undo cannot be used with --history"),
        ([], "Missing argument 'EPISODE'"),
    ],
)
def test_what_makes_no_sense_ends_with_2_and_records_nothing(
    database: Path, arguments: list[object], said: str
) -> None:
    result = call(database, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert recorded(database) == []


def test_editors_write_beside_a_run_and_beside_each_other(database: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "check", "north", "--db", str(database)]
    with writer(database):  # an active run, outside a transaction
        running = [
            subprocess.Popen([*command, "--at", at, "--editor", name], stdout=subprocess.DEVNULL)
            for at, name in (("0", "ann"), ("3", "bob"))
        ]
        assert [process.wait(60) for process in running] == [0, 0]
    assert sorted(entry.editor or "" for entry in recorded(database)) == ["ann", "bob"]
    with editor(database) as db:
        for table in ("segments_fts", "transcripts_fts"):
            db.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
