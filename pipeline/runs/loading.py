"""Reading transcripts of any program, and lists of questions, for ``align --load``."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from pipeline.errors import ConfigError
from pipeline.feeds.lists import timed
from pipeline.feeds.transcripts import PublishedTurn, read_transcript
from pipeline.model import Question, Segment, Word

_MOST_QUESTIONS = 200  # far more than an interview has; the work grows with them
_MARK = re.compile(r"^(?:(?:q(?:uestion)?\s*)?\d{1,3}\s*[.):](?!\d)\s*|[-–*•]\s+|q:\s*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Interview:
    """What is aligned: a published list, empty if there is none, and a transcript in the order of time.

    ``recording`` is the audio file that the transcript names, as `transcribe --load` does.
    """

    questions: tuple[Question, ...]
    segments: tuple[Segment, ...]
    recording: str | None = None


def transcripts_in(content: bytes) -> list[bytes]:
    """Return the transcripts of a file: one, or one a line where each is JSON, as `transcribe --load` prints them."""
    lines = [line for line in map(bytes.strip, content.splitlines()) if line]
    several = len(lines) > 1 and all(line.startswith(b'{"') and line.endswith(b"}") for line in lines)
    return lines if several else [content]


def read_interview(content: bytes) -> Interview:
    """Read a transcript with times, and the questions if it has some.

    It may be this program's own JSON, what openai-whisper, faster-whisper, WhisperX and whisper.cpp write as JSON, the
    podcast namespace's JSON, WebVTT or SubRip.

    Raises:
        ArchiveError: it is none of these, or has no times; the message says what is wrong.
    """
    text = content.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        raise ConfigError("is empty: give JSON, WebVTT or SRT")
    if text[:1] not in b"{[":
        return Interview((), tuple(_as_read(one) for one in _timed(read_transcript(text))))
    try:
        read = _Interview.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(f"is no transcript that can be read: {_first_problem(error)}") from error
    segments = sorted(read.segments, key=lambda segment: segment.start)
    return Interview(
        tuple(Question(question.number, question.text, question.stated) for question in read.questions),
        tuple(
            Segment(s.start, s.end, s.text.strip(), tuple(Word(*word) for word in s.words or ()), s.speaker)
            for s in segments
        ),
        read.file if isinstance(read.file, str) else None,
    )


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a list of questions: CSV with a column ``text``, and ``number`` if they are not 1, 2, 3; else one a line.

    Raises:
        ConfigError: naming the file and what is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as “CSV UTF-8” or as text in UTF-8") from error
    try:
        questions = _listed(lines, path)
    except csv.Error as error:
        raise ConfigError(f"{path}: is not CSV ({error})") from error
    if not questions:
        raise ConfigError(f"{path}: lists no questions")
    if len(questions) > _MOST_QUESTIONS:
        raise ConfigError(f"{path}: has more than {_MOST_QUESTIONS} questions")
    if twice := _twice([question.number for question in questions]):
        raise ConfigError(f"{path}: {twice}")
    return tuple(questions)


def _listed(lines: Sequence[str], path: Path) -> list[Question]:
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    names = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
    if "text" in names:
        return _table("\n".join(lines), names, delimiter, path)
    items = timed([text for line in lines if (text := _MARK.sub("", line.strip()))])
    return [Question(number, *item) for number, item in enumerate(items, 1)]


def _table(text: str, names: Sequence[str], delimiter: str, path: Path) -> list[Question]:
    questions: list[Question] = []
    reader = csv.reader(io.StringIO(text.lstrip()), delimiter=delimiter)
    for values in reader:
        row = dict(zip(names, (value.strip() for value in values), strict=False))
        if reader.line_num == 1 or not row.get("text"):
            continue
        number = row.get("number") or str(len(questions) + 1)
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            raise ConfigError(f"{path}, line {reader.line_num}: “{number}” is not a number")
        questions.append(Question(int(number), " ".join(row["text"].split())))
    return questions


def _twice(numbers: Sequence[int]) -> str | None:
    repeated = next((number for place, number in enumerate(numbers) if number in numbers[:place]), None)
    return None if repeated is None else f"two questions have the number {repeated}"


def _timed(turns: Sequence[PublishedTurn]) -> list[dict[str, Any]]:
    """The turns as segments; one without an end lasts until the next."""
    if any(turn.start is None for turn in turns):
        raise ConfigError("has no times, or not for all that is said: give JSON, WebVTT or SRT")
    ends = [*(following.start for _, following in pairwise(turns)), turns[-1].start]
    ended = (turn if turn.end is not None else replace(turn, end=end) for turn, end in zip(turns, ends, strict=True))
    return [asdict(turn) for turn in ended]


def _as_read(segment: Mapping[str, Any]) -> Segment:
    return Segment(segment["start"], segment["end"], segment["text"], speaker=segment["speaker"])


def _words(value: Any) -> Any:
    """Words that are objects, as Whispers write them; none if one of them has no time, as WhisperX's may."""
    if not isinstance(value, list) or not all(isinstance(word, dict) for word in value):
        return value
    words = [
        (word.get("start"), word.get("end"), word.get("word"), word.get("probability", word.get("score", 1.0)))
        for word in value
    ]
    return None if any(None in word for word in words) else words


