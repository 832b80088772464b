"""Poll one feed: fetch it if it changed, keep its bytes, and store its episodes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NoReturn

import httpx

from pipeline.archive import feeds as archive
from pipeline.archive.episodes import Saved, episode_id, episodes, known_episodes
from pipeline.config import Feed
from pipeline.data_folder import keep_bytes, snapshot_path
from pipeline.errors import FeedError, FeedGoneError, FeedUnreachableError
from pipeline.feeds.identity import match
from pipeline.feeds.memory import GONE_WAIT, Memory, Move, after, retry_at
from pipeline.feeds.parse import PARSER_VERSION
from pipeline.feeds.visit import Asking, FeedVisit, Listing, visit
from pipeline.model import FeedEpisode, Validators
from pipeline.net.urls import host, shown
from pipeline.stages import Outcome, Tools, Visit
from pipeline.text import amount, shortened


def poll(tools: Tools, feed: Feed) -> Outcome | Visit:
    """Read a feed into the database; if that fails (``FeedError``), the archived episodes are unchanged."""
    memory = archive.recall(tools.db, feed.slug, url=shown(feed.url))
    archive.ensure_feed(tools.db, feed.slug, title=feed.title, url=shown(feed.url))
    now = tools.now()
    if not tools.again:
        if not feed.live and (memory.fully_fetched or memory.gone_page):
            return Outcome("skipped", "it has ended (live: false in feeds.yaml)", routine=True)
        if memory.waits(now):
            return Outcome("skipped", f"not polled before {memory.retry_at}: {memory.last_status}")
    asking = Asking(feed.url, tools.folder, memory, now, os.environ, again=tools.again)
    return Visit(host(memory.address(feed.url)), partial(_visit, tools, feed, asking))


def _visit(tools: Tools, feed: Feed, asking: Asking, _leave: Callable[[], None]) -> Callable[[], Outcome]:
    try:
        client = tools.client(feed)
        found = _look_at_page(feed, client) if feed.kind == "page" else visit(asking, client)
        return partial(_store_or_record, tools, feed, asking, found)
    except Exception as error:  # noqa: BLE001 - whatever it was, the feed must not still say "ok"
        return partial(_record_and_raise, tools, feed, asking, error)


def _look_at_page(feed: Feed, client: httpx.Client) -> FeedVisit:
    from pipeline.feeds.show_page import read_page  # noqa: PLC0415 - it is slow to load, and few shows need it

    page = read_page(feed.url, client, hosts=feed.page_hosts, limit=feed.limit)
    return FeedVisit(
        feed.url, (Listing(feed.url, (), page.episodes, None, Validators()),), Validators(), (), page.warnings
    )


def _store_or_record(tools: Tools, feed: Feed, asking: Asking, found: FeedVisit) -> Outcome:
    try:
        return _store(tools, feed, found, asking.memory)
    except FeedError as error:
        _record_and_raise(tools, feed, asking, error)


def _store(tools: Tools, feed: Feed, found: FeedVisit, memory: Memory) -> Outcome:
    """Keep what was found, and say so in a sentence.

    Raises:
        FeedError: it is another show, of which nothing is kept; or pages are missing, and the others are kept. A page
            that was not there the last time either is no failure any more: that is how the feed is.
    """
    if not found.listings:
        archive.save_unchanged(tools.db, feed.slug, found.validators, now=tools.now())
        return Outcome("ok", "; ".join(["unchanged since the last time", *found.warnings]))
    known = episodes(tools.db, feed.slug)
    _refuse_another_show(tools, feed, found)
    is_whole = all(listing.is_whole for listing in found.listings)
    saved = [_store_listing(tools, feed, listing, is_whole=is_whole) for listing in found.listings]
    listed = len(found.listings[-1].episodes)
    said = [f"{listed} episodes listed, {sum(one.new for one in saved)} new", *found.warnings, *_told(saved)]
    if known and not listed:
        said.append(f"the feed is empty now: what it listed before is kept ({amount(len(known), 'episode')})")
    if found.moves and known and not saved[-1].known:
        said.append(f"none of the episodes at {found.address} is known: the old address will be tried again")
    elif found.moves:
        archive.save_moves(tools.db, feed.slug, found.moves, now=tools.now())
    elif tools.again and not found.is_moving and archive.has_moved_from(tools.db, feed.slug, found.address):
        back = Move(found.address, found.address, "redirect")
        archive.save_moves(tools.db, feed.slug, [back], now=tools.now())
        said.append(f"it is back at {found.address}: the address that it had moved to is forgotten")
    if found.address != feed.url and archive.has_moved(tools.db, feed.slug, found.address):
        said.append(f"it moved to {found.address}: give that address in feeds.yaml")
    gone = found.listings[-1].gone_page
    if is_whole or gone:
        archive.save_gone_page(tools.db, feed.slug, gone)
    if not is_whole and (gone is None or gone != memory.gone_page):
        raise FeedUnreachableError("; ".join(said))
    return Outcome("ok", "; ".join(said))


def _refuse_another_show(tools: Tools, feed: Feed, found: FeedVisit) -> None:
    """Raise if this is a feed that shares no episode and no podcast guid with the archived show.

    A domain that expired may redirect to anything, or be taken over by another show, which then says another guid.

    Raises:
        FeedError: it is something else.
    """
    listing = found.listings[-1]
    guid, known_guid = listing.podcast_guid, archive.podcast_guid(tools.db, feed.slug)
    is_taken_over = (
        None not in (guid, known_guid)
        and guid != known_guid
        and found.address == archive.resolved_url(tools.db, feed.slug)
    )
    if not listing.episodes or not (is_taken_over or found.led_to) or (guid and guid == known_guid):
        return
    known = known_episodes(tools.db, feed.slug)
    if not known or any(match(known, listing.episodes).episodes):
        return
    if found.led_to:
        raise FeedError(
            f"it redirects to {found.led_to}, which has nothing in common with this show: nothing was taken. "
            "If the show has moved there, give that address in feeds.yaml"
        )
    raise FeedError(
        f"at {found.address} there is another show now, with another podcast:guid and none of the known episodes: "
        "nothing was taken. Give this show's new address in feeds.yaml, and the other show an entry of its own"
    )


def _record_and_raise(tools: Tools, feed: Feed, asking: Asking, error: Exception) -> NoReturn:
    """Record why a feed could not be read, and raise that; one that is gone for good rests for a month."""
    now, wait = tools.now(), None
    if isinstance(error, FeedUnreachableError):
        wait = retry_at(error.retry_after, now)
    elif isinstance(error, FeedGoneError) and error.for_good:
        wait = after(now, GONE_WAIT)
        archive.save_moves(
            tools.db, feed.slug, [Move(asking.memory.feed_url or shown(feed.url), None, "gone")], now=now
        )
    archive.save_failure(tools.db, feed.slug, shown(str(error)) or type(error).__name__, now=now, retry_at=wait)
    raise error


def _store_listing(tools: Tools, feed: Feed, listing: Listing, *, is_whole: bool) -> Saved:
    for body in listing.bodies:
        _keep_snapshot(tools, feed.slug, body)
    if listing.episodes:  # an empty feed may be another show's, and only its episodes would tell
        archive.save_podcast_guid(tools.db, feed.slug, listing.podcast_guid)
    return archive.save_poll(
        tools.db,
        feed.slug,
        _wanted(feed, listing.episodes),
        now=tools.now(),
        feed_url=shown(listing.address),
        validators=listing.validators,
        parser_version=PARSER_VERSION,
        is_whole=is_whole,
    )


def _wanted(feed: Feed, episodes: Iterable[FeedEpisode]) -> list[FeedEpisode]:
    """The items without those listed under ``skip``, so that deliberately deleted episodes do not come back."""
    skipped = set(feed.skip)
    return [item for item in episodes if skipped.isdisjoint({item.guid, episode_id(feed.slug, item.guid)})]


def _told(saved: Sequence[Saved]) -> list[str]:
    changed = sum(one.changed for one in saved)
    recognised = [title for one in saved for title in one.recognised]
    doubtful = [title for one in saved for title in one.doubtful]
    said = [f"{changed} changed"] if changed else []
    if recognised:
        said.append(f"{_some(recognised)} came with another guid and were recognised")
    unlisted = [title for one in saved for title in one.unlisted]
    if unlisted:
        said.append(
            f"{_some(unlisted)} came without a question, or with one in other words, whose time an editor had given: "
            "`correct EPISODE --history` shows it"
        )
    if doubtful:
        said.append(f"{_some(doubtful)} resemble known episodes but were added as new ones")
    return said


def _some(titles: Sequence[str]) -> str:
    shown = ", ".join(f"“{shortened(title, 60)}”" for title in titles[:3])
    return f"{len(titles)} ({shown}{f' and {len(titles) - 3} more' if len(titles) > 3 else ''})"


def _keep_snapshot(tools: Tools, slug: str, content: bytes) -> None:
    """Keep the feed as it came, under the name of its hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = snapshot_path(sha256)
    keep_bytes(tools.data / path, content)
    archive.save_snapshot(tools.db, slug, sha256=sha256, path=path, size=len(content), now=tools.now())
