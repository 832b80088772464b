"""A bag of an archive, validated by the Library of Congress's own tool, and the same archive restored from it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import bagit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive.database import explained, writer
from pipeline.copies import bag as bagging
from pipeline.copies.bagit import entries, validated, write_tags
from pipeline.errors import BagError, LockedError
from tests.support.proving import Proven, proven, proven_once

__all__ = ["proven", "proven_once"]  # fixtures


def bagged(archive: Proven, tmp_path: Path) -> Path:
    folder = tmp_path / "bags" / "bag"
    result = archive.call("export", "--bag", folder)
    assert result.exit_code == 0, result.output
    return folder


def restored(archive: Proven, bag: Path, database: Path) -> Any:
    return Proven(database, archive.feeds, archive.server).call("restore", bag)


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, including those of the indexes."""
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        return {name: sorted(connection.execute(f'select * from "{name}"'), key=repr) for name in names}


def test_a_bag_is_valid_and_holds_all_that_cannot_be_made_again(proven: Proven, tmp_path: Path) -> None:
    (proven.data / "vectors").mkdir()
    (proven.data / "vectors" / f"{'a' * 32}.npy").write_bytes(b"x")
    (proven.data / "audio" / "stray.mp3").write_bytes(b"x")
    folder = bagged(proven, tmp_path)
    bag = bagit.Bag(str(folder))
    bag.validate()
    assert bag.version_info == (1, 0)
    assert {name.split("/")[1] for name in bag.payload_files()} == {"a.db", "audio", "feeds", "transcripts"}
    assert len(list(bag.payload_files())) == 1 + 2 + 1 + 6
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert bag.info["Payload-Oxum"] == f"{sum(path.stat().st_size for path in files)}.{len(files)}"
    assert bag.info["Bag-Software-Agent"].startswith("interview-archive ")
    assert "1 show, 2 episodes, 2 recordings" in bag.info["External-Description"]
    assert len(bag.info["Bagging-Date"]) == 10
    assert sorted(path.name for path in folder.iterdir()) == [
        "bag-info.txt", "bagit.txt", "data", "manifest-sha256.txt", "tagmanifest-sha256.txt",
    ]  # fmt: skip
    assert list(folder.parent.iterdir()) == [folder]


