"""Download one episode's audio once, and again when the feed offers it anew; record each file as a rendition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.archive.kept import kept_rendition
from pipeline.archive.renditions import current_rendition, fetches, save_offer, use_again
from pipeline.archive.same_recording import twins, unite
from pipeline.audio.decode import AudioFacts
from pipeline.audio.keep import keep
from pipeline.audio.transfer import Limits
from pipeline.config import Feed
from pipeline.errors import AudioError
from pipeline.feeds.identity import place_of
from pipeline.model import Comparison, Episode, Fetch, KeptAudio, Rendition, Validators
from pipeline.net.urls import host, offer, same_offer, without_trackers
from pipeline.stages import Outcome, Tools, Visit, local_root
from pipeline.stages.renditions import compare_with_current, damage, keep_beside
from pipeline.text import shortened
from pipeline.times import clock

_TOLERANCE = 30.0  # seconds, or a twentieth: what feeds declare is often rounded, and advertisements come and go


def download(tools: Tools, feed: Feed, episode: Episode) -> Outcome | Visit:
    """Keep the episode's audio.

    Where it cannot be fetched whole or is no audio (``AudioError``), nothing is kept; the next run tries again. A full
    disk (``DiskFullError``) stops the whole run.
    """
    current, known = _kept(tools, episode)
    if episode.enclosure_url is None:
        return Outcome("skipped", "already kept" if current else "the feed gives no audio", routine=True)
    if not (_is_new(episode, known) or tools.again):
        if unnoted := _unnoted(_offered(episode), known):
            save_offer(tools.db, episode.id, unnoted.sha256, _offered(episode))
        offered = [fetch.sha256 for fetch in known if fetch.offer and same_offer(fetch.offer, _offered(episode))]
        done = Outcome("skipped", "already kept", routine=True)
        if current is None or not offered or current.sha256 in offered:
            return done
        return _use_again(tools, episode, offered[0]) or done
    return Visit(
        host(episode.enclosure_url), partial(_visit, tools, feed, episode, local_root(tools, feed), current, known)
    )


def is_offered(tools: Tools, episode: Episode) -> bool:
    """Tell whether the feed would be asked for audio, as far as is known without asking. Stores nothing."""
    return episode.enclosure_url is not None and (tools.again or _is_new(episode, _kept(tools, episode)[1]))


def _kept(tools: Tools, episode: Episode) -> tuple[Rendition | None, list[Fetch]]:
    """The current recording, and how each was fetched; neither if the current file is missing."""
    current = kept_rendition(tools.db, tools.data, episode.id)
    return current, fetches(tools.db, episode.id) if current else []


def _is_new(episode: Episode, known: list[Fetch]) -> bool:
    """Whether the offer was not fetched yet. Fetches by an older version have no offer and count as this one."""
    offers = [fetch.offer for fetch in known if fetch.offer]
    return not any(same_offer(one, _offered(episode)) for one in offers) if offers else not known


def _unnoted(offered: str, known: list[Fetch]) -> Fetch | None:
    """The fetch whose stored offer is missing, or lacks the length that the feed now declares.

    The length must be added so that a later change of it is noticed.
    """
    if all(fetch.offer is None for fetch in known):
        return known[0]
    if offered.endswith(" -") or any(fetch.offer == offered for fetch in known):
        return None
    return next((fetch for fetch in known if fetch.offer and same_offer(fetch.offer, offered)), None)


def _visit(
    tools: Tools,
    feed: Feed,
    episode: Episode,
    root: Path | None,
    current: Rendition | None,
    known: list[Fetch],
    leave: Callable[[], None],
) -> Callable[[], Outcome]:
    """Fetch the audio, conditionally if it was fetched before; compare a new file with the current recording."""

    def leave_and_check(path: Path) -> AudioFacts:
        leave()  # to decode it may take longer than to fetch it
        return tools.check(path)

    url = episode.enclosure_url or ""
    url = without_trackers(url) if feed.skip_trackers else url
    try:
        audio = keep(
            url,
            tools.client(feed),
            tools.data,
            name=episode.id,
            now=tools.now(),
            local_root=root,
            known=_validators(known, url),
            check=leave_and_check,
            limits=Limits(max_bytes=feed.max_mb * 10**6, sleep=tools.sleep),
        )
    except AudioError as error:
        if not known:
            raise
        # Nothing is amiss with what is kept, and the feed may name what is not there yet: the next run asks again.
        return partial(Outcome, "skipped", f"already kept; the feed offers it again, but {error}")
    sha256 = audio.sha256 if audio else known[0].sha256
    if audio is None or any(fetch.sha256 == sha256 for fetch in known):
        return partial(_store_unchanged, tools, episode, sha256)
    return partial(_store, tools, episode, audio, compare_with_current(tools.data, current, audio))


def _validators(known: list[Fetch], url: str) -> Validators:
    """The validators of the last fetch, if it was from this address.

    For another address they are useless: an older file there would be reported as "not modified since".
    """
    if not known or place_of(known[0].url) != place_of(url):
        return Validators()
    return Validators(known[0].etag, known[0].last_modified)


def _store_unchanged(tools: Tools, episode: Episode, sha256: str) -> Outcome:
    save_offer(tools.db, episode.id, sha256, _offered(episode))
    current = current_rendition(tools.db, episode.id)
    if current and current.sha256 != sha256:
        reason = f"the feed offers a recording that is already kept ({sha256[:12]}); another one is still used"
        return _use_again(tools, episode, sha256) or Outcome("skipped", reason)
    return Outcome(
        "skipped", "still the same file" if tools.again else "the feed offers it again, but it is the same file"
    )


def _use_again(tools: Tools, episode: Episode, sha256: str) -> Outcome | None:
    """Use an earlier recording that the feed offers again, unless that is not to be."""
    if not use_again(tools.db, episode.id, sha256, now=tools.now()):
        return None
    return Outcome("ok", f"the feed offers an earlier recording again ({sha256[:12]}); it is used from now on")


def _store(tools: Tools, episode: Episode, audio: KeptAudio, comparison: Comparison | None) -> Outcome:
    episode, same = _united(tools, episode, audio)
    beside = keep_beside(tools.db, episode.id, audio, comparison)
    save_offer(tools.db, episode.id, audio.sha256, _offered(episode))
    said = [
        f"{audio.bytes / 1e6:.1f} MB, {clock(audio.duration)}",
        *same,
        *damage(audio),
        *_differs(audio.duration, episode.declared_duration),
    ]
    return Outcome("ok", "; ".join([*said, beside] if beside else said))


def _united(tools: Tools, episode: Episode, audio: KeptAudio) -> tuple[Episode, list[str]]:
    """The episode that a recording is of, and what is to be said of it, if another of its feed has the same recording.

    An episode that only took the place of another is that one. Where the other is still listed, or went at another
    time, it may be a trailer or a repeat: they stay two.
    """
    found = twins(tools.db, episode.id, audio.sha256)
    if not found:
        return episode, []
    one = found[0]
    if len(found) > 1 or not one.is_replaced:
        names = ", ".join(f"“{shortened(twin.title, 60)}” ({twin.id})" for twin in found[:3])
        return episode, [f"the very same recording as {names}"]
    unite(tools.db, episode.id, one.id, now=tools.now())
    was = f"it is “{shortened(one.title, 60)}” ({one.id}), which the feed lists under another guid, title and date now"
    return replace(episode, id=one.id), [was]


def _offered(episode: Episode) -> str:
    return offer(episode.enclosure_url or "", episode.enclosure_length)


def _differs(duration: float, declared: float | None) -> list[str]:
    """Return a remark if the duration clearly differs from the declared one (both in seconds), else nothing."""
    if not declared or abs(duration - declared) <= max(_TOLERANCE, declared / 20):
        return []
    how = "longer" if duration > declared else "shorter"
    return [f"{clock(abs(duration - declared))} {how} than the feed says ({clock(declared)})"]
