"""The command ``correct``: one correction, a file of them, undoing, the history, and what to look at."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.corrections import history
from pipeline.archive.database import editor, writer
from pipeline.archive.questions.alignments import save_matches
from pipeline.cli import main
from pipeline.editing.correcting import COLUMNS, Row, read_rows
from pipeline.errors import CorrectionError
from pipeline.model import Match
from tests.support.building import NOW, add_feed, add_transcript, episode, new_archive, spoken


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An aligned episode of sixty seconds, and one that is only listed."""
    path = tmp_path / "a.db"
    with new_archive(path) as db:
        one, _ = add_feed(
            db,
            "show",
            episode("one", title="Northbridge council", questions=["What now?", "And then?"]),
            episode("two", title="Southbridge council"),
        )
        transcript = add_transcript(db, one, spoken("Some words are said."))
        matches = [Match(1, "asked", 10.0, 12.0, 19.0, 0.95), Match(2, "uncertain", 20.0, 22.0, 29.0, 0.4)]
        save_matches(db, one, transcript, matches, key="k", now=NOW)
    return path


def call(database: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["correct", "--db", str(database), *(str(one) for one in arguments)])


def recorded(database: Path) -> list[tuple[Any, ...]]:
    """All recorded corrections, oldest first."""
    with editor(database) as db:
        (one,) = db.execute("select id from episodes where guid = 'one'").fetchone()
        return [(entry.number, entry.start, entry.editor) for entry in reversed(history(db, one))]


