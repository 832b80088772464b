"""Recordings are opened only in the audio folder, whatever the database says, since it may come from somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.archive.kept import is_kept, kept_file, kept_path
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import save_transcript
from pipeline.cli import main
from pipeline.errors import AudioError
from pipeline.model import KeptAudio, Match, Rendition, Transcript
from tests.support.building import NOW, add_feed, episode, new_archive, spoken

SHA256 = "ab" * 32
PATHS = ["../secret.mp3", "audio/../../secret.mp3", "elsewhere.mp3", "audio/link.mp3"]


@pytest.fixture
def data(tmp_path: Path, tone_mp3: bytes) -> Path:
    """The folder of a database, with a recording, and other files beside it."""
    folder = tmp_path / "db"
    (folder / "audio").mkdir(parents=True)
    for path in ("../secret.mp3", "elsewhere.mp3", "audio/one.mp3"):
        (folder / path).write_bytes(tone_mp3)
    (folder / "audio" / "link.mp3").symlink_to(folder.parent / "secret.mp3")
    return folder


@pytest.mark.parametrize("path", [*PATHS, "/etc/passwd"])
def test_what_lies_elsewhere_is_no_recording(data: Path, tone_mp3: bytes, path: str) -> None:
    with pytest.raises(AudioError, match="is not where recordings are kept"):
        kept_path(data, path)
    assert not is_kept(data, path)
    assert kept_file(data, Rendition(SHA256, path, len(tone_mp3), "audio/mpeg", 2.0)) is None


def test_a_recording_is_where_it_is_said_to_be_or_missing(data: Path, tone_mp3: bytes) -> None:
    assert kept_path(data, "audio/one.mp3") == (data / "audio" / "one.mp3").resolve()
    assert kept_file(data, Rendition(SHA256, "audio/one.mp3", len(tone_mp3), "audio/mpeg", 2.0))
    assert kept_file(data, Rendition(SHA256, "audio/one.mp3", 1, "audio/mpeg", 2.0)) is None
    with pytest.raises(AudioError, match="is missing: run `download` again"):
        kept_path(data, "audio/two.mp3")


def test_recordings_may_lie_on_another_disk(data: Path, tmp_path: Path) -> None:
    (data / "audio").rename(tmp_path / "disk")
    (data / "audio").symlink_to(tmp_path / "disk")
    assert is_kept(data, "audio/one.mp3")


@pytest.mark.parametrize("linked", ["audio/ab", f"audio/ab/{SHA256}.mp3"])
def test_a_link_to_another_disk_is_followed_if_it_leads_to_the_recording(
    data: Path, tmp_path: Path, tone_mp3: bytes, linked: str
) -> None:
    path = f"audio/ab/{SHA256}.mp3"
    (data / path).parent.mkdir()
    (data / path).write_bytes(tone_mp3)
    (tmp_path / "disk").mkdir()
    moved = (data / linked).rename(tmp_path / "disk" / Path(linked).name)
    (data / linked).symlink_to(moved)
    assert kept_path(data, path).is_relative_to(tmp_path / "disk")
    (data / "audio" / "cd").symlink_to(tmp_path)
    with pytest.raises(AudioError, match="is not where recordings are kept"):
        kept_path(data, "audio/cd/secret.mp3")


@pytest.mark.parametrize("path", PATHS)
def test_no_command_reads_what_another_database_names(data: Path, tmp_path: Path, path: str) -> None:
    database = data / "a.db"
    with new_archive(database) as db:
        (one,) = add_feed(db, "show", episode("one", questions=["Why?"]))
        save_rendition(db, one, KeptAudio(SHA256, path, 1, "audio/mpeg", 2.0, "u", "u", NOW))
        transcript = Transcript(SHA256, 2.0, "faster-whisper", "tiny.en", "en", NOW, spoken("Why?"))
        id_ = save_transcript(db, one, transcript, "0" * 12)
        save_matches(db, one, id_, [Match(1, "asked", 0.0, 0.4, 1.0, 0.9)], key="k", now=NOW)
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n- {slug: show, title: Show, url: feed.xml}\n", encoding="utf-8")

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments), "--db", str(database)])

    exported = call("export", one, "--format", "mp3", "--out", tmp_path / "out")
    assert (exported.exit_code, "is not where recordings are kept" in exported.stderr) == (1, True)
    assert list(tmp_path.glob("out/**/*.mp3")) == []
    checked = call("transcribe", "--check", "--feeds", feeds)
    assert (checked.exit_code, "is not where recordings are kept" in checked.stderr) == (3, True)
    run = call("transcribe", "--again", "--feeds", feeds, "--json")
    (failed,) = json.loads(run.stdout)["failed"]
    assert "is not where recordings are kept" in failed["reason"]
    planned: list[Any] = json.loads(call("download", "--dry-run", "--feeds", feeds, "--json").stdout)
    assert [(item["stage"], item["episode"]) for item in planned] == [("download", one)]  # as if it were missing
