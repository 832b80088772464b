"""Transcribing and aligning single files: without a database, storing nothing."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache as cache_of
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.align import align
from pipeline.align.detect import detect
from pipeline.align.explain import explanation
from pipeline.align.meaning import encoded, is_installed
from pipeline.errors import ArchiveError, AudioError, ConfigError
from pipeline.model import Question, Segment, Word
from pipeline.speech.channels import Channels
from pipeline.speech.engine import make_engine
from pipeline.speech.explain import explained
from pipeline.speech.remarks import remarks
from pipeline.speech.speakers.listening import VoiceListener
from pipeline.speech.speakers.voices import VoiceEncoder
from pipeline.stages.speakers import Known, label_or_say_why
from pipeline.whisper_models import EngineName, check_model

_MOST_QUESTIONS = 200  # far more than an interview has; the work grows with them

Result = tuple[Path, dict[str, Any] | ArchiveError]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Probability = Annotated[float, Field(allow_inf_nan=False)]


class _Question(BaseModel):
    number: int
    text: str
    stated: _Seconds | None = None


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
    questions: Annotated[list[_Question], Field(max_length=_MOST_QUESTIONS)]
    segments: list[_Segment]

    @model_validator(mode="after")
    def _numbers_differ(self) -> _Interview:
        numbers = [question.number for question in self.questions]
        for place, number in enumerate(numbers):
            if number in numbers[:place]:
                raise ValueError(f"two questions have the number {number}")
        return self


def transcribe_files(
    paths: Sequence[Path],
    *,
    model: str,
    engine: EngineName,
    language: str,
    cache: Path,
    explain: Callable[[str], None] | None = None,
) -> Iterator[Result]:
    """Transcribe each file; an error is yielded instead of its result, and the other files are still processed.

    Args:
        paths: audio files.
        model: as in feeds.yaml.
        engine: as in feeds.yaml.
        language: as in feeds.yaml.
        cache: the folder for assembled model weights.
        explain: called with each line about what was done with implausible windows.

    Raises:
        ConfigError: the model, engine or language is wrong.
    """
    check_model(model, engine, language)
    whisper = make_engine(engine, model, cache=cache)
    voices = cache_of(VoiceEncoder)
    for path in paths:
        try:
            if not path.is_file():
                yield path, AudioError("no such file")
                continue
            listener, channels = VoiceListener(voices), Channels(path)
            hearing = whisper.transcribe(channels.mixed(), language=language, voices=listener)
            labelled, problems = label_or_say_why(hearing, Known(), listener)
            said = [*remarks(hearing, channels, language=language), *problems]
        except ArchiveError as error:
            yield path, error
            continue
        except OSError as error:
            yield path, AudioError(f"cannot be transcribed: {error}")
            continue
        if explain:
            for line in explained(hearing.report()):
                explain(line)
        yield (
            path,
            {
                "file": str(path),
                "duration": round(hearing.duration, 3),
                "engine": whisper.name,
                "model": whisper.model,
                "segments": [
                    {**asdict(segment), "role": "other", "words": segment.words} for segment in labelled.segments
                ],
                **({"remarks": said} if said else {}),
            },
        )


def align_files(paths: Sequence[Path], *, explain: bool = False) -> Iterator[Result]:
    """Align each file's questions to its segments; an error is yielded instead of its result.

    The other files are still processed. Without questions, they are detected. ``explain`` adds why each question was
    placed where it is.
    """
    for path in paths:
        try:
            interview = _Interview.model_validate_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
        except OSError as error:
            yield path, ConfigError(f"cannot be read: {error.strerror or error}")
            continue
        except ValidationError as error:
            yield path, ConfigError(f'must be {{"questions": […], "segments": […]}}; {_first_problem(error)}')
            continue
        questions = [Question(one.number, one.text, one.stated) for one in interview.questions]
        segments = [
            Segment(s.start, s.end, s.text, tuple(Word(*word) for word in s.words or ()), s.speaker)
            for s in sorted(interview.segments, key=lambda segment: segment.start)
        ]
        try:
            yield path, {"file": str(path), **_aligned(questions, segments, explain=explain)}
        except ArchiveError as error:
            yield path, error


def _aligned(questions: Sequence[Question], segments: Sequence[Segment], *, explain: bool) -> dict[str, Any]:
    if not questions:
        detected, matches = detect(segments)
        texts = {question.number: question.text for question in detected}
        return {"matches": [{**asdict(match), "text": texts[match.number]} for match in matches]}
    alignment = align(questions, segments, encode=encoded if is_installed() else None)
    return {
        "matches": [asdict(match) for match in alignment.matches],
        "follow_ups": [asdict(one) for one in alignment.follow_ups],
        **({"explanation": explanation(questions, alignment)} if explain else {}),
    }


def _first_problem(error: ValidationError) -> str:
    """The first error that pydantic found, as ``segments.0.start: message``."""
    detail = error.errors(include_url=False, include_input=False)[0]
    what = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
    where = ".".join(str(step) for step in detail["loc"])
    return f"{where}: {what}" if where else what
