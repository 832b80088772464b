"""The command ``serve``: what it gives to Datasette."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from tests.support.building import new_archive


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments with which Datasette was started."""
    calls: list[list[str]] = []

    def start(arguments: list[str], **_options: Any) -> None:
        calls.append(arguments)

    monkeypatch.delenv("DATASETTE_SECRET", raising=False)
    monkeypatch.setattr("datasette.cli.cli.main", start)
    return calls


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with new_archive(tmp_path / "a.db"):
        return tmp_path / "a.db"


def serve(database: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--db", str(database)], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_the_site_has_the_same_secret_when_it_is_started_again(database: Path, served: list[list[str]]) -> None:
    serve(database)
    serve(database)
    first, again = served
    assert first == again
    assert len(first[first.index("--secret") + 1]) == 64
    kept = database.with_name("a.db.secret")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_secret_of_the_owner_is_not_replaced(
    database: Path, served: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASETTE_SECRET", "x" * 40)
    serve(database)
    assert "--secret" not in served[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_where_nothing_can_be_written_the_site_is_served_all_the_same(database: Path, served: list[list[str]]) -> None:
    database.parent.chmod(0o500)
    try:
        serve(database)
    finally:
        database.parent.chmod(0o700)
    assert "--secret" not in served[0]
