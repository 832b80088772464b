"""Transcribe one episode's current rendition. The transcript is a file first, and then rows of the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.archive.feeds import notes_of
from pipeline.archive.transcripts import (
    current_rendition,
    host_voices,
    preferred_transcript,
    publish,
    read_questions,
    transcript_settings,
)
from pipeline.audio.decode import decoded_blocks
from pipeline.config import Feed
from pipeline.errors import AudioError
from pipeline.feeds.people import find_people
from pipeline.model import Episode, Rendition, Transcript, clock
from pipeline.speech import transcript_file
from pipeline.speech.engine import Engine
from pipeline.speech.hearing import Hearing
from pipeline.speech.journal import FileJournal
from pipeline.speech.names import whisper_language
from pipeline.speech.speakers.listening import VoiceListener
from pipeline.speech.vocabulary import known_terms
from pipeline.speech.windows import Samples
from pipeline.stages import Outcome, Tools
from pipeline.stages.published import FOLDER, Published, carry_names, get_published, is_waiting, save_published
from pipeline.stages.speakers import Known, Labelled, label_speakers

_log = logging.getLogger(__name__)


def transcribe(tools: Tools, feed: Feed, episode: Episode) -> Outcome:
    """Make the episode's transcript, or take it from its file when an earlier run was ended after writing it.

    Raises:
        SpeechError, AudioError: with the reason.
    """
    rendition = current_rendition(tools.db, episode.id)
    if rendition is None:
        return Outcome("skipped", "no audio is kept yet")
    done = None if tools.again else _done(tools, feed, episode, rendition)
    if done and not is_waiting(tools, feed, episode, rendition):
        return Outcome("skipped", done, routine=True)
    published, remarks = get_published(tools, feed, episode)
    said = [] if done else [_make(tools, feed, episode, rendition, published, remarks)]
    transcript = preferred_transcript(tools.db, episode.id)
    if published and transcript is not None:
        rate = save_published(tools, episode, rendition, published, transcript)
        carry_names(tools, published, transcript)
        remarks.append(f"{rate:.1%} of the words differ from the publisher's transcript")
    if done and not published:
        return Outcome("skipped", "; ".join([done, *remarks]))
    return Outcome("ok", "; ".join([*said, *remarks]))


def _make(
    tools: Tools,
    feed: Feed,
    episode: Episode,
    rendition: Rendition,
    published: Published | None,
    remarks: list[str],
) -> str:
    """Make and store the transcript; return what to say of it, and add what else there is to say to ``remarks``."""
    engine = tools.engine(feed)
    # What is taken from the notes is left out of the key: they change, and the same file may belong to two episodes.
    key = transcript_file.transcript_key(
        engine=engine.name,
        model=engine.model,
        language=feed.language,
        terms=vocabulary_of(feed),
        options={**engine.options, "speakers": feed.speakers},
    )
    folder = tools.data / FOLDER
    transcript = None if tools.again else transcript_file.find(folder, rendition.sha256, key)
    if transcript is not None:
        publish(tools.db, episode.id, transcript, key)
        return "taken from its file"
    notes, _ = notes_of(tools.db, episode.id)
    questions = [question.text for question in read_questions(tools.db, episode.id)]
    terms = known_terms([*vocabulary_of(feed), feed.title], notes=notes, questions=questions)
    listener = VoiceListener(tools.voices) if tools.voices else None
    journal = FileJournal(folder / f"{rendition.sha256}.{key}.unfinished.jsonl")
    if tools.again:
        journal.discard()
    began = time.monotonic()
    try:
        with tools.progress(f"{episode.id} transcribe", rendition.duration) as progress:
            hearing = engine.transcribe(
                blocks_of(tools.data / rendition.path),
                language=feed.language,
                terms=terms,
                progress=progress,
                journal=journal,
                voices=listener,
            )
    finally:
        journal.close()
    labelled = _labelled(tools, feed, episode, hearing, published, listener, remarks)
    transcript = make_transcript(engine, hearing, labelled, rendition.sha256, language=feed.language, now=tools.now())
    transcript = replace(
        transcript,
        options={**transcript.options, "vocabulary": vocabulary_of(feed), "speakers": feed.speakers, "terms": terms},
    )
    took = time.monotonic() - began
    transcript_file.write(folder, transcript, key)
    publish(tools.db, episode.id, transcript, key)
    journal.discard()
    remarks[:0] = _remarks(hearing, feed.language)
    words = sum(len(segment.words) for segment in transcript.segments)
    speed = rendition.duration / max(took, 0.001)
    return f"{clock(rendition.duration)} of audio, {words} words, {speed:.1f}x real time"


def _labelled(
    tools: Tools,
    feed: Feed,
    episode: Episode,
    hearing: Hearing,
    published: Published | None,
    listener: VoiceListener | None,
    remarks: list[str],
) -> Labelled:
    """The segments with their speakers; or without, and a remark, when that fails in whatever way."""
    notes, _ = notes_of(tools.db, episode.id)
    try:
        known = Known(
            count=feed.speakers,
            hosts=feed.hosts,
            people=find_people(episode.title, notes, hosts=feed.hosts),
            questions=read_questions(tools.db, episode.id),
            voices=tuple(host_voices(tools.db, feed.slug, but=episode.id)),
            published=published.turns if published else (),
        )
        labelled = label_speakers(hearing, known)
    except Exception as error:  # noqa: BLE001 - speaker labels never cost a transcript
        _log.debug("speakers of %s", episode.id, exc_info=error)
        remarks.append(f"without speakers: {type(error).__name__}: {error}")
        return Labelled(hearing.segments, ())
    if listener and listener.problem:
        remarks.append(f"without speakers: {listener.problem}")
    return labelled


def _done(tools: Tools, feed: Feed, episode: Episode, rendition: Rendition) -> str | None:
    """Say why the episode need not be transcribed, or None if it has to be.

    Another engine, model or language in feeds.yaml asks for a new transcript. Another vocabulary does not: it would
    cost hours for every word added; the report says so instead.
    """
    found = transcript_settings(tools.db, episode.id, rendition.sha256, engine=feed.engine, model=feed.model)
    if found is None or found[0] != feed.language:
        return None
    if found[1] != vocabulary_of(feed):
        return "transcribed with another vocabulary (--again makes it anew)"
    if found[2] != feed.speakers:
        return "transcribed for another number of speakers (--again makes it anew)"
    return "already transcribed"


def vocabulary_of(feed: Feed) -> list[str]:
    """The names and terms that feeds.yaml has for a feed."""
    return [*feed.hosts, *feed.vocabulary]


def blocks_of(path: Path) -> Iterator[Samples]:
    """Decode a kept file little by little.

    Raises:
        AudioError: It is missing, or is no audio.
    """
    if not path.is_file():
        raise AudioError(f"{path} is missing: run `download` again, or restore it from a copy")
    return decoded_blocks(path)


def make_transcript(
    engine: Engine, hearing: Hearing, labelled: Labelled, sha256: str, *, language: str, now: str
) -> Transcript:
    """Put together what was heard and how."""
    return Transcript(
        audio_sha256=sha256,
        duration=round(hearing.duration, 3),
        engine=engine.name,
        model=engine.model,
        language=_heard_language(hearing, language),
        created=now,
        segments=labelled.segments,
        options={**engine.options, "language": language, "gate": hearing.report()},
        speakers=labelled.speakers,
    )


def _heard_language(hearing: Hearing, configured: str) -> str:
    """The language of most of the speech; as it was configured, such as ``en-GB``, where it is that."""
    if not hearing.languages:
        return configured
    code = max(hearing.languages, key=lambda one: hearing.languages[one])
    return configured if code == whisper_language(configured) else code


def _remarks(hearing: Hearing, configured: str) -> list[str]:
    remarks = []
    total = sum(hearing.languages.values())
    for code, seconds in hearing.languages.items():
        if code != whisper_language(configured) and seconds > 0.1 * total:
            remarks.append(f"{seconds / total:.0%} of it is spoken in {code!r}, not in {configured!r}")
    if hearing.decisions:
        dropped = sum(bool(decision.dropped) for decision in hearing.decisions)
        again = len(hearing.decisions) - dropped
        remarks += [f"{again} of {hearing.windows} windows decoded again"] if again else []
        remarks += [f"{dropped} without speech dropped"] if dropped else []
    flagged = sum(bool(segment.flags) for segment in hearing.segments)
    return remarks + ([f"{flagged} passages need listening"] if flagged else [])
