"""Repairing an archive: recorded content is restored, anything else is rejected, and nothing else is touched."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.archive.database import writer
from tests.conftest import FakeEngine
from tests.support.misbehaving import Answer, Request, page
from tests.support.proving import FEED, ITEM, Proven, heard, proven, proven_once

__all__ = ["proven", "proven_once"]  # fixtures

FILES = ["audio/*/*.mp3", "feeds/*.xml", "transcripts/*.json", "transcripts/*.published"]


def sole(archive: Proven, *options: object) -> dict[str, object]:
    """Repair; return the outcome for the only problem."""
    (found,) = json.loads(archive.repair("--json", *options).stdout)["problems"]
    return dict(found)


def test_a_folder_may_be_a_link_to_another_disk(
    proven: Proven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = proven.file("audio/*/*.mp3")
    before = recording.read_bytes()
    recording.parent.symlink_to(recording.parent.rename(tmp_path / "disk"))
    replace = os.replace

    def on_one_disk(source: Path, target: Path) -> None:
        if (tmp_path / "disk") in {Path(target).resolve().parent} - {Path(source).resolve().parent}:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(os, "replace", on_one_disk)
    for command in ("verify --repair", "download"):
        recording.unlink()
        assert proven.call(*command.split(), "--feeds", proven.feeds).exit_code == 0
        assert recording.read_bytes() == before
        assert [path.name for path in (tmp_path / "disk").iterdir()] == [recording.name]
        assert list(proven.data.glob("audio/.*/**/*.*")) == []


@pytest.mark.parametrize("pattern", [*FILES, "transcripts/*.*.*.json"])
def test_a_missing_file_comes_back_byte_for_byte_and_nothing_else_changes(proven: Proven, pattern: str) -> None:
    before = proven.content()
    proven.file(pattern).unlink()
    result = proven.repair()
    assert result.exit_code == 0, result.output
    assert result.stdout.count(" – repaired: ") == 1
    assert "1 problem, 1 repaired" in result.stderr
    assert proven.content() == before
    assert proven.call("verify").exit_code == 0


@pytest.mark.parametrize("pattern", FILES)
def test_a_damaged_file_is_replaced_by_what_was_recorded(proven: Proven, pattern: str) -> None:
    before = proven.content()
    proven.file(pattern).write_bytes(b"rubbish")
    result = proven.repair()
    assert result.exit_code == 0, result.output
    assert proven.content() == before


def test_what_is_damaged_all_over_is_mended_at_once(proven: Proven) -> None:
    before = proven.content()
    for path in before:
        (proven.data / path).unlink()
    proven.change("delete from segments_fts_data where id > 10")
    assert proven.repair().exit_code == 0
    assert proven.content() == before
    assert proven.call("verify").exit_code == 0


def test_a_recording_is_had_from_where_the_feed_names_it_now(proven: Proven, tone_mp3: bytes) -> None:
    proven.server.give("/1.audio", Answer(status=410))
    moved = proven.server.give("/moved.audio", Answer(tone_mp3))
    proven.change(f"update episodes set enclosure_url = '{moved}' where enclosure_url like '%/1.audio'")
    path = proven.file("audio/*/*.mp3")
    path.unlink()
    left_by_a_kill = proven.data / "audio" / ".repair" / "audio" / "x.mp3"
    left_by_a_kill.parent.mkdir(parents=True)
    left_by_a_kill.write_bytes(b"x")
    assert sole(proven)["how"] == f"fetched again from {moved}"
    assert path.read_bytes() == tone_mp3
    assert not (proven.data / "audio" / ".repair").exists()


def test_another_file_at_the_same_address_is_not_taken(proven: Proven, tone_mp3: bytes) -> None:
    path = proven.file("audio/*/*.mp3")
    path.unlink()
    before = proven.content()
    proven.server.give("/1.audio", Answer(tone_mp3 + tone_mp3))
    found = sole(proven)
    assert found["mended"] is False
    assert "now gives another file" in str(found["how"])
    assert proven.content() == before
    assert proven.repair().exit_code == 3


def test_an_error_page_is_not_taken_and_a_damaged_file_stays_as_it_is(proven: Proven) -> None:
    for pattern, address in (("audio/*/*.mp3", "/1.audio"), ("feeds/*.xml", "/feed.xml")):
        path = proven.file(pattern)
        whole = path.read_bytes()
        path.write_bytes(whole[:100])
        proven.server.give(address, page())
        assert sole(proven)["mended"] is False
        assert path.read_bytes() == whole[:100]
        path.write_bytes(whole)


def test_all_pages_of_a_feed_come_back(proven: Proven) -> None:
    link = "<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='next' href='/2.xml'/>"
    pages = [FEED.format(items=link + ITEM.format(n=9)).encode(), FEED.format(items=ITEM.format(n=8)).encode()]
    for address, content in zip(("/feed.xml", "/2.xml"), pages, strict=True):
        proven.server.give(address, Answer(content))
    assert proven.call("poll", "--feeds", proven.feeds).exit_code == 0
    before = proven.content()
    for path in proven.data.glob("feeds/*.xml"):
        if path.read_bytes() in pages:
            path.unlink()
    proven.server.requests.clear()
    assert proven.repair().exit_code == 0
    assert proven.content() == before
    assert [request.path for request in proven.server.requests] == ["/feed.xml", "/2.xml"]


def test_that_a_page_cannot_be_had_is_said(proven: Proven) -> None:
    link = "<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='next' href='/none.xml'/>"
    proven.server.give("/feed.xml", Answer(FEED.format(items=link + ITEM.format(n=9)).encode()))
    proven.file("feeds/*.xml").unlink()
    how = str(sole(proven)["how"])
    assert "now gives something else, which was not used; only the first 1 of its pages could be read" in how


@pytest.mark.parametrize("login", ["", "ann:${TOKEN}@"])
def test_a_private_feed_that_repeats_its_secret_comes_back_without_it(
    proven: Proven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret/+token")
    link = f"<link>{proven.server.address}/?key=s3cret%2f%2btoken</link>"
    body = FEED.format(items=link + ITEM.format(n=9)).encode()
    logins = {f"Basic {b64encode(b'ann:s3cret/+token').decode()}"} if login else {None}

    def feed(request: Request) -> Answer:
        return Answer(body) if request.headers.get("authorization") in logins else Answer(status=401)

    proven.server.give("/feed.xml", feed)
    feeds = tmp_path / "private.yaml"
    url = f"{proven.server.address.replace('//', f'//{login}')}/feed.xml?key=${{TOKEN}}"
    feeds.write_text(f"feeds: [{{slug: show, title: Show, url: '{url}', allow_private: true}}]\n", encoding="utf-8")
    assert proven.call("poll", "--feeds", feeds).exit_code == 0
    before = proven.content()
    (path,) = (path for path in proven.data.glob("feeds/*.xml") if b"${TOKEN}" in path.read_bytes())
    path.unlink()
    assert sole(proven, "--feeds", feeds)["mended"] is True
    assert proven.content() == before


def test_private_addresses_are_visited_only_for_feeds_that_may(proven: Proven, tmp_path: Path) -> None:
    proven.file("audio/*/*.mp3").unlink()
    asked = len(proven.server.requests)
    strict = tmp_path / "strict.yaml"
    strict.write_text("feeds: [{slug: show, title: Show, url: 'https://example.org/feed.xml'}]\n", encoding="utf-8")
    found = sole(proven, "--feeds", strict)
    assert "is on your own network" in str(found["how"])
    assert len(proven.server.requests) == asked


def test_another_wording_under_a_transcripts_name_is_kept_beside_it(proven: Proven) -> None:
    path = min(proven.data.glob("transcripts/*.json"), key=lambda one: len(one.name))
    right = path.read_bytes()
    other = right.replace(b"morning", b"evensong")
    path.write_bytes(other)
    assert proven.repair().exit_code == 0
    assert path.read_bytes() == right
    assert other in [one.read_bytes() for one in proven.data.glob("transcripts/*.json")]
    assert proven.call("verify").exit_code == 0


@pytest.mark.parametrize("index", ["segments_fts", "transcripts_fts"])
@pytest.mark.parametrize(
    "damage", ["delete from {}_data where id > 10", "delete from {}_data", "drop table {}_idx", "drop table {}_config"]
)
def test_a_damaged_search_index_is_built_anew(proven: Proven, index: str, damage: str) -> None:
    sound = proven.rows("select id, text from segments")
    proven.change(damage.format(index))
    assert (sole(proven)["mended"], proven.call("verify").exit_code) == (True, 0)
    assert json.loads(proven.call("search", "morning", "--json").stdout)["total"] == 2
    assert json.loads(proven.call("search", '"good morning to"', "--json").stdout)["total"] == 2
    assert proven.rows("select id, text from segments") == sound
    proven.ingest(FakeEngine(heard("Good night to all.")), again=True)  # the index's triggers still exist
    assert json.loads(proven.call("search", "night", "--json").stdout)["total"] == 2


def test_a_search_that_finds_its_index_damaged_says_how_it_is_repaired(proven: Proven) -> None:
    proven.change("delete from segments_fts_data where id > 10")
    result = proven.call("search", "morning")
    assert result.exit_code == 1
    assert "a search index is damaged: `verify --repair` rebuilds it" in result.stderr
    assert proven.repair("--quick").exit_code == 0
    assert proven.call("search", "morning").exit_code == 0


def test_orphans_are_listed_and_never_deleted(proven: Proven) -> None:
    stray = proven.data / "audio" / "stray.mp3"
    stray.write_bytes(b"x")
    found = sole(proven)
    assert (found["kind"], found["what"], found["mended"]) == ("orphan", "audio/stray.mp3", False)
    assert stray.read_bytes() == b"x"


def test_from_a_damaged_database_nothing_is_made(proven: Proven) -> None:
    proven.change("delete from questions where number = 1")
    transcript, recording = proven.file("transcripts/*.json"), proven.file("audio/*/*.mp3")
    transcript.unlink()
    recording.unlink()
    found = json.loads(proven.repair("--json").stdout)["problems"]
    assert {one["what"]: one["mended"] for one in found if one["kind"] == "missing"}[
        recording.relative_to(proven.data).as_posix()
    ]
    assert not transcript.exists()
    assert "restore it from a copy first" in next(one["how"] for one in found if one["kind"] == "database")


def test_while_a_run_is_writing_nothing_is_mended(proven: Proven) -> None:
    path = proven.file("audio/*/*.mp3")
    path.unlink()
    with writer(proven.path):
        result = proven.repair()
    assert result.exit_code == 1
    assert "another run is writing" in result.stderr
    assert not path.exists()


def test_feeds_that_cannot_be_read_are_told_before_any_work(proven: Proven, tmp_path: Path) -> None:
    result = proven.call("verify", "--repair", "--feeds", tmp_path / "none.yaml")
    assert result.exit_code == 2
    with closing(sqlite3.connect(proven.path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
