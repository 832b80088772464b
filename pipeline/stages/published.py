"""The publisher's own transcript of an episode: had, kept, and compared with what Whisper heard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.archive.feeds import notes_of
from pipeline.archive.transcripts import compared, publish, published_transcript, read_segments
from pipeline.atomic import new_file
from pipeline.config import Feed
from pipeline.errors import ArchiveError
from pipeline.feeds.fetch import Validators, fetch
from pipeline.feeds.transcripts import PublishedTurn, find_transcript, read_transcript
from pipeline.model import Episode, Rendition, Segment, Transcript, TranscriptLink, Word
from pipeline.speech.wording import carry_speakers, compare
from pipeline.stages import Tools

# What says the most comes first: who speaks and when, then when, then who.
_BEST_FIRST = ("json", "vtt", "srt", "subrip", "html", "plain")
FOLDER = "transcripts"


@dataclass(frozen=True, slots=True)
class Published:
    """A publisher's transcript: ``where`` is its address, or ``notes``; ``key`` names exactly this content."""

    where: str
    type: str
    language: str
    key: str
    turns: tuple[PublishedTurn, ...]


def is_waiting(tools: Tools, episode: Episode, rendition: Rendition) -> bool:
    """Whether the feed names a publisher's transcript that is not in the archive."""
    notes, links = notes_of(tools.db, episode.id)
    known = published_transcript(tools.db, episode.id, rendition.sha256)
    return known is None and bool(links or find_transcript(notes))


def get_published(tools: Tools, feed: Feed, episode: Episode) -> tuple[Published | None, list[str]]:
    """Get the publisher's transcript, the best of several, and what went wrong with others.

    Its bytes are kept as they came. Nothing that is wrong with it is ever more than a remark.
    """
    notes, links = notes_of(tools.db, episode.id)
    problems: list[str] = []
    for link in sorted(links, key=_rank):
        try:
            return _fetched(tools, feed, link), problems
        except (ArchiveError, OSError) as error:
            problems.append(f"the publisher's transcript {link.url} was not used: {error}")
    turns = find_transcript(notes)
    if not turns:
        return None, problems
    key = hashlib.sha256(notes.encode()).hexdigest()[:12]
    return Published("notes", "show notes", feed.language, key, turns), problems


def save_published(
    tools: Tools, episode: Episode, rendition: Rendition, published: Published, transcript: int
) -> float:
    """Store a publisher's transcript beside Whisper's, and return the word error rate between the two.

    What the publisher gives no time has that of the first of its words that Whisper heard; what has no such word is
    left out of the table (it is in the kept file).
    """
    heard = [word for segment in read_segments(tools.db, transcript) for word in segment.words]
    starts = _starts(published.turns, heard)
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
    publisher = publish(tools.db, episode.id, kept, published.key)
    difference = compare([turn.text for turn in published.turns], [word.text for word in heard])
    rate = min(difference.word_error_rate, 1.0)
    compared(tools.db, transcript, publisher=publisher, word_error_rate=rate)
    return rate


def _rank(link: TranscriptLink) -> int:
    kind = (link.type or link.url).lower()
    return next((place for place, name in enumerate(_BEST_FIRST) if name in kind), len(_BEST_FIRST))


def _fetched(tools: Tools, feed: Feed, link: TranscriptLink) -> Published:
    with tools.client(feed) as client:
        body = fetch(link.url, client, Validators())
    content = body.content if body else b""
    turns = read_transcript(content, declared=link.type)
    sha256 = hashlib.sha256(content).hexdigest()
    path = tools.data / FOLDER / f"{sha256}.published"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            file.write(content)
    return Published(link.url, link.type or "unknown", link.language or feed.language, sha256[:12], turns)


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
    """Turns in order of time, none longer than until the next."""
    timed = [(turn.start if turn.start is not None else start, turn) for turn, start in zip(turns, starts, strict=True)]
    placed = sorted(((start, turn) for start, turn in timed if start is not None), key=lambda pair: pair[0])
    segments = []
    for (start, turn), following in zip(placed, [*(start for start, _ in placed[1:]), duration], strict=True):
        if start <= duration:
            end = turn.end if turn.end is not None else following
            segments.append(Segment(start, max(start, min(end, duration)), turn.text, speaker=turn.speaker))
    return tuple(segments)
