"""Transcribe one episode's current rendition. The transcript is a file first, and then rows of the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from pipeline.archive.carrying import carry
from pipeline.archive.database import immediate
from pipeline.archive.episodes import notes_of, people_of
from pipeline.archive.kept import kept_path
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.questions.lists import read_questions
from pipeline.archive.reading import renditions
from pipeline.archive.renditions import current_rendition
from pipeline.archive.transcripts import host_voices, save_transcript, transcript_settings
from pipeline.config import Feed
from pipeline.data_folder import journal_path
from pipeline.errors import ArchiveError
from pipeline.feeds.people import find_people
from pipeline.model import Episode, Person, Rendition, Transcript
from pipeline.speech import transcript_file
from pipeline.speech.channels import Channels
from pipeline.speech.engine import Engine
from pipeline.speech.hearing import Hearing
from pipeline.speech.journal import FileJournal, unfinished
from pipeline.speech.remarks import remarks
from pipeline.speech.speakers.listening import VoiceListener
from pipeline.speech.vocabulary import known_terms
from pipeline.speech.weights import is_named
from pipeline.speech.windows import Samples
from pipeline.stages import Outcome, Tools, Visit, wanted_episodes
from pipeline.stages.publishers_transcript import (
    Found,
    PublishersTranscript,
    Search,
    carry_names,
    come,
    is_waiting,
    remember,
    save_published,
    search,
)
from pipeline.stages.speakers import Known, Labelled, label_or_say_why
from pipeline.stages.together import beside
from pipeline.times import clock
from pipeline.whisper_models import is_at_path, model_name, whisper_language


@dataclass(frozen=True, slots=True)
class _Job:
    """One episode's file to be heard, and all that is needed for it."""

    tools: Tools
    feed: Feed
    episode: Episode
    rendition: Rendition


def transcribe(tools: Tools, feed: Feed, episode: Episode) -> Outcome | Visit:
    """Make the episode's transcript, or take it from its file when an earlier run was ended after writing it.

    The publisher's is fetched while the episode is heard, or by a visit if it has been heard already.

    Raises:
        SpeechError, AudioError: with the reason.
    """
    rendition = current_rendition(tools.db, episode.id)
    if rendition is None:
        return Outcome("skipped", "no audio is kept yet")
    job = _Job(tools, feed, episode, rendition)
    done = None if tools.again else _done(job)
    if done and not is_waiting(tools, episode, rendition):
        return Outcome("skipped", done, routine=True)
    publishers = search(tools, feed, episode)
    if done:
        return Visit(publishers.host, partial(_visit, job, done, publishers))
    searching = beside(publishers.go)
    said = _make(job, searching)
    found = come(searching)
    return Outcome("ok", "; ".join([*said, *_compare(job, found)]))


def _visit(job: _Job, done: str, publishers: Search, _leave: Callable[[], None]) -> Callable[[], Outcome]:
    """Look for the publisher's transcript of an episode that has been heard."""
    found = publishers.go()

    def store() -> Outcome:
        said = _compare(job, found)
        if found.transcript is None:
            return Outcome("skipped", "; ".join([done, *said]), routine=not said)
        return Outcome("ok", "; ".join(said))

    return store


def is_unheard(tools: Tools, feed: Feed, episode: Episode, rendition: Rendition) -> bool:
    """Tell whether a recording has to be transcribed."""
    return tools.again or _done(_Job(tools, feed, episode, rendition)) is None


def forget_unfinished(tools: Tools, feeds: Iterable[Feed]) -> None:
    """Remove what was heard of recordings that none of these feeds still has to be transcribed.

    Where another model or vocabulary was configured meanwhile, nobody would ever go on with it. Of recordings that this
    archive does not have it may be another one's in the same folder.
    """
    kept = {one.sha256 for one in renditions(tools.db.conn)}
    left = {sha256: some for sha256, some in unfinished(tools.data).items() if sha256 in kept}
    for feed in feeds if left else ():
        for episode in wanted_episodes(tools, feed):
            rendition = current_rendition(tools.db, episode.id)
            if rendition and rendition.sha256 in left and _done(_Job(tools, feed, episode, rendition)) is None:
                del left[rendition.sha256]
    for journals in left.values():
        for path in journals:
            path.unlink(missing_ok=True)


def _make(job: _Job, publishers: Future[Found]) -> list[str]:
    """Make and store the transcript; return what there is to say of it."""
    engine = job.tools.engine(job.feed)
    # What is taken from the notes is left out of the key: they change, and the same file may belong to two episodes.
    key = transcript_file.transcript_key(
        engine=engine.name,
        model=engine.model,
        language=job.feed.language,
        terms=_vocabulary(job.feed),
        options={**engine.options, "speakers": job.feed.speakers},
    )
    transcript = None if job.tools.again else transcript_file.find(job.tools.data, job.rendition.sha256, key)
    if transcript is not None:
        return ["read from its file", *_store(job, transcript, key)]
    began = time.monotonic()
    journal = FileJournal(job.tools.data / journal_path(job.rendition.sha256, key))
    listener = VoiceListener(job.tools.voices) if job.tools.voices else None
    terms = _terms(job)
    channels = Channels(kept_path(job.tools.data, job.rendition.path))
    hearing = _hear(job, engine, channels.mixed(), journal, listener, terms)
    labelled, problems = label_or_say_why(hearing, _known(job, come(publishers).transcript), listener)
    transcript = _transcript(job, engine, hearing, labelled, terms)
    took = time.monotonic() - began
    transcript_file.write(job.tools.data, transcript, key)
    carried = _store(job, transcript, key)
    journal.discard()
    words = sum(len(segment.words) for segment in transcript.segments)
    speed = hearing.duration / max(took, 0.001)
    done = f"{clock(hearing.duration)} of audio, {words} words, {speed:.1f}x real time"
    return [done, *remarks(hearing, channels, language=job.feed.language), *problems, *carried]


