"""Fixtures: the bundled sample show, archived once for the whole test session with real Whisper weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ingest import Report
from pipeline.run import run
from pipeline.sample import DATA
from pipeline.sample.__main__ import sample_config
from pipeline.sample.server import serving
from pipeline.talk import Talk


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Report]]:
    """The database, and the reports of two runs into it, one after the other."""
    database = tmp_path_factory.mktemp("demo") / "demo.db"
    reports = []
    for _ in range(2):
        with serving(DATA) as address:
            reports.append(run(sample_config(address), database, Talk(quiet=True)))
    return database, reports


@pytest.fixture(scope="session")
def demo_db(demo: tuple[Path, list[Report]]) -> Path:
    """The database of the archived sample show."""
    return demo[0]


@pytest.fixture(scope="session")
def demo_runs(demo: tuple[Path, list[Report]]) -> list[Report]:
    """The reports of the two runs that made it."""
    return demo[1]
