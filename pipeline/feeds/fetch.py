"""Fetching a feed: from the web with a conditional request, through Apple's directory, or from a local file."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from pipeline.errors import FeedGoneError, FeedUnreachableError, NotAFeedError
from pipeline.model import Validators
from pipeline.net.client import in_time, reason
from pipeline.net.local_files import local_path
from pipeline.net.urls import scheme, shown

MAX_FEED_BYTES = 50_000_000
MAX_SECONDS = 300.0  # for one body, even if it arrives slowly but steadily
ITUNES_LOOKUP = "https://itunes.apple.com/lookup"

# What is said of a page or transcript: the message of FeedGoneError tells what to do about a feed.
NOT_THERE = "it is not there (HTTP 404 or 410)"

# The only encoding that is decompressed incrementally here, so that a small body cannot expand without limit in memory.
ENCODINGS = {"Accept-Encoding": "gzip"}
_GZIP = 31  # zlib's wbits value for the gzip format

_APPLE_ADDRESS = re.compile(r"^https?://(?:podcasts|itunes)\.apple\.com/.*?/id(?P<id>\d+)")


@dataclass(frozen=True, slots=True)
class FeedBody:
    """A feed as received. ``base`` is the base URL of relative addresses in it.

    ``moved_to`` is the target of a permanent redirect, if any.
    """

    content: bytes
    content_type: str
    base: str
    validators: Validators = field(default_factory=Validators)
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server's answer 304 (Not Modified), with the validators in force afterwards."""

    validators: Validators


def resolve(url: str, folder: Path, client: httpx.Client, *, itunes_lookup: str = ITUNES_LOOKUP) -> str:
    """Resolve an address from feeds.yaml to the feed's own, with scheme ``http(s):`` or ``file:``.

    An Apple Podcasts address is looked up in Apple's directory (iTunes Search API); a path is relative to ``folder``.

    Raises:
        FeedUnreachableError: Apple's directory could not be reached, or its answer is not understood.
        FeedGoneError: the directory does not list the show, or lists it without a feed.
    """
    apple = _APPLE_ADDRESS.match(url)
    if apple:
        return _apple_feed(apple["id"], client, itunes_lookup)
    if scheme(url) in {"http", "https"}:
        return url
    path = local_path(url) if scheme(url) == "file" else Path(url).expanduser()
    return (folder / path).resolve().as_uri()


