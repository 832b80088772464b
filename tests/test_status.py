"""The page that says how the archive is doing, and to whom it says where things lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.archive.database import writer
from pipeline.archive.runs import add_item, finish_run, note_wanted, start_run
from pipeline.model import RunItem
from pipeline.site.status import without_paths
from pipeline.site.wording import size
from tests.archive_fixture import AUDIO, EVIL, Kept, Serve, Site, kept, serve, site
from tests.building import NOW
from tests.test_publish import made, served
from tests.test_site import text_of
from tests.test_site_corrections import configured

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
            finish_run(db, run, exit_code=exit_code, report={}, now=LATER)
        db.conn.commit()


def failed(episode: str | None = None) -> RunItem:
    return RunItem("download" if episode else "poll", "show", episode, "failed", REASON)


def test_what_failed_what_waits_and_the_disk(site: Site, kept: Kept) -> None:
    add_run(kept.path, failed(kept.spoken), failed())
    response = site.ask("/-/status")
    assert response.status_code == 200
    text = text_of(response)
    assert "The last run ( poll download ) began 2 January 2026, 03:04 UTC and did all but 2 things." in text
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


def test_where_things_lie_is_told_to_editors_alone(serve: Serve, kept: Kept) -> None:
    add_run(kept.path, failed())
    site = serve(**configured(permissions={"correct-times": {"id": "ann"}, "check-words": {"id": "ann"}}))
    for path in ("/-/status", "/-/status.json"):
        for stranger in (None, "bob"):
            answer = site.ask(path, actor=stranger).text
            assert "/home/ann" not in answer
            assert str(kept.path.parent) not in answer
        answer = site.ask(path, actor="ann").text
        assert "/home/ann/feeds/show.xml" in answer
        assert str(kept.path.resolve()) in answer


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (0, "did all there was to do"),
        (1, "was stopped by an error"),
        (130, "was interrupted"),
        (None, "has not ended, or was cut off"),
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


@pytest.mark.parametrize(
    ("octets", "shown"), [(0, "0 kB"), (340_000, "340 kB"), (1_200_000_000, "1.2 GB"), (3 * 10**12, "3.0 TB")]
)
def test_sizes(octets: int, shown: str) -> None:
    assert size(octets) == shown
