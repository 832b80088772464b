"""Following a feed from page to page (RFC 5005). Knows nothing of where a feed moves, and stores nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx

from pipeline.errors import FeedError, FeedUnreachableError
from pipeline.feeds.fetch import FeedBody, Unchanged, fetch
from pipeline.feeds.parse import distinct, parse_feed
from pipeline.model import FeedEpisode, ParsedFeed, Validators
from pipeline.net.local_files import local_file, local_path
from pipeline.net.urls import scheme

MAX_PAGES = 500
MAX_BYTES = 50_000_000  # of all pages together
MAX_SECONDS = 900.0  # for all pages together


@dataclass(frozen=True, slots=True)
class Pages:
    """All that a feed lists, page by page, and what is odd about any of them.

    ``missing`` says why not all of it was read, if so.
    """

    bodies: tuple[bytes, ...]
    episodes: tuple[FeedEpisode, ...]
    warnings: tuple[str, ...] = ()
    missing: str | None = None


def read_page(address: str, client: httpx.Client) -> tuple[FeedBody, ParsedFeed]:
    """Read a feed, or a page of it, whatever was read before.

    Raises:
        FeedError: it could not be read.
    """
    body = fetch(address, client, Validators())
    if isinstance(body, Unchanged):  # it was asked for nothing of the kind
        raise FeedUnreachableError(f"{address} did not say what is in it")
    return body, parse_feed(body)


def all_pages(first: FeedBody, parsed: ParsedFeed, client: httpx.Client) -> Pages:
    """Read what comes behind a feed's first page. One that cannot be read ends it; those before it count."""
    bodies, episodes, warnings = [first.content], list(parsed.episodes), list(parsed.warnings)
    following, seen = parsed.next_url, {first.base}
    end = time.monotonic() + MAX_SECONDS
    missing = None
    try:
        while following and following not in seen:
            _refuse_too_many(bodies, end)
            _refuse_elsewhere(following, first.base)
            seen.add(following)
            body, page = read_page(following, client)
            together = distinct([*episodes, *page.episodes])
            if len(together) == len(episodes):
                break  # some servers give their last page for every number behind it
            bodies.append(body.content)
            warnings += [f"page {len(bodies)}: {warning}" for warning in page.warnings]
            episodes, following = together, page.next_url
    except (FeedError, OSError) as error:
        missing = f"only the first {len(bodies)} of its pages could be read: {error}"
    return Pages(tuple(bodies), tuple(episodes), tuple(warnings), missing)


def _refuse_too_many(bodies: list[bytes], end: float) -> None:
    if len(bodies) >= MAX_PAGES:
        raise FeedError(f"it has more than {MAX_PAGES}")
    if sum(map(len, bodies)) > MAX_BYTES:
        raise FeedError(f"they are larger than {MAX_BYTES // 1_000_000} MB together")
    if time.monotonic() > end:
        raise FeedError(f"they take longer than {MAX_SECONDS / 60:.0f} minutes")


def _refuse_elsewhere(address: str, base: str) -> None:
    """Keep a feed from the web off files, and a local one in its folder."""
    if scheme(base) == "file" and scheme(address) == "file":
        local_file(address, local_path(base).parent)
    elif scheme(base) == "file" or scheme(address) not in {"http", "https"}:
        raise FeedError(f"{address} is not visited from there")
