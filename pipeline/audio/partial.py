"""An unfinished file, and how far it has come: between attempts, runs and sudden deaths. It fetches and checks nothing.

Two files lie in the folder for it: ``NAME.part`` are the bytes, ``NAME.json`` says of which body they are, and the hash
of the first so many of them. Only what has that hash is ever gone on with. No two are at it: who has it holds the
operating system's lock. A run that was stopped leaves threads behind for a while, and the next one may have begun.
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

MARK_EVERY = 8 << 20  # bytes; what a killed run loses at most
RESERVE = 100_000_000  # bytes that are left to the disk: the database and its report need some
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Mark:
    """``size`` bytes whose hash is ``sha256`` were there of the body that ``validator`` names (RFC 9110, If-Range)."""

    address: str  # its hash: the address may be a secret
    validator: str
    size: int
    sha256: str


class Partial:
    """The file for one episode while it is fetched.

    ``size`` bytes are there. ``validator`` names the body they are of; None: they cannot be gone on with.

    Raises:
        DownloadError: it is being fetched already.
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
        except (OSError, ValueError, TypeError):  # there is none, or it was torn
            return None
        return mark if mark.address == self._address else None

    def restart(self, validator: str | None) -> None:
        """Begin anew, with the body that ``validator`` names."""
        self._mark_path.unlink(missing_ok=True)  # first: it must never be of other bytes than are there
        self._file.seek(0)
        self._file.truncate()
        self.validator = validator
        self.size, self._digest, self._marked = 0, hashlib.sha256(), 0

    def ask_room(self, more: int = 0) -> None:
        """See to it that the disk takes ``more`` bytes.

        Raises:
            DiskFullError: it does not, or would then be full.
        """
        free = shutil.disk_usage(self.path.parent).free
        if free - more < RESERVE:
            raise DiskFullError(
                f"the disk is full: {free / 1e6:.0f} MB are free where the audio is kept, and {more / 1e6:.0f} MB more "
                f"are needed beside a reserve of {RESERVE / 1e6:.0f} MB. Free some space and run again"
            )

    def write(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            DiskFullError: as of ``ask_room``.
        """
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)
        if self.size - self._marked >= MARK_EVERY:
            self.ask_room()
            self._mark()

    def finish(self) -> str:
        """Bring all of it to the disk and return its hash."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._is_finished = True
        return self._digest.hexdigest()

    def leave(self) -> None:
        """Stop here; the next run may go on, if that is possible."""
        if self.validator is None or self.size == 0:
            self.discard()
            return
        try:
            if not self._is_finished:  # from the very end on a host has nothing to send
                self._mark()
            self._file.close()
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove it, unless it has its name already."""
        if not self._is_moved:  # else what has these names now is somebody else's
            self._mark_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        with suppress(OSError):  # what is still in its buffer may not fit on the disk
            self._file.close()

    def move_to(self, target: Path) -> None:
        """Give the finished file its name."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._mark_path.unlink(missing_ok=True)
        self.path.replace(target)
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
    """Open a file that nobody else has; it is made if there is none."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise DownloadError("an earlier run is still about to fetch it: run again in a few minutes") from None
        except OSError:  # a file system without locks
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # who had it before has just removed it


def sweep(folder: Path, names: Iterable[str]) -> None:
    """Remove what lies unfinished of these names, but for what somebody is at."""
    for stem in {_stem(name) for name in names} & {path.stem for path in folder.glob("*")}:
        with suppress(FileNotFoundError), (folder / f"{stem}.part").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            except OSError:  # a file system without locks
                pass
            (folder / f"{stem}.part").unlink(missing_ok=True)
        (folder / f"{stem}.json").unlink(missing_ok=True)


def _stem(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
