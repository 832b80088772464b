"""Following a feed from page to page (RFC 5005). Does not handle moves, and stores nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain

import httpx

from pipeline.errors import FeedError, FeedGoneError, FeedUnreachableError
from pipeline.feeds.fetch import NOT_THERE, FeedBody, Unchanged, fetch
from pipeline.feeds.parse import distinct, parse_feed
from pipeline.model import FeedEpisode, ParsedFeed, Validators
from pipeline.net.local_files import local_file, local_path
from pipeline.net.urls import scheme

MAX_PAGES = 500
MAX_BYTES = 50_000_000  # of all pages together
MAX_SECONDS = 900.0  # for all pages together


@dataclass(frozen=True, slots=True)
class Pages:
    """Everything a feed lists, and the warnings of all its pages.

    ``bodies`` has one entry per page read; ``missing`` says why pages are missing, if any are. ``gone`` is the address
    of the page that is missing, if its server says that it is not there.
    """

    bodies: tuple[bytes, ...]
    episodes: tuple[FeedEpisode, ...]
    warnings: tuple[str, ...] = ()
    missing: str | None = None
    gone: str | None = None


def read_page(address: str, client: httpx.Client) -> tuple[FeedBody, ParsedFeed]:
    """Fetch and parse a feed, or a page of it, unconditionally.

    Raises:
        FeedError: it could not be read.
    """
    body = fetch(address, client, Validators())
    if isinstance(body, Unchanged):  # a 304 to an unconditional request
        raise FeedUnreachableError(f"{address} said that it is unchanged (HTTP 304), but not what is in it")
    return body, parse_feed(body)


def all_pages(first: FeedBody, parsed: ParsedFeed, client: httpx.Client) -> Pages:
    """Read the pages after a feed's first one. A page that cannot be read ends the walk; those before it are kept."""
    bodies, lists, warnings = [first.content], [parsed.episodes], list(parsed.warnings)
    following, seen = parsed.next_url, {first.base}
    end = time.monotonic() + MAX_SECONDS
    missing = gone = None
    try:
        while following and following not in seen:
            _refuse_too_many(bodies, end)
            _refuse_elsewhere(following, first.base)
            seen.add(following)
            body, page = read_page(following, client)
            if page.episodes in lists:
                break  # some servers repeat their last page for every page number after it
            bodies.append(body.content)
            lists.append(page.episodes)
            warnings += [f"page {len(bodies)}: {warning}" for warning in page.warnings]
            following = page.next_url
    except FeedGoneError:
        gone = following
        missing = f"only the first {len(bodies)} of its pages could be read: it leads to {gone}, but {NOT_THERE}"
    except (FeedError, OSError) as error:
        missing = f"only the first {len(bodies)} of its pages could be read: {error}"
    return Pages(tuple(bodies), tuple(distinct(chain.from_iterable(lists))), tuple(warnings), missing, gone)


def _refuse_too_many(bodies: list[bytes], end: float) -> None:
    if len(bodies) >= MAX_PAGES:
        raise FeedError(f"it has more than {MAX_PAGES}")
    if sum(map(len, bodies)) > MAX_BYTES:
        raise FeedError(f"they are larger than {MAX_BYTES // 1_000_000} MB together")
    if time.monotonic() > end:
        raise FeedError(f"they take longer than {MAX_SECONDS / 60:.0f} minutes")


def _refuse_elsewhere(address: str, base: str) -> None:
    """Forbid a feed from the web to link to files, and a local feed to link outside its folder."""
    if scheme(base) == "file" and scheme(address) == "file":
        local_file(address, local_path(base).parent)
    elif scheme(base) == "file" or scheme(address) not in {"http", "https"}:
        raise FeedError(f"the feed may not lead to {address}")
