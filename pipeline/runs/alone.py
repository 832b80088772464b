"""Transcribing and aligning single files: without a database, storing nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache as cache_of
from pathlib import Path
from typing import Any

from pipeline.align import align
from pipeline.align.detect import detect
from pipeline.align.explain import explanation
from pipeline.align.meaning import encoded, is_installed
from pipeline.errors import ArchiveError, AudioError, ConfigError
from pipeline.model import Question, Segment
from pipeline.runs.loading import read_interview, transcripts_in
from pipeline.speech.channels import Channels
from pipeline.speech.engine import make_engine
from pipeline.speech.explain import explained
from pipeline.speech.remarks import remarks
from pipeline.speech.speakers.listening import VoiceListener
from pipeline.speech.speakers.voices import VoiceEncoder
from pipeline.stages.speakers import Known, label_or_say_why
from pipeline.whisper_models import EngineName, check_model

Result = tuple[Path, dict[str, Any] | ArchiveError]


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


def align_files(
    paths: Sequence[Path], *, questions: tuple[Question, ...] | None = None, explain: bool = False
) -> Iterator[Result]:
    """Align the questions of each transcript in the files; an error is yielded instead of its result.

    The others are still processed. ``questions`` take the place of those in the files. Without any, they are
    detected. ``explain`` adds why each question was placed where it is.
    """
    for path in paths:
        try:
            transcripts = transcripts_in(path.read_bytes())
        except OSError as error:
            yield path, ConfigError(f"cannot be read: {error.strerror or error}")
            continue
        for line, transcript in enumerate(transcripts, 1):
            try:
                interview = read_interview(transcript)
                asked = interview.questions if questions is None else questions
                recording = {"recording": interview.recording} if interview.recording else {}
                aligned = _aligned(asked, interview.segments, explain=explain)
                yield path, {"file": str(path), **recording, **aligned}
            except ArchiveError as error:
                yield path, ConfigError(f"transcript {line}: {error}") if len(transcripts) > 1 else error


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
