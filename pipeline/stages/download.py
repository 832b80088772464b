"""Download one episode's audio once, and record the kept file as its rendition."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pipeline.archive.transcripts import current_rendition, save_rendition
from pipeline.audio.keep import keep
from pipeline.config import Feed
from pipeline.model import Episode, KeptAudio, clock
from pipeline.stages import Outcome, Tools, Visit, local_root
from pipeline.web import host


def download(tools: Tools, feed: Feed, episode: Episode) -> Outcome | Visit:
    """Keep the episode's audio.

    Where it cannot be fetched whole or is no audio (``AudioError``), nothing is kept; the next run tries again.
    """
    known = current_rendition(tools.db, episode.id)
    if known and (tools.data / known.path).is_file():
        return Outcome("skipped", "already kept", routine=True)
    if episode.enclosure_url is None:
        return Outcome("skipped", "the feed names no audio", routine=True)
    url, root = episode.enclosure_url, local_root(tools, feed)

    def visit() -> Callable[[], Outcome]:
        audio = keep(url, tools.client(feed), tools.data, name=episode.id, now=tools.now(), local_root=root)
        return partial(_store, tools, episode, audio)

    return Visit(host(url), visit)


def _store(tools: Tools, episode: Episode, audio: KeptAudio) -> Outcome:
    save_rendition(tools.db, episode.id, audio)
    return Outcome("ok", f"{audio.bytes / 1e6:.1f} MB, {clock(audio.duration)}")
