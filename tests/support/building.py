"""Building small archives for tests, through the archive's own functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlite_utils import Database

from pipeline.archive.database import writer
from pipeline.archive.feeds import ensure_feed, save_poll
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import name_speakers, save_transcript
from pipeline.archive.voices import machine_speakers
from pipeline.model import FeedEpisode, KeptAudio, Question, Segment, Transcript, Validators, Word

NOW = "2026-01-02T03:04:05Z"


@contextmanager
def new_archive(path: Path) -> Iterator[Database]:
    """A new archive, open for writing. Its tables are created once for all tests, and copied."""
    path.write_bytes(_empty())
    with writer(path) as db:
        yield db


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        with writer(path):
            pass
        return path.read_bytes()


def episode(
    guid: str, *, title: str = "An episode", published: str = NOW, questions: Sequence[str] = ()
) -> FeedEpisode:
    """An item of a feed."""
    return FeedEpisode(
        guid=guid,
        title=title,
        published=published,
        link="https://example.org/episode",
        enclosure_url=f"https://example.org/{guid}.mp3",
        enclosure_type="audio/mpeg",
        declared_duration=None,
        notes_html="<p>Notes</p>",
        notes_text="Notes",
        questions=tuple(Question(n, text) for n, text in enumerate(questions, start=1)),
    )


def add_feed(db: Database, slug: str, *episodes: FeedEpisode) -> list[str]:
    """Store a feed and return its episodes' ids, in the order given."""
    ensure_feed(db, slug, title=slug.title(), url="https://example.org/feed.xml")
    save_poll(
        db,
        slug,
        episodes,
        now=NOW,
        feed_url="https://example.org/feed.xml",
        validators=Validators(),
        parser_version=1,
    )
    ids = dict(db.execute("select guid, id from episodes where feed = ?", [slug]).fetchall())
    return [ids[item.guid] for item in episodes]


def spoken(*texts: str, start: float = 0.0, seconds_a_word: float = 0.5) -> tuple[Segment, ...]:
    """Consecutive segments with a word every half second."""
    segments, position = [], start
    for text in texts:
        words = []
        for word in text.split():
            words.append(Word(position, position + seconds_a_word * 0.8, word, 0.9))
            position += seconds_a_word
        segments.append(Segment(words[0].start, words[-1].end, text, tuple(words), confidence=0.9))
    return tuple(segments)


def add_transcript(
    db: Database, episode_id: str, segments: Sequence[Segment], *, sha256: str = "ab" * 32, key: str = "0" * 12
) -> int:
    """Store a rendition and its transcript; return the transcript's id."""
    audio = KeptAudio(sha256, f"audio/{sha256[:2]}/{sha256}.mp3", 1000, "audio/mpeg", 60.0, "u", "u", NOW)
    save_rendition(db, episode_id, audio)
    transcript = Transcript(sha256, 60.0, "faster-whisper", "tiny.en", "en", NOW, tuple(segments))
    return save_transcript(db, episode_id, transcript, key)


def name_speaker(db: Database, transcript: int, label: str, name: str) -> None:
    """Name a diarised speaker, as a publisher's transcript does that comes later."""
    speakers = machine_speakers(db, transcript)
    name_speakers(
        db, transcript, [replace(one, label=name, name=name) if one.label == label else one for one in speakers]
    )
