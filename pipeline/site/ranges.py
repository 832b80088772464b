"""Evaluating range and conditional requests (RFC 9110, sections 13 and 14). Pure; opens and sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """What to send: ``length`` bytes from byte ``first``, with ``status`` 200, 206, 304 or 416."""

    status: int
    first: int
    length: int

    def content_range(self, size: int) -> str | None:
        """Return the ``Content-Range`` header for a file of this size; None if the answer has none."""
        if self.status == 416:
            return f"bytes */{size}"
        return f"bytes {self.first}-{self.first + self.length - 1}/{size}" if self.status == 206 else None


def answer(method: str, headers: Mapping[str, str], *, size: int, etag: str) -> RangeAnswer:
    """Decide what to send.

    Args:
        method: ``GET`` or ``HEAD``.
        headers: the request's headers, with names in lower case.
        size: the size of the whole file, in bytes.
        etag: the strong entity tag of the whole file, in its quotes.

    Returns:
        The whole file if the range is invalid or there are several: a server may send more than requested, and no
            player requests several ranges.
    """
    if "if-none-match" in headers and _names(headers["if-none-match"], etag):
        return RangeAnswer(304, 0, 0)
    part = None
    # A date in If-Range never equals the tag: files have no Last-Modified here, so the whole file is sent.
    if method == "GET" and headers.get("if-range", etag).strip() == etag:
        part = _part(headers.get("range", ""), size)
    return part or RangeAnswer(200, 0, size)


def _part(asked: str, size: int) -> RangeAnswer | None:
    """The answer to a single range; None for anything else."""
    found = _ONE_RANGE.fullmatch(asked)
    first, last = found.groups() if found else ("", "")
    if first:
        if last and int(last) < int(first):
            return None
        begin, stop = int(first), min(int(last) + 1, size) if last else size
    elif last:  # a suffix range
        begin, stop = max(0, size - int(last)), size
    else:
        return None
    return RangeAnswer(206, begin, stop - begin) if begin < stop else RangeAnswer(416, 0, 0)


def _names(listed: str, etag: str) -> bool:
    """Tell whether ``If-None-Match`` matches a tag; weak tags match too."""
    tags = {tag.strip().removeprefix("W/") for tag in listed.split(",")}
    return "*" in tags or etag in tags
