"""Transcribing and aligning files by themselves: no database, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.align import align
from pipeline.errors import ArchiveError, AudioError, ConfigError
from pipeline.model import Match, Question, Segment, Word
from pipeline.run import utc_now
from pipeline.speech.engine import make_engine
from pipeline.speech.names import EngineName, check_model
from pipeline.stages.transcribe import make_transcript

Result = tuple[Path, dict[str, Any] | ArchiveError]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Probability = Annotated[float, Field(allow_inf_nan=False)]


class _Question(BaseModel):
    number: int
    text: str


class _Segment(BaseModel):
    start: _Seconds
    end: _Seconds
    text: str
    speaker: str | None = None
    words: list[tuple[_Seconds, _Seconds, str, _Probability]] | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> _Segment:
        times = [(self.start, self.end, "it"), *((start, end, repr(text)) for start, end, text, _ in self.words or ())]
        for start, end, what in times:
            if end < start:
                raise ValueError(f"{what} ends at {end} s, before it starts at {start} s")
        return self


class _Interview(BaseModel):
    questions: list[_Question]
    segments: list[_Segment]

    @model_validator(mode="after")
    def _numbers_differ(self) -> _Interview:
        numbers = [question.number for question in self.questions]
        for place, number in enumerate(numbers):
            if number in numbers[:place]:
                raise ValueError(f"there are two questions of the number {number}")
        return self


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
            if not path.is_file():
                yield path, AudioError("no such file")
                continue
            # The hash of a kept file is not wanted here: nothing is kept.
            transcript = make_transcript(heard, path, "", language=language, prompt=None, now=utc_now())
        except ArchiveError as error:
            yield path, error
            continue
        except OSError as error:
            yield path, AudioError(f"cannot be transcribed: {error}")
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
            interview = _Interview.model_validate_json(path.read_bytes())
        except OSError as error:
            yield path, ConfigError(f"cannot be read: {error.strerror or error}")
            continue
        except ValidationError as error:
            yield path, ConfigError(f'must be {{"questions": […], "segments": […]}}; {_first_problem(error)}')
            continue
        questions = [Question(question.number, question.text) for question in interview.questions]
        segments = [
            Segment(s.start, s.end, s.text, tuple(Word(*word) for word in s.words or ()), s.speaker)
            for s in interview.segments
        ]
        yield path, {"file": str(path), "matches": [_as_json(match) for match in align(questions, segments)]}


def _first_problem(error: ValidationError) -> str:
    """What pydantic found first, as ``segments.0.start: what is wrong``."""
    detail = error.errors(include_url=False, include_input=False)[0]
    what = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
    where = ".".join(str(step) for step in detail["loc"])
    return f"{where}: {what}" if where else what


def _as_json(match: Match) -> dict[str, Any]:
    return {
        "number": match.number,
        "status": match.status,
        "start": match.start,
        "end": match.end,
        "answer_end": match.answer_end,
        "confidence": match.confidence,
    }
