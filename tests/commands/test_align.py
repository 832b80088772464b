"""The command ``align``: one episode, all of them, explained, and files alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.archive.corrections import correct
from pipeline.archive.database import reader, writer
from pipeline.cli import main
from pipeline.model import Correction
from tests.stages.test_align import QUESTIONS, SCRIPT
from tests.support.building import NOW, add_feed, add_transcript, episode


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def options(tmp_path: Path) -> list[Any]:
    """The options for an archive with two transcribed episodes; a question of one is corrected."""
    (tmp_path / "feeds.yaml").write_text(
        "feeds:\n  - slug: show\n    title: Show\n    url: https://example.org/feed.xml\n", encoding="utf-8"
    )
    with writer(tmp_path / "a.db") as db:
        ids = add_feed(
            db,
            "show",
            episode("one", title="Greenhaven", questions=QUESTIONS),
            episode("two", title="Northbridge", questions=QUESTIONS),
        )
        for n, one in enumerate(ids):
            add_transcript(db, one, SCRIPT, sha256=f"{n}" * 64)
        db.execute("update renditions set duration = 240")
        correct(db, ids[0], Correction(7, "not_asked", editor="ann", made_at=NOW))
    return ["--db", tmp_path / "a.db"]


def aligned(options: list[Any]) -> int:
    with reader(options[1]) as connection:
        return int(connection.execute("select count(*) from alignments").fetchone()[0])


def test_one_episode_is_aligned_by_a_part_of_its_title_and_all_by_all(options: list[Any], tmp_path: Path) -> None:
    feeds = ["--feeds", tmp_path / "feeds.yaml"]
    assert call("align", "greenhaven", *options, *feeds).exit_code == 0
    assert aligned(options) == 1
    assert call("align", "--all", *options, *feeds).exit_code == 0
    assert aligned(options) == 2
    report = json.loads(call("align", "--all", "--json", *options, *feeds).stdout)
    assert report["stages"]["align"]["ok"] == 2


def test_what_feeds_yaml_does_not_name_is_aligned_from_what_is_kept(options: list[Any], tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(
        "feeds:\n  - slug: other\n    title: Other\n    url: https://example.org/other.xml\n", encoding="utf-8"
    )
    feeds = ["--feeds", tmp_path / "feeds.yaml"]
    planned = json.loads(call("align", "greenhaven", "--dry-run", "--json", *options, *feeds).stdout)
    assert [one["title"] for one in planned] == ["Greenhaven"]
    result = call("align", "greenhaven", *options, *feeds)
    assert (result.exit_code, aligned(options)) == (0, 1)
    assert "--only" not in result.stderr
    assert json.loads(call("align", "--all", "--json", *options, *feeds).stdout)["stages"]["align"]["ok"] == 2
    assert call("align", "--only", "nowhere", *options, *feeds).exit_code == 2
    assert call("transcribe", "--only", "show", *options, *feeds).exit_code == 2


def test_an_explanation_is_a_table_or_json_and_tells_of_the_editor(options: list[Any]) -> None:
    table = call("align", "greenhaven", "--explain", *options)
    assert table.exit_code == 0
    assert "7. And finally, what’s next for Greenhaven?" in table.stdout
    assert "an editor says: not asked" in table.stdout
    assert "nearness" in table.stdout
    (explained,) = json.loads(call("align", "greenhaven", "--explain", "--json", *options).stdout).values()
    assert [one["number"] for one in explained] == [1, 2, 3, 4, 5, 6, 7]
    assert explained[6]["corrected"] == {"status": "not_asked", "start": None}
    assert explained[6]["places"][0]["start"] == 192.083


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--explain"], "Name an EPISODE to explain"),
        (["greenhaven", "--explain", "--all"], "--all cannot be used with --explain"),
        (["greenhaven", "northbridge"], "Name one EPISODE"),
        (["greenhaven", "--all"], "Name one EPISODE"),
        (["southbridge"], "no episode matches “southbridge”"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: list[str], says: str, options: list[Any]) -> None:
    result = call("align", *arguments, *options)
    assert result.exit_code == 2
    assert says in result.stderr


def test_files_alone_are_explained_and_without_a_list_heard(tmp_path: Path) -> None:
    segments = [{"start": s.start, "end": s.end, "text": s.text, "speaker": s.speaker} for s in SCRIPT]
    questions = [{"number": n, "text": text} for n, text in enumerate(QUESTIONS, 1)]
    listed, unlisted = tmp_path / "listed.json", tmp_path / "unlisted.json"
    listed.write_text(json.dumps({"questions": questions, "segments": segments[::-1]}), encoding="utf-8")
    unlisted.write_text(json.dumps({"questions": [], "segments": segments}), encoding="utf-8")
    result = call("align", "--load", listed, unlisted, "--explain")
    assert result.exit_code == 0
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["matches"][6]["start"] == 192.083
    assert first["follow_ups"][0]["after"] == 3
    assert first["explanation"][6]["places"][0]["probability"] > 0.9
    assert [match["number"] for match in second["matches"]] == list(range(1, len(second["matches"]) + 1))
    assert second["matches"][0]["text"].startswith("You have gone from struggling to good")


def test_the_publishers_times_may_be_given_with_the_questions(tmp_path: Path) -> None:
    segments = [{"start": s.start, "end": s.end, "text": s.text, "speaker": s.speaker} for s in SCRIPT]
    question = {"number": 1, "text": "Any wishes for the years ahead?"}
    for stated, status in ((None, "not_asked"), (190.0, "asked")):
        (tmp_path / "a.json").write_text(
            json.dumps({"questions": [{**question, "stated": stated}], "segments": segments})
        )
        (match,) = json.loads(call("align", "--load", tmp_path / "a.json").stdout)["matches"]
        assert match["status"] == status


def test_the_transcript_that_is_documented_is_aligned(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/researchers.md").read_text(encoding="utf-8")
    (tmp_path / "a.json").write_text(page[page.rindex("\n    {\n") :], encoding="utf-8")
    result = call("align", "--load", tmp_path / "a.json")
    assert result.exit_code == 0, result.stderr
    (match,) = json.loads(result.stdout)["matches"]
    assert (match["status"], match["start"]) == ("asked", 3.4)
