"""Transcribe one episode's current rendition. The transcript is a file first, and then rows of the database."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.archive.transcripts import current_rendition, publish, transcript_settings
from pipeline.audio.decode import SAMPLE_RATE, decode
from pipeline.config import Feed
from pipeline.errors import AudioError
from pipeline.model import Episode, Transcript, clock
from pipeline.speech import transcript_file
from pipeline.speech.engine import Engine
from pipeline.stages import Outcome, Progress, Tools

FOLDER = "transcripts"
MAX_PROMPT_CHARS = 400


def transcribe(tools: Tools, feed: Feed, episode: Episode) -> Outcome:
    """Make the episode's transcript, or take it from its file when an earlier run was ended after writing it.

    Raises:
        SpeechError, AudioError: with the reason.
    """
    rendition = current_rendition(tools.db, episode.id)
    if rendition is None:
        return Outcome("skipped", "no audio is kept yet")
    sha256, duration = rendition.sha256, rendition.duration
    prompt = make_prompt(feed)
    if not tools.again:
        done = _done(tools, feed, episode, sha256, prompt)
        if done:
            return Outcome("skipped", done, routine=True)
    engine = tools.engine(feed)
    key = transcript_file.transcript_key(
        engine=engine.name, model=engine.model, language=feed.language, prompt=prompt, options=engine.options
    )
    folder = tools.data / FOLDER
    transcript = None if tools.again else transcript_file.find(folder, sha256, key)
    if transcript is not None:
        publish(tools.db, episode.id, transcript, key)
        return Outcome("ok", "taken from its file")
    began = time.monotonic()
    with tools.progress(f"{episode.id} transcribe", duration) as progress:
        transcript = make_transcript(
            engine,
            tools.data / rendition.path,
            sha256,
            language=feed.language,
            prompt=prompt,
            now=tools.now(),
            progress=progress,
        )
    took = time.monotonic() - began
    transcript_file.write(folder, transcript, key)
    publish(tools.db, episode.id, transcript, key)
    words = sum(len(segment.words) for segment in transcript.segments)
    return Outcome("ok", f"{clock(duration)} of audio, {words} words, {duration / max(took, 0.001):.1f}x real time")


def _done(tools: Tools, feed: Feed, episode: Episode, sha256: str, prompt: str | None) -> str | None:
    """Say why the episode need not be transcribed, or None if it has to be.

    Another engine, model or language in feeds.yaml asks for a new transcript. Another vocabulary does not: it would
    cost hours for every word added; the report says so instead.
    """
    found = transcript_settings(tools.db, episode.id, sha256, engine=feed.engine, model=feed.model)
    if found is None or found[0] != feed.language:
        return None
    if found[1] != prompt:
        return "transcribed with another vocabulary (--again makes it anew)"
    return "already transcribed"


def make_transcript(
    engine: Engine,
    path: Path,
    sha256: str,
    *,
    language: str,
    prompt: str | None,
    now: str,
    progress: Progress | None = None,
) -> Transcript:
    """Decode a file and let an engine hear it."""
    if not path.is_file():
        raise AudioError(f"{path} is missing: run `download` again, or restore it from a copy")
    audio = decode(path)
    segments = engine.transcribe(audio, language=language, prompt=prompt, progress=progress)
    return Transcript(
        audio_sha256=sha256,
        duration=round(len(audio) / SAMPLE_RATE, 3),
        engine=engine.name,
        model=engine.model,
        language=language,
        created=now,
        segments=segments,
        options={**engine.options, "prompt": prompt},
    )


def make_prompt(feed: Feed) -> str | None:
    """Return a punctuated sentence with the show's names and terms, so that Whisper spells them as the show does."""
    names = list(dict.fromkeys([*feed.hosts, *feed.vocabulary]))
    if not names:
        return None
    prompt = f"{feed.title}: {', '.join(names)}."
    return prompt if len(prompt) <= MAX_PROMPT_CHARS else prompt[:MAX_PROMPT_CHARS].rsplit(",", 1)[0] + "."
