"""The command line: exit codes, what goes to stdout and what to stderr, and that all of it is documented."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.archive.database import writer
from pipeline.cli import main
from tests.building import add_feed, add_transcript, episode, spoken

ROOT = Path(__file__).parent.parent


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one", title="First", questions=["What now?"]))
        add_transcript(db, one, spoken("Social work is about", "relationships, not process."))
    return path


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_help_and_is_in_the_readme(name: str) -> None:
    command = main.commands[name]
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    assert call(name, "--help").exit_code == 0
    assert name in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_verbs_of_the_contract_are_there() -> None:
    assert {"ingest", "poll", "download", "transcribe", "align", "status", "search", "serve"} <= set(main.commands)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "no such file"),
        ("", "has no key “feeds”"),
        ("feeds:\n  - {slug: a, title: A, url: 7}\n", "key “url”"),
        ("feeds:\n  - {slug: a, title: A, url: a.xml, colour: red}\n", "key “colour”"),
        ("feeds:\n  - {slug: a, title: A, url: a.xml, model: gigantic}\n", "tiny.en"),
    ],
)
def test_wrong_configuration_ends_with_2_before_anything_is_made(tmp_path: Path, text: str | None, named: str) -> None:
    feeds = tmp_path / "feeds.yaml"
    if text is not None:
        feeds.write_text(text, encoding="utf-8")
    result = call("ingest", "--feeds", feeds, "--db", tmp_path / "db" / "a.db")
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "db").exists()


def test_a_feed_that_fails_ends_with_3_and_one_line_that_names_it(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: lost, title: Lost, url: nowhere.xml}\n", encoding="utf-8")
    result = call("ingest", "--feeds", feeds, "--db", tmp_path / "a.db", "--json")
    assert result.exit_code == 3
    assert [line for line in result.stderr.splitlines() if line.startswith("lost poll failed: ")]
    report = json.loads(result.stdout)
    assert report["exit_code"] == 3
    assert report["stages"]["poll"] == {"ok": 0, "skipped": 0, "failed": 1, "skip_reasons": {}}
    assert "nowhere.xml" in report["failed"][0]["reason"]


def test_an_only_that_fits_nothing_is_wrong_usage(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: show, title: Show, url: nowhere.xml}\n", encoding="utf-8")
    result = call("ingest", "--feeds", feeds, "--db", tmp_path / "a.db", "--only", "shwo")
    assert result.exit_code == 2
    assert "shwo" in result.stderr
    assert "show" in result.stderr


def test_search_as_text_and_as_json(database: Path) -> None:
    result = call("search", "“about relationships”", "--db", database)
    assert result.exit_code == 0
    assert "First (2026-01-02), 0:01" in result.stdout
    assert result.stderr == "1 hit\n"
    found = json.loads(call("search", "relationships", "--db", database, "--json").stdout)
    assert found["total"] == 1
    assert set(found["hits"][0]) >= {
        "episode", "title", "published", "speaker", "role", "question", "start", "end", "text", "html", "url",
    }  # fmt: skip


def test_status_as_text_and_as_json(database: Path) -> None:
    assert "show: 1 listed, 1 kept" in call("status", "--db", database).stdout
    (feed,) = json.loads(call("status", "--db", database, "--json").stdout)["feeds"]
    assert (feed["episodes"], feed["kept"], feed["transcribed"], feed["aligned"]) == (1, 1, 1, 0)


@pytest.mark.parametrize("verb", [("search", "x"), ("status",), ("serve",)])
def test_reading_a_database_that_is_not_there(tmp_path: Path, verb: tuple[str, ...]) -> None:
    result = call(*verb, "--db", tmp_path / "none.db")
    assert result.exit_code == 1
    assert "no such database" in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_aligning_files_alone(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    segments = [
        {"start": 0.0, "end": 4.0, "text": "Welcome to the show."},
        {"start": 200.0, "end": 206.0, "text": "How have caseloads been kept manageable?", "speaker": "A"},
        {"start": 206.5, "end": 212.0, "text": "With great care and more money."},
    ]
    questions = [{"number": 1, "text": "How have caseloads been kept manageable?"}, {"number": 2, "text": "Who cooks?"}]
    good.write_text(json.dumps({"questions": questions, "segments": segments}), encoding="utf-8")
    bad.write_text('{"questions": 3}', encoding="utf-8")
    result = call("align", "--load", good, bad, tmp_path / "none.json")
    assert result.exit_code == 3
    (line,) = result.stdout.splitlines()
    printed = json.loads(line)
    assert printed["file"] == str(good)
    assert [(match["number"], match["status"]) for match in printed["matches"]] == [(1, "asked"), (2, "not_asked")]
    assert printed["matches"][0]["start"] == 200.0
    assert "bad.json" in result.stderr
    assert "none.json" in result.stderr


@pytest.mark.parametrize("verb", ["align", "transcribe"])
def test_files_without_load_are_wrong_usage(verb: str, tmp_path: Path) -> None:
    assert call(verb, tmp_path / "x", "--db", tmp_path / "a.db").exit_code == 2


def test_transcribing_files_alone_says_what_failed(tmp_path: Path) -> None:
    (tmp_path / "page.mp3").write_text("<html>gone</html>", encoding="utf-8")
    result = call("transcribe", "--load", tmp_path / "page.mp3", "--db", tmp_path / "a.db")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "page.mp3" in result.stderr
    assert call("transcribe", "--load", tmp_path / "page.mp3", "--model", "huge").exit_code == 2
