"""The problems a file of an archive may have, and detecting them. Checks one file at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.archive.files import Named, PublishersFile, Snapshot, TranscriptFile
from pipeline.archive.kept import is_kept
from pipeline.archive.segments import heard
from pipeline.audio.in_processes import Check
from pipeline.data_folder import TRANSCRIPTS, recording_path, snapshot_path
from pipeline.errors import NotAudioError, SpeechError
from pipeline.files import sha256_of
from pipeline.model import Rendition, Segment
from pipeline.speech import transcript_file

Kind = Literal["missing", "damaged", "contradicted", "orphan", "database", "index"]

TOLERANCE = 0.1  # seconds by which durations from different decoder versions may differ


@dataclass(frozen=True, slots=True)
class Earlier:
    """A file of an earlier wording, which no table names; ``digest`` is the SHA-256 prefix in its name."""

    path: str
    digest: str


File = Named | Earlier


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with ``what``: a path in the data folder, the database, or one of its indexes.

    ``missing`` and ``damaged`` files are not as recorded; ``contradicted`` ones have the right bytes, but the tables
    say otherwise; an ``orphan`` is named by no table. ``file`` is what the tables say of it.
    """

    kind: Kind
    what: str
    reason: str
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What checking files requires: the data folder, a database for any thread, and a check that decodes recordings."""

    data: Path
    database: Path
    check: Check | None = None  # None: do not decode


def problem_of(bench: Bench, file: File) -> Problem | None:
    """Return the problem of a file; None if it is as recorded."""
    match file:
        case Rendition():
            return _bytes_problem(bench.data, file) or (bench.check and _sound_problem(bench.data, file, bench.check))
        case Snapshot():
            return _bytes_problem(bench.data, file)
        case TranscriptFile():
            return _heard_problem(bench, file)
        case PublishersFile():
            return _published_problem(bench.data, file)
        case Earlier():
            return _earlier_problem(bench.data, file)


def _bytes_problem(data: Path, file: Rendition | Snapshot) -> Problem | None:
    path = data / file.path
    is_recording = isinstance(file, Rendition)
    place = recording_path(file.sha256, path.suffix) if is_recording else snapshot_path(file.sha256)
    if file.path != place:
        return Problem("contradicted", file.path, f"its name does not match its SHA-256, {file.sha256}", file)
    if not path.is_file() or (is_recording and not is_kept(data, file.path)):
        linked = "it is a link to a file with another name, which is not followed"
        return Problem("missing", file.path, linked if path.is_file() else "the file is not there", file)
    try:
        size = path.stat().st_size
        digest = sha256_of(path)
    except OSError as error:
        return Problem("damaged", file.path, f"it cannot be read ({error.strerror or error})", file)
    if digest != file.sha256:
        length = "" if size == file.bytes else f", and it has {size:,} bytes instead of {file.bytes:,}"
        return Problem("damaged", file.path, f"its SHA-256 is {digest}{length}", file)
    if size != file.bytes:
        return Problem("contradicted", file.path, f"it has {size:,} bytes, but the tables say {file.bytes:,}", file)
    return None


def _sound_problem(data: Path, file: Rendition, check: Check) -> Problem | None:
    try:
        facts = check(data / file.path)
    except (NotAudioError, OSError) as error:
        return Problem("contradicted", file.path, f"it is unchanged, but cannot be decoded: {error}", file)
    # Earlier versions did not count the gaps.
    if min(abs(seconds - file.duration) for seconds in (facts.duration, facts.duration - facts.gaps)) > TOLERANCE:
        return Problem(
            "contradicted", file.path, f"it lasts {facts.duration} seconds, the tables say {file.duration}", file
        )
    return None


def _heard_problem(bench: Bench, file: TranscriptFile) -> Problem | None:
    try:
        with closing(sqlite3.connect(f"{bench.database.as_uri()}?mode=ro", uri=True)) as connection:
            stored = _row(heard(connection, file.id))
    except (sqlite3.DatabaseError, ValueError) as error:
        return Problem("database", file.path, f"transcript {file.id} cannot be read from the tables: {error}")
    path = bench.data / file.path
    problem = _unlike(path, file, stored)
    if problem is None:
        return None
    # A file of an earlier wording is named by its content, which no table knows. An episode's file may also have been
    # superseded by that of another episode with the same recording.
    if any(_unlike(other, file, stored) is None for other in sorted(path.parent.glob(f"{path.stem}.*.json"))):
        return None
    if file.is_earlier:
        name = f"{file.path.removesuffix('.json')}.….json"
        return Problem("missing", name, f"no file has the earlier wording of transcript {file.id}", file)
    return problem


def _unlike(path: Path, file: TranscriptFile, stored: list[tuple[float, float, str]]) -> Problem | None:
    if not path.is_file():
        return Problem("missing", file.path, "the file is not there", file)
    try:
        transcript = transcript_file.read(path)
    except SpeechError as error:
        return Problem("damaged", file.path, f"it cannot be read: {error}", file)
    if transcript.audio_sha256 != file.rendition:
        return Problem("damaged", file.path, f"it belongs to another recording, {transcript.audio_sha256}", file)
    if _row(transcript.segments) != stored:
        return Problem("damaged", file.path, f"its words or times differ from transcript {file.id}", file)
    return None


def _row(segments: Iterable[Segment]) -> list[tuple[float, float, str]]:
    """The properties that must be equal in the file and in the tables; speakers may have been named since."""
    return [(round(one.start, 3), round(one.end, 3), one.text) for one in segments]


def _published_problem(data: Path, file: PublishersFile) -> Problem | None:
    found = sorted((data / TRANSCRIPTS).glob(f"{file.prefix}*.published"))
    if not found:
        return Problem("missing", f"{file.path}….published", "the file is not there", file)
    for path in found:
        with suppress(OSError):
            if sha256_of(path) == path.stem:
                return None
    return Problem("damaged", found[0].relative_to(data).as_posix(), "its SHA-256 does not match its name", file)


def _earlier_problem(data: Path, file: Earlier) -> Problem | None:
    try:
        digest = sha256_of(data / file.path)
    except OSError as error:
        return Problem("damaged", file.path, f"it cannot be read ({error.strerror or error})", file)
    if not digest.startswith(file.digest):
        return Problem("damaged", file.path, "its SHA-256 does not match its name", file)
    return None
