"""Fixtures: the bundled sample show, archived once for the whole test session with real Whisper weights."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.runs.report import Report
from pipeline.runs.run import run
from pipeline.runs.talk import Talk
from pipeline.sample import DATA
from pipeline.sample.__main__ import sample_config
from pipeline.sample.server import serving


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Report]]:
    """The database, and the reports of two consecutive runs on it.

    It is made once for all pytest processes, and each has a copy of its own.
    """
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-made"
    with FileLock(f"{made}.lock"):
        if not made.exists():
            reports = _make(made.with_name("demo-making"))
            made.with_name("demo-making").rename(made)
            made.with_name("demo-reports").write_bytes(pickle.dumps(reports))
    own = tmp_path_factory.mktemp("demo") / "archive"
    shutil.copytree(made, own)
    reports = pickle.loads(made.with_name("demo-reports").read_bytes())  # noqa: S301 - written above
    return own / "demo.db", reports


def _make(folder: Path) -> list[Report]:
    reports = []
    for _ in range(2):
        with serving(DATA) as address:
            reports.append(run(sample_config(address), folder / "demo.db", Talk(quiet=True)))
    return reports


@pytest.fixture(scope="session")
def demo_db(demo: tuple[Path, list[Report]]) -> Path:
    """The database of the archived sample show."""
    return demo[0]


@pytest.fixture(scope="session")
def demo_runs(demo: tuple[Path, list[Report]]) -> list[Report]:
    """The reports of the two runs that made it."""
    return demo[1]
