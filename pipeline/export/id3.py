"""Chapters in an MP3 file: ID3v2 chapter frames (https://id3.org/id3v2-chapters-1.0), in a copy of the kept file."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import BinaryIO

from mutagen import MutagenError
from mutagen.id3 import CHAP, CTOC, ID3, TIT2, TIT3, CTOCFlags, Encoding, Frame, ID3NoHeaderError

from pipeline.archive.kept import kept_path
from pipeline.archive.reading import Item
from pipeline.errors import AudioError, ExportError
from pipeline.export.chapters import TITLE, Chapter, chapters
from pipeline.text import shortened

MOST = 255  # chapters; the table of contents has a one-byte count
_NO_OFFSET = 0xFFFFFFFF  # no byte offsets: players use the times
_HEADER = 10  # bytes of the tag header
_PADDING = 256  # bytes; without them mutagen may mistake the end of a text for an ID3v1 tag


def write(item: Item, data: Path, copy: BinaryIO) -> None:
    """Write a copy of the kept file with chapters in its tag; all other tags and the audio are unchanged.

    The tag keeps its version, 2.3 or 2.4; a file without a tag gets 2.3, which every player reads.

    Args:
        item: the episode.
        data: the data folder; the kept file in it is only read.
        copy: where to write the copy.

    Raises:
        ExportError: there are no chapters, or the kept file is not an MP3, is missing or has a broken tag.
    """
    if item.audio is None or item.audio.content_type != "audio/mpeg":
        kind = item.audio.content_type if item.audio else "none is kept"
        raise ExportError(f"{item.id}: its audio is not an MP3 ({kind}), so it has no ID3 tag: use another --format.")
    found = chapters(item)[:MOST]
    try:
        kept = kept_path(data, item.audio.path)
        tags = _tags(kept)
    except (OSError, MutagenError, AudioError) as error:
        raise ExportError(
            f"{item.id}: its kept file cannot be read ({error}). Run `python -m pipeline verify` to check it."
        ) from error
    version = 4 if tags.version >= (2, 4) else 3
    tags.delall("CHAP")
    tags.delall("CTOC")
    names = [f"chp{number}" for number in range(len(found))]
    tags.add(CTOC(element_id="toc", flags=CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED, child_element_ids=names))
    frames = _frames(tags, version)
    for name, chapter in zip(names, found, strict=True):
        alone = ID3()
        alone.add(_chapter(name, chapter, brief=version == 4))
        frames += _frames(alone, version)
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    copy.write(b"ID3" + bytes([version, 0, 0]) + size + frames)
    with kept.open("rb") as file:
        file.seek(tags.size)
        shutil.copyfileobj(file, copy)


def _frames(tags: ID3, version: int) -> bytes:
    """The bytes of a tag's frames.

    Chapters are saved one by one, since mutagen sorts frames by length, and FFmpeg reads chapters in file order.
    """
    tag = io.BytesIO()
    tags.save(tag, v1=0, v2_version=version, v23_sep=None, padding=lambda _: _PADDING)
    return tag.getvalue()[_HEADER:-_PADDING]


def _tags(kept: Path) -> ID3:
    """The file's tag, as version 2.3 or 2.4."""
    try:
        tags = ID3(kept, translate=False, load_v1=False)
    except ID3NoHeaderError:
        tags = ID3()
        tags.version = (2, 3, 0)
    if tags.version < (2, 3):
        tags.update_to_v23()
    return tags


def _chapter(name: str, chapter: Chapter, *, brief: bool) -> CHAP:
    """A chapter with its title, and the full questions as its subtitle if the title is shortened.

    FFmpeg misreads the length of texts longer than 127 bytes in a chapter of version 2.4, and then drops everything
    after them; so for 2.4 a ``brief`` one has only a title, shortened and in UTF-8.
    """
    if brief:
        texts: list[Frame] = [TIT2(encoding=Encoding.UTF8, text=[shortened(chapter.title, TITLE)])]
    else:
        texts = [TIT2(encoding=Encoding.UTF16, text=[chapter.title])]
        if chapter.text != chapter.title:
            texts.append(TIT3(encoding=Encoding.UTF16, text=[chapter.text]))
    return CHAP(
        element_id=name,
        start_time=chapter.start,
        end_time=chapter.stop,
        start_offset=_NO_OFFSET,
        end_offset=_NO_OFFSET,
        sub_frames=texts,
    )
