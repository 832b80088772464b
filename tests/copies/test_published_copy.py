"""A published copy in use: nothing writes to it, and it stays as it is in later versions."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from pipeline.archive.schema import migrations
from pipeline.cli import main
from tests.support.archive_fixture import SHA256, Kept, Serve, kept, serve
from tests.support.copying import contents, made, served

__all__ = ["kept", "serve"]  # fixtures


@contextmanager
def later_version() -> Iterator[None]:
    """This program as a later version, with one more table."""
    migrations(name="m999_later")(lambda db: db.conn.execute("create table later (x)"))
    try:
        yield
    finally:
        migrations._migrations.pop()  # no public API


@pytest.mark.parametrize("through_a_link", [False, True])
def test_nothing_writes_to_a_copy(kept: Kept, tmp_path: Path, through_a_link: bool) -> None:
    folder = made(kept.path)
    before = contents(folder)
    database = folder / "a.db"
    if through_a_link:
        database = tmp_path / "link.db"
        database.symlink_to(folder / "a.db")
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: show, title: Show, url: nowhere.xml}\n", encoding="utf-8")
    for command in (
        ["check", kept.spoken, "--at", "0:01", "--text", "Bye.", "--editor", "ann"],
        ["correct", kept.spoken, "1", "--start", "0:01", "--editor", "ann"],
        ["speaker", kept.spoken, "Ann Lee", "--at", "0:01", "--editor", "ann"],
        ["renditions", kept.spoken, "--choose", SHA256, "--editor", "ann"],
        ["ingest", "--feeds", feeds],
        ["ingest", "--feeds", feeds, "--dry-run"],
        ["adopt", kept.path.parent / "audio"],
    ):
        result = CliRunner().invoke(main, [*map(str, command), "--db", str(database)])
        assert (result.exit_code, "is a published copy, which cannot change" in result.stderr) == (2, True), command
    assert contents(folder) == before


@pytest.mark.parametrize(
    "command", ["check {} --history", "speaker {} --history", "correct {} --history", "correct --look"]
)
def test_what_editors_did_is_read_in_a_copy_too(kept: Kept, command: str) -> None:
    folder = made(kept.path)
    before = contents(folder)
    told = [
        CliRunner().invoke(main, [*command.format(kept.spoken).split(), "--json", "--db", str(path)])
        for path in (kept.path, folder / "a.db")
    ]
    assert [one.exit_code for one in told] == [0, 0]
    assert told[0].stdout == told[1].stdout
    assert contents(folder) == before


def test_no_bag_is_made_of_a_copy(kept: Kept, tmp_path: Path) -> None:
    copy = made(kept.path) / "a.db"
    result = CliRunner().invoke(main, ["export", "--bag", str(tmp_path / "bag"), "--db", str(copy)])
    assert result.exit_code == 2
    assert "Bag the archive itself" in result.stderr
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize(
    "command", ["verify --quick", "status", "search door", "feeds", "renditions", "publish --out again"]
)
def test_a_later_version_reads_an_earlier_copy_and_leaves_it_as_it_is(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    folder = made(kept.path)
    before = contents(folder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feeds.yaml").write_text("feeds:\n  - {slug: show, title: Show, url: nowhere.xml}\n", encoding="utf-8")
    with later_version():
        result = CliRunner().invoke(main, [*command.split(), "--db", str(folder / "a.db")])
    assert result.exit_code == 0, result.output
    assert contents(folder) == before


def test_a_copy_that_is_too_old_is_refused_in_a_sentence(kept: Kept) -> None:
    folder = made(kept.path)
    with closing(sqlite3.connect(folder / "a.db")) as copy, copy:
        copy.execute("delete from _sqlite_migrations where name >= 'm013'")
        copy.execute("drop table alignments")
    result = CliRunner().invoke(main, ["status", "--db", str(folder / "a.db")])
    assert result.exit_code == 1
    assert "publish it again from its archive" in result.stderr
    with served(folder) as site:
        response = site.ask("/-/status")
        assert response.status_code == 503
        assert "publish it again from its archive" in response.text


def test_serving_a_copy_is_serving_its_folder(kept: Kept) -> None:
    folder = made(kept.path)
    (folder / "metadata.json").write_text('{"databases": {"a": {"description": "Ours"}}}')
    command = [sys.executable, "-m", "pipeline", "serve", "--db", str(folder / "a.db"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            address = next(filter(None, (re.search(r"http://\S+:\d+", line) for line in process.stderr)))[0]
            told = re.findall('"is_mutable": ?(true|false)', httpx.get(f"{address}/-/databases.json").text)
            assert told == ["false"]
            assert "Ours" in httpx.get(f"{address}/a").text
        finally:
            process.terminate()


def test_a_copy_that_is_opened_by_its_file_takes_no_corrections_either(serve: Serve, kept: Kept) -> None:
    folder = made(kept.path)
    before = contents(folder)
    site = serve(folder / "a.db")
    assert site.datasette.databases["a"].is_mutable
    assert 'class="correct"' not in site.ask(f"/-/episode/{kept.spoken}", actor="ann").text
    response = site.ask("/-/correct", method="POST", actor="ann", Accept="application/json")
    assert response.status_code == 403
    assert "read-only, so nothing can be corrected" in response.json()["error"]
    assert contents(folder) == before
