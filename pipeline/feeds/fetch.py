"""Getting a feed's bytes: from the web with a conditional request, through Apple's directory, or from a file."""

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
MAX_SECONDS = 300.0  # for one body, however steadily it drips
ITUNES_LOOKUP = "https://itunes.apple.com/lookup"

# The only one that can be unpacked step by step here, so that a small body cannot become a huge one in memory.
ENCODINGS = {"Accept-Encoding": "gzip"}
_GZIP = 31  # zlib's name for it

_APPLE_ADDRESS = re.compile(r"^https?://(?:podcasts|itunes)\.apple\.com/.*?/id(?P<id>\d+)")


@dataclass(frozen=True, slots=True)
class FeedBody:
    """A feed as it came. ``base`` is the address that relative addresses in it start from.

    ``moved_to`` is where a permanent redirect led, if there was one.
    """

    content: bytes
    content_type: str
    base: str
    validators: Validators = field(default_factory=Validators)
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server's word that a feed is as it was (304), with the validators that it gave this time."""

    validators: Validators


def resolve(url: str, folder: Path, client: httpx.Client, *, itunes_lookup: str = ITUNES_LOOKUP) -> str:
    """Turn what feeds.yaml says into the feed's own address: ``http(s):`` or ``file:``.

    An Apple Podcasts address is looked up in Apple's directory (iTunes Search API); a path starts at ``folder``.

    Raises:
        FeedUnreachableError: Apple's directory did not answer.
        FeedGoneError: the directory does not know the show, or knows no feed of it.
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
    # A show may be listed without a feed; and what the directory says must not become a file of this computer.
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
    """Get the feed's bytes, unless the server says that nothing has changed (304).

    ``max_bytes`` and ``max_seconds`` bound the body, by default as feeds are bounded.

    Raises:
        FeedUnreachableError, FeedGoneError, NotAFeedError: with a reason; NotAFeedError when too large.
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
            "give the show's new address in feeds.yaml, or say `live: false`.",
            for_good=status == httpx.codes.GONE,
        )
    if status != httpx.codes.OK:
        raise FeedUnreachableError(
            f"{response.url} answered HTTP {status} {response.reason_phrase}".rstrip(),
            retry_after=response.headers.get("Retry-After"),
        )


def _moved_to(response: httpx.Response) -> str | None:
    """Where the permanent redirects led (RFC 9110, section 15.4), as far as there is no temporary one before them."""
    steps = [*response.history, response]
    permanent = {httpx.codes.MOVED_PERMANENTLY, httpx.codes.PERMANENT_REDIRECT}
    last = next(place for place, step in enumerate(steps) if step.status_code not in permanent)
    return shown(str(steps[last].url)) if last else None


def read_bounded(response: httpx.Response, max_bytes: int | None = None, max_seconds: float | None = None) -> bytes:
    """Read a body, unpacked, in bounded memory and time."""
    most = max_bytes or MAX_FEED_BYTES
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise FeedUnreachableError(f"{response.url} is packed as {encoding!r}, which was not asked for")
    unpacker = zlib.decompressobj(_GZIP)
    body = bytearray()
    for chunk in in_time(response.iter_raw(), max_seconds or MAX_SECONDS):
        try:
            if encoding == "identity":
                body += chunk
            while encoding == "gzip" and chunk and len(body) <= most:
                body += unpacker.decompress(chunk, most + 1 - len(body))
                chunk = unpacker.unused_data  # noqa: PLW2901 - of the next member (RFC 1952, section 2.2), if there is one
                unpacker = zlib.decompressobj(_GZIP) if unpacker.eof else unpacker
        except zlib.error as error:
            raise FeedUnreachableError(f"{response.url} came damaged: it cannot be unpacked ({error})") from error
        if len(body) > most:
            raise NotAFeedError(f"{response.url} is larger than {most // 1_000_000} MB: no feed is")
    return bytes(body)


def _read_file(feed_url: str) -> FeedBody:
    path = local_path(feed_url)
    try:
        if path.stat().st_size > MAX_FEED_BYTES:
            raise NotAFeedError(f"{path} is larger than {MAX_FEED_BYTES // 1_000_000} MB: no feed is")
        return FeedBody(content=path.read_bytes(), content_type="application/xml", base=feed_url)
    except OSError as error:
        raise FeedUnreachableError(f"{path} cannot be read: {error.strerror or error}") from error
