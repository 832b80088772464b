"""Fixtures: an archive of two shows with named speakers, similar questions and hostile text everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.archive.feeds import ensure_feed
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.questions.groups import save_groups
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import save_transcript
from pipeline.model import KeptAudio, Match, Segment, Speaker, Transcript
from tests.support.archive_fixture import EVIL
from tests.support.building import NOW, add_feed, episode, new_archive, spoken

GUEST = f"Ann/Bee {EVIL} & co"
HOST = "Carla Host"


@dataclass(frozen=True)
class Held:
    """The location of the archive, and the ids of its episodes, newest first."""

    path: Path
    episodes: tuple[str, ...]


def said(speaker: str, *texts: str, start: float) -> tuple[Segment, ...]:
    """Segments of one speaker."""
    return tuple(replace(segment, speaker=speaker) for segment in spoken(*texts, start=start))


def add_interview(db: Database, episode_id: str, *, sha256: str, guest: str = GUEST) -> int:
    """Add a transcript of 60 seconds: a question, its answer, another question and its answer, which is doubtful."""
    segments = (
        *said(HOST, f"How many cases does a social worker have {EVIL}?", start=0.0),
        *said(guest, "Sixteen, on a good day.", "It was twenty-four.", start=10.0),
        *said(HOST, "And what is next?", start=30.0),
        *said(guest, "More of the same, I hope.", start=40.0),
        *said("Speaker 3", "Somebody else.", start=50.0),
    )
    segments = (*segments[:4], replace(segments[4], flags=("low_confidence",)), segments[5])
    save_rendition(
        db, episode_id, KeptAudio(sha256, f"audio/{sha256[:2]}/{sha256}.mp3", 1, "audio/mpeg", 60.0, "", "", NOW)
    )
    speakers = (
        Speaker(HOST, HOST, "host", 8.0, (0.5, 0.5)),
        Speaker(guest, guest, "guest", 20.0),
        Speaker("Speaker 3", None, "unknown", 1.0),
    )
    transcript = Transcript(sha256, 60.0, "faster-whisper", "tiny.en", "en", NOW, segments, speakers=speakers)
    number = save_transcript(db, episode_id, transcript, "0" * 12)
    matches = [
        Match(1, "asked", 0.0, 4.0, 30.0, 0.9),
        Match(2, "uncertain", 30.0, 32.0, 50.0, 0.4),
        Match(3, "not_asked", confidence=0.8),
    ]
    save_matches(db, episode_id, number, matches, key="k", now=NOW)
    return number


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """Three episodes of one show, two of them transcribed, and one of another."""
    path = tmp_path / "held.db"
    with new_archive(path) as db:
        asked = [
            (f"How high are caseloads {EVIL}?", "What is next?", "Anything else?"),
            ("How many cases has each social worker?", "And finally?", "Who pays?"),
        ]
        new, old, waiting = add_feed(
            db,
            "show",
            episode("new", title=f"New {EVIL}", published="2026-03-01T00:00:00Z", questions=asked[0]),
            episode("old", title="Old", published="2026-01-01T00:00:00Z", questions=asked[1]),
            episode("waiting", title="Waiting", published="2025-11-01T00:00:00Z"),
        )
        (other,) = add_feed(db, "other", episode("o", title="Elsewhere", published="2025-12-01T00:00:00Z"))
        ensure_feed(db, "evil", title=f"The {EVIL} show", url="https://example.org/evil.xml")
        add_interview(db, new, sha256="aa" * 32)
        add_interview(db, old, sha256="bb" * 32, guest="Dora")
        ids = {row[0] for row in db.execute("select id from questions where number = 1")}
        (first,) = (one for one in ids if one.startswith(old))
        rest = {row[0] for row in db.execute("select id from questions")} - ids
        save_groups(db, dict.fromkeys(sorted(ids), first) | {one: one for one in rest})
        return Held(path, (new, old, other, waiting))
