"""Transcript files: the result of hours of transcription is on disk before it is stored in the database.

A file is named ``<sha256 of the audio>.<key>.json``; the key is a hash of everything that could change the words.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.data_folder import transcript_path
from pipeline.errors import SpeechError
from pipeline.files import write_file
from pipeline.model import Segment, Speaker, Transcript, Word

FORMAT = 2

_log = logging.getLogger(__name__)

Seconds = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Segment(_Strict):
    start: Seconds
    end: Seconds
    text: str
    speaker: str | None
    confidence: Probability | None
    flags: tuple[str, ...]
    words: tuple[tuple[Seconds, Seconds, str, Probability], ...]


class _Speaker(_Strict):
    label: str
    name: str | None
    role: Literal["host", "guest", "unknown"]
    seconds: Seconds
    voice: tuple[float, ...]


class _File(_Strict):
    format: Literal[2]
    audio_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    duration: Seconds
    engine: str
    model: str
    language: str
    created: str
    options: dict[str, Any]
    segments: tuple[_Segment, ...]
    speakers: tuple[_Speaker, ...]

    @model_validator(mode="after")
    def _times_make_sense(self) -> Self:
        for number, segment in enumerate(self.segments, start=1):
            for start, end in [(segment.start, segment.end), *(word[:2] for word in segment.words)]:
                if not start <= end <= self.duration:
                    raise ValueError(f"segment {number} has the times {start} to {end} of {self.duration} seconds")
        return self


def transcript_key(
    *, engine: str, model: str, language: str, terms: Sequence[str], options: Mapping[str, object]
) -> str:
    """Return 12 hex digits of a hash of everything that could change the words."""
    material = {
        "format": FORMAT,
        "engine": engine,
        "model": model,
        "language": language,
        "terms": list(terms),
        "options": dict(options),
    }
    return hashlib.sha256(_canonical(material)).hexdigest()[:12]


def write(data: Path, transcript: Transcript, key: str) -> Path:
    """Write a transcript atomically under its final name. An existing one with other words is kept beside it.

    Times are rounded to milliseconds, probabilities to four places.

    Returns:
        Its path in the data folder ``data``.

    Raises:
        SpeechError: It would not be valid, for example because times are out of order.
    """
    path, content = _checked(data, transcript, key)
    _keep_earlier(path, transcript)
    write_file(path, content)
    return path


def write_earlier(data: Path, transcript: Transcript, key: str) -> Path:
    """Write the file of an earlier wording beside the one that replaced it; see ``write``."""
    return _put_aside(*_checked(data, transcript, key))


def _checked(data: Path, transcript: Transcript, key: str) -> tuple[Path, bytes]:
    """The path and the validated content of a transcript's file."""
    path = _path(data, transcript.audio_sha256, key)
    content = _canonical(_as_json(transcript))
    _parsed(content, path)
    return path, content


def _put_aside(path: Path, content: bytes) -> Path:
    """Write the content of a file beside it, under a name with the content's hash."""
    aside = path.with_suffix(f".{hashlib.sha256(content).hexdigest()[:12]}.json")
    write_file(aside, content)
    return aside


def _keep_earlier(path: Path, transcript: Transcript) -> None:
    """Keep a copy of the file that is to be replaced if it has other words, since these may have been quoted."""
    try:
        content = path.read_bytes()
        earlier = _parsed(content, path)
    except (FileNotFoundError, SpeechError):  # missing or unreadable
        return
    said, now = (" ".join(segment.text for segment in one.segments) for one in (earlier, transcript))
    if said != now:
        _put_aside(path, content)


def find(data: Path, audio_sha256: str, key: str) -> Transcript | None:
    """Return the transcript of this audio and key, or None if there is none.

    A damaged file is treated as missing, with a warning in the log; it stays until the recording's next transcript
    replaces it.
    """
    path = _path(data, audio_sha256, key)
    if not path.exists():
        return None
    try:
        transcript = read(path)
    except SpeechError as error:
        _log.warning("%s; the recording is transcribed again", error)
        return None
    if transcript.audio_sha256 != audio_sha256:
        _log.warning("%s is the transcript of other audio; the recording is transcribed again", path)
        return None
    return transcript


def read(path: Path) -> Transcript:
    """Read a transcript file.

    Raises:
        SpeechError: The file cannot be read, is damaged, or has another format.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SpeechError(f"{path} cannot be read: {error.strerror}") from error
    return _parsed(content, path)


def _parsed(content: bytes, path: Path) -> Transcript:
    try:
        file = _File.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SpeechError(f"{path} is not a transcript of format {FORMAT}: {where or 'it'}: {first['msg']}") from error
    segments = tuple(
        Segment(**(dict(segment) | {"words": tuple(Word(*word) for word in segment.words)}))
        for segment in file.segments
    )
    speakers = tuple(Speaker(**dict(speaker)) for speaker in file.speakers)
    return Transcript(**(file.model_dump(exclude={"format"}) | {"segments": segments, "speakers": speakers}))


def _as_json(transcript: Transcript) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "audio_sha256": transcript.audio_sha256,
        "duration": round(transcript.duration, 3),
        "engine": transcript.engine,
        "model": transcript.model,
        "language": transcript.language,
        "created": transcript.created,
        "options": dict(transcript.options),
        "segments": [_segment_as_json(segment) for segment in transcript.segments],
        "speakers": [_speaker_as_json(speaker) for speaker in transcript.speakers],
    }


def _segment_as_json(segment: Segment) -> dict[str, Any]:
    return {
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "speaker": segment.speaker,
        "confidence": None if segment.confidence is None else round(segment.confidence, 4),
        "flags": segment.flags,
        "words": [
            (round(word.start, 3), round(word.end, 3), word.text, round(word.probability, 4)) for word in segment.words
        ],
    }


def _speaker_as_json(speaker: Speaker) -> dict[str, Any]:
    return {
        "label": speaker.label,
        "name": speaker.name,
        "role": speaker.role,
        "seconds": round(speaker.seconds, 2),
        "voice": [round(value, 4) for value in speaker.voice],
    }


def _canonical(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _path(data: Path, audio_sha256: str, key: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{64}", audio_sha256):
        raise SpeechError(f"{audio_sha256!r} is not the SHA-256 of audio")
    return data / transcript_path(audio_sha256, key)
