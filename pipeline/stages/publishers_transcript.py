"""The publisher's own transcript of an episode: fetched, kept, and compared with what Whisper heard.

It is fetched again when the feed offers another. One that cannot be fetched is only remarked on, and asked for again a
week later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass, replace
from functools import partial
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import NamedTuple

from pipeline.archive.episodes import notes_of
from pipeline.archive.segments import heard
from pipeline.archive.transcripts import (
    TranscriptSearch,
    compared,
    last_search,
    name_speakers,
    published_transcript,
    save_search,
    save_transcript,
)
from pipeline.archive.voices import machine_speakers
from pipeline.config import Feed
from pipeline.data_folder import keep_bytes, publishers_path
from pipeline.errors import FeedGoneError, FeedUnreachableError, NotATranscriptError
from pipeline.feeds.fetch import NOT_THERE, FeedBody, fetch
from pipeline.feeds.names import as_known
from pipeline.feeds.parse import PARSER_VERSION
from pipeline.feeds.private import body_without_secrets, secrets_of
from pipeline.feeds.transcripts import MAX_TRANSCRIPT_BYTES, PublishedTurn, find_transcript, read_transcript
from pipeline.model import Episode, Rendition, Segment, Transcript, TranscriptLink, Validators, Word
from pipeline.net.local_files import local_file
from pipeline.net.urls import host, scheme
from pipeline.speech.wording import carry_speakers, compare
from pipeline.stages import Tools, is_time_again, local_root
from pipeline.stages.speakers import Known, names_of, renamed
from pipeline.whisper_models import whisper_language

MAX_SECONDS = 60.0  # for one transcript
PATIENCE = 10.0  # seconds that an episode which has been heard waits for it; it is compared later if need be
# What says the most comes first: who speaks and when, then when, then who.
_BEST_FIRST = ("json", "vtt", "srt", "subrip", "html", "plain")


@dataclass(frozen=True, slots=True)
class PublishersTranscript:
    """A publisher's transcript: ``where`` is its address, or ``notes``; ``key`` names exactly this content."""

    where: str
    type: str
    language: str
    key: str
    turns: tuple[PublishedTurn, ...]


def is_waiting(tools: Tools, episode: Episode, rendition: Rendition) -> bool:
    """Whether the feed offers a publisher's transcript that has not been looked for yet, or may be had by now."""
    last = last_search(tools.db, episode.id)
    if last is None:
        return published_transcript(tools.db, episode.id, rendition.sha256) is None
    if last.offered != _offered(*notes_of(tools.db, episode.id)):
        return True
    return last.failed and is_time_again(last.searched_at, tools.now())


class Found(NamedTuple):
    """What a search gave: the best of the publisher's transcripts that could be had, and what went wrong with others.

    ``ended`` tells whether the search has come to its end.
    """

    transcript: PublishersTranscript | None = None
    problems: tuple[str, ...] = ()
    ended: bool = True


class Search(NamedTuple):
    """A search for a publisher's transcript, at ``host`` first; ``go`` may be called in any thread."""

    host: str
    go: Callable[[], Found]


def search(tools: Tools, feed: Feed, episode: Episode) -> Search:
    """Prepare to search for the publisher's transcript, in the feed's links and then in the notes.

    Its bytes are kept, without secrets of the feed's address. Whatever is wrong with one is only remarked on.
    """
    notes, links = notes_of(tools.db, episode.id)
    wanted = _best_first(links, feed)
    first = host(wanted[0].url) if wanted else ""
    return Search(first, partial(_search, tools, feed, notes, wanted, local_root(tools, feed)))


def come(searching: Future[Found]) -> Found:
    """Return what a search has found by now, or in the next ``PATIENCE`` seconds."""
    try:
        return searching.result(PATIENCE)
    except TimeoutError:
        return Found(problems=("the publisher's transcript is slow to come: the next run compares it",), ended=False)


def remember(tools: Tools, episode: Episode, found: Found) -> None:
    """Remember a search in vain, so that it is not made again with every run."""
    if found.ended and found.transcript is None:
        _remember_search(tools, episode, failed=bool(found.problems))


def _search(tools: Tools, feed: Feed, notes: str, links: Sequence[TranscriptLink], root: Path | None) -> Found:
    places: list[tuple[str, Callable[[], PublishersTranscript | None]]] = [
        *((link.url, partial(_fetched, tools, feed, link, root)) for link in links),
        ("in the show notes", partial(_in_notes, feed, notes)),
    ]
    problems: list[str] = []
    for where, get in places:
        try:
            found = get()
        except Exception as error:  # noqa: BLE001 - whatever it was, it must cost no episode its transcript
            problems.append(f"the publisher's transcript {where} was not used: {error}")
        else:
            if found:
                return Found(found, tuple(problems))
    return Found(None, tuple(problems))


def _in_notes(feed: Feed, notes: str) -> PublishersTranscript | None:
    turns = find_transcript(notes)
    key = hashlib.sha256(notes.encode()).hexdigest()[:12]
    return PublishersTranscript("notes", "show notes", feed.language, key, turns) if turns else None