def _apple_feed(show: str, client: httpx.Client, itunes_lookup: str) -> str:
    unasked = f"Apple's directory could not be asked for the feed of show {show}"
    mend = "Try again later, or put the show's RSS address into feeds.yaml."
    try:
        asked = {"id": show, "entity": "podcast"}
        with client.stream("GET", itunes_lookup, params=asked, headers=ENCODINGS) as response:
            response.raise_for_status()
            results = json.loads(read_bounded(response))["results"]
        addresses = [str(entry.get("feedUrl")) for entry in results]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FeedUnreachableError(f"{unasked}: {reason(error)}. {mend}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FeedUnreachableError(f"{unasked}: its answer is not understood. {mend}") from error
    # A show may be listed without a feed. Only http(s) is accepted: the directory must not name a local file.
    feed_url = next((address for address in addresses if scheme(address) in {"http", "https"}), None)
    if feed_url is None:
        raise FeedGoneError(
            f"Apple's directory knows no feed for show {show}. Put the show's RSS address into feeds.yaml."
        )
    return feed_url


def fetch(
    feed_url: str,
    client: httpx.Client,
    validators: Validators,
    *,
    max_bytes: int | None = None,
    max_seconds: float | None = None,
) -> FeedBody | Unchanged:
    """Fetch a feed, unless the server answers that it is unchanged (304).

    ``max_bytes`` and ``max_seconds`` limit the body; the defaults are ``MAX_FEED_BYTES`` and ``MAX_SECONDS``. A local
    file is always read.

    Raises:
        FeedUnreachableError, FeedGoneError: it could not be fetched, with the reason.
        NotAFeedError: it is too large.
    """
    if scheme(feed_url) == "file":
        return _read_file(feed_url)
    conditions = validators.headers()
    try:
        with client.stream("GET", feed_url, headers=ENCODINGS | conditions) as response:
            said = Validators(response.headers.get("ETag"), response.headers.get("Last-Modified"))
            if response.status_code == httpx.codes.NOT_MODIFIED and conditions:
                return Unchanged(said.or_else(validators))
            _check_status(response)
            return FeedBody(
                content=read_bounded(response, max_bytes, max_seconds),
                content_type=response.headers.get("Content-Type", ""),
                base=str(response.url),
                validators=said,
                moved_to=_moved_to(response),
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FeedUnreachableError(f"{feed_url} could not be reached: {reason(error)}") from error


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        raise FeedGoneError(
            f"{response.url} is gone (HTTP {status}). What is archived stays; "
            "give the show's new address in feeds.yaml, or set `live: false`.",
            for_good=status == httpx.codes.GONE,
        )
    if status != httpx.codes.OK:
        raise FeedUnreachableError(
            f"{response.url} answered HTTP {status} {response.reason_phrase}".rstrip(),
            retry_after=response.headers.get("Retry-After"),
        )


def _moved_to(response: httpx.Response) -> str | None:
    """The target of the leading permanent redirects (RFC 9110, section 15.4), up to the first temporary one."""
    steps = [*response.history, response]
    permanent = {httpx.codes.MOVED_PERMANENTLY, httpx.codes.PERMANENT_REDIRECT}
    last = next(place for place, step in enumerate(steps) if step.status_code not in permanent)
    return shown(str(steps[last].url)) if last else None


def read_bounded(response: httpx.Response, max_bytes: int | None = None, max_seconds: float | None = None) -> bytes:
    """Read and decompress a body, within limits of size (in bytes, decompressed) and time (in seconds).

    Raises:
        FeedUnreachableError: it has an unsupported content encoding, is damaged, or is cut short.
        NotAFeedError: it is too large.
    """
    most = max_bytes or MAX_FEED_BYTES
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise FeedUnreachableError(f"{response.url} is compressed as {encoding!r}, which was not requested")
    unpacker = zlib.decompressobj(_GZIP)
    is_cut = False
    body = bytearray()
    for chunk in in_time(response.iter_raw(), max_seconds or MAX_SECONDS):
        try:
            if encoding == "identity":
                body += chunk
            while encoding == "gzip" and chunk and len(body) <= most:
                body += unpacker.decompress(chunk, most + 1 - len(body))
                is_cut = not unpacker.eof
                chunk = unpacker.unused_data  # noqa: PLW2901 - of the next member (RFC 1952, section 2.2), if there is one
                unpacker = zlib.decompressobj(_GZIP) if unpacker.eof else unpacker
        except zlib.error as error:
            raise FeedUnreachableError(f"{response.url} is damaged: it cannot be decompressed ({error})") from error
        if len(body) > most:
            raise NotAFeedError(f"{response.url} is larger than {most // 1_000_000} MB: no feed is")
    if is_cut:
        raise FeedUnreachableError(f"{response.url} is cut short: its compressed data has no end")
    return bytes(body)


def _read_file(feed_url: str) -> FeedBody:
    path = local_path(feed_url)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FEED_BYTES + 1)  # a device has no end
    except OSError as error:
        raise FeedUnreachableError(
            f"{path} cannot be read: {error.strerror or error}. A url without https:// is the path of a file"
        ) from error
    if len(content) > MAX_FEED_BYTES:
        raise NotAFeedError(f"{path} is larger than {MAX_FEED_BYTES // 1_000_000} MB: no feed is")
    return FeedBody(content=content, content_type="application/xml", base=feed_url)
