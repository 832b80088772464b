"""Reviewing existing transcripts: what the quality gate did with each window, and what another engine hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from sqlite_utils import Database

from pipeline.archive.episodes import episodes
from pipeline.archive.kept import kept_path
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.reading import rendition
from pipeline.archive.segments import heard
from pipeline.archive.transcripts import gate_report
from pipeline.audio.decode import decoded_blocks
from pipeline.config import Config, Feed
from pipeline.errors import ArchiveError
from pipeline.model import Episode
from pipeline.runs.ingest import check_only
from pipeline.speech.check import disagreement, second_opinion
from pipeline.speech.engine import Engine
from pipeline.whisper_models import EngineName


def gate_reports(config: Config, db: Database, only: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the quality gate's report on each transcribed episode of the configured feeds, or of ``only`` one."""
    for _, episode in _chosen(config, db, only):
        transcript = preferred_transcript(db.conn, episode.id)
        report = gate_report(db, transcript.id) if transcript else None
        if report:
            yield episode.id, report


def second_opinions(
    config: Config, db: Database, folder: Path, engine: Callable[[Feed], Engine], only: str | None
) -> Iterator[tuple[str, dict[str, Any] | ArchiveError]]:
    """Transcribe a sample of each transcribed episode with the engine that did not make the transcript.

    Args:
        config: the feeds.
        db: the database, open for reading.
        folder: the folder of the database, which contains the audio folder.
        engine: makes a feed's engine.
        only: one feed's slug or one episode's id; None for all episodes.

    Returns:
        For each episode the share of words on which the two disagree and the windows, or the error.
    """
    for feed, episode in _chosen(config, db, only):
        transcript = preferred_transcript(db.conn, episode.id)
        audio = rendition(db.conn, transcript.rendition) if transcript else None
        if audio is None or transcript is None:
            continue
        other = engine(_with_other_engine(feed))
        try:
            blocks = decoded_blocks(kept_path(folder, audio.path))
            opinions = second_opinion(blocks, heard(db, transcript.id), other, language=feed.language)
        except ArchiveError as error:
            yield episode.id, error
            continue
        yield (
            episode.id,
            {
                "engine": other.name,
                "model": other.model,
                "disagreement": round(disagreement(opinions), 4),
                "windows": [asdict(one) | {"disagreement": round(one.disagreement, 4)} for one in opinions],
            },
        )


def _with_other_engine(feed: Feed) -> Feed:
    others: list[EngineName] = [name for name in get_args(EngineName) if name != feed.engine]
    return feed.model_copy(update={"engine": others[0]})


def _chosen(config: Config, db: Database, only: str | None) -> Iterator[tuple[Feed, Episode]]:
    check_only(config, db, only)
    for feed in config.feeds:
        for episode in episodes(db, feed.slug):
            if only in {None, feed.slug, episode.id}:
                yield feed, episode
