"""Download one episode's audio once, and record the kept file as its rendition."""

from __future__ import annotations

from pipeline.archive.renditions import current_rendition
from pipeline.audio.keep import keep
from pipeline.config import Feed
from pipeline.model import Episode, clock
from pipeline.stages import Outcome, Tools, local_root
from pipeline.stages.renditions import compare_with_current, keep_beside


def download(tools: Tools, feed: Feed, episode: Episode) -> Outcome:
    """Keep the episode's audio.

    Raises:
        AudioError: it could not be fetched whole, or is not audio. Nothing is kept; the next run tries again.
    """
    known = current_rendition(tools.db, episode.id)
    if known and (tools.data / known.path).is_file():
        return Outcome("skipped", "already kept", routine=True)
    if episode.enclosure_url is None:
        return Outcome("skipped", "the feed names no audio", routine=True)
    root = local_root(tools, feed)
    with tools.client(feed) as client:
        audio = keep(episode.enclosure_url, client, tools.data, name=episode.id, now=tools.now(), local_root=root)
    comparison = compare_with_current(tools.data, known, audio)
    beside = keep_beside(tools, episode, audio, comparison)
    return Outcome("ok", "; ".join(filter(None, [f"{audio.bytes / 1e6:.1f} MB, {clock(audio.duration)}", beside])))
