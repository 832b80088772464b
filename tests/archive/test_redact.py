"""Public error messages do not reveal paths of the computer on which they occurred."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.archive.database import writer
from pipeline.archive.redact import without_paths, without_paths_within
from pipeline.archive.schema import migrations
from tests.support.building import NOW


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann/a.mp3: no such file", "…: no such file"),
        ("file:///srv/feed.xml could not be read", "… could not be read"),
        ("it is “/srv/a b”, or not", "it is “…”, or not"),
        ("/home/ann lee/my shows/a.mp3: no such file", "…: no such file"),
        ("/srv/a.mp3 is not what https://example.org/a/b gave", "… is not what https://example.org/a/b gave"),
        (r"C:\Users\ann\a.mp3 is missing", "… is missing"),
        ("~/feeds/a.xml is missing", "… is missing"),
        ("https://example.org/a/b.mp3?x=/c answered HTTP 404", "https://example.org/a/b.mp3?x=/c answered HTTP 404"),
        ("it is audio/mpeg and/or 24/7", "it is audio/mpeg and/or 24/7"),
    ],
)
def test_paths_are_taken_out_of_a_sentence_and_addresses_stay(text: str, shown: str) -> None:
    assert without_paths(text) == shown


def test_all_that_a_report_says_is_looked_through() -> None:
    report = {"skip": {"/srv/a.mp3 is there": 2}, "failed": [{"reason": "/srv/a.mp3 is missing", "feed": "a/b"}, None]}
    assert without_paths_within(report) == {
        "skip": {"… is there": 2},
        "failed": [{"reason": "… is missing", "feed": "a/b"}, None],
    }


def test_what_an_earlier_version_kept_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    told = "/home/ann/show.xml: no such file"
    with closing(sqlite3.connect(path)) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before="m014_paths")
        with connection:
            db.execute("insert into feeds (slug, title, url, last_status) values ('show', 'Show', 'x', ?)", [told])
            db.execute(
                "insert into runs (command, version, started, report) values ('poll', '1', ?, ?)",
                [NOW, json.dumps({"failed": [{"reason": told}]})],
            )
            db.execute("insert into run_items values (1, 'poll', 'show', null, 'failed', ?, 0)", [told])
    with writer(path) as db:
        (row,) = db.query(
            """select last_status, reason, json_extract(report, '$.failed[0].reason') as reported
               from feeds, runs, run_items"""
        )
    assert set(row.values()) == {"…: no such file"}