def test_what_is_restored_is_the_same_archive(proven: Proven, tmp_path: Path) -> None:
    folder = bagged(proven, tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = Proven(tmp_path / "new" / "again.db", proven.feeds, proven.server)
    result = again.call("restore", folder)
    assert result.exit_code == 0, result.output
    assert tables(again.path) == tables(proven.path)
    assert again.content() == proven.content()
    for query in ("morning", '"good morning to all"'):
        found, expected = (one.call("search", query, "--json").stdout for one in (again, proven))
        assert json.loads(found) == json.loads(expected)
    assert again.call("verify").exit_code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_bag_is_of_one_moment_while_a_run_is_writing(proven: Proven, tmp_path: Path) -> None:
    with writer(proven.path) as db:
        db.execute("update feeds set title = 'Just committed'")
        db.conn.execute("begin immediate")
        db.conn.execute("update feeds set title = 'Half done'")
        folder = bagged(proven, tmp_path)
        db.conn.rollback()
    assert tables(folder / "data" / "a.db")["feeds"][0][1] == "Just committed"


def test_a_recording_that_is_missing_or_damaged_is_told(proven: Proven, tmp_path: Path) -> None:
    proven.file("audio/*/*.mp3").unlink()
    proven.file("audio/*/*.m4a").write_bytes(b"rubbish")
    result = proven.call("export", "--bag", tmp_path / "bag")
    assert result.exit_code == 3
    assert ".mp3: is missing" in result.stderr
    assert ".m4a: its SHA-256 is not the one that was recorded" in result.stderr
    bagit.Bag(str(tmp_path / "bag")).validate()


@pytest.mark.parametrize("pattern", ["audio/*/*.mp3", "audio/??", "feeds/*.xml", "transcripts/*.json"])
def test_what_is_a_link_to_another_disk_is_in_the_bag_and_verified(
    proven: Proven, tmp_path: Path, pattern: str
) -> None:
    before, link = proven.content(), proven.file(pattern)
    disk = tmp_path / "disk"
    disk.mkdir()
    link.symlink_to(link.rename(disk / link.name))
    assert proven.call("verify").exit_code == 0
    again = Proven(tmp_path / "new" / "a.db", proven.feeds, proven.server)
    result = again.call("restore", bagged(proven, tmp_path))
    assert result.exit_code == 0, result.output
    assert again.content() == before
    assert not any(path.is_symlink() for path in again.data.rglob("*"))
    published = tmp_path / "published"
    assert proven.call("publish", "--out", published).exit_code == 0
    assert not any(path.is_symlink() for path in published.rglob("*"))
    assert again.call("verify").exit_code == 0


def test_a_link_that_is_not_followed_is_missing_everywhere_and_repaired(proven: Proven, tmp_path: Path) -> None:
    link = proven.file("audio/*/*.mp3")
    link.symlink_to(link.rename(tmp_path / "talk.mp3"))
    (proven.data / "audio" / "circle").symlink_to(proven.data / "audio")
    (proven.data / "feeds" / "nowhere").symlink_to(tmp_path / "nowhere")
    verified = proven.call("verify")
    assert f"missing {link.relative_to(proven.data)}: it is a link to a file with another name" in verified.stdout
    made = proven.call("export", "--bag", tmp_path / "bag")
    assert (made.exit_code, made.stderr) == (3, f"{link.relative_to(proven.data)}: is missing\n")
    assert restored(proven, tmp_path / "bag", tmp_path / "new" / "a.db").exit_code == 0
    assert proven.call("publish", "--out", tmp_path / "published").exit_code == 3
    proven.repair()
    assert link.is_file()
    assert not link.is_symlink()


def test_an_earlier_wording_that_is_lost_is_told(proven: Proven, tmp_path: Path) -> None:
    lost = min(path for path in proven.data.glob("transcripts/*.json") if path.name.count(".") == 3)
    lost.unlink()
    result = proven.call("export", "--bag", tmp_path / "bag")
    named = ".".join(lost.name.split(".")[:2])
    assert (result.exit_code, result.stderr) == (3, f"transcripts/{named}.….json: is missing\n")


@pytest.mark.parametrize("pattern", ["transcripts/*.json", "transcripts/*.published"])
def test_a_transcript_that_is_damaged_is_told(proven: Proven, tmp_path: Path, pattern: str) -> None:
    damaged = max(proven.data.glob(pattern), key=lambda path: (-len(path.name), path))
    damaged.write_bytes(damaged.read_bytes()[:10])
    result = proven.call("export", "--bag", tmp_path / "bag")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"transcripts/{damaged.name}: ")
    bagit.Bag(str(tmp_path / "bag")).validate()


def test_a_publishers_transcript_that_is_missing_is_told(proven: Proven, tmp_path: Path) -> None:
    lost = proven.file("transcripts/*.published")
    lost.unlink()
    result = proven.call("export", "--bag", tmp_path / "bag")
    assert (result.exit_code, result.stderr) == (3, f"transcripts/{lost.name[:12]}….published: is missing\n")


# The first is more than possible.
@pytest.mark.parametrize("process", [2**22 + 1, os.getpid()], ids=["gone", "used again"])
def test_what_a_killed_run_left_of_a_bag_goes(proven: Proven, tmp_path: Path, process: int) -> None:
    left = tmp_path / "bags" / f"bag.{process}.part"
    (left / "data").mkdir(parents=True)
    assert list(left.parent.iterdir()) == [left]
    folder = bagged(proven, tmp_path)
    assert list(folder.parent.iterdir()) == [folder]


