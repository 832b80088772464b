"""Adopting audio files: matched by their metadata, copied after the check, never guessed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import ID3, TDRC, TIT2, Frame

from pipeline.adopt.matching import Owned, decide
from pipeline.archive.database import reader, writer
from pipeline.archive.renditions import choose_rendition
from pipeline.audio.tags import Tags, read_tags
from pipeline.cli import main
from pipeline.feeds.identity import Known
from tests.support.building import add_feed, episode

ONE = Known(
    "s/1", frozenset(["g1"]), "Leeds council", "2026-03-01T06:00:00Z", "https://x.example/a/leeds-01.mp3", 1423.0
)
TWO = Known("s/2", frozenset(["g2"]), "Bonus", "2026-03-02T06:00:00Z", "https://x.example/b/default_tc.mp3", 300.0)
THREE = Known("s/3", frozenset(["g3"]), "Bonus", "2026-03-03T06:00:00Z", "https://x.example/c/default_tc.mp3", 301.0)
ALL = [ONE, TWO, THREE]


def file(name: str, **tags: object) -> Owned:
    return Owned(Path(name), Tags(**tags))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("owned", "expected", "why"),
    [
        (file("x.mp3", guid="g2", title="Leeds council"), "s/2", "by guid"),
        (file("x.mp3", title="LEEDS  Council", duration=1424.5), "s/1", "by title and length"),
        (file("2026-03-01 Leeds_council.mp3"), "s/1", "by file name and date"),
        (file("leeds-01.mp3", duration=1423.0), "s/1", "by file name and length"),
        (file("20260302.mp3", duration=300.0), "s/2", "by date and length"),
        (file("x.mp3", title="Bonus", date="2026-03-03", duration=301.0), "s/3", "by title and date and length"),
        (file("x.mp3", title="Bonus", duration=300.5), None, "fits 2 episodes: s/2, s/3"),
        (file("x.mp3", title="Leeds council"), None, "it resembles s/1 by title alone"),
        (file("default_tc.mp3", duration=300.0, date="2026-03-09"), None, "fits no episode"),
        (file("leeds-01.mp3", title="Leeds council", duration=3000.0), None, "fits no episode"),
        (file("leeds-01.mp3", title="Leeds council", date="2025-03-01"), None, "fits no episode"),
        (file("holiday.mp3"), None, "fits no episode"),
    ],
)
def test_a_file_is_the_episode_that_two_things_agree_on(owned: Owned, expected: str | None, why: str) -> None:
    (found,) = decide([owned], ALL)
    assert found.episode == expected
    assert why in found.why


def test_two_files_for_one_episode_are_left_to_people() -> None:
    files = [file("leeds-01.mp3", duration=1423.0), file("old/leeds-01.mp3", duration=1423.0)]
    assert [(one.status, one.why) for one in decide(files, ALL)] == [
        ("left", "2 files fit s/1: choose with --episode")
    ] * 2


@given(
    st.lists(st.builds(file, st.sampled_from(["x.mp3", "leeds-01.mp3", "2026-03-01.mp3", "bonus 2026-03-02.mp3"]),
                       title=st.sampled_from([None, "Bonus", "Leeds council"]),
                       duration=st.sampled_from([None, 300.0, 301.0, 1423.0])), max_size=5)
)  # fmt: skip
def test_no_episode_is_given_two_files(files: list[Owned]) -> None:
    adopted = [one.episode for one in decide(files, ALL) if one.status == "adopt"]
    assert len(adopted) == len(set(adopted))


def tagged(path: Path, content: bytes, *frames: Frame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    tag = ID3()
    for frame in frames:
        tag.add(frame)
    tag.save(path)
    return path


def test_tags_are_read_and_what_is_no_audio_has_none(tmp_path: Path, tone_mp3: bytes, tone_m4a: bytes) -> None:
    mp3 = tagged(tmp_path / "a.mp3", tone_mp3, TIT2(text=["A talk"]), TDRC(text=["2026-03-01"]))
    tags = read_tags(mp3)
    assert (tags.title, tags.date, tags.guid) == ("A talk", "2026-03-01", None)
    assert tags.duration == pytest.approx(2.0, abs=0.2)
    (tmp_path / "b.m4a").write_bytes(tone_m4a)
    assert read_tags(tmp_path / "b.m4a").duration == pytest.approx(2.0, abs=0.2)
    for name, content in (("page.mp3", b"<html>"), ("empty.mp3", b""), ("cut.m4a", tone_m4a[:100])):
        (tmp_path / name).write_bytes(content)
        assert read_tags(tmp_path / name) == Tags()
    assert read_tags(tmp_path / "missing.mp3") == Tags()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db" / "a.db"
    with writer(path) as db:
        one = replace(episode("one", title="Leeds council", published="2026-03-01T06:00:00Z"), declared_duration=2.0)
        add_feed(db, "show", one, episode("two", title="Essex council", published="2026-03-02T06:00:00Z"))
    return path


def adopt(database: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["adopt", "--db", str(database), *map(str, arguments)])


def renditions(database: Path) -> list[tuple[str, ...]]:
    with reader(database) as db:
        return [
            tuple(row)
            for row in db.execute(
                "select title, url, final_url, path from renditions join episodes on id = episode where current"
            )
        ]


def test_a_folder_is_adopted_and_stays_as_it_is(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    mine = tagged(tmp_path / "mine/sub/2026-03-01 x.mp3", tone_mp3, TIT2(text=["Leeds council"]))
    (tmp_path / "mine/notes.txt").write_text("not audio")
    (tmp_path / "mine/other.mp3").write_bytes(tone_mp3)
    before = mine.read_bytes()
    result = adopt(database, tmp_path / "mine")
    assert result.exit_code == 3
    assert "2026-03-01 x.mp3: adopted, show/" in result.stdout
    assert "other.mp3: left alone (fits no episode" in result.stdout
    assert "notes.txt" not in result.stdout
    assert mine.read_bytes() == before
    ((title, url, final_url, path),) = renditions(database)
    assert (title, url) == ("Leeds council", "https://example.org/one.mp3")
    assert final_url == "adopted:2026-03-01 x.mp3"
    assert Path(path).stem == hashlib.sha256(before).hexdigest()
    assert (database.parent / path).read_bytes() == before
    again = adopt(database, mine, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout)[0]["status"] == "already kept"


def test_a_link_goes_by_its_own_name(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store/5f1c.mp3").write_bytes(tone_mp3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/2026-03-01 Leeds council.mp3").symlink_to(tmp_path / "store/5f1c.mp3")
    result = adopt(database, tmp_path / "mine")
    assert "2026-03-01 Leeds council.mp3: adopted, show/" in result.stdout


def test_a_dry_run_adopts_nothing(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    mine = tagged(tmp_path / "2026-03-01.mp3", tone_mp3, TIT2(text=["Leeds council"]))
    result = adopt(database, mine, "--dry-run")
    assert result.exit_code == 0
    assert "would be adopted" in result.stdout
    assert renditions(database) == []


def test_a_damaged_file_is_left_with_the_reason(database: Path, tmp_path: Path) -> None:
    page = tmp_path / "2026-03-01 leeds council.mp3"
    page.write_text("<html>Not found</html>")
    result = adopt(database, page)
    assert result.exit_code == 3
    assert "left alone" in result.stdout
    assert "web page" in result.stdout
    assert renditions(database) == []


def test_a_file_whose_tags_cannot_be_read_stops_no_other(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    tagged(tmp_path / "mine/2026-03-01 x.mp3", tone_mp3, TIT2(text=["Leeds council"]))
    # An Opus file whose second page holds nothing; mutagen raises IndexError.
    head = b"OggS\0\2" + bytes(12) + bytes(8) + b"\1\x13" + b"OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0"
    (tmp_path / "mine/damaged.opus").write_bytes(head + b"OggS\0\0" + bytes(12) + b"\1\0\0\0" + bytes(5))
    result = adopt(database, tmp_path / "mine")
    assert result.exit_code == 3, result.output
    assert "2026-03-01 x.mp3: adopted, show/" in result.stdout
    assert "damaged.opus: left alone (fits no episode)" in result.stdout


def test_what_may_not_be_read_is_left_and_stops_no_other(
    database: Path, tmp_path: Path, tone_mp3: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagged(tmp_path / "mine/2026-03-01 x.mp3", tone_mp3, TIT2(text=["Leeds council"]))
    for folder in ("listed", "closed"):  # as with the modes 644 and 000, for anybody but root
        tagged(tmp_path / f"mine/{folder}/2026-03-02 y.mp3", tone_mp3, TIT2(text=["Essex council"]))
    scan, ask = os.scandir, os.stat

    def scandir(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    def stat(path: Any, **how: Any) -> Any:
        if str(path).endswith("listed/2026-03-02 y.mp3"):
            raise PermissionError(13, "Permission denied", str(path))
        return ask(path, **how)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "stat", stat)
    result = adopt(database, tmp_path / "mine")
    assert result.exit_code == 3, result.output
    assert "2026-03-01 x.mp3: adopted, show/" in result.stdout
    for path in ("closed", "listed/2026-03-02 y.mp3"):
        assert f"{tmp_path}/mine/{path}: left alone (cannot be read (Permission denied))" in result.stdout
    assert "1 adopted, 0 already kept, 2 left alone" in result.stderr


def test_a_name_that_is_not_utf_8_is_adopted_and_told_as_well_as_it_can_be(
    database: Path, tmp_path: Path, tone_mp3: bytes
) -> None:
    mine = tagged(tmp_path / os.fsdecode(b"caf\xe9.mp3"), tone_mp3, TIT2(text=["Leeds council"]))
    result = adopt(database, mine)
    assert f"{tmp_path}/caf\N{REPLACEMENT CHARACTER}.mp3: adopted, show/" in result.stdout
    assert result.exit_code == 0
    assert [row[2] for row in renditions(database)] == ["adopted:caf\N{REPLACEMENT CHARACTER}.mp3"]
    mine.write_bytes(b"<html>")
    for options in ((), ("--json",), ("--json", "--episode", "essex")):
        again = adopt(database, mine, *options)
        assert again.exit_code == 3
        assert "caf\N{REPLACEMENT CHARACTER}.mp3" in again.stdout


def test_of_copies_of_a_file_one_is_adopted(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    for name in ("one.mp3", "one (1).mp3"):
        tagged(tmp_path / "mine" / name, tone_mp3, TIT2(text=["Leeds council"]))
    result = adopt(database, tmp_path / "mine")
    assert result.exit_code == 0, result.output
    assert "one (1).mp3: adopted, show/" in result.stdout
    assert "one.mp3: already kept, show/" in result.stdout
    assert [row[2] for row in renditions(database)] == ["adopted:one (1).mp3"]


def test_two_recordings_for_one_episode_are_left(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    tagged(tmp_path / "mine" / "one.mp3", tone_mp3, TIT2(text=["Leeds council"]))
    tagged(tmp_path / "mine" / "two.mp3", tone_mp3[:-500], TIT2(text=["Leeds council"]))
    assert "2 files fit show/" in adopt(database, tmp_path / "mine").stdout
    assert renditions(database) == []


def test_what_is_not_a_file_is_left(database: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    assert "pipe.mp3: left alone (is not a file)" in adopt(database, tmp_path / "pipe.mp3").stdout


def test_no_archive_is_made_for_files(tmp_path: Path, tone_mp3: bytes) -> None:
    (tmp_path / "mine.mp3").write_bytes(tone_mp3)
    for options in ((), ("--dry-run",)):
        result = adopt(tmp_path / "tpyo.db", tmp_path / "mine.mp3", *options)
        assert (result.exit_code, "tpyo.db" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.mp3"]


def test_a_name_with_a_line_break_is_told_on_one_line(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    mine = tagged(tmp_path / "one\ntwo\x1b[31m.mp3", tone_mp3, TIT2(text=["Leeds council"]))
    name = "one\N{REPLACEMENT CHARACTER}two\N{REPLACEMENT CHARACTER}[31m.mp3"
    assert adopt(database, mine).stdout.startswith(f"{tmp_path}/{name}: adopted, show/")
    assert [row[2] for row in renditions(database)] == [f"adopted:{name}"]


def test_somebody_may_say_which_episode_a_file_is(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    (tmp_path / "x.mp3").write_bytes(tone_mp3)
    assert adopt(database, tmp_path / "x.mp3", "--episode", "essex").exit_code == 0
    assert [row[0] for row in renditions(database)] == ["Essex council"]
    (tmp_path / "y.mp3").write_bytes(tone_mp3)
    assert adopt(database, tmp_path, "--episode", "essex").exit_code == 2


def test_a_file_for_an_episode_that_has_audio_is_another_recording(
    database: Path, tmp_path: Path, tone_mp3: bytes, tone_m4a: bytes
) -> None:
    (tmp_path / "x.mp3").write_bytes(tone_mp3)
    (tmp_path / "y.m4a").write_bytes(tone_m4a)
    assert adopt(database, tmp_path / "x.mp3", "--episode", "essex").exit_code == 0
    assert "x.mp3: already kept" in adopt(database, tmp_path / "x.mp3", "--episode", "essex").stdout
    assert "another recording" in adopt(database, tmp_path / "y.m4a", "--episode", "essex").stdout
    with reader(database) as db:
        assert db.execute("select count(*) from rendition_comparisons").fetchone()[0] == 1
        reasons = [row[0] for row in db.execute("select reason from rendition_choices order by id")]
    assert reasons == ["the first that was kept", "the earlier one was not transcribed"]


def test_a_file_does_not_undo_what_a_person_chose(
    database: Path, tmp_path: Path, tone_mp3: bytes, tone_m4a: bytes
) -> None:
    (tmp_path / "x.mp3").write_bytes(tone_mp3)
    (tmp_path / "y.m4a").write_bytes(tone_m4a)
    adopt(database, tmp_path / "x.mp3", "--episode", "essex")
    with writer(database) as db:
        ((id_, sha256),) = db.execute("select episode, sha256 from renditions").fetchall()
        choose_rendition(db, id_, sha256, reason="it is complete", chosen_by="Ann", now="2026-06-02T06:00:00Z")
    assert "Ann chose the earlier one" in adopt(database, tmp_path / "y.m4a", "--episode", "essex").stdout
    with reader(database) as db:
        assert [row[0] for row in db.execute("select sha256 from renditions where current")] == [sha256]


def test_a_feed_that_there_is_not_is_named(database: Path, tmp_path: Path) -> None:
    result = adopt(database, tmp_path, "--only", "shwo")
    assert result.exit_code == 2
    assert "no feed “shwo”" in result.stderr


def test_a_dry_run_of_what_was_adopted_only_reads(database: Path, tmp_path: Path, tone_mp3: bytes) -> None:
    (tmp_path / "x.mp3").write_bytes(tone_mp3)
    adopt(database, tmp_path / "x.mp3", "--episode", "essex")
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: show, title: Show, url: https://example.org/feed.xml}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["download", "--dry-run", "--db", str(database), "--feeds", str(feeds)])
    assert result.exit_code == 0, result.output
    assert "download: Leeds council" in result.stdout
    assert "Essex" not in result.stdout
