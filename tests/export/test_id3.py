"""Chapters in the tag of a copy of the kept MP3, read by mutagen and FFmpeg; nothing else changes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import pytest
from mutagen.id3 import APIC, CHAP, CTOC, ID3, TIT2, TXXX, TYER, Encoding
from mutagen.mp3 import MP3

from pipeline.archive.publication import Publication
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.errors import ExportError
from pipeline.export.id3 import write
from tests.support.exporting import publication, question

LONG = "How did you pay for that, and how are you going to keep the number of children there? " * 2 + "🦊"
QUESTIONS = (
    question(1, "asked", 0.5, 1.0),
    question(2, "merged", 0.5),
    question(3, "asked", 1.0, text=LONG),
    question(4, "asked", 1.5),
)


def episode(questions: Sequence[ListedQuestion] = QUESTIONS) -> Publication:
    return publication(questions=questions, duration=2.0)


@pytest.fixture
def kept(tone_mp3: bytes, tmp_path: Path) -> Path:
    """The kept file of ``episode``, as encoded by FFmpeg but without any tag."""
    audio = episode().audio
    assert audio is not None
    path = tmp_path / audio.path
    path.parent.mkdir(parents=True)
    path.write_bytes(tone_mp3[ID3(io.BytesIO(tone_mp3)).size :] if tone_mp3[:3] == b"ID3" else tone_mp3)
    return path


def tagged(kept: Path, version: int) -> None:
    """Give a file a tag of this version with chapters, and an ID3v1 tag at its end."""
    tags = ID3()
    tags.add(TIT2(encoding=Encoding.UTF16, text=["The title"]))
    tags.add(TXXX(encoding=Encoding.UTF16, desc="ours", text=["one", "two"]))
    tags.add(APIC(encoding=Encoding.LATIN1, mime="image/png", type=3, desc="", data=b"\x89PNG" * 2000))
    tags.add(CHAP(element_id="old", start_time=0, end_time=1, start_offset=0, end_offset=0, sub_frames=[]))
    tags.add(CTOC(element_id="olds", flags=3, child_element_ids=["old"], sub_frames=[]))
    if version == 3:
        tags.add(TYER(encoding=Encoding.LATIN1, text=["2026"]))
    tags.save(kept, v2_version=version, v1=2, v23_sep=None)


def copied(kept: Path, item: Publication | None = None) -> bytes:
    copy = io.BytesIO()
    write(item or episode(), kept.parents[2], copy)
    return copy.getvalue()


def after_tag(data: bytes) -> bytes:
    return data[ID3(io.BytesIO(data), translate=False).size :] if data[:3] == b"ID3" else data


@pytest.mark.parametrize("version", [None, 3, 4])
def test_the_copy_has_the_chapters_and_is_otherwise_what_it_was(
    kept: Path, version: int | None, tmp_path: Path
) -> None:
    if version:
        tagged(kept, version)
    before = kept.read_bytes()
    data = copied(kept)
    assert kept.read_bytes() == before
    assert after_tag(data) == after_tag(before)
    assert data[3] == (version or 3)
    tags = ID3(io.BytesIO(data), translate=False, load_v1=False)
    (contents,) = tags.getall("CTOC")
    chapters = [tags[f"CHAP:{name}"] for name in contents.child_element_ids]
    assert [(one.start_time, one.end_time) for one in chapters] == [(500, 1000), (1000, 1500), (1500, 2000)]
    assert len(tags.getall("CHAP")) == 3
    assert str(chapters[0].sub_frames["TIT2"]) == "Question 1? / Question 2?"
    assert "TIT3" not in chapters[0].sub_frames
    assert str(chapters[1].sub_frames["TIT2"]).endswith(" …")
    if version == 4:
        assert "TIT3" not in chapters[1].sub_frames
    else:
        assert str(chapters[1].sub_frames["TIT3"]) == LONG
    if version:
        others = {"TIT2", "TXXX:ours", "APIC:"} | ({"TYER"} if version == 3 else set())
        old = ID3(kept, translate=False, load_v1=False)
        assert {name: tags[name] for name in tags if name[:4] not in {"CHAP", "CTOC"}} == {
            name: old[name] for name in others
        }
        assert data[-128:-125] == b"TAG"
    path = tmp_path / "copy.mp3"
    path.write_bytes(data)
    with av.open(path) as file:
        found = [(float(one["start"] * (one["time_base"] or 0)), one["metadata"]["title"]) for one in file.chapters()]
        assert sum(frame.samples for frame in file.decode(audio=0)) == samples(kept)
    assert [start for start, _ in found] == [0.5, 1.0, 1.5]
    assert found[0][1] == "Question 1? / Question 2?"
    assert MP3(path).info.length == pytest.approx(2.0, abs=0.1)  # type: ignore[attr-defined]  # mutagen is typed in part


def samples(path: Path) -> int:
    with av.open(path) as file:
        return sum(frame.samples for frame in file.decode(audio=0))


def test_a_very_old_tag_becomes_one_that_can_hold_chapters(kept: Path) -> None:
    title = b"\x00The title"
    frame = b"TT2" + len(title).to_bytes(3, "big") + title
    kept.write_bytes(b"ID3\x02\x00\x00" + bytes([0, 0, 0, len(frame)]) + frame + kept.read_bytes())
    tags = ID3(io.BytesIO(copied(kept)), translate=False)
    assert tags.version == (2, 3, 0)
    assert str(tags["TIT2"]) == "The title"
    assert len(tags.getall("CHAP")) == 3


def test_what_is_no_mp3_is_said_to_be_none(kept: Path) -> None:
    item = episode()
    assert item.audio is not None
    m4a = replace(item, audio=replace(item.audio, content_type="audio/mp4"))
    with pytest.raises(ExportError, match=r"^show/12345678: its audio is not an MP3 \(audio/mp4\)"):
        copied(kept, m4a)


def test_a_file_that_is_missing_or_has_a_broken_tag_is_said_to_be_so(kept: Path) -> None:
    kept.write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"x")
    with pytest.raises(ExportError, match="cannot be read"):
        copied(kept)
    kept.unlink()
    with pytest.raises(ExportError, match="cannot be read"):
        copied(kept)


def test_no_more_chapters_than_a_table_of_contents_can_count(kept: Path) -> None:
    many = [question(number, "asked", number / 200) for number in range(300)]
    (contents,) = ID3(io.BytesIO(copied(kept, episode(many)))).getall("CTOC")
    assert len(contents.child_element_ids) == 255


def test_words_that_look_like_an_old_tag_are_only_words(kept: Path) -> None:
    tagged(kept, 4)
    for end in ("é" * 61, "é" * 61 + "x", "é" * 62, "é" * 62 + "x"):  # an ID3v1 tag has 128 bytes and begins with TAG
        tags = ID3(io.BytesIO(copied(kept, episode([question(1, "asked", 0.5, text=f"TAG{end}")]))), load_v1=False)
        (chapter,) = tags.getall("CHAP")
        assert str(chapter.sub_frames["TIT2"]) == f"TAG{end}"
