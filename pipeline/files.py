"""Writing files atomically, and hashing them."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_PART = re.compile(r"\.([0-9]+)(?:\.([0-9]+))?\.part(?:-journal|-wal|-shm)?")  # and what SQLite puts beside it
_NO_LINE = {"Cc", "Zl", "Zp"}  # Unicode's categories of control characters and line breaks


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces ``target`` atomically, only if the block succeeds.

    Until then it is ``NAME.PID.THREAD.part`` in the same folder; after an error it is deleted, and an existing
    ``target`` is untouched.

    Args:
        target: The name it will have; its folder must exist.
    """
    part = unfinished(target)
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_file(target: Path, content: bytes) -> None:
    """Write a whole file as ``new_file`` does, in a folder that is created if needed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with new_file(target) as file:
        file.write(content)


def linked(source: Path, target: Path) -> None:
    """Hard-link a file, not a symbolic link to it, to a new name, or copy it where links are not supported."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)  # of a link itself it would make a link, which may lead nowhere
    except OSError:  # another file system, or one without links
        with source.open("rb") as old, new_file(target) as new:
            shutil.copyfileobj(old, new)


def moved(source: Path, target: Path) -> None:
    """Move a file into a folder, which may be on another disk, where it appears once it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with source.open("rb") as old, new_file(target) as new:
            shutil.copyfileobj(old, new)
        source.unlink()


def unfinished(target: Path) -> Path:
    """Return the temporary name of a file or folder until it is complete.

    What is left of processes that were killed is deleted; what another thread or process works on is kept.
    """
    for part in target.parent.glob(f"{glob.escape(target.name)}.*.part*"):
        of = _PART.fullmatch(part.name.removeprefix(target.name))
        if of and not _is_used(int(of[1]), int(of[2] or 0)):
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)
    return target.with_name(f"{target.name}.{os.getpid()}.{threading.get_native_id()}.part")


def _is_used(process: int, thread: int) -> bool:
    """Tell whether another thread may be writing a file; a number may be that of a process that was killed."""
    if process == os.getpid():
        return thread in {one.native_id for one in threading.enumerate()} - {threading.get_native_id()}
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as somebody else
        return True
    return True


def as_text(name: str) -> str:
    """Return the name of a file as one line of text that can be printed and stored.

    Bytes that are not UTF-8, line breaks and other control characters become “�”.
    """
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _NO_LINE else c for c in text)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hex, in bounded memory and without holding the GIL.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
