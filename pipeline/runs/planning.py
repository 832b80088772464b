"""Dry runs: what a run would do, judged from the archive alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.archive.renditions import current_rendition
from pipeline.config import Config, Feed
from pipeline.model import Episode
from pipeline.runs.selection import Selection, selected
from pipeline.stages import Tools, wanted_episodes
from pipeline.stages.align import AlignTask, align_task
from pipeline.stages.download import is_offered
from pipeline.stages.publishers_transcript import is_waiting
from pipeline.stages.transcribe import is_unheard


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage to run for an episode, or for a whole feed if ``episode`` is None; ``title`` is that of either."""

    stage: str
    feed: str
    episode: str | None
    title: str


def plan(config: Config, tools: Tools, stages: Sequence[str], selection: Selection) -> Iterator[Planned]:
    """Yield what would be done, in feed order. No feed is polled, so new episodes are not included.

    Args:
        config: the feeds.
        tools: the database, which is only read, and the engine, for the identity of a model at a path.
        stages: which stages.
        selection: which episodes.
    """
    for feed in config.feeds:
        if not feed.enabled or not selection.names(feed):
            continue
        if "poll" in stages:
            yield Planned("poll", feed.slug, None, feed.title)
        for episode, left_out in selected(wanted_episodes(tools, feed), feed, selection):
            for stage in () if left_out else _stages(tools, feed, episode, stages):
                yield Planned(stage, feed.slug, episode.id, episode.title)


def _stages(tools: Tools, feed: Feed, episode: Episode, stages: Sequence[str]) -> Iterator[str]:
    """The stages that have something to do; what is downloaded for the first time also goes through those after it."""
    rendition = current_rendition(tools.db, episode.id)
    fetched = "download" in stages and is_offered(tools, episode)
    if fetched:
        yield "download"
    heard = "transcribe" in stages and (fetched if rendition is None else is_unheard(tools, feed, episode, rendition))
    if heard or ("transcribe" in stages and rendition and is_waiting(tools, episode, rendition)):
        yield "transcribe"
    if "align" in stages and (heard or isinstance(align_task(tools, episode), AlignTask)):
        yield "align"
