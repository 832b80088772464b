"""Downloading one audio file, with retries. Does not examine its content."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from pipeline.audio.partial import Partial
from pipeline.errors import DownloadError, PassingError
from pipeline.model import Validators
from pipeline.net.client import ForbiddenAddressError, in_time, reason
from pipeline.net.courtesy import LONGEST_PAUSE, retry_after
from pipeline.net.http_dates import http_date
from pipeline.net.urls import shown

ATTEMPTS = 4  # in a row without progress
MAX_SECONDS = 2 * 3600.0  # for one file including all attempts, even if bytes keep trickling in
MAX_BYTES = 4_000_000_000

_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 403, 451})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_backoff = wait_exponential_jitter(initial=1, max=60, jitter=1)
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d{1,15})-\d{1,15}/(?P<total>\d{1,15}|\*)")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for one file: bytes, seconds including all attempts, attempts in a row without progress."""

    max_bytes: int = MAX_BYTES
    seconds: float = MAX_SECONDS
    attempts: int = ATTEMPTS
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Received:
    """Where a body came from: its final address, the redirects that led there, and its validators."""

    final_url: str
    redirects: tuple[str, ...] = ()
    validators: Validators = Validators()  # noqa: RUF009 - frozen


def transfer(url: str, client: httpx.Client, part: Partial, *, known: Validators, limits: Limits) -> Received | None:
    """Download the body of ``url`` into ``part``; return None if the host says that the ``known`` one is unchanged.

    Raises:
        PassingError: attempts or time are used up, or the host wants a longer pause; ``part`` may be resumed.
        DownloadError: it cannot be downloaded, and retrying would not help.
        DiskFullError: as for ``Partial``.
    """
    end = time.monotonic() + limits.seconds
    in_vain, furthest = 0, part.size

    def attempt() -> Received | None:
        nonlocal in_vain, furthest
        try:
            return _attempt(url, client, part, known=known, max_bytes=limits.max_bytes, end=end)
        except PassingError:
            in_vain = 0 if part.validator and part.size > furthest else in_vain + 1
            furthest = max(furthest, part.size)
            raise

    retrying = Retrying(
        sleep=limits.sleep,
        stop=lambda state: (
            in_vain >= limits.attempts
            or time.monotonic() + state.upcoming_sleep > end
            or state.upcoming_sleep > LONGEST_PAUSE
        ),
        wait=_wait,
        retry=retry_if_exception_type(PassingError),
        reraise=True,
    )
    return retrying(attempt)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(_backoff(state), error.wait if isinstance(error, PassingError) else 0.0)


