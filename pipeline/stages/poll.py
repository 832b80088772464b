"""Poll one feed: fetch it if it changed, keep its bytes, and store its episodes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from pipeline.archive.feeds import ensure_feed, last_read, save_poll, save_snapshot, save_status
from pipeline.atomic import new_file
from pipeline.config import Feed
from pipeline.feeds.fetch import FeedBody, fetch, resolve
from pipeline.feeds.parse import PARSER_VERSION, parse_feed
from pipeline.model import ParsedFeed
from pipeline.stages import Outcome, Tools, Visit
from pipeline.urls import shown
from pipeline.web import Validators, host


def poll(tools: Tools, feed: Feed) -> Visit:
    """Read a feed into the database; what is archived stays as it is where that fails (``FeedError``)."""
    ensure_feed(tools.db, feed.slug, title=feed.title, url=shown(feed.url))
    read_from, *kept = last_read(tools.db, feed.slug, parser_version=PARSER_VERSION)
    known = {read_from: Validators(*kept)} if read_from and not tools.again else {}
    return Visit(host(feed.url), partial(_visit, tools, feed, known))


def _visit(tools: Tools, feed: Feed, known: dict[str, Validators]) -> Callable[[], Outcome]:
    """Fetch the feed and read it; ``known`` is what to send, for the address that said it."""
    try:
        client = tools.client(feed)
        feed_url = resolve(feed.url, tools.folder, client)
        body = fetch(feed_url, client, known.get(shown(feed_url), Validators()))
        if body is None:
            return partial(_store_unchanged, tools, feed)
        return partial(_store, tools, feed, feed_url, body, parse_feed(body))
    except Exception as error:  # noqa: BLE001 - whatever it was, the feed must not still say "ok"
        return partial(_store_failure, tools, feed, error)


def _store_unchanged(tools: Tools, feed: Feed) -> Outcome:
    save_status(tools.db, feed.slug, "unchanged", now=tools.now())
    return Outcome("ok", "unchanged since the last time")


def _store_failure(tools: Tools, feed: Feed, error: Exception) -> Outcome:
    save_status(tools.db, feed.slug, shown(str(error)) or type(error).__name__, now=tools.now())
    raise error


def _store(tools: Tools, feed: Feed, feed_url: str, body: FeedBody, parsed: ParsedFeed) -> Outcome:
    _keep_bytes(tools, feed.slug, body)
    new = save_poll(
        tools.db,
        feed.slug,
        parsed.episodes,
        now=tools.now(),
        feed_url=shown(feed_url),
        etag=body.validators.etag,
        last_modified=body.validators.last_modified,
        parser_version=PARSER_VERSION,
    )
    said = [f"{len(parsed.episodes)} episodes listed, {new} new", *parsed.warnings]
    return Outcome("ok", "; ".join(said))


def _keep_bytes(tools: Tools, slug: str, body: FeedBody) -> None:
    """Keep the feed as it came, under the name of its hash."""
    sha256 = hashlib.sha256(body.content).hexdigest()
    path = tools.data / "feeds" / f"{sha256}.xml"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            file.write(body.content)
    relative = path.relative_to(tools.data).as_posix()
    save_snapshot(tools.db, slug, sha256=sha256, path=relative, size=len(body.content), now=tools.now())
