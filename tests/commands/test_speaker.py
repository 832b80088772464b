"""The command ``speaker``: naming speakers, undoing, and the history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.archive.attributions import history
from pipeline.archive.database import reader
from pipeline.archive.transcripts import save_transcript
from pipeline.cli import main
from tests.archive.test_attributions import GUEST, HOST, MACHINE, SHA256, transcript
from tests.support.building import add_feed, add_transcript, episode, new_archive


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An episode in which two voices alternate, and one that is only listed."""
    path = tmp_path / "a.db"
    with new_archive(path) as db:
        one, _ = add_feed(
            db, "show", episode("one", title="Northbridge council"), episode("two", title="Southbridge council")
        )
        add_transcript(db, one, MACHINE, sha256=SHA256)
        save_transcript(db, one, transcript(), "0" * 12)
    return path


def call(database: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["speaker", "--db", str(database), *(str(one) for one in arguments)])


def test_naming_undoing_and_the_history(database: Path) -> None:
    given = ["--everywhere", "--note", "says so at 0:01", "--editor", "ann"]
    result = call(database, "northbridge", "Ann Lee", "--at", "0:03", *given)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(" 0:02 to 0:04: Ann Lee speaks\n")
    now = json.loads(call(database, "northbridge", "", "--at", "6", "--editor", "bob", "--json").stdout)
    assert (now["speakers"], now["machine"]) == ([None], GUEST)
    assert [one["name"] for one in now["attributions"]] == ["Ann Lee", ""]
    assert call(database, "northbridge", "--at", "3", "--undo").stdout.endswith(f": undone, now: {GUEST} speaks\n")
    shown = call(database, "northbridge", "--history")
    undone, nobody, first = shown.stdout.splitlines()
    assert first.endswith(" Ann Lee named as the speaker wherever this voice is heard (undone since) – says so at 0:01")
    assert nobody.endswith(" bob: 0:05.5 nobody named as the speaker (in force)")
    assert undone.endswith(" 0:02.5 who speaks: undone")
    assert shown.stderr == "3 entries\n"
    entries = json.loads(call(database, "north", "--history", "--json").stdout)
    assert [one["counts"] for one in entries] == [False, True, False]  # as in the histories of times and words


def test_a_whole_second_is_that_which_the_page_shows_at_a_passage(database: Path) -> None:
    assert call(database, "north", "Ann Lee", "--at", "0:02").stdout.endswith(" 0:02 to 0:04: Ann Lee speaks\n")
    assert call(database, "north", "Cal Roe", "--at", "2.0").stdout.endswith(" 0:00 to 0:02: Cal Roe speaks\n")


def test_undoing_a_passage_leaves_the_name_of_the_voice(database: Path) -> None:
    call(database, "northbridge", "Ann Lee", "--at", "0:03", "--everywhere")
    call(database, "northbridge", "Bo Cole", "--at", "6")
    for left in ("Ann Lee", GUEST):
        assert call(database, "northbridge", "--at", "6", "--undo").stdout.endswith(f": undone, now: {left} speaks\n")
    assert "has nothing to undo" in call(database, "northbridge", "--at", "6", "--undo").stderr


def test_an_episode_that_is_not_transcribed_has_no_history(database: Path) -> None:
    shown = call(database, "south", "--history")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "0 entries\n")


def test_several_passages_at_once(database: Path) -> None:
    result = call(database, "northbridge", "Ann Lee", "--at", "0:03", "--to", "0:05")
    assert result.stdout.endswith(" 0:02 to 0:05: Ann Lee speaks\n")
    with reader(database) as connection:
        assert [row[0] for row in connection.execute("select speaker from segments order by n")] == [
            *(HOST, "Ann Lee", "Ann Lee", GUEST)
        ]
        assert len(history(connection, SHA256)) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["north", "--at", "1"], "Give a NAME, --undo or --history."),
        (["north", "Ann", "--at", "1", "--undo"], "Give a NAME, --undo or --history."),
        (["north", "Ann"], "Say where: --at TIME."),
        (["north", "--history", "--everywhere"], "--everywhere can only be used with a NAME"),
        (["north", "Ann", "--at", "99"], "nothing is said in"),
        (["north", "Ann", "--at", "3", "--to", "1"], "is before --at"),
        (["north", "Ann", "--at", "soon"], "at: "),
        (["south", "Ann", "--at", "1"], "is not transcribed"),
        (["north", "--at", "1", "--undo"], "has nothing to undo at 0:00"),
        (["north", "", "--at", "1", "--everywhere"], "speaker: is missing"),
        (["north", "Ann", "--at", "1", "--to", "4", "--everywhere"], "no single voice"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_recorded(database: Path, arguments: list[str], told: str) -> None:
    result = call(database, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    with reader(database) as connection:
        assert history(connection, SHA256) == ()
