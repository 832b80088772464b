"""A journal of the windows transcribed so far, one per line, from which a killed run resumes."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TextIO

from pipeline.data_folder import journal_path
from pipeline.model import Word
from pipeline.speech.decoder import Heard
from pipeline.speech.gate import Verdict
from pipeline.speech.windows import Span, Window

_log = logging.getLogger(__name__)


class Journal(Protocol):
    """Stores the verdict on each window."""

    def find(self, window: Window) -> Verdict | None:
        """Return the stored verdict on a window, if any."""
        ...

    def add(self, heard: Sequence[tuple[Window, Verdict]]) -> None:
        """Store the verdicts on a batch of windows. Called from several threads."""
        ...


class NoJournal:
    """A ``Journal`` that stores nothing."""

    def find(self, window: Window) -> Verdict | None:  # noqa: ARG002 - the interface is Journal
        """Return None."""
        return None

    def add(self, heard: Sequence[tuple[Window, Verdict]]) -> None:
        """Do nothing."""


class FileJournal:
    """A ``Journal`` in a file of JSON lines, synced to disk after every batch of windows.

    Damaged lines, such as one that was cut short by the end of the process, are skipped. The file's name must identify
    the recording and everything that could change its words.
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
        """See ``Journal.add``; a batch is written at once."""
        lines = [json.dumps(_record(window, verdict), ensure_ascii=False) for window, verdict in heard]
        with self._writing:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("a", encoding="utf-8")
            # Starts with a newline, so that a partial line before it does not damage the first record.
            self._file.write("\n".join(["", *lines, ""]))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, and keep it."""
        if self._file:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Delete the file and its content: the transcript is stored elsewhere, or everything is transcribed again."""
        self.close()
        self._known.clear()
        self._path.unlink(missing_ok=True)


def unfinished(data: Path) -> dict[str, list[Path]]:
    """Return the journals in a data folder, by the SHA-256 of their recordings."""
    found: dict[str, list[Path]] = {}
    for path in data.glob(journal_path("*", "*")):
        found.setdefault(path.name.partition(".")[0], []).append(path)
    return found


def _read(path: Path) -> Sequence[tuple[tuple[Span, ...], Verdict]]:
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):  # splitlines splits at more
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