def save_published(
    tools: Tools, episode: Episode, rendition: Rendition, published: PublishersTranscript, transcript: int
) -> float:
    """Store a publisher's transcript beside Whisper's, and return the word error rate between the two.

    A turn without a time begins at the first of its words that Whisper heard. A turn of which Whisper heard no word is
    left out of the table; the kept file has it.
    """
    words = [word for segment in heard(tools.db, transcript) for word in segment.words]
    starts = _starts(published.turns, words)
    kept = Transcript(
        audio_sha256=rendition.sha256,
        duration=rendition.duration,
        engine="publisher",
        model=published.type,
        language=published.language,
        created=tools.now(),
        segments=_segments(published.turns, starts, rendition.duration),
        options={"where": published.where},
        source="publisher",
    )
    publisher = save_transcript(tools.db, episode.id, kept, published.key)
    difference = compare([turn.text for turn in published.turns], [word.text for word in words])
    rate = min(difference.word_error_rate, 1.0)
    compared(tools.db, transcript, publisher=publisher, word_error_rate=rate)
    _remember_search(tools, episode, failed=False)
    return rate


def carry_names(tools: Tools, published: PublishersTranscript, transcript: int, known: Known) -> None:
    """Name the voices of a transcript that was made before its publisher's came, as if it had been there."""
    speakers = machine_speakers(tools.db, transcript)
    if all(one.name for one in speakers):
        return
    segments = heard(tools.db, transcript)
    labels = [segment.speaker for segment in segments for _ in segment.words]
    carried = carry_speakers(published.turns, [word.text for segment in segments for word in segment.words])
    found = names_of(labels, [as_known(name, known.names) if name else None for name in carried])
    nameless = {number: one.label for number, one in enumerate(speakers) if one.name is None}
    names = {number: found[one] for number, one in nameless.items() if one in found and found[one] not in labels}
    if names:
        name_speakers(tools.db, transcript, renamed(speakers, names, known))


def _remember_search(tools: Tools, episode: Episode, *, failed: bool) -> None:
    offered = _offered(*notes_of(tools.db, episode.id))
    save_search(tools.db, TranscriptSearch(episode.id, offered, tools.now(), failed=failed))


def _offered(notes: str, links: Sequence[TranscriptLink]) -> str:
    """A hash of everything in which a transcript is looked for: it changes when there may be another one."""
    material = json.dumps([PARSER_VERSION, notes, [astuple(link) for link in links]])
    return hashlib.sha256(material.encode()).hexdigest()[:12]


def _best_first(links: Sequence[TranscriptLink], feed: Feed) -> list[TranscriptLink]:
    """The transcripts of what is spoken, without translations of it."""
    spoken = whisper_language(feed.language)
    return sorted((one for one in links if whisper_language((one.language or spoken).lower()) == spoken), key=_rank)


def _rank(link: TranscriptLink) -> int:
    kind = (link.type or link.url).lower()
    return next((place for place, name in enumerate(_BEST_FIRST) if name in kind), len(_BEST_FIRST))


def _fetched(tools: Tools, feed: Feed, link: TranscriptLink, root: Path | None) -> PublishersTranscript:
    content = body_without_secrets(_content(tools, feed, link.url, root), secrets_of(feed.url))
    turns = read_transcript(content, declared=link.type)
    sha256 = hashlib.sha256(content).hexdigest()
    keep_bytes(tools.data / publishers_path(sha256), content)
    return PublishersTranscript(link.url, link.type or "unknown", link.language or feed.language, sha256[:12], turns)


def _content(tools: Tools, feed: Feed, url: str, root: Path | None) -> bytes:
    if scheme(url) == "file":
        path = local_file(url, root)
        if path.stat().st_size > MAX_TRANSCRIPT_BYTES:
            raise NotATranscriptError(f"it is larger than {MAX_TRANSCRIPT_BYTES // 1_000_000} MB: no transcript is")
        return path.read_bytes()
    try:
        body = fetch(url, tools.client(feed), Validators(), max_seconds=MAX_SECONDS)
    except FeedGoneError as error:
        raise FeedUnreachableError(NOT_THERE) from error
    return body.content if isinstance(body, FeedBody) else b""


def _starts(turns: Sequence[PublishedTurn], heard: Sequence[Word]) -> list[float | None]:
    """When Whisper heard the first word of each turn that it has heard at all."""
    numbered = [replace(turn, speaker=str(number)) for number, turn in enumerate(turns)]
    owners = carry_speakers(numbered, [word.text for word in heard])
    first: dict[str, float] = {}
    for word, owner in zip(heard, owners, strict=True):
        if owner is not None:
            first.setdefault(owner, word.start)
    return [first.get(str(number)) for number in range(len(turns))]


def _segments(turns: Sequence[PublishedTurn], starts: Sequence[float | None], duration: float) -> tuple[Segment, ...]:
    """Turns in order of time, none longer than until the next. Those of one caption share its time by their length."""
    timed = [(turn.start if turn.start is not None else start, turn) for turn, start in zip(turns, starts, strict=True)]
    placed = sorted(((start, turn) for start, turn in timed if start is not None), key=lambda pair: pair[0])
    together = [(start, [turn for _, turn in group]) for start, group in groupby(placed, key=lambda pair: pair[0])]
    segments = []
    for (start, group), following in zip(together, [*(start for start, _ in together[1:]), duration], strict=True):
        if start > duration:
            break
        ends = [turn.end for turn in group if turn.end is not None]
        end = max(start, min(max(ends, default=following), following, duration))
        edges = _shares(start, end, [len(turn.text) for turn in group])
        segments += [
            Segment(first, last, turn.text, speaker=turn.speaker)
            for turn, (first, last) in zip(group, pairwise(edges), strict=True)
        ]
    return tuple(segments)


def _shares(start: float, end: float, lengths: Sequence[int]) -> list[float]:
    """The edges of parts of a time in the proportion of these lengths, the first and the last as they are."""
    total = sum(lengths) or 1
    return [start, *(round(start + (end - start) * said / total, 3) for said in accumulate(lengths[:-1])), end]