def _attempt(
    url: str, client: httpx.Client, part: Partial, *, known: Validators, max_bytes: int, end: float
) -> Received | None:
    # Without identity encoding a host may compress the audio: lengths and ranges are then those of the compressed body.
    headers = {"Accept-Encoding": "identity"}
    if part.size and part.validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    else:
        headers |= known.headers()
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED and known.headers():
                return None
            same = is_strong(known.etag) and response.headers.get("ETag") == known.etag
            if response.status_code == httpx.codes.OK and same:
                return None  # the host ignores conditional requests
            total = _begin(response, part)
            _ask_room(response, part, total, max_bytes)
            for chunk in in_time(response.iter_raw(), end - time.monotonic()):
                part.write(chunk)
                if part.size > max_bytes:
                    raise DownloadError(_too_large(response, max_bytes))
            if part.size == 0:
                raise DownloadError(f"{shown(str(response.url))} sent an empty file")
            if total is not None and part.size != total:
                raise PassingError(f"{shown(str(response.url))} was cut short: {part.size} of {total} bytes arrived")
            return _received(response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Other errors than TransportError are too many redirects or an address that must not be requested.
        passing = isinstance(error, httpx.TransportError) and not isinstance(
            error, httpx.UnsupportedProtocol | httpx.LocalProtocolError | ForbiddenAddressError
        )
        kind = PassingError if passing else DownloadError
        raise kind(f"{shown(url)} could not be fetched fully: {shown(reason(error))}") from error


def _begin(response: httpx.Response, part: Partial) -> int | None:
    """Check a response, prepare ``part`` for its body, and return the total length in bytes, if declared."""
    _check_status(response, part)
    packing = response.headers.get("Content-Encoding", "identity").lower()
    if packing != "identity":
        raise DownloadError(f"{shown(str(response.url))} is compressed as {packing!r}, which was not requested")
    declared = response.headers.get("Content-Length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() else None
    if response.status_code == httpx.codes.OK:  # the whole body, whether a range was requested or not
        part.restart(strong_validator(response.headers))
        return length
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not found or int(found["first"]) != part.size or strong_validator(response.headers) != part.validator:
        part.restart(None)
        raise PassingError(f"{shown(str(response.url))} sent a different part from the one requested")
    return int(found["total"]) if found["total"] != "*" else None


def _check_status(response: httpx.Response, part: Partial) -> None:
    status, at = response.status_code, shown(str(response.url))
    if status == httpx.codes.OK or (status == httpx.codes.PARTIAL_CONTENT and part.size):
        return
    if status in _GONE:
        raise DownloadError(f"{at} is gone (HTTP {status})")
    if status in _REFUSED:
        raise DownloadError(
            f"the host refuses this program (HTTP {status} from {at}): if it refuses only programs that it does not "
            "know, set another `user_agent` for this feed; if it wants a password, it has to be in the feed's "
            "address, and it is sent to the feed's own host only"
        )
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
        part.restart(None)
        raise PassingError(f"{at} no longer has the requested part (HTTP 416)")
    if status not in _PASSING:
        raise DownloadError(f"{at} answered HTTP {status}")
    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
    told = f" and asks to be left alone for {wait / 60:.0f} minutes: run again after that"
    raise PassingError(f"{at} answered HTTP {status}{told if wait > LONGEST_PAUSE else ''}", wait=wait)


def _ask_room(response: httpx.Response, part: Partial, total: int | None, max_bytes: int) -> None:
    if total is not None and total > max_bytes:
        raise DownloadError(_too_large(response, max_bytes))
    part.ask_room(0 if total is None else total - part.size)


def _too_large(response: httpx.Response, max_bytes: int) -> str:
    return f"{shown(str(response.url))} is larger than {max_bytes / 1e6:g} MB (`max_mb` in feeds.yaml)"


def _received(response: httpx.Response) -> Received:
    visited = [shown(str(one.url)) for one in (*response.history, response)]
    return Received(
        final_url=visited[-1],
        redirects=tuple(visited[1:]),
        validators=Validators(response.headers.get("ETag"), response.headers.get("Last-Modified")),
    )


def strong_validator(headers: httpx.Headers) -> str | None:
    """Return a validator for ``If-Range``: a strong ETag, else a strong date (RFC 9110, section 13.1.5), else None.

    A date is strong if it precedes the response by enough that the body cannot have changed again within that second
    (section 8.8.2.2); a minute is on the safe side.
    """
    if is_strong(headers.get("ETag")):
        return str(headers["ETag"])
    if "ETag" in headers:  # weak: the host itself says that the bytes may differ
        return None
    modified, sent = http_date(headers.get("Last-Modified")), http_date(headers.get("Date"))
    if modified is None or sent is None or None in {modified.tzinfo, sent.tzinfo}:
        return None
    if (sent - modified).total_seconds() < 60:
        return None
    return str(headers["Last-Modified"])


def is_strong(etag: str | None) -> bool:
    """Tell whether an ETag is strong: bodies that share it are identical byte for byte (RFC 9110, section 8.8.3)."""
    return etag is not None and re.fullmatch(r'"[\x21\x23-\x7e]*"', etag) is not None
