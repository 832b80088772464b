"""Poll one feed: fetch it if it changed, keep its bytes, and store its episodes."""

from __future__ import annotations

import hashlib

from pipeline.archive.feeds import ensure_feed, save_poll, save_snapshot, save_status, validators
from pipeline.atomic import new_file
from pipeline.config import Feed
from pipeline.feeds.fetch import FeedBody, Validators, fetch, resolve
from pipeline.feeds.parse import PARSER_VERSION, parse_feed
from pipeline.stages import Outcome, Tools


def poll(tools: Tools, feed: Feed) -> Outcome:
    """Read a feed into the database.

    Raises:
        FeedError: it could not be read; what is archived stays as it is.
    """
    ensure_feed(tools.db, feed.slug, title=feed.title, url=feed.url)
    try:
        with tools.client(feed) as client:
            feed_url = resolve(feed.url, tools.folder, client)
            known = validators(tools.db, feed.slug, feed_url=feed_url, parser_version=PARSER_VERSION)
            body = fetch(feed_url, client, Validators() if tools.again else Validators(*known))
        if body is None:
            save_status(tools.db, feed.slug, "unchanged", now=tools.now())
            return Outcome("ok", "unchanged since the last time")
        parsed = parse_feed(body)
    except Exception as error:  # whatever it was, the feed must not still say "ok"
        save_status(tools.db, feed.slug, str(error) or type(error).__name__, now=tools.now())
        raise
    _keep_bytes(tools, feed.slug, body)
    new = save_poll(
        tools.db,
        feed.slug,
        parsed.episodes,
        now=tools.now(),
        feed_url=feed_url,
        etag=body.validators.etag,
        last_modified=body.validators.last_modified,
        parser_version=PARSER_VERSION,
    )
    said = [f"{len(parsed.episodes)} episodes listed, {new.new} new", *parsed.warnings]
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