def test_correcting_undoing_and_the_history(database: Path) -> None:
    result = call(
        database, "northbridge", 2, "--start", "0:20.4", "--end", "21", "--note", "heard twice", "--editor", "ann"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(" question 2: asked at 0:20.4, corrected\n")
    call(database, "northbridge", 2, "--start", "0:20.6", "--editor", "ann")
    undone = call(database, "northbridge", 2, "--undo", "--editor", "bob").stdout
    assert undone.endswith(" undone, now question 2: asked at 0:20.4, corrected\n")
    result = call(database, "northbridge", 2, "--undo", "--editor", "bob", "--json")
    now = json.loads(result.stdout)
    assert (now["number"], now["status"], now["start"], now["corrected"]) == (2, "uncertain", 20.0, False)
    shown = call(database, "northbridge", "--history")
    undone, *_, first = shown.stdout.splitlines()
    assert first.endswith(" ann: question 2 asked at 0:20.4 to 0:21 (undone since) – heard twice")
    assert undone.endswith(" bob: question 2 undone")
    assert shown.stderr == "4 entries\n"
    entries = json.loads(call(database, "northbridge", 2, "--history", "--json").stdout)
    assert [(entry["start"], entry["undoes"]) for entry in entries] == [
        (None, entries[3]["id"]),
        (None, entries[2]["id"]),
        (20.6, None),
        (20.4, None),
    ]
    assert call(database, "northbridge", 1, "--history").stdout == ""


def test_what_was_said_of_a_question_that_is_no_longer_listed_is_in_the_history(database: Path) -> None:
    call(database, "northbridge", 2, "--start", "0:20.4", "--editor", "ann")
    with writer(database) as db:
        add_feed(db, "show", episode("one", title="Northbridge council", questions=["What now?"]))
    (line,) = call(database, "northbridge", "--history").stdout.splitlines()
    assert line.endswith(" ann: a question no longer listed (“And then?”) asked at 0:20.4")
    (entry,) = json.loads(call(database, "northbridge", "--history", "--json").stdout)
    assert (entry["number"], entry["question"], entry["counts"]) == (None, "And then?", False)


def test_confirming_and_marking_not_asked(database: Path) -> None:
    assert "asked at 0:20, corrected" in call(database, "Northbridge", 2, "--status", "asked").stdout
    assert "not asked, corrected" in call(database, "Northbridge", 1, "--status", "not_asked").stdout
    assert recorded(database) == [(2, 20.0, getpass.getuser()), (1, None, getpass.getuser())]


def test_what_to_look_at(database: Path) -> None:
    result = call(database, "--look")
    said = "Northbridge council, question 2: uncertain at 0:20, 0.40 sure [uncertain, not sure]\n  And then?"
    assert said in result.stdout
    assert result.stderr == "1 to look at\n"
    (doubt,) = json.loads(call(database, "--look", "north", "--json").stdout)
    assert doubt["path"].endswith("#q2")
    assert (doubt["number"], doubt["reasons"]) == (2, ["uncertain", "not sure"])
    assert json.loads(call(database, "--look", "south", "--json").stdout) == []


def test_where_a_question_that_was_not_found_may_be_asked_is_said(database: Path) -> None:
    with writer(database) as db:
        ((one,),) = db.execute("select id from episodes where guid = 'one'")
        ((transcript,),) = db.execute("select id from transcripts")
        lost = Match(2, "not_asked", None, None, None, 0.4, runner_up=8.5, runner_up_confidence=0.3)
        save_matches(db, one, transcript, [Match(1, "asked", 10.0, 12.0, 19.0, 0.95), lost], key="l", now=NOW)
    assert "question 2: not asked, 0.40 sure; or at 0:08.5 [" in call(database, "--look").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", 1, "--start", "1"], "no episode matches “nowhere”: give an id"),
        (["council", 1, "--start", "1"], "“council” fits 2 episodes"),
        (["north", 9, "--start", "1"], "has no question 9; its list has 2"),
        (["south", 1, "--start", "1"], "has no list of questions"),
        (["north", "x", "--start", "1"], "question: “x” is not a number"),
        (["north", 1, "--start", "3:75"], "start: “3:75” is not a time such as 3:12"),
        (["north", 1, "--start", "nan"], "start: “nan” is not a time"),
        (["north", 1, "--start", "99:00"], "start: 1:39:00 is past the end of the recording, 1:00"),
        (["north", 1, "--start", "5", "--end", "4"], "end: 0:04 is before start, 0:05"),
        (["north", 1, "--start", "5", "--answer-end", "soon"], "answer_end: “soon” is not a time"),
        (["north", 1, "--start", "5", "--status", "not_asked"], "start: a question that is not asked has no time"),
        (["north", 1, "--start", "5", "--status", "maybe"], "maybe"),
        (["north", 1, "--undo"], "has no correction to undo"),
        (["north", 1], "Say what to correct: --start TIME, or --status"),
        (["north", "--start", "5"], "Give the number of the question"),
        (["--start", "5"], "Name an EPISODE"),
        (["--history"], "Name an EPISODE"),
        (["north", 1, "--undo", "--start", "5"], "--start cannot be used with --undo"),
        (["north", 1, "--look", "--history"], "cannot be used with --look"),
        (["--from", "x.csv", "--note", "why"], "--note cannot be used with --from"),
        (["--from", "nowhere.csv"], "nowhere.csv: cannot be read (No such file or directory)"),
    ],
)
def test_what_makes_no_sense_ends_with_2_and_records_nothing(
    database: Path, arguments: list[object], said: str
) -> None:
    result = call(database, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert recorded(database) == []


def test_a_file_of_corrections_is_recorded_whole(database: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        '\ufeffepisode,question,start,end,status,note,editor\r\n'
        'northbridge,1,0:11.5,13,,"two\r\nlines, and a comma",\r\n'
        ",,,,,,\r\n"
        "Northbridge council,2,,,not_asked,,carol\r\n",
        encoding="utf-8",
    )  # fmt: skip
    result = call(database, "--from", sheet, "--editor", "ann")
    assert (result.exit_code, result.stdout) == (0, "2 recorded\n")
    listed = tmp_path / "sheet.yaml"
    listed.write_text(
        "- {episode: northbridge, question: 1, start: 0:12, answer_end: 1:00}\n- episode: northbridge\n  question: 2\n"
        "  status: asked\n  start: 21.5\n  note: ~\n",
        encoding="utf-8",
    )
    result = call(database, "--from", listed, "--editor", "bob", "--json")
    assert json.loads(result.stdout) == {"recorded": 2}
    assert "question 1: replaces “asked at 0:11.5 to 0:13” by ann\n" in result.stderr
    assert "question 2: replaces “not asked” by carol\n" in result.stderr
    assert "by bob" in call(database, "northbridge", 1, "--start", 12, "--editor", "ann").stderr
    assert call(database, "northbridge", 1, "--undo", "--editor", "ann").exit_code == 0
    assert call(database, "northbridge", 1, "--start", 12, "--editor", "bob").stderr == ""
    assert recorded(database)[:4] == [(1, 11.5, "ann"), (2, None, "carol"), (1, 12.0, "bob"), (2, 21.5, "bob")]


HEAD = "episode,question,start,status\n"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_file_as_other_spreadsheets_write_it(database: Path, tmp_path: Path, delimiter: str) -> None:
    text = "Episode|Question|Start|Note||\nnorth|1|11,5|heard||\n".replace("|", delimiter)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8-sig")
    assert call(database, "--from", tmp_path / "a.csv").exit_code == 0
    assert [start for _, start, _ in recorded(database)] == [11.5]


@pytest.mark.parametrize(
    "text",
    [
        '"","episode","question","start","status","note"\n"1","north",1,11.5,NA,NA\n"2","north",2,NA,"asked",NA\n',
        ",episode,question,start,status,note\n0,north,1,11.5,,\n1,north,2,,asked,\n",
    ],
)
def test_a_file_as_r_and_pandas_write_it(database: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    result = call(database, "--from", tmp_path / "a.csv", "--editor", "ann")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "2 recorded\n", "")
    assert recorded(database) == [(1, 11.5, "ann"), (2, 20.0, "ann")]
    assert {entry["note"] for entry in json.loads(call(database, "north", "--history", "--json").stdout)} == {None}


def test_an_editors_name_is_one_line(database: Path, tmp_path: Path) -> None:
    call(database, "north", 1, "--start", "11", "--editor", "Ann\n\u202eLee")
    assert [editor for *_, editor in recorded(database)] == ["Ann Lee"]
    assert "longer than 200 characters" in call(database, "north", 1, "--start", "11", "--editor", "a" * 201).stderr
    (tmp_path / "a.csv").write_text(f"episode,question,start,editor\nnorth,1,12,{'a' * 201}\n")
    assert "line 2: editor: is longer" in call(database, "--from", tmp_path / "a.csv").stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", HEAD + "north,1,0:11,\nnorth,9,0:11,\nnowhere,1,1,\n", [
            "line 3: question: show/", "line 4: no episode matches “nowhere”", "nothing from the file was recorded",
        ]),
        ("a.csv", HEAD + "north,1,0:11,\nnorth,2,later,\n", ["line 3: start: “later” is not a time"]),
        ("a.csv", HEAD + "north,1,0:11,\nnorth,2,,maybe\n", ["line 3: status: “maybe” is not one of asked, not_asked"]),
        ("a.csv", HEAD + "north,1,0:11,\nnorth,two,1,\n", ["line 3: question: “two” is not a number"]),
        (
            "a.csv",
            f"episode,question,start,note\nnorth,1,0:11,{'x' * 1001}\n",
            ["line 2: note: is longer than 1,000 characters"],
        ),
        ("a.csv", HEAD + "north,1,0:11,\nnorth,2,5,\nNorthbridge,1,0:12,\n", [
            "line 4: question 1 of show/", "is in line 2, too; leave one",
        ]),
        ("a.csv", HEAD + "north,1,0:11,\nnorth,,1,\n", ["line 3: question: is missing"]),
        ("a.csv", HEAD + "north,1,0:11,\nnorth,2,,\n", ["line 3: start: is missing"]),
        ("a.csv", HEAD + "north,1,0:11,,,\n", ["line 2: has more fields than the first line has names"]),
        ("a.csv", HEAD + 'north,1,"0:11\n', ["line 2: is not CSV"]),
        ("a.csv", "episode,question,begin\nnorth,1,0:11\n", ["line 1: “begin” is not one of episode, question, start"]),
        ("a.csv", "episode,question,start,start\nnorth,1,0:11,0:12\n", ["line 1: names a column twice"]),
        ("a.csv", HEAD, ["holds no corrections"]),
        ("a.csv", "", ["holds no corrections"]),
        ("a.yaml", "", ["holds no corrections"]),
        ("a.yml", "- {episode: north, question: 1, start: 11}\n- {episode: north, question: 2, start: 99}\n",
         ["line 2: start: 1:39 is past the end"]),
        ("a.yml", "- {episode: north, question: 1, start: 11, start: 12}\n", ["line 1: start: is given twice"]),
        ("a.yml", "- episode: north\n  start: [1, 2]\n", ["line 2: must be a name and a plain value"]),
        ("a.yml", "episode: north\n", ["line 1: must be a list"]),
        ("a.yml", "- north\n", ["line 1: must be fields such as"]),
        ("a.yml", "- &a [*a]\n", ["line 1: must be fields such as"]),
        ("a.yml", "- {episode: north\n", ["line 2: is not YAML"]),
        ("a.yml", "[" * 5000, ["is not YAML"]),
        ("a.yml", "- a: \x00\n", ["is not YAML"]),
    ],
)  # fmt: skip
def test_a_file_with_a_mistake_names_its_line_and_records_nothing(
    database: Path, tmp_path: Path, name: str, text: str, said: list[str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = call(database, "--from", tmp_path / name)
    assert (result.exit_code, result.stdout) == (2, "")
    for one in said:
        assert one in result.stderr
    assert str(tmp_path / name) in result.stderr
    assert recorded(database) == []


def test_a_file_that_is_no_text(database: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEAD.encode() + b"Zo\xeb,1,1,\n")
    result = call(database, "--from", tmp_path / "a.csv")
    assert result.exit_code == 2
    assert "is not UTF-8 text" in result.stderr


@given(name=st.sampled_from(["a.csv", "a.yaml"]), text=st.text(alphabet='-:,"\n\r {}[]&*aepisodquntr1', max_size=60))
def test_any_text_is_rows_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, name: str, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / name
    file.write_text(text, encoding="utf-8", newline="")
    rows: list[Row] = []
    with suppress(CorrectionError):
        rows = read_rows(file)
    assert all({"episode", "question"} <= row.fields.keys() <= set(COLUMNS) for row in rows)


def test_an_archive_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = call(tmp_path / "none.db", "--look")
    assert result.exit_code == 1
    assert "no such database" in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_who_has_no_name_on_this_computer_says_it(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert "--editor NAME" in call(database, "north", 1, "--start", "11").stderr
    assert call(database, "--look").exit_code == 0


def test_editors_write_beside_a_run_and_beside_each_other(database: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "correct", "north", "1", "--db", str(database)]
    with writer(database):  # an active run, outside a transaction
        running = [
            subprocess.Popen(
                [*command, "--start", str(10 + n), "--editor", name],
                stdout=subprocess.DEVNULL,
            )
            for n, name in enumerate(("ann", "bob"), start=1)
        ]
        assert [process.wait(30) for process in running] == [0, 0]
    assert sorted(recorded(database)) == [(1, 11.0, "ann"), (1, 12.0, "bob")]


def test_a_locked_archive_is_an_error_and_nothing_is_half_written(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.archive.database.BUSY_SECONDS", 0.05)
    sheet = tmp_path / "a.csv"
    sheet.write_text(HEAD + "north,1,0:11,\nnorth,2,0:21,\n", encoding="utf-8")
    with writer(database) as run, run.atomic():
        run.execute("update episodes set last_seen = last_seen")
        result = call(database, "--from", sheet)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "another program has locked it" in result.stderr
    assert recorded(database) == []