def test_a_damaged_database_is_not_bagged(proven: Proven, tmp_path: Path) -> None:
    proven.change("delete from segments_fts_data where id > 10")
    result = proven.call("export", "--bag", tmp_path / "bags" / "bag")
    assert result.exit_code == 1
    assert "is damaged" in result.stderr
    assert list((tmp_path / "bags").iterdir()) == []


def fill_the_disk(database: Path, _target: Path) -> None:
    with explained(database):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error


def test_where_the_disk_is_full_is_said(proven: Proven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bagging, "snapshot", fill_the_disk)
    result = proven.call("export", "--bag", tmp_path / "bags" / "bag")
    assert result.exit_code == 1
    assert f"{tmp_path / 'bags' / 'bag'}: the disk is full" in result.stderr
    assert list((tmp_path / "bags").iterdir()) == []


def test_a_folder_that_is_there_is_not_written_to(proven: Proven, tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    assert proven.call("export", "--bag", tmp_path / "bag").exit_code == 2
    assert proven.call("export", "--bag", tmp_path / "new", "--format", "vtt").exit_code == 2
    assert proven.call("export").exit_code == 2
    assert list((tmp_path / "bag").iterdir()) == []


@pytest.mark.parametrize(
    "file", ["data/a.db", "data/audio/*/*.mp3", "data/feeds/*", "bag-info.txt", "manifest-sha256.txt", "bagit.txt"]
)
@pytest.mark.parametrize("damage", ["flip", "delete"])
def test_a_damaged_bag_is_not_restored(proven: Proven, tmp_path: Path, file: str, damage: str) -> None:
    folder = bagged(proven, tmp_path)
    (path, *_) = folder.glob(file)
    content = path.read_bytes()
    path.unlink()  # it may be a hard link
    if damage == "flip":
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    result = restored(proven, folder, tmp_path / "new" / "a.db")
    assert result.exit_code == 1
    assert path.name in result.stderr
    assert not (tmp_path / "new").exists()


def test_what_is_no_bag_is_not_restored_and_says_so(proven: Proven, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for folder, said in (("none", "no such folder"), ("other", "is not a bag: it has no bagit.txt")):
        result = restored(proven, tmp_path / folder, tmp_path / "new" / "a.db")
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"{tmp_path / folder}: {said}" in result.stderr
        assert "`export --bag`" in result.stderr


def test_a_bag_with_a_file_more_than_its_manifest_is_not_restored(proven: Proven, tmp_path: Path) -> None:
    folder = bagged(proven, tmp_path)
    (folder / "data" / "audio" / "more.mp3").write_bytes(b"x")
    assert "not in the manifest" in restored(proven, folder, tmp_path / "new.db").stderr
    (folder / "data" / "audio" / "more.mp3").unlink()
    (folder / "data" / "audio" / "more.mp3").symlink_to("/etc/hostname")
    assert "is a link" in restored(proven, folder, tmp_path / "new.db").stderr


def made_by_hand(folder: Path, **files: bytes) -> Path:
    """A valid bag that is not one of an archive."""
    for name, content in files.items():
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_bytes(content)
    paths = [path.relative_to(folder).as_posix() for path in (folder / "data").rglob("*") if path.is_file()]
    write_tags(folder, entries(folder, paths, workers=1), {})
    return folder


def test_what_is_no_bag_of_an_archive_is_not_restored(proven: Proven, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "nothing", tmp_path / "empty", made_by_hand(tmp_path / "other", readme=b"x")):
        assert restored(proven, folder, tmp_path / "new.db").exit_code == 1
    foreign = bagged(proven, tmp_path)
    info = (foreign / "bag-info.txt").read_text(encoding="utf-8")
    (foreign / "data" / "evil").mkdir()
    (foreign / "data" / "evil" / "x").write_bytes(b"x")
    paths = [path.relative_to(foreign).as_posix() for path in (foreign / "data").rglob("*") if path.is_file()]
    write_tags(foreign, entries(foreign, paths, workers=1), dict(line.split(": ", 1) for line in info.splitlines()))
    assert "is not a file of an interview archive" in restored(proven, foreign, tmp_path / "new.db").stderr


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "data/../../x"])
def test_a_manifest_never_leads_out_of_its_bag(tmp_path: Path, path: str) -> None:
    folder = made_by_hand(tmp_path / "bag", readme=b"x")
    manifest = folder / "manifest-sha256.txt"
    manifest.write_text(f"{'0' * 64}  {path}\n")
    tags = [name.name for name in folder.glob("*.txt") if not name.name.startswith("tag")]
    lines = [f"{one.sha256}  {one.path}\n" for one in entries(folder, tags, workers=1)]
    (folder / "tagmanifest-sha256.txt").write_text("".join(lines))
    with pytest.raises(BagError, match="does not belong in a manifest"):
        validated(folder, workers=1)


