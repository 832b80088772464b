"""Verifying an archive: every deliberate damage is reported, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from pipeline.archive.database import writer
from pipeline.archive.runs import start_run
from pipeline.copies.bag import bag
from pipeline.model import Segment
from pipeline.proof.problems import Earlier, File
from pipeline.proof.verify import _checked as checked
from pipeline.proof.verify import verify
from tests.conftest import FakeEngine
from tests.support.proving import Proven, proven, proven_once

__all__ = ["proven", "proven_once"]  # fixtures


def problems(archive: Proven, *options: object) -> list[tuple[str, str]]:
    """Verify; return the kind and location of each problem."""
    result = archive.call("verify", "--json", *options)
    found = json.loads(result.stdout)
    assert result.exit_code == found["exit_code"] == (3 if found["problems"] else 0)
    return [(one["kind"], one["what"]) for one in found["problems"]]


def flip(path: Path, at: int = -20) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def test_a_sound_archive_is_said_to_be_sound_and_nothing_is_changed(proven: Proven) -> None:
    before = proven.content()
    result = proven.call("verify")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 recordings" in result.stderr
    assert "1 kept feed, 6 transcript files and the database: all as recorded" in result.stderr
    assert proven.content() == before


def test_a_flipped_byte_of_any_file_is_found(proven: Proven) -> None:
    for pattern in ("audio/*/*.mp3", "feeds/*", "transcripts/*.published", "transcripts/*.*.*.json"):
        path = proven.file(pattern)
        content = path.read_bytes()
        flip(path)
        relative = path.relative_to(proven.data).as_posix()
        assert ("damaged", relative) in problems(proven, "--quick"), pattern
        path.write_bytes(content)
    assert problems(proven) == []


def test_a_recording_cut_short_is_told_with_both_lengths(proven: Proven) -> None:
    path = proven.file("audio/*/*.mp3")
    size = path.stat().st_size
    os.truncate(path, 1000)
    result = proven.call("verify")
    assert result.exit_code == 3
    assert f"damaged {path.relative_to(proven.data).as_posix()}: its SHA-256 is" in result.stdout
    assert f"it has 1,000 bytes instead of {size:,}" in result.stdout


@pytest.mark.parametrize("pattern", ["audio/*/*.m4a", "feeds/*.xml", "transcripts/*.json", "transcripts/*.published"])
def test_a_file_that_is_gone_is_missing(proven: Proven, pattern: str) -> None:
    path = proven.file(pattern)
    path.unlink()
    ((kind, what),) = problems(proven)
    assert kind == "missing"
    assert path.name.startswith(Path(what).name.partition("…")[0])


def test_what_no_table_names_is_an_orphan_and_what_is_not_the_archives_is_let_be(proven: Proven) -> None:
    strays = ["audio/ab/stray.mp3", "feeds/x.xml", "transcripts/notes.txt", "vectors/mine.npy"]
    for name in (*strays, "README.md", "models/model.bin", "transcripts/.hidden", "audio/.partial/a.part"):
        (proven.data / name).parent.mkdir(parents=True, exist_ok=True)
        (proven.data / name).write_bytes(b"x")
    (proven.data / f"vectors/{'a' * 32}.npy").write_bytes(b"x")
    (proven.data / f"transcripts/{'a' * 64}.{'b' * 12}.unfinished.jsonl").write_bytes(b"x")
    assert problems(proven) == [("orphan", name) for name in strays]


def test_an_orphan_of_any_name_is_one_line_and_valid_json(proven: Proven) -> None:
    (proven.data / "feeds" / os.fsdecode(b"caf\xe9\n\x1b[31m.xml")).write_bytes(b"x")
    name = "feeds/caf\ufffd\ufffd\ufffd[31m.xml"
    assert proven.call("verify", "--quick").stdout == f"orphan {name}: no table refers to it\n"
    (found,) = json.loads(proven.call("verify", "--quick", "--json").stdout_bytes.decode())["problems"]
    assert found["what"] == name


def test_a_file_that_another_archive_in_the_folder_names_is_no_orphan(proven: Proven) -> None:
    shutil.copyfile(proven.path, proven.data / "other.db")
    with closing(sqlite3.connect(proven.path)) as connection, connection:
        connection.execute("delete from feed_snapshots")
    assert problems(proven) == []
    (proven.data / "other.db").unlink()
    assert [kind for kind, _ in problems(proven)] == ["orphan"]


def test_what_a_run_adds_while_it_is_at_work_is_no_orphan(proven: Proven) -> None:
    with writer(proven.path) as db:
        for name in ("old", "new"):
            (proven.data / f"feeds/{name}.xml").write_bytes(b"x")
        start_run(db, command="ingest", version="1", now="2026-06-02T06:00:00Z")
        os.utime(proven.data / "feeds/old.xml", (1_000_000_000, 1_000_000_000))
        assert problems(proven) == [("orphan", "feeds/old.xml")]


def test_tables_that_say_something_else_than_a_sound_file(proven: Proven) -> None:
    proven.change("update renditions set duration = 60 where path like '%.mp3'")
    proven.change("update feed_snapshots set bytes = bytes + 1")
    found = [kind for kind, _ in problems(proven)]
    assert found == ["contradicted", "contradicted"]
    assert [kind for kind, _ in problems(proven, "--quick")] == ["contradicted"]  # only decoding reveals its duration
    proven.change("update renditions set path = '../../etc/passwd' where path like '%.mp3'")
    assert ("contradicted", "../../etc/passwd") in problems(proven)


def test_a_file_under_the_name_of_another_is_damaged(proven: Proven) -> None:
    one, other = proven.file("audio/*/*.mp3"), proven.file("audio/*/*.m4a")
    one.write_bytes(other.read_bytes())
    assert problems(proven) == [("damaged", one.relative_to(proven.data).as_posix())]


def test_a_transcript_file_with_other_words_than_the_tables(proven: Proven) -> None:
    path = min(proven.data.glob("transcripts/*.json"), key=lambda one: len(one.name))
    path.write_text(path.read_text().replace("morning", "evening"))  # like the earlier wording, but under this name
    result = proven.call("verify")
    assert result.exit_code == 3
    assert "its words or times differ from transcript" in result.stdout


@pytest.mark.parametrize("index", ["segments_fts", "transcripts_fts"])
@pytest.mark.parametrize("damage", ["delete from {}_data where id > 10", "delete from {}_docsize", "drop table {}_idx"])
def test_a_damaged_search_index(proven: Proven, index: str, damage: str) -> None:
    with closing(sqlite3.connect(proven.path, isolation_level=None)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(damage.format(index))
    assert problems(proven) == [("index", index)]


def test_words_that_an_index_does_not_have(proven: Proven) -> None:
    proven.change("drop trigger segments_au")
    proven.change("update segments set text = 'Something else.' where id = 1")
    assert ("index", "segments_fts") in problems(proven)


def test_a_reference_to_nothing(proven: Proven) -> None:
    proven.change("delete from questions where number = 1")
    result = proven.call("verify")
    assert result.exit_code == 3
    assert "rows of matches refer to missing rows of questions" in result.stdout


def test_a_torn_page_of_the_database(proven: Proven) -> None:
    proven.change("pragma wal_checkpoint(truncate)")
    ((root, size),) = proven.rows(
        "select rootpage, (select page_size from pragma_page_size) from sqlite_master where name = 'run_items'"
    )
    content = bytearray(proven.path.read_bytes())
    content[(root - 1) * size : root * size] = os.urandom(size)
    proven.path.write_bytes(content)
    assert ("database", "a.db") in problems(proven)


def test_a_database_that_is_a_link_has_the_lock_and_the_files_of_what_it_leads_to(
    proven: Proven, tmp_path: Path
) -> None:
    (tmp_path / "alias").mkdir()
    alias = Proven(tmp_path / "alias" / "a.db", proven.feeds, proven.server)
    alias.path.symlink_to(proven.path)
    before, asked = proven.content(), len(proven.server.requests)
    with writer(proven.path):
        assert "another run is writing" in alias.call("poll", "--feeds", proven.feeds).stderr
    assert alias.call("verify").exit_code == 0
    assert alias.call("download", "--feeds", proven.feeds).exit_code == 0
    assert len(proven.server.requests) == asked
    assert alias.call("export", "--bag", tmp_path / "bag").exit_code == 0
    assert [path.name for path in alias.data.iterdir()] == ["a.db"]
    assert proven.content().keys() == before.keys()


def test_a_database_that_cannot_be_opened_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database, but text" * 500)
    archive = Proven(tmp_path / "a.db", tmp_path, None)  # type: ignore[arg-type]
    result = archive.call("verify")
    assert result.exit_code == 1
    assert "is not an SQLite database" in result.stderr


def test_the_words_of_one_episode_may_be_the_earlier_ones_of_another_with_the_same_recording(proven: Proven) -> None:
    ((current, earlier, rendition),) = proven.rows(
        """select min(a.id), min(b.id), a.rendition from transcripts a
           join transcripts b on b.rendition = a.rendition and b.key like a.key || '.%' group by 3 limit 1"""
    )
    proven.change(f"update transcripts set key = 'another' where id = {current}")
    proven.change(f"update transcripts set key = substr(key, 1, 12) where id = {earlier}")
    assert problems(proven) == [("missing", f"transcripts/{rendition}.another.json")]


def test_a_published_copy_is_checked_for_what_is_in_it(proven: Proven, tmp_path: Path) -> None:
    for out, options in (("heard", ()), ("read", ("--without-audio",))):
        folder = tmp_path / out
        assert proven.call("publish", "--out", folder, *options).exit_code == 0
        copy = Proven(folder / "a.db", proven.feeds, proven.server)
        for path in (copy.path, folder):
            path.chmod(0o555)
        assert problems(copy) == []
        folder.chmod(0o755)
        refused = copy.repair()
        assert problems(copy) == []
        assert refused.exit_code == 0  # there was nothing to repair
        copy.path.chmod(0o644)
        copy.change("update episodes set title = 'Another'")
        assert problems(copy) == [("database", "a.db")]
        assert copy.repair().exit_code == 2


def test_a_run_may_write_meanwhile(proven: Proven) -> None:
    with writer(proven.path) as db:
        db.conn.execute("begin immediate")
        db.conn.execute("update feeds set title = 'Half done'")
        assert problems(proven) == []
        db.conn.rollback()


def test_an_empty_transcript_and_one_without_any_words_are_files_too(proven: Proven) -> None:
    proven.ingest(FakeEngine((Segment(0.0, 1.0, ""),)), again=True)
    assert problems(proven) == []
    proven.ingest(FakeEngine(()), again=True)
    assert problems(proven) == []


def test_what_waits_when_it_is_interrupted_is_given_up() -> None:
    begun: list[File] = []
    go_on = Event()

    def check(one: File) -> None:
        begun.append(one)
        assert len(begun) == 1 or go_on.wait(30)

    def interrupted(_done: float) -> None:
        raise KeyboardInterrupt

    files = [Earlier(f"{n}", "0") for n in range(20)]
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            list(checked(files, check, pool, 8, interrupted))
        go_on.set()
    assert len(begun) <= 2


@pytest.mark.parametrize("command", [["verify"], ["export", "--bag"]])
def test_sigterm_ends_it_as_ctrl_c_does_and_nothing_is_left(
    proven: Proven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def ends(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("nobody minds it"))
    for module in (verify.__module__, bag.__module__):
        monkeypatch.setattr(sys.modules[module], "named_files", ends)
    (tmp_path / "besides").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "besides"))
    folder = [tmp_path / "besides" / "bag"] if "--bag" in command else []
    try:
        result = proven.call(*command, *folder)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
    assert list((tmp_path / "besides").iterdir()) == []
