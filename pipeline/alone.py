"""Transcribing and aligning files by themselves: no database, nothing kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.align import align
from pipeline.errors import ArchiveError, ConfigError
from pipeline.model import Match, Question, Segment, Word
from pipeline.run import utc_now
from pipeline.speech.engine import make_engine
from pipeline.speech.names import EngineName, check_model
from pipeline.stages.transcribe import make_transcript

Result = tuple[Path, dict[str, Any] | ArchiveError]


class _Question(BaseModel):
    number: int
    text: str


class _Segment(BaseModel):
    start: float
    end: float
    text: str
    speaker: str | None = None
    words: list[tuple[float, float, str, float]] = []


class _Interview(BaseModel):
    questions: list[_Question]
    segments: list[_Segment]


def transcribe_files(
    paths: Sequence[Path], *, model: str, engine: EngineName, language: str, cache: Path
) -> Iterator[Result]:
    """Transcribe each file; a failure takes the place of its result and stops nothing.

    Raises:
        ConfigError: the model, engine or language is wrong.
    """
    check_model(model, engine, language)
    heard = make_engine(engine, model, cache=cache)
    for path in paths:
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            transcript = make_transcript(heard, path, sha256, language=language, prompt=None, now=utc_now())
        except ArchiveError as error:
            yield path, error
            continue
        yield (
            path,
            {
                "file": str(path),
                "duration": transcript.duration,
                "engine": transcript.engine,
                "model": transcript.model,
                "segments": [
                    {**asdict(segment), "role": "other", "words": segment.words} for segment in transcript.segments
                ],
            },
        )


def align_files(paths: Sequence[Path]) -> Iterator[Result]:
    """Align each file's questions to its segments; a failure takes the place of its result and stops nothing."""
    for path in paths:
        try:
            interview = _Interview.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            yield path, ConfigError(f"cannot be read: {error.strerror or error}")
            continue
        except (ValidationError, ValueError) as error:
            yield path, ConfigError(f'is not {{"questions": […], "segments": […]}}: {" ".join(str(error).split())}')
            continue
        questions = [Question(question.number, question.text) for question in interview.questions]
        segments = [
            Segment(s.start, s.end, s.text, tuple(Word(*word) for word in s.words), s.speaker)
            for s in interview.segments
        ]
        yield path, {"file": str(path), "matches": [_as_json(match) for match in align(questions, segments)]}


def _as_json(match: Match) -> dict[str, Any]:
    return {
        "number": match.number,
        "status": match.status,
        "start": match.start,
        "end": match.end,
        "answer_end": match.answer_end,
        "confidence": match.confidence,
    }
