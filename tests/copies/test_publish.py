"""A published copy: complete and consistent while a run writes, without private data, served as it is."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pipeline.archive.attributions import attribute, speech
from pipeline.archive.database import writer
from pipeline.archive.feeds import ensure_feed, save_failure
from pipeline.archive.pages import PageVisit, save_visit
from pipeline.archive.renditions import save_rendition
from pipeline.archive.runs import start_run
from pipeline.model import KeptAudio, Signature
from tests.support.archive_fixture import AUDIO, SHA256, Kept, Serve, kept, serve
from tests.support.building import NOW, add_feed, add_transcript, episode, spoken
from tests.support.copying import call, contents, made, served
from tests.support.pages_fixture import HOST, Held, held

__all__ = ["held", "kept", "serve"]  # fixtures


def test_the_copy_is_served_whole_and_cannot_be_written(kept: Kept) -> None:
    folder = made(kept.path)
    with served(folder) as site:
        assert not site.datasette.databases["a"].is_mutable
        assert "One &lt;script&gt;" in site.ask("/").text
        for path in ("/-/search?q=door", f"/-/episode/{kept.spoken}", "/-/questions", "/-/speakers", "/sitemap.xml"):
            assert site.ask(path).status_code == 200
        assert site.ask(f"/-/audio/{SHA256}").content == AUDIO
        assert site.ask("/a/segments.json?_shape=objects").json()["rows"][0]["n"] == 0
        assert site.ask("/a.db").status_code == 403
        page = site.ask(f"/-/episode/{kept.spoken}", actor="ann")
        assert 'class="correct"' not in page.text  # no forms
        response = site.ask(
            "/-/correct", method="POST", actor="ann", Sec_Fetch_Site="same-origin", Accept="application/json",
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip
        assert response.status_code == 403
        assert "read-only, so nothing can be corrected" in response.json()["error"]


def test_it_can_be_served_beside_others(serve: Serve, kept: Kept) -> None:
    folder = made(kept.path)
    metadata = json.loads((folder / "metadata.json").read_text())
    site = serve(immutables=[str(folder / "a.db")], metadata=metadata)
    assert "Two" in site.ask("/").text


def test_what_a_run_has_just_committed_is_in_the_copy_and_the_rest_is_not(kept: Kept) -> None:
    with writer(kept.path) as db:
        (new,) = add_feed(db, "third", episode("three", title="Just committed"))
        add_transcript(db, new, spoken("Fresh as rain."))
        assert kept.path.with_name("a.db-wal").stat().st_size > 0
        db.conn.execute("begin immediate")
        db.conn.execute("update feeds set title = 'Half done'")
        folder = made(kept.path)
        db.conn.rollback()
    with served(folder) as site:
        assert "Just committed" in site.ask("/").text
        assert "Half done" not in site.ask("/").text
        assert site.ask("/-/search.json?q=fresh").json()["total"] == 1


def test_the_copy_is_one_sound_file_without_what_is_private(held: Held) -> None:
    with writer(held.path) as db:
        run = start_run(db, command="ingest", version="1", now=NOW)
        db.execute("insert into run_items values (?, 'poll', 'show', null, 'failed', '/home/ann/secret', 1)", [run])
        db.conn.commit()
        one, label, voice = db.execute(
            """select t.episode, p.label, p.voice from speakers p join transcripts t on t.id = p.transcript
               where p.voice is not null and t.preferred = 1"""
        ).fetchone()
        (n,) = db.execute("select min(n) from segments where episode = ? and speaker = ?", [one, label]).fetchone()
        seen = speech(db.conn, one, n, n).seal
        attribute(db, one, (n, n), "Somebody Else", Signature("ann", NOW), seen=seen, everywhere=True)
        assert db.execute("select count(*) from transcripts where machine_speakers like ?", [f"%{voice}%"]).fetchone()[
            0
        ]
    folder = made(held.path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "datasette.json", "held.db", "inspect-data.json", "metadata.json", "settings.json",
    ]  # fmt: skip
    assert b"/home/ann/secret" not in (folder / "held.db").read_bytes()
    assert voice.encode() not in (folder / "held.db").read_bytes()
    with closing(sqlite3.connect(folder / "held.db")) as copy:
        assert copy.execute("pragma journal_mode").fetchone() == ("delete",)
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
        assert copy.execute("pragma freelist_count").fetchone() == (0,)
        assert copy.execute("select count(*) from sqlite_stat1").fetchone()[0] > 0
        assert copy.execute("select (select count(*) from runs), (select count(*) from run_items)").fetchone() == (0, 0)
        assert copy.execute("select name, voice from speakers where label = ?", [HOST]).fetchone() == (HOST, None)
        (machine,) = copy.execute(
            "select machine_speakers from transcripts where machine_speakers is not null"
        ).fetchone()
        assert {one["label"]: one["voice"] for one in json.loads(machine)}[label] == []
    with closing(sqlite3.connect(held.path)) as original:
        assert original.execute("select count(*) from speakers where voice is not null").fetchone()[0] > 0
        assert original.execute("select count(*) from runs").fetchone()[0] == 1


def test_what_is_private_is_never_in_the_folder_of_the_copy(kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        run = start_run(db, command="ingest", version="1", now=NOW)
        rows = [(run, f"our attic {n} {'is dark ' * 50}") for n in range(5000)]
        db.conn.executemany("insert into run_items values (?, 'poll', 'show', null, 'failed', ?, 1)", rows)
    folder, seen, is_made = kept.path.parent / "out", set(), Event()

    def watch() -> None:
        while not is_made.is_set():
            for path in folder.glob("*.*"):
                with suppress(FileNotFoundError):
                    if b"attic" in path.read_bytes():
                        seen.add(path.name)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            made(kept.path)
        finally:
            is_made.set()
        watching.result()
    assert seen == set()


def test_what_a_killed_publish_left_is_swept_and_stops_no_other(kept: Kept) -> None:
    folder = kept.path.parent / "out"
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    for process in (gone.pid, os.getppid()):  # the second one still runs
        shutil.copy(kept.path, folder / f"a.db.{process}.part")
        (folder / f"a.db.{process}.part-journal").write_bytes(b"our attic is dark")
    made(kept.path)
    running = f"a.db.{os.getppid()}.part"
    assert {path.name for path in folder.glob("*.part*")} == {running, f"{running}-journal"}


def test_what_went_wrong_at_home_is_not_in_the_copy(kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        save_failure(db, "show", "show.xml in our attic cannot be read", now=NOW)
        save_visit(db, PageVisit(kept.spoken, "https://x.test/1", None, NOW, None, None, 0, "our attic is dark", 1))
        ensure_feed(db, "fresh", title="Not polled yet", url="https://example.org/feed.xml")
    folder = made(kept.path)
    assert b"attic" not in (folder / "a.db").read_bytes()
    with closing(sqlite3.connect(folder / "a.db")) as copy:
        statuses = dict(copy.execute("select slug, last_status from feeds"))
        assert statuses == {"show": "failed", "other": "ok", "fresh": None}


def test_recordings_are_linked_copied_or_left_out(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(kept.path)
    (linked,) = (folder / "audio").rglob("*.mp3")
    (original,) = (kept.path.parent / "audio").rglob("*.mp3")
    assert linked.samefile(original)
    shutil.rmtree(folder)

    def refuse(*_: object) -> None:
        raise OSError("another file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        made(kept.path)
    assert linked.read_bytes() == AUDIO
    assert not linked.samefile(original)
    shutil.rmtree(folder)
    made(kept.path, "--without-audio")
    assert not (folder / "audio").exists()
    with served(folder) as site:
        assert "not in this copy of the archive" in site.ask(f"/-/episode/{kept.spoken}").text


def test_made_again_it_keeps_no_recording_that_it_does_not_name(kept: Kept) -> None:
    folder = made(kept.path)
    gone = folder / "audio" / "00" / f"{'00' * 32}.mp3"
    gone.parent.mkdir()
    gone.write_bytes(b"no longer in the archive")
    (folder / "audio" / "cover.jpg").write_bytes(b"the owner's")
    made(kept.path)
    assert sorted(path.name for path in (folder / "audio").rglob("*.*")) == sorted([f"{SHA256}.mp3", "cover.jpg"])
    assert not gone.parent.exists()
    (folder / "audio" / "cover.jpg").unlink()
    made(kept.path, "--without-audio")
    assert not (folder / "audio").exists()
    assert list((kept.path.parent / "audio").rglob("*.mp3"))  # the archive's own are still there
    with served(folder) as site:
        assert site.ask(f"/-/audio/{SHA256}").status_code == 404


@pytest.mark.parametrize("linked", ["audio", f"audio/{SHA256[:2]}"])
def test_recordings_in_a_folder_that_is_linked_to_the_archives_own_stay(kept: Kept, linked: str) -> None:
    folder = made(kept.path)
    shutil.rmtree(folder / linked)
    (folder / linked).symlink_to(kept.path.parent / linked)
    made(kept.path, "--without-audio")
    assert list((kept.path.parent / "audio").rglob("*.mp3"))


def test_recordings_stay_where_the_new_copy_fails(kept: Kept) -> None:
    folder = made(kept.path)
    with closing(sqlite3.connect(kept.path)) as connection:
        connection.execute("drop trigger segments_au")
        connection.execute("update segments set text = 'Other words than the index has'")
        connection.commit()
    assert call("--db", kept.path, "--out", folder, "--without-audio").exit_code == 1
    assert list((folder / "audio").rglob("*.mp3"))


@pytest.mark.parametrize("is_linked", [True, False])
def test_a_recording_that_was_repaired_is_sound_in_the_next_copy(kept: Kept, is_linked: bool) -> None:
    folder = made(kept.path)
    (copy,) = (folder / "audio").rglob("*.mp3")
    (original,) = (kept.path.parent / "audio").rglob("*.mp3")
    if not is_linked:
        copy.unlink()
        copy.write_bytes(AUDIO)
    copy.write_bytes(AUDIO[::-1])  # damaged in place: if it is a link, in both
    original.unlink()
    original.write_bytes(AUDIO)
    made(kept.path)
    assert copy.read_bytes() == AUDIO
    copy.unlink()
    copy.write_bytes(AUDIO)
    is_kept = copy.stat().st_ino
    made(kept.path)
    assert copy.stat().st_ino == is_kept  # as on another disk: not copied again


def test_missing_recordings_are_told_and_stop_nothing(kept: Kept) -> None:
    with writer(kept.path) as db:
        for name, path in (("11" * 32, "audio/11/gone.mp3"), ("22" * 32, "../outside.mp3")):
            save_rendition(db, kept.waiting, KeptAudio(name, path, 3, "audio/mpeg", 1.0, "u", "u", NOW))
    (kept.path.parent.parent / "outside.mp3").write_bytes(b"abc")
    result = call("--db", kept.path, "--out", kept.path.parent / "out", "--json")
    assert result.exit_code == 3
    facts: dict[str, Any] = json.loads(result.stdout)
    assert (facts["recordings"], facts["missing"], facts["audio_bytes"]) == (1, 2, len(AUDIO))
    assert not (kept.path.parent / "outside.mp3").exists()
    assert "2 recordings are missing" in call("--db", kept.path, "--out", kept.path.parent / "out").stderr


def test_made_again_it_has_what_is_new_and_keeps_what_its_owner_wrote(kept: Kept) -> None:
    folder = made(kept.path)
    (folder / "metadata.json").write_text('{"title": "Ours", "allow": {"id": "ann"}}')
    with writer(kept.path) as db:
        add_feed(db, "third", episode("three", title="Added later"))
    made(kept.path)
    with served(folder) as site:
        assert site.ask("/").status_code == 403
        assert "Added later" in site.ask("/", actor="ann").text


@pytest.mark.parametrize("name", ["a.db", "other.db"])
def test_another_archive_does_not_make_way_for_a_copy(kept: Kept, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(kept.path, other / name)
    shutil.copytree(kept.path.parent / "audio", other / "audio")
    (other / "audio" / "00").mkdir()
    (other / "audio" / "00" / f"{'0' * 64}.mp3").write_bytes(b"of this archive alone")
    before = contents(other)
    result = call("--db", kept.path, "--out", other)
    assert result.exit_code == 2
    assert f"holds {name}, which is not an earlier copy of this archive" in result.stderr
    assert before.items() <= contents(other).items()


def test_what_lies_in_the_folder_stays_there(kept: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "audio" / "00").mkdir(parents=True)
    (folder / "audio" / "00" / f"{'0' * 64}.mp3").write_bytes(b"somebody else's")
    (folder / "README.md").write_text("Mine.", encoding="utf-8")
    before = contents(folder)
    assert call("--db", kept.path, "--out", folder).exit_code == 0
    assert before.items() <= contents(folder).items()


def test_an_archive_with_a_value_that_cannot_be_is_not_published(kept: Kept) -> None:
    with closing(sqlite3.connect(kept.path)) as archive, archive:
        archive.execute("pragma ignore_check_constraints = on")
        archive.execute("update segments set role = 'nobody'")
    result = call("--db", kept.path, "--out", kept.path.parent / "out")
    assert result.exit_code == 1
    assert "a.db: is damaged (CHECK constraint failed" in result.stderr


def test_a_damaged_archive_is_not_published_over_a_sound_copy(kept: Kept) -> None:
    folder = made(kept.path)
    before = (folder / "a.db").read_bytes()
    with closing(sqlite3.connect(kept.path)) as connection:
        connection.execute("drop trigger segments_au")
        connection.execute("update segments set text = 'Other words than the index has'")
        connection.commit()
    result = call("--db", kept.path, "--out", folder)
    assert result.exit_code == 1
    assert "is damaged" in result.stderr
    assert (folder / "a.db").read_bytes() == before
    assert list(folder.glob("*.part*")) == []


def test_the_folder_of_the_archive_itself_is_refused(kept: Kept) -> None:
    before = kept.path.read_bytes()
    result = call("--db", kept.path, "--out", kept.path.parent / "audio" / "..")
    assert result.exit_code == 2
    assert "the folder of the archive itself" in result.stderr
    assert kept.path.read_bytes() == before


def test_a_copy_that_cannot_be_written_is_said_in_a_sentence(kept: Kept) -> None:
    result = call("--db", kept.path, "--out", kept.path)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert call("--db", kept.path.parent / "none.db", "--out", kept.path.parent / "out").exit_code == 1


def test_a_folder_of_any_name_is_named_as_it_is_in_json(kept: Kept) -> None:
    result = call("--db", kept.path, "--out", kept.path.parent / "öffentlich", "--json")
    assert "öffentlich/a.db" in result.stdout
