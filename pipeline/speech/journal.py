"""What was heard so far of an unfinished recording, one line a window: a killed run goes on from there."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TextIO

from pipeline.model import Word
from pipeline.speech.decoder import Heard
from pipeline.speech.gate import Verdict
from pipeline.speech.windows import Span, Window

_ENDING = ".unfinished.jsonl"

_log = logging.getLogger(__name__)


class Journal(Protocol):
    """Remembers the verdict on each window."""

    def find(self, window: Window) -> Verdict | None:
        """Return what was heard in this window before, if it was."""
        ...

    def add(self, heard: Sequence[tuple[Window, Verdict]]) -> None:
        """Keep what was heard in windows that were decoded together. Called from several threads."""
        ...


class NoJournal:
    """Remembers nothing."""

    def find(self, window: Window) -> Verdict | None:  # noqa: ARG002 - the interface is Journal
        """Return None."""
        return None

    def add(self, heard: Sequence[tuple[Window, Verdict]]) -> None:
        """Forget it."""


class FileJournal:
    """A ``Journal`` in a file of JSON lines, written through to the disk as soon as a batch of windows is done.

    A last line that was cut short by the end of the process is passed over. The file's name has to stand for the
    recording and everything that could change its words.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = dict(_read(path))
        self._file: TextIO | None = None
        self._writing = Lock()

    def find(self, window: Window) -> Verdict | None:
        """See ``Journal.find``."""
        return self._known.get(window.spans)

    def add(self, heard: Sequence[tuple[Window, Verdict]]) -> None:
        """See ``Journal.add``; all of a batch at once."""
        lines = [json.dumps(_record(window, verdict), ensure_ascii=False) for window, verdict in heard]
        with self._writing:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("a", encoding="utf-8")
            # It begins with a new line: what was left half written must not swallow the first record.
            self._file.write("\n".join(["", *lines, ""]))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file and keep it."""
        if self._file:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Delete the file and forget what was in it: the transcript is safe elsewhere, or everything is heard anew."""
        self.close()
        self._known.clear()
        self._path.unlink(missing_ok=True)


def journal_path(folder: Path, sha256: str, key: str) -> Path:
    """Return where the journal of a recording lies; ``key`` names all else that could change its words."""
    return folder / f"{sha256}.{key}{_ENDING}"


def unfinished(folder: Path) -> dict[str, list[Path]]:
    """Return the journals that lie in a folder, by the sha256 of their recordings."""
    found: dict[str, list[Path]] = {}
    for path in folder.glob(f"*{_ENDING}"):
        found.setdefault(path.name.partition(".")[0], []).append(path)
    return found


def _read(path: Path) -> Sequence[tuple[tuple[Span, ...], Verdict]]:
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):  # not at what str.splitlines adds
        if not line.strip():
            continue
        try:
            found.append(_parsed(json.loads(line)))
        except (ValueError, TypeError, LookupError):
            _log.warning("%s has a damaged line: that window is transcribed again", path)
    return found


def _record(window: Window, verdict: Verdict) -> dict[str, Any]:
    heard = verdict.heard
    return {
        "spans": window.spans,
        "words": heard.words,
        "avg_logprob": heard.avg_logprob,
        "no_speech_prob": heard.no_speech_prob,
        "language": heard.language,
        "flags": verdict.flags,
        "tried": verdict.tried,
        "dropped": verdict.dropped,
    }


def _parsed(record: dict[str, Any]) -> tuple[tuple[Span, ...], Verdict]:
    heard = Heard(
        words=tuple(Word(*word) for word in record["words"]),
        avg_logprob=record["avg_logprob"],
        no_speech_prob=record["no_speech_prob"],
        language=record["language"],
    )
    tried = tuple((action, tuple(wrong)) for action, wrong in record["tried"])
    spans = tuple((int(start), int(end)) for start, end in record["spans"])
    return spans, Verdict(heard, tuple(record["flags"]), tried, record["dropped"])
