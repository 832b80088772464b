"""The README's table of where things live: a module imports only from its own row or the rows above it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_TABLE = (ROOT / "README.md").read_text(encoding="utf-8").partition("Where things live")[2]
ROWS = [re.findall(r"`(\w+)(?:\.py|/)`", row) for row in re.findall(r"^\| (`.*?) \|", _TABLE, re.MULTILINE)]
HELPERS = next(n for n, row in enumerate(ROWS) if "times" in row)  # “…”: the modules that are not named
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))


def row_of(name: str) -> int:
    """The row of ``pipeline.<name>``."""
    return next((n for n, row in enumerate(ROWS) if name in row), HELPERS)


def imported(path: Path) -> Iterator[str]:
    """The parts of ``pipeline`` that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline"):
            _, _, within = (node.module or "").partition(".")
            yield from [within.partition(".")[0]] if within else (alias.name for alias in node.names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_of_the_table_names_what_is_there(row: list[str]) -> None:
    assert all((ROOT / "pipeline" / name).is_dir() or (ROOT / f"pipeline/{name}.py").is_file() for name in row)


def test_nothing_is_imported_from_a_row_below() -> None:
    downwards = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in MODULES
        if (own := path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py"))
        not in {"__init__", "__main__", "cli"}
        for name in imported(path)
        if row_of(name) > row_of(own)
    ]
    assert downwards == []