def test_nothing_is_overwritten(proven: Proven, tmp_path: Path) -> None:
    folder = bagged(proven, tmp_path)
    before = proven.content()
    result = restored(proven, folder, proven.path)
    assert (result.exit_code, "is not overwritten" in result.stderr) == (2, True)
    new = tmp_path / "new"
    name = proven.file("feeds/*.xml").name
    (new / "feeds").mkdir(parents=True)
    (new / "feeds" / name).write_bytes(b"something else")
    assert restored(proven, folder, new / "a.db").exit_code == 2
    assert [path.name for path in new.rglob("*") if path.is_file()] == [name]
    (new / "feeds" / name).unlink()
    (new / "a.db-wal").write_bytes(b"of another database")
    assert restored(proven, folder, new / "a.db").exit_code == 2
    assert proven.content() == before


def test_no_run_makes_a_database_while_one_is_restored(
    proven: Proven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bagged(proven, tmp_path)
    new = tmp_path / "new" / "a.db"
    copied = bagging._copy

    def copy_beside_a_run(source: Path, target: Path, sha256: str) -> None:
        with pytest.raises(LockedError), writer(new):
            pass
        copied(source, target, sha256)

    monkeypatch.setattr(bagging, "_copy", copy_beside_a_run)
    assert restored(proven, folder, new).exit_code == 0
    assert tables(new) == tables(proven.path)


def test_a_database_that_a_run_made_while_the_bag_was_proven_is_not_taken_for_the_restored_one(
    proven: Proven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bagged(proven, tmp_path)
    new = tmp_path / "new" / "a.db"
    refuse = bagging._refuse_overwriting

    def and_then_a_run_comes(*found: Any) -> None:
        refuse(*found)
        with writer(new):
            pass

    monkeypatch.setattr(bagging, "_refuse_overwriting", and_then_a_run_comes)
    result = restored(proven, folder, new)
    assert (result.exit_code, "is not overwritten" in result.stderr) == (2, True)
    assert not (new.parent / "audio").exists()


def test_an_interrupted_restoration_goes_on(proven: Proven, tmp_path: Path) -> None:
    folder = bagged(proven, tmp_path)
    shutil.copytree(proven.data / "audio", tmp_path / "new" / "audio")
    assert restored(proven, folder, tmp_path / "new" / "a.db").exit_code == 0
    assert Proven(tmp_path / "new" / "a.db", proven.feeds, proven.server).content() == proven.content()


@settings(max_examples=25)
@given(names=st.lists(st.text("ab %\n\rß*.", min_size=1, max_size=8), min_size=1, max_size=4, unique=True))
def test_any_file_name_comes_back_from_a_manifest(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bag")
    wanted = {f"data/x{name}": name.encode() for name in names}
    for path, content in wanted.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    write_tags(folder, entries(folder, list(wanted), workers=1), {})
    payload, _ = validated(folder, workers=2)
    assert {entry.path for entry in payload} == wanted.keys()
    shutil.rmtree(folder)
