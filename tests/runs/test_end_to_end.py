"""The whole pipeline on the bundled sample show: real HTTP, real Whisper weights, real SQLite."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import pytest
from click.testing import CliRunner
from whisper.normalizers import EnglishTextNormalizer

from pipeline.archive.corrections import correct
from pipeline.archive.database import editor, reader
from pipeline.archive.questions.asked import questions_of
from pipeline.archive.reading import episode_named
from pipeline.archive.search import search
from pipeline.cli import main
from pipeline.config import Config
from pipeline.model import Correction
from pipeline.runs.report import Report
from pipeline.runs.run import run
from pipeline.runs.talk import Talk
from pipeline.sample import DATA, EPISODES
from pipeline.sample.__main__ import sample_config
from pipeline.sample.server import serving


@pytest.fixture
def archive(demo_db: Path) -> Iterator[sqlite3.Connection]:
    with reader(demo_db) as connection:
        yield connection


def truths() -> list[dict[str, Any]]:
    return [json.loads((DATA / f"{name}.truth.json").read_text(encoding="utf-8")) for name in EPISODES]


def test_both_episodes_are_archived_whole(archive: sqlite3.Connection, demo_db: Path) -> None:
    rows = archive.execute(
        "select e.title, r.path, r.bytes, r.duration, t.engine, t.model from episodes e "
        "join renditions r on r.episode = e.id join transcripts t on t.episode = e.id and t.preferred "
        "order by e.published"
    ).fetchall()
    assert len(rows) == 2
    for row, name, truth in zip(rows, EPISODES, truths(), strict=True):
        assert (demo_db.parent / row["path"]).read_bytes() == (DATA / f"{name}.mp3").read_bytes()
        assert row["duration"] == pytest.approx(truth["duration"], abs=0.1)
        assert (row["engine"], row["model"]) == ("faster-whisper", "tiny.en")


def test_word_error_rate_is_below_ten_percent(archive: sqlite3.Connection) -> None:
    normalise = EnglishTextNormalizer()
    episodes = archive.execute("select id from episodes order by published").fetchall()
    for (episode,), truth in zip(episodes, truths(), strict=True):
        said = normalise(" ".join(utterance["text"] for utterance in truth["utterances"]))
        rows = archive.execute("select text from segments where episode = ? order by n", [episode])
        heard = normalise(" ".join(row["text"] for row in rows))
        assert jiwer.wer(said, heard) < 0.10


@pytest.mark.parametrize("number", [0, 1], ids=["as published", "merged, skipped, swapped, rephrased"])
def test_every_question_is_right_within_two_seconds(archive: sqlite3.Connection, number: int) -> None:
    rows = archive.execute(
        """select * from question_times where episode = (select id from episodes order by published limit 1 offset ?)
           order by number""",
        [number],
    ).fetchall()
    expected = truths()[number]["questions"]
    assert len(rows) == len(expected)
    for row, question in zip(rows, expected, strict=True):
        assert row["status"] == question["status"], question
        assert row["confidence"] > (0.9 if number == 0 else 0.5)
        if question["start"] is not None:
            assert row["start"] == pytest.approx(question["start"], abs=2.0)
            assert row["end"] == pytest.approx(question["end"], abs=2.0)
            assert row["answer_end"] == pytest.approx(question["answer_end"], abs=2.0)


def test_what_is_asked_besides_the_list_is_kept(archive: sqlite3.Connection) -> None:
    rows = archive.execute("select f.*, q.number from follow_ups f join questions q on q.id = f.question").fetchall()
    expected = [one for truth in truths() for one in truth["follow_ups"]]
    assert [row["number"] for row in rows] == [one["after"] for one in expected]
    assert [row["start"] for row in rows] == pytest.approx([one["start"] for one in expected], abs=2.0)


def test_a_phrase_across_two_segments_is_found_once_at_the_right_second(
    archive: sqlite3.Connection, demo_db: Path
) -> None:
    rows = archive.execute(
        "select s.words, following.words as next_words from segments s "
        "join segments following on following.transcript = s.transcript and following.n = s.n + 1 "
        "where json_array_length(s.words) > 3 and json_array_length(following.words) > 3 limit 5"
    ).fetchall()
    assert rows
    for row in rows:
        before, after = json.loads(row["words"])[-3:], json.loads(row["next_words"])[:3]
        quote = " ".join(word[2] for word in before + after).replace('"', "")
        results = search(archive, f'"{quote}"')
        assert results.total == 1
        assert results.hits[0].start == pytest.approx(before[0][0], abs=0.01)
        printed = subprocess.run(
            [sys.executable, "-m", "pipeline", "search", f"“{quote}”", "--db", str(demo_db), "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        (hit,) = json.loads(printed.stdout)["hits"]
        assert hit["start"] == results.hits[0].start


ROOT = Path(__file__).parents[2]


def test_every_search_that_is_explained_finds_something(archive: sqlite3.Connection) -> None:
    page = (ROOT / "docs/journalists.md").read_text(encoding="utf-8")
    typed_in_table = [
        cell for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for cell in re.findall(r"`([^`]+)`", row)
    ]
    searches = [*typed_in_table, *re.findall(r"pipeline search '([^']+)'", page)]
    assert len(searches) > 15
    for typed in searches:
        assert search(archive, typed).total, typed


def test_what_is_checked_and_told_as_an_example_is_of_the_passages_that_it_names(demo_db: Path, tmp_path: Path) -> None:
    shutil.copy(demo_db, tmp_path / "a.db")
    page = (ROOT / "docs/editors.md").read_text(encoding="utf-8")
    given = re.findall(r"^    python -m pipeline ((?:check|speaker) .*)$", page, re.MULTILINE)
    assert len(given) == 6
    for line in given:
        arguments = shlex.split(line, comments=True)
        result = CliRunner().invoke(main, [*arguments, "--db", str(tmp_path / "a.db")])
        assert result.exit_code == 0, result.stderr
        assert f" {arguments[arguments.index('--at') + 1]} to " in result.stdout


def test_a_second_run_does_nothing_again(demo_db: Path, demo_runs: list[Report]) -> None:
    """The sample is served on another port each time, but the episodes are the same."""
    first, second = demo_runs
    assert first.exit_code == second.exit_code == 0
    assert first.counts("transcribe") == {"ok": 2, "skipped": 0, "failed": 0}
    assert second.counts("download") == {"ok": 0, "skipped": 2, "failed": 0}
    assert second.counts("transcribe") == {"ok": 0, "skipped": 2, "failed": 0}
    assert second.skip_reasons("align") == {"already aligned": 2}
    with reader(demo_db) as connection:
        assert connection.execute("select count(*) from transcripts").fetchone()[0] == 2
        stored = connection.execute("select exit_code, report from runs order by id desc limit 1").fetchone()
        assert stored["exit_code"] == 0
        assert json.loads(stored["report"]) == second.as_dict()


def test_a_lost_database_is_rebuilt_from_the_kept_transcripts(demo_db: Path, tmp_path: Path) -> None:
    """Transcripts are also files, so that hours of transcribing need not be repeated."""
    (tmp_path / "transcripts").mkdir()
    for path in (demo_db.parent / "transcripts").iterdir():
        (tmp_path / "transcripts" / path.name).write_bytes(path.read_bytes())
    with serving(DATA) as address:
        report = run(_only_first(sample_config(address)), tmp_path / "again.db", Talk(quiet=True))
    assert [item.reason for item in report.items if item.stage == "transcribe" and item.status == "ok"] == [
        "read from its file"
    ]


def _only_first(config: Config) -> Config:
    return config.model_copy(update={"feeds": [config.feeds[0].model_copy(update={"limit": 1})]})


def test_a_correction_outlives_polling_and_aligning_again(demo_db: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_db.parent, tmp_path / "copy")
    database = tmp_path / "copy" / demo_db.name
    with editor(database) as db:
        episode = episode_named(db.conn, "Northbridge")
        before = [question.start for question in questions_of(db.conn, [episode])[episode]]
        correct(db, episode, Correction(3, "asked", 76.25, editor="ann", made_at="2026-06-02T06:00:00Z"))
    with serving(DATA) as address:
        report = run(sample_config(address), database, Talk(quiet=True), stages=("poll", "align"), again=True)
    assert report.exit_code == 0
    with reader(database) as connection:
        after = [question.start for question in questions_of(connection, [episode])[episode]]
    assert after == [*before[:2], 76.25, *before[3:]]
