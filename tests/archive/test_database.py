"""Opening the archive's database: for one writer, for readers, and refusing to."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.archive.database import reader, up_to_date_reader, writer
from pipeline.errors import DatabaseError, LockedError
from tests.archive.test_corrections import QUESTIONS, made_before

CONTRACT = {
    "feeds": {"slug", "title", "url", "feed_url", "etag", "last_modified", "last_polled", "last_status"},
    "episodes": {
        "id", "feed", "guid", "title", "published", "link", "enclosure_url", "declared_duration", "notes_html",
        "notes_text", "first_seen", "last_seen",
    },
    "renditions": {
        "sha256", "episode", "url", "final_url", "bytes", "content_type", "duration", "fetched_at", "path", "current",
    },
    "transcripts": {
        "id", "rendition", "episode", "source", "engine", "model", "language", "options", "created", "preferred",
    },
    "segments": {
        "id", "transcript", "episode", "n", "start", "end", "text", "speaker", "question", "role", "confidence",
        "flags", "words",
    },
    "speakers": {"transcript", "label", "name", "role", "seconds"},
    "questions": {"id", "episode", "number", "text", "source"},
    "matches": {"question", "transcript", "status", "start", "end", "answer_end", "confidence", "merged_with"},
    "corrections": {"question", "rendition", "start", "end", "answer_end", "status", "note", "editor", "made_at"},
    "question_times": {"episode", "number", "text", "status", "start", "end", "answer_end", "confidence", "corrected"},
    "needs_listening": {"flags", "title", "link"},
    "episode_pages": {"episode", "link", "address", "visited_at", "questions", "problem"},
    "transcript_searches": {"episode", "offered", "searched_at", "failed"},
    "run_items": {"run", "stage", "episode", "status", "reason", "seconds"},
}  # fmt: skip


@pytest.mark.parametrize("table", CONTRACT)
def test_the_columns_that_others_query_exist(tmp_path: Path, table: str) -> None:
    with writer(tmp_path / "a.db") as db:
        columns = {row[1] for row in db.execute(f"pragma table_info({table})")}
    assert CONTRACT[table] <= columns


def test_a_new_database_is_sound_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "db" / "a.db"
    for _ in range(2):
        with writer(path) as db:
            assert db.execute("pragma journal_mode").fetchone()[0] == "wal"
            assert db.execute("pragma foreign_keys").fetchone()[0] == 1
            assert db.execute("pragma integrity_check").fetchone()[0] == "ok"
    with reader(path) as connection:
        assert connection.execute("select count(*) from episodes").fetchone()[0] == 0
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("delete from episodes")


def test_a_newer_database_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with writer(path) as db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) "
            "values ('interview_archive', 'm999_future', '2031-01-01')"
        )
        db.execute("pragma wal_checkpoint(truncate)")
    before = path.read_bytes()
    for opened in (writer, reader):
        with pytest.raises(DatabaseError, match="newer version of this program"), opened(path):
            pass
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database at all, but somebody's letter " * 50)
    before = path.read_bytes()
    for opened in (writer, reader):
        with pytest.raises(DatabaseError, match="not an SQLite database"), opened(path):
            pass
    assert path.read_bytes() == before


def test_reading_what_is_missing_or_foreign(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no such database"), reader(tmp_path / "none.db"):
        pass
    assert not (tmp_path / "none.db").exists()
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table episodes (x)")
    with pytest.raises(DatabaseError, match="not an interview archive"), reader(tmp_path / "other.db"):
        pass


def test_the_second_writer_is_told_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    code = f"""
from pathlib import Path
from pipeline.archive.database import writer
with writer(Path({str(path)!r})):
    pass
"""
    with writer(path):
        with pytest.raises(LockedError, match="another run"), writer(path):
            pass
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "LockedError" in other.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_lock_file_left_behind_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "a.db.lock").write_text("")
    with writer(tmp_path / "a.db") as db:
        assert "episodes" in db.table_names()


def test_the_database_of_another_program_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table t (x)")
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="not an interview archive's"), writer(path):
        pass
    assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} <= {"other.db", "other.db.lock"}


def test_another_programs_migrations_are_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("create table _sqlite_migrations (migration_set text, name text, applied_at text)")
        other.execute("insert into _sqlite_migrations values ('theirs', 'm001', '2026-01-01')")
        other.execute("create table t (x)")
    with pytest.raises(DatabaseError, match="not an interview archive's"), writer(path):
        pass


def test_a_run_that_was_ended_before_its_first_migration_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.touch()
    with writer(path) as db:
        assert "episodes" in db.table_names()
    path = tmp_path / "b.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table _sqlite_migrations (id integer primary key, migration_set, name, applied_at)")
    with writer(path) as db:
        assert "episodes" in db.table_names()


def test_a_place_where_no_database_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a letter")
    for opened in (writer, reader):
        with pytest.raises(DatabaseError, match="is a folder"), opened(tmp_path):
            pass
    with pytest.raises(DatabaseError, match="cannot be written"), writer(tmp_path / "file" / "x" / "a.db"):
        pass
    with pytest.raises(DatabaseError, match="no such database"), reader(tmp_path / "file" / "x" / "a.db"):
        pass


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_is_not_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(DatabaseError, match=f"cannot be written .{os.strerror(number)}"), writer(tmp_path / "a.db"):
        pass


def test_an_error_of_the_run_itself_is_not_told_as_the_databases(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="audio"), writer(tmp_path / "a.db"):
        raise PermissionError("audio")


def test_an_archive_in_a_folder_that_may_not_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with writer(path):
        pass
    opened: list[str] = []
    connect = sqlite3.connect

    def watched(address: str, **options: object) -> sqlite3.Connection:
        opened.append(address)
        return connect(address, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", watched)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with reader(path) as connection:
        assert connection.execute("select count(*) from episodes").fetchone()[0] == 0
    assert {file.name for file in tmp_path.iterdir()} == {"a.db", "a.db.lock"}
    (tmp_path / "a.db-wal").touch()  # a writer is active, or was killed: its WAL must be read too
    with reader(path):
        pass
    assert ["immutable" in uri for uri in opened] == [True, False]


def test_an_archive_of_an_older_version_is_read_once_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    one = made_before(path)
    with pytest.raises(DatabaseError, match="An older version made this archive"), reader(path):
        pass
    with up_to_date_reader(path) as db:
        assert db["questions"].count_where("episode = ?", [one]) == len(QUESTIONS)
    with reader(path) as connection:
        assert connection.execute("select count(*) from attributions").fetchone()[0] == 0


def test_a_published_copy_that_an_older_version_made_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    one = made_before(path)
    (tmp_path / "inspect-data.json").write_text('{"old": {"hash": "", "published": ""}}', encoding="utf-8")
    before = path.read_bytes()
    with up_to_date_reader(path) as db:
        assert db["questions"].count_where("episode = ?", [one]) == len(QUESTIONS)
        assert db["attributions"].count == 0
    assert path.read_bytes() == before
    with pytest.raises(DatabaseError, match="publish it again from its archive"), reader(path):
        pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "cannot be written"),
        (sqlite3.SQLITE_PERM, "cannot be opened"),
        (sqlite3.SQLITE_IOERR_READ, "disk"),
    ],
)
def test_sqlites_own_words_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    with writer(tmp_path / "a.db"):
        pass

    def fail(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("as SQLite puts it")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(sqlite3, "connect", fail)
    for opened in (writer, reader):
        with pytest.raises(DatabaseError, match=words), opened(tmp_path / "a.db"):
            pass
