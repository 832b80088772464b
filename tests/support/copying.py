"""Publishing an archive in tests, and serving the copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from pipeline.cli import main
from tests.support.archive_fixture import Site, opened


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["publish", *map(str, arguments)])


def made(database: Path, *options: object) -> Path:
    """Publish; return the folder."""
    folder = database.parent / "out"
    result = call("--db", database, "--out", folder, *options)
    assert result.exit_code in {0, 3}, result.output  # 3: a recording that a test names is missing
    return folder


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """The copy as `datasette FOLDER` serves it."""
    with opened(config_dir=folder) as site:
        yield site


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
