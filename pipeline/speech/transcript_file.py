"""Transcripts as files: what took hours to hear is safe on disk before the database knows of it.

A file is named ``<sha256 of the audio>.<key>.json``; the key stands for everything that could change the words.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import SpeechError
from pipeline.model import Segment, Transcript, Word
from pipeline.speech.atomic import new_file

FORMAT = 1

log = logging.getLogger(__name__)


def transcript_key(*, engine: str, model: str, language: str, prompt: str | None, options: Mapping[str, object]) -> str:
    """Return 12 hex digits that differ whenever anything differs that could change the words."""
    material = [FORMAT, engine, model, language, prompt, dict(options)]
    return hashlib.sha256(json.dumps(material, sort_keys=True).encode()).hexdigest()[:12]


def write(folder: Path, transcript: Transcript, key: str) -> Path:
    """Write a transcript under its final name, whole or not at all, and return its path."""
    path = _path(folder, transcript.audio_sha256, key)
    folder.mkdir(parents=True, exist_ok=True)
    with new_file(path) as file:
        file.write(json.dumps(_as_json(transcript), ensure_ascii=False).encode())
    return path


def find(folder: Path, audio_sha256: str, key: str) -> Transcript | None:
    """Return the transcript of this audio and key, or None: a damaged file counts as none, and is said."""
    path = _path(folder, audio_sha256, key)
    if not path.exists():
        return None
    try:
        return read(path)
    except SpeechError as error:
        log.warning("%s; the recording is transcribed again", error)
        return None


def read(path: Path) -> Transcript:
    """Read a transcript file.

    Raises:
        SpeechError: the file cannot be read, is damaged, or is not of this format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise SpeechError(f"{path} has format {data['format']}, this program reads {FORMAT}")
        return Transcript(
            audio_sha256=data["audio_sha256"],
            duration=float(data["duration"]),
            engine=data["engine"],
            model=data["model"],
            language=data["language"],
            created=data["created"],
            segments=tuple(_segment(segment) for segment in data["segments"]),
            options=dict(data["options"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpeechError(f"{path} is no transcript that can be read ({type(error).__name__}: {error})") from error


def _path(folder: Path, audio_sha256: str, key: str) -> Path:
    return folder / f"{audio_sha256}.{key}.json"


def _as_json(transcript: Transcript) -> dict[str, Any]:
    segments = [{**asdict(segment), "words": segment.words} for segment in transcript.segments]
    return {"format": FORMAT, **asdict(transcript), "segments": segments}


def _segment(data: Mapping[str, Any]) -> Segment:
    return Segment(
        start=float(data["start"]),
        end=float(data["end"]),
        text=str(data["text"]),
        words=tuple(Word(float(start), float(end), str(text), float(p)) for start, end, text, p in data["words"]),
        speaker=data["speaker"],
        confidence=data["confidence"],
        flags=tuple(data["flags"]),
    )
