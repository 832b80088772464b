"""The status page of the archive, and who may see paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.archive.database import writer
from pipeline.archive.feeds import save_failure
from pipeline.archive.pages import PageVisit, save_visit
from pipeline.archive.runs import add_item, finish_run, note_wanted, start_run
from pipeline.model import RunItem
from pipeline.site.wording import size
from tests.support.archive_fixture import AUDIO, EVIL, Kept, Serve, Site, kept, serve, site
from tests.support.building import NOW
from tests.support.copying import made, served
from tests.support.correcting import configured
from tests.support.reading import text_of

__all__ = ["kept", "serve", "site"]  # fixtures

REASON = f"/home/ann/feeds/show.xml cannot be read {EVIL}; https://example.org/feed.xml answered HTTP 500"
LATER = "2026-01-02T03:09:05Z"


def add_run(path: Path, *failures: RunItem, exit_code: int | None = 3) -> None:
    with writer(path) as db:
        run = start_run(db, command="poll download", version="1", now=NOW)
        for failure in failures:
            add_item(db, run, failure)
        note_wanted(db, {"show": None, "other": None})
        if exit_code is not None:
            finish_run(db, run, exit_code=exit_code, report={"failed": [{"reason": REASON}]}, now=LATER)
        db.conn.commit()


def failed(episode: str | None = None) -> RunItem:
    return RunItem("download" if episode else "poll", "show", episode, "failed", REASON)


def test_what_failed_what_waits_and_the_disk(site: Site, kept: Kept) -> None:
    add_run(kept.path, failed(kept.spoken), failed())
    response = site.ask("/-/status")
    assert response.status_code == 200
    text = text_of(response)
    assert "The last run ( poll download ) began 2 January 2026, 03:04 UTC and did everything but 2 things." in text
    assert f"{kept.spoken} , download: … cannot be read {EVIL}; https://example.org/feed.xml answered HTTP 500" in text
    assert "to be downloaded 1 to be transcribed 0 to be aligned 0" in text
    assert "noindex" in response.text
    found = site.ask("/-/status.json").json()
    assert found["waiting"] == {"download": 1, "transcribe": 0, "align": 0}
    assert found["last_run"]["exit_code"] == 3
    assert [one["episode"] for one in found["last_run"]["failed"]] == [kept.spoken, None]
    assert found["disk"]["recordings"] == 1000
    assert found["disk"]["free"] > 0
    assert [feed["slug"] for feed in found["feeds"]] == ["other", "show"]
    assert len(AUDIO) == 1000


def test_where_the_archive_lies_is_told_to_editors_alone(serve: Serve, kept: Kept) -> None:
    site = serve(**configured(permissions={"correct-times": {"id": "ann"}, "check-words": {"id": "ann"}}))
    for path in ("/-/status", "/-/status.json"):
        for stranger in (None, "bob"):
            assert str(kept.path.parent) not in site.ask(path, actor=stranger).text
        assert str(kept.path.resolve()) in site.ask(path, actor="ann").text


def test_no_table_tells_where_files_lie(site: Site, kept: Kept) -> None:
    add_run(kept.path, failed(kept.spoken), failed())
    with writer(kept.path) as db, db.atomic():
        save_failure(db, "show", REASON, now=NOW)
        save_visit(db, PageVisit(kept.spoken, "https://x.test/1", None, NOW, None, None, 0, REASON, 1))
    for table, column in (
        ("run_items", "reason"), ("runs", "report"), ("feeds", "last_status"), ("episode_pages", "problem"),
    ):  # fmt: skip
        told = site.ask(f"/a/{table}.json?_shape=objects").json()["rows"][-1][column]
        assert "/home/ann" not in told, table
        assert " cannot be read" in told, table


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (0, "did everything there was to do"),
        (1, "was stopped by an error"),
        (130, "was interrupted"),
        (None, "has not finished, or was cut off"),
    ],
)
def test_how_the_last_run_ended(site: Site, kept: Kept, exit_code: int | None, said: str) -> None:
    add_run(kept.path, exit_code=exit_code)
    assert said in text_of(site.ask("/-/status"))


def test_many_failures_are_counted_and_not_all_listed(site: Site, kept: Kept) -> None:
    add_run(kept.path, *[failed(kept.spoken)] * 25)
    text = text_of(site.ask("/-/status"))
    assert text.count("HTTP 500") == 20
    assert "And 5 more." in text


def test_the_account_of_the_runs_can_be_closed_without_the_site(serve: Serve) -> None:
    site = serve(metadata={"databases": {"a": {"tables": {"run_items": {"allow": {"id": "ann"}}}}}})
    assert site.ask("/").status_code == 200
    for path in ("/-/status", "/-/status.json"):
        assert site.ask(path).status_code == 403
        assert site.ask(path, actor="ann").status_code == 200


def test_a_published_copy_has_no_runs_and_tells_no_paths(kept: Kept) -> None:
    add_run(kept.path, failed())
    with served(made(kept.path)) as site:
        answer = site.ask("/-/status", actor="ann")
        assert "No run is recorded here" in answer.text
        assert str(kept.path.parent) not in answer.text
        assert "paths" not in site.ask("/-/status.json", actor="ann").json()


@pytest.mark.parametrize(
    ("octets", "shown"), [(0, "0 kB"), (340_000, "340 kB"), (1_200_000_000, "1.2 GB"), (3 * 10**12, "3.0 TB")]
)
def test_sizes(octets: int, shown: str) -> None:
    assert size(octets) == shown
