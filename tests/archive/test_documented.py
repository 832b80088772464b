"""What ``docs/data.md`` says of the tables, and what the database has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.archive.database import reader
from tests.support.building import new_archive

PAGE = (Path(__file__).parents[2] / "docs/data.md").read_text(encoding="utf-8")
# The tables with a list of columns, and what that says.
LISTED = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
INTERNAL = re.compile(r"_fts_(data|idx|docsize|config)$|^_sqlite_migrations$|^sqlite_")


def test_every_table_and_view_is_documented(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a.db") as db:
        names = [*db.table_names(), *db.view_names()]
    assert {name for name in names if not INTERNAL.search(name)} == set(re.findall(r"`(\w+)`", _tables_named()))


@pytest.mark.parametrize("table", [name for name, rows in LISTED.items() if "| column |" in rows])
def test_every_column_of_the_useful_tables_is_documented(tmp_path: Path, table: str) -> None:
    with new_archive(tmp_path / "a.db") as db:
        columns = [column.name for column in db[table].columns]
    first_cells = re.findall(r"^\| (`.*?) \|", LISTED[table], re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(first_cells))) == sorted(columns)


@pytest.mark.parametrize("query", re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE))
def test_the_queries_can_be_asked(tmp_path: Path, query: str) -> None:
    with new_archive(tmp_path / "a.db"):
        pass
    with reader(tmp_path / "a.db") as db:
        assert db.execute(query).fetchall() == []


def _tables_named() -> str:
    others = re.findall(r"^\| (`.*?) \|", PAGE.partition("## The others")[2].partition("\n## ")[0], re.MULTILINE)
    return " ".join([*(f"`{name}`" for name in LISTED), *others])
