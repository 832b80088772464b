"""What ``docs/data.md`` says of the tables, and what the database has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.archive.database import reader
from pipeline.archive.questions.alignments import save_matches
from pipeline.model import Match
from tests.support.building import NOW, add_feed, add_transcript, episode, new_archive, spoken

PAGE = (Path(__file__).parents[2] / "docs/data.md").read_text(encoding="utf-8")
# The tables with a list of columns, and what that says.
LISTED = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
QUERIES = re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE)
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


@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_can_be_asked(tmp_path: Path, query: str) -> None:
    with new_archive(tmp_path / "a.db"):
        pass
    with reader(tmp_path / "a.db") as db:
        assert db.execute(query).fetchall() == []


def test_the_queries_answer_what_is_said_of_them(tmp_path: Path) -> None:
    late, early = "2026-02-01T23:00:00Z", "2026-02-02T00:30:00+02:00"  # in the order of time the other way round
    with new_archive(tmp_path / "a.db") as db:
        ids = add_feed(
            db,
            "show",
            episode("late", title="Late", published=late, questions=["What now?", "And then?"]),
            episode("early", title="Early", published=early, questions=["What now?", "And then?"]),
        )
        for n, one in enumerate(ids):
            said = spoken("What now and then?", "A lower caseload.", "And more early help.")
            transcript = add_transcript(db, one, said, sha256=f"{n}" * 64)
            asked = [Match(1, "asked", 0.0, 1.9, 6.0, 0.9), Match(2, "merged", 0.0, 1.9, 6.0, 0.9, merged_with=1)]
            save_matches(db, one, transcript, asked, key="k", now=NOW)
    with reader(tmp_path / "a.db") as connection:
        spoken_of, lasting, answers, indexed = (connection.execute(query).fetchall() for query in QUERIES)
    assert [(title, text) for title, _, _, text in spoken_of] == [
        (one, "A lower caseload.") for one in ("Early", "Late")
    ]
    assert {seconds for *_, seconds in lasting} == {4.0}
    assert sorted(map(tuple, answers)) == sorted(
        (one, number, question, "A lower caseload. And more early help.")
        for one in ids
        for number, question in ((1, "What now?"), (2, "And then?"))
    )
    assert len(indexed) == 4


def _tables_named() -> str:
    others = re.findall(r"^\| (`.*?) \|", PAGE.partition("## The others")[2].partition("\n## ")[0], re.MULTILINE)
    return " ".join([*(f"`{name}`" for name in LISTED), *others])
