"""Download one episode's audio once, and record the kept file as its rendition."""

from __future__ import annotations

from pipeline.archive.transcripts import save_rendition
from pipeline.audio.keep import keep
from pipeline.config import Feed
from pipeline.model import clock
from pipeline.stages import Episode, Outcome, Tools
from pipeline.web import local_path, scheme


def download(tools: Tools, feed: Feed, episode: Episode) -> Outcome:
    """Keep the episode's audio.

    Raises:
        AudioError: it could not be fetched whole, or is not audio. Nothing is kept; the next run tries again.
    """
    known = tools.db.execute("select path from renditions where episode = ? and current = 1", [episode.id]).fetchone()
    if known and (tools.data / known[0]).is_file():
        return Outcome("skipped", "already kept", routine=True)
    if episode.enclosure_url is None:
        return Outcome("skipped", "the feed names no audio", routine=True)
    feed_url = tools.db.execute("select feed_url from feeds where slug = ?", [feed.slug]).fetchone()[0]
    local_root = local_path(feed_url).parent if scheme(feed_url) == "file" else None
    with tools.client(feed) as client:
        audio = keep(episode.enclosure_url, client, tools.data, name=episode.id, now=tools.now(), local_root=local_root)
    save_rendition(tools.db, episode.id, audio)
    return Outcome("ok", f"{audio.bytes / 1e6:.1f} MB, {clock(audio.duration)}")
