"""Chapters inside an MP3 file: ID3v2 chapter frames (https://id3.org/id3v2-chapters-1.0), in a copy of the kept one."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import BinaryIO

from mutagen import MutagenError
from mutagen.id3 import CHAP, CTOC, ID3, TIT2, TIT3, CTOCFlags, Encoding, Frame, ID3NoHeaderError

from pipeline.archive.publication import Item
from pipeline.errors import ExportError
from pipeline.export.chapters import Chapter, chapters

MOST = 255  # chapters; a table of contents counts them in a byte
_NO_OFFSET = 0xFFFFFFFF  # of bytes: the times count


def write(item: Item, data: Path, copy: BinaryIO) -> None:
    """Write a copy of the kept file with its chapters in the tag; all other tags and all audio stay as they are.

    The tag keeps its version, 2.3 or 2.4; a file without one gets 2.3, which every player reads.

    Args:
        item: the episode.
        data: the folder below which its file is kept; that file is only read.
        copy: where the copy is written.

    Raises:
        ExportError: there are no chapters, or the kept file is no MP3, is missing or has a broken tag.
    """
    found = chapters(item)[:MOST]
    if item.audio is None or item.audio.content_type != "audio/mpeg":
        kind = item.audio.content_type if item.audio else "no audio"
        raise ExportError(f"{item.id}: its kept file is no MP3 ({kind}), so it has no ID3 tag: use another --format.")
    kept = data / item.audio.path
    try:
        tags = _tags(kept)
    except (OSError, MutagenError) as error:
        raise ExportError(
            f"{item.id}: its kept file cannot be read ({error}). See whether it is what it was."
        ) from error
    tags.delall("CHAP")
    tags.delall("CTOC")
    names = [f"chp{number}" for number in range(len(found))]
    tags.add(CTOC(element_id="toc", flags=CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED, child_element_ids=names))
    for name, chapter in zip(names, found, strict=True):
        tags.add(_frame(name, chapter))
    # The tag alone is made by mutagen: the rest of the file, old-style tags at its end too, is copied as it is.
    head = io.BytesIO()
    tags.save(head, v1=0, v2_version=4 if tags.version >= (2, 4) else 3, v23_sep=None)
    copy.write(head.getvalue())
    with kept.open("rb") as file:
        file.seek(tags.size)
        shutil.copyfileobj(file, copy)


def _tags(kept: Path) -> ID3:
    """A file's tag, of version 2.3 or 2.4."""
    try:
        tags = ID3(kept, translate=False, load_v1=False)
    except ID3NoHeaderError:
        tags = ID3()
        tags.version = (2, 3, 0)
    if tags.version < (2, 3):
        tags.update_to_v23()
    return tags


def _frame(name: str, chapter: Chapter) -> CHAP:
    texts: list[Frame] = [TIT2(encoding=Encoding.UTF16, text=[chapter.title])]
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
