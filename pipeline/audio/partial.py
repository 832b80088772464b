"""An unfinished download that survives failed attempts, further runs and crashes. Fetches and checks nothing.

It consists of two files: ``NAME.part`` has the bytes; ``NAME.json`` identifies the body that they belong to, and has
the length and hash of a prefix. A download is only resumed after a prefix with that hash. A file lock of the operating
system keeps it to one user: an interrupted run leaves threads behind for a while, and the next run may have begun.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import DiskFullError, DownloadError
from pipeline.files import moved

MARK_EVERY = 8 << 20  # bytes; the most that a killed run loses
RESERVE = 100_000_000  # bytes that are left free on the disk, for the database and its report
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Mark:
    """A prefix of ``size`` bytes with hash ``sha256`` of the body that ``validator`` names (RFC 9110, If-Range)."""

    address: str  # its SHA-256, since the address may be secret
    validator: str
    size: int
    sha256: str


class Partial:
    """The file of an episode while it is fetched.

    It has ``size`` bytes of the body that ``validator`` names; with None it cannot be resumed.

    Raises:
        DownloadError: another run or thread is fetching it.
    """

    def __init__(self, folder: Path, name: str, url: str) -> None:
        stem = _stem(name)
        self.path, self._mark_path = folder / f"{stem}.part", folder / f"{stem}.json"
        self._address = hashlib.sha256(url.encode()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = _locked(self.path)
        self._is_finished = self._is_moved = False
        self.validator: str | None = None
        self.size, self._digest, self._marked = 0, hashlib.sha256(), 0
        self._resume()

    def _resume(self) -> None:
        mark = self._read_mark()
        if mark:
            left = mark.size
            while left and (block := self._file.read(min(_BLOCK, left))):
                self._digest.update(block)
                left -= len(block)
            if left == 0 and self._digest.hexdigest() == mark.sha256:
                self.validator, self.size, self._marked = mark.validator, mark.size, mark.size
                self._file.seek(mark.size)
                self._file.truncate()
                return
        self.restart(None)

    def _read_mark(self) -> _Mark | None:
        try:
            mark = _Mark(**json.loads(self._mark_path.read_bytes()))
        except (OSError, ValueError, TypeError):  # missing, or written only partly
            return None
        return mark if mark.address == self._address else None

    def restart(self, validator: str | None) -> None:
        """Start over, with the body that ``validator`` names."""
        self._mark_path.unlink(missing_ok=True)  # first: it must never describe bytes that are not there
        self._file.seek(0)
        self._file.truncate()
        self.validator = validator
        self.size, self._digest, self._marked = 0, hashlib.sha256(), 0

    def ask_room(self, more: int = 0) -> None:
        """Check that the disk has room for ``more`` bytes.

        Raises:
            DiskFullError: less than ``RESERVE`` bytes would stay free.
        """
        free = shutil.disk_usage(self.path.parent).free
        if free - more < RESERVE:
            raise DiskFullError(
                f"the disk is full: {free / 1e6:.0f} MB are free where the audio is kept, and {more / 1e6:.0f} MB more "
                f"are needed, plus a reserve of {RESERVE / 1e6:.0f} MB. Free some space and run again"
            )

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            DiskFullError: as for ``ask_room``, which is called every ``MARK_EVERY`` bytes.
        """
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)
        if self.size - self._marked >= MARK_EVERY:
            self.ask_room()
            self._mark()

    def finish(self) -> str:
        """Flush the file to disk and return its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._is_finished = True
        return self._digest.hexdigest()

    def leave(self) -> None:
        """Close the file so that a later run can resume it; discard it if that is impossible."""
        if self.validator is None or self.size == 0:
            self.discard()
            return
        try:
            if not self._is_finished:  # after the last byte there would be nothing to resume
                self._mark()
            self._file.close()
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove the file, unless it has its final name already."""
        if not self._is_moved:  # else files with these names belong to somebody else by now
            self._mark_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        with suppress(OSError):  # the rest of its buffer may not fit on the disk
            self._file.close()

    def move_to(self, target: Path) -> None:
        """Move the finished file to its final path, durably."""
        self._mark_path.unlink(missing_ok=True)
        moved(self.path, target)
        self._is_moved = True
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _mark(self) -> None:
        self._marked = self.size
        if self.validator is None:
            return
        self._file.flush()
        mark = _Mark(self._address, self.validator, self.size, self._digest.hexdigest())
        self._mark_path.write_text(json.dumps(asdict(mark)), encoding="utf-8")


def _locked(path: Path) -> BinaryIO:
    """Open a file with an exclusive lock, creating it if necessary.

    Raises:
        DownloadError: somebody else holds the lock.
    """
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        if not _lock(file):
            file.close()
            raise DownloadError("an earlier run is still fetching it: run again in a few minutes")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its previous owner has just removed it


def _lock(file: BinaryIO) -> bool:
    """Lock a file, if the file system has locks; False if somebody else holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def sweep(folder: Path, names: Iterable[str]) -> None:
    """Remove the unfinished files of these names, except those in use."""
    for stem in {_stem(name) for name in names} & {path.stem for path in folder.glob("*")}:
        with suppress(FileNotFoundError), (folder / f"{stem}.part").open("rb") as file:
            if not _lock(file):
                continue
            (folder / f"{stem}.part").unlink(missing_ok=True)
        (folder / f"{stem}.json").unlink(missing_ok=True)


def _stem(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
