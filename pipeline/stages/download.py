"""Download one episode's audio once, and again when the feed offers it anew; record each file as a rendition."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pipeline.archive.transcripts import current_rendition, fetches, save_offer, save_rendition
from pipeline.audio.keep import keep
from pipeline.audio.transfer import Limits
from pipeline.config import Feed
from pipeline.errors import AudioError
from pipeline.model import Episode, Fetch, KeptAudio, clock
from pipeline.stages import Outcome, Tools, Visit, local_root
from pipeline.urls import offer, same_offer, without_trackers
from pipeline.web import Validators, host

_NONE = Fetch("", None, None, None)  # nothing is kept yet
_TOLERANCE = 30.0  # seconds, or a twentieth: what feeds declare is often rounded, and advertisements come and go


def download(tools: Tools, feed: Feed, episode: Episode) -> Outcome | Visit:
    """Keep the episode's audio.

    Where it cannot be fetched whole or is no audio (``AudioError``), nothing is kept; the next run tries again. A full
    disk (``DiskFullError``) is nobody's alone.
    """
    current = current_rendition(tools.db, episode.id)
    is_kept = current is not None and (tools.data / current.path).is_file()
    if episode.enclosure_url is None:
        return Outcome("skipped", "already kept" if is_kept else "the feed names no audio", routine=True)
    offered = offer(episode.enclosure_url, episode.enclosure_length)
    known = fetches(tools.db, episode.id) if is_kept else []
    if known and all(fetch.offer is None for fetch in known):  # an older version, which did not look at offers
        save_offer(tools.db, episode.id, known[0].sha256, offered)
        return Outcome("skipped", "already kept", routine=True)
    if any(fetch.offer and same_offer(fetch.offer, offered) for fetch in known):
        return Outcome("skipped", "already kept", routine=True)
    return _visit(tools, feed, episode, offered, known[0] if known else _NONE)


def _visit(tools: Tools, feed: Feed, episode: Episode, offered: str, known: Fetch) -> Visit:
    """Fetch the audio, or ask whether it is still the ``known`` one."""
    url, root = episode.enclosure_url or "", local_root(tools, feed)
    if feed.skip_trackers:
        url = without_trackers(url)

    def go() -> Callable[[], Outcome]:
        try:
            audio = keep(
                url,
                tools.client(feed),
                tools.data,
                name=episode.id,
                now=tools.now(),
                local_root=root,
                known=Validators(known.etag, known.last_modified),
                limits=Limits(max_bytes=feed.max_mb * 10**6, sleep=tools.sleep),
            )
        except AudioError as error:
            if known is _NONE:
                raise
            # Nothing is amiss with what is kept, and the feed may name what is not there yet: the next run asks again.
            reason = f"already kept; the feed offers it anew, but {error}"
            return partial(Outcome, "skipped", reason)
        if audio is None or audio.sha256 == known.sha256:
            return partial(_store_unchanged, tools, episode, known.sha256, offered)
        return partial(_store, tools, episode, audio, offered, is_anew=known is not _NONE)

    return Visit(host(url), go)


def _store_unchanged(tools: Tools, episode: Episode, sha256: str, offered: str) -> Outcome:
    save_offer(tools.db, episode.id, sha256, offered)
    return Outcome("ok", "the feed offers it anew, but it is the same file")


def _store(tools: Tools, episode: Episode, audio: KeptAudio, offered: str, *, is_anew: bool) -> Outcome:
    save_rendition(tools.db, episode.id, audio, offer=offered)
    said = [f"{audio.bytes / 1e6:.1f} MB, {clock(audio.duration)}"]
    if is_anew:
        said.append("another file than before, which is kept too")
    return Outcome("ok", "; ".join([*said, *_differs(audio.duration, episode.declared_duration)]))


def _differs(duration: float, declared: float | None) -> list[str]:
    """Say it when a recording is plainly longer or shorter than the feed declares, both in seconds."""
    if not declared or abs(duration - declared) <= max(_TOLERANCE, declared / 20):
        return []
    how = "longer" if duration > declared else "shorter"
    return [f"{clock(abs(duration - declared))} {how} than the feed says ({clock(declared)})"]