_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Probability = Annotated[float, Field(allow_inf_nan=False)]
_Spoken = Annotated[str, BeforeValidator(lambda text: text.strip() if isinstance(text, str) else text)]


class _Question(BaseModel):
    number: int
    text: str
    stated: _Seconds | None = None


class _Segment(BaseModel):
    start: _Seconds
    end: _Seconds
    text: str
    speaker: str | None = None
    words: Annotated[list[tuple[_Seconds, _Seconds, _Spoken, _Probability]] | None, BeforeValidator(_words)] = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> _Segment:
        times = [(self.start, self.end, "it"), *((start, end, repr(text)) for start, end, text, _ in self.words or ())]
        for start, end, what in times:
            if end < start:
                raise ValueError(f"{what} ends at {end} s, before it starts at {start} s")
        return self


class _Interview(BaseModel):
    questions: Annotated[list[_Question], Field(max_length=_MOST_QUESTIONS)] = []
    segments: list[_Segment]
    file: Any = None

    @model_validator(mode="before")
    @classmethod
    def _of_other_programs(cls, data: Any) -> Any:
        if isinstance(data, list):  # the segments alone, as one writes those of faster-whisper
            data = {"segments": data}
        if not isinstance(data, dict):
            return data
        if "segments" not in data and isinstance(data.get("transcription"), list):
            return {**data, "segments": [_of_whisper_cpp(segment) for segment in data["transcription"]]}
        segments = data.get("segments")
        if isinstance(segments, list) and any(isinstance(one, dict) and "startTime" in one for one in segments):
            return {**data, "segments": _timed(read_transcript(json.dumps({"segments": segments}).encode()))}
        return data

    @model_validator(mode="after")
    def _numbers_differ(self) -> _Interview:
        if twice := _twice([question.number for question in self.questions]):
            raise ValueError(twice)
        return self


def _of_whisper_cpp(segment: Any) -> Any:
    """A segment of whisper.cpp, whose times are milliseconds; its tokens are not words."""
    try:
        start, end = (segment["offsets"][name] / 1000 for name in ("from", "to"))
        return {"start": start, "end": end, "text": segment["text"], "speaker": segment.get("speaker")}
    except (KeyError, TypeError, AttributeError):
        raise ValueError("a segment of “transcription” has no offsets and text") from None


def _first_problem(error: ValidationError) -> str:
    """The first error that pydantic found, as ``segments.0.start: message``."""
    detail = error.errors(include_url=False, include_input=False)[0]
    what = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
    where = ".".join(str(step) for step in detail["loc"])
    return f"{where}: {what}" if where else what