def _terms(job: _Job) -> Sequence[str]:
    """The names and rare words that may be said: of the show, of the episode's notes and its questions."""
    notes, _ = notes_of(job.tools.db, job.episode.id)
    questions = [question.text for question in read_questions(job.tools.db, job.episode.id)]
    return known_terms([*_vocabulary(job.feed), job.feed.title], notes=notes, questions=questions)


def _known(job: _Job, published: PublishersTranscript | None) -> Known:
    """What is known of those who speak before they are heard."""
    return Known(
        count=job.feed.speakers,
        hosts=job.feed.hosts,
        people=_people(job),
        questions=read_questions(job.tools.db, job.episode.id),
        voices=tuple(host_voices(job.tools.db, job.feed.slug, but=job.episode.id)),
        published=published.turns if published else (),
    )


def _transcript(job: _Job, engine: Engine, hearing: Hearing, labelled: Labelled, terms: Sequence[str]) -> Transcript:
    return Transcript(
        audio_sha256=job.rendition.sha256,
        duration=round(hearing.duration, 3),
        engine=engine.name,
        model=engine.model,
        language=_heard_language(hearing, job.feed.language),
        created=job.tools.now(),
        segments=labelled.segments,
        options={
            **engine.options,
            "language": job.feed.language,
            "vocabulary": _vocabulary(job.feed),
            "terms": terms,
            "speakers": job.feed.speakers,
            "gate": hearing.report(),
        },
        speakers=labelled.speakers,
    )


def _store(job: _Job, transcript: Transcript, key: str) -> Sequence[str]:
    """Put the transcript into the database, and with it what people said of the recording that counted before."""
    db, episode = job.tools.db, job.episode.id
    with immediate(db):
        before = preferred_transcript(db.conn, episode)
        earlier = before.rendition if before else transcript.audio_sha256
        save_transcript(db, episode, transcript, key)
        if earlier == transcript.audio_sha256:
            return ()
        return carry(db, episode, earlier, transcript.audio_sha256).remarks


def _hear(
    job: _Job,
    engine: Engine,
    blocks: Iterable[Samples],
    journal: FileJournal,
    listener: VoiceListener | None,
    terms: Sequence[str],
) -> Hearing:
    if job.tools.again:
        journal.discard()
    try:
        with job.tools.progress(f"{job.episode.id} transcribe", job.rendition.duration) as progress:
            return engine.transcribe(
                blocks,
                language=job.feed.language,
                terms=terms,
                progress=progress,
                journal=journal,
                voices=listener,
            )
    finally:
        journal.close()


def _compare(job: _Job, found: Found) -> list[str]:
    """Store the publisher's transcript beside the one that counts, and say how far they differ, and what went wrong."""
    remember(job.tools, job.episode, found)
    published, transcript = found.transcript, preferred_transcript(job.tools.db.conn, job.episode.id)
    if published is None or transcript is None:
        return [*found.problems]
    rate = save_published(job.tools, job.episode, job.rendition, published, transcript.id)
    carry_names(job.tools, published, transcript.id, Known(hosts=job.feed.hosts, people=_people(job)))
    return [*found.problems, f"{rate:.1%} of the words differ from the publisher's transcript"]


def _done(job: _Job) -> str | None:
    """Say why the episode need not be transcribed, or None if it has to be.

    Another engine, model or language in feeds.yaml asks for a new transcript, and so do other weights of that name:
    at the path of a model, or of one that was at a path before. Another vocabulary does not: it would cost hours for
    every word added; the report says so instead.
    """
    feed = job.feed
    found = transcript_settings(
        job.tools.db, job.episode.id, job.rendition.sha256, engine=feed.engine, model=model_name(feed.model)
    )
    if found is None or found.language != feed.language:
        return None
    if found.weights and not _has_weights(job, found.weights):
        return None
    if found.vocabulary != _vocabulary(feed):
        return "transcribed with another vocabulary (--again redoes it)"
    if found.speakers != feed.speakers:
        return "transcribed for another number of speakers (--again redoes it)"
    return "already transcribed"


def _has_weights(job: _Job, identity: str) -> bool:
    """Tell whether a feed's model has these weights; where they cannot be read, nothing is made anew for that."""
    feed = job.feed
    if not is_at_path(feed.model):
        return is_named(feed.model, feed.engine, identity)
    try:
        return job.tools.engine(feed).options.get("weights") in {identity, None}
    except ArchiveError:
        return True


def _people(job: _Job) -> tuple[Person, ...]:
    """Who takes part in the episode, by its feed, title and notes."""
    notes, _ = notes_of(job.tools.db, job.episode.id)
    named = people_of(job.tools.db, job.episode.id)
    return find_people(job.episode.title, notes, hosts=job.feed.hosts, named=named)


def _vocabulary(feed: Feed) -> list[str]:
    """The names and terms that feeds.yaml has for a feed."""
    return [*feed.hosts, *feed.vocabulary]


def _heard_language(hearing: Hearing, configured: str) -> str:
    """The language of most of the speech; as it was configured, such as ``en-GB``, where it is that."""
    if not hearing.languages:
        return configured
    code = max(hearing.languages, key=lambda one: hearing.languages[one])
    return configured if code == whisper_language(configured) else code
