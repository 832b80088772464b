"""Parsing and formatting times in recordings, dates and intervals; the current time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_INTERVAL = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{0,9})?)s?", re.ASCII)


def utc_now() -> str:
    """Return the current time as UTC ISO 8601 ending in ``Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timestamp(moment: str) -> float:
    """Return the Unix timestamp of an ISO 8601 time with an offset."""
    return datetime.fromisoformat(moment).timestamp()


def in_utc(moment: str) -> str:
    """Convert an ISO 8601 time with an offset to UTC, ending in ``Z``."""
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")


def interval(text: str) -> int | None:
    """Parse an interval such as ``90s``, ``30m``, ``6h`` or ``1d`` to seconds; None if malformed or zero."""
    found = _INTERVAL.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] or None if found else None


def moment(timestamp: float) -> str | None:
    """Format a Unix timestamp as UTC ISO 8601 ending in ``Z``; None if out of range."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def seconds(text: str | None) -> float | None:
    """Parse a time to seconds: ``192``, ``192.5``, ``3:12``, ``90:00`` or ``1:02:03.5``; None if malformed.

    Numbers after a colon must be below 60: ``3:75`` is a typo, not a time.
    """
    found = _CLOCK.fullmatch((text or "").strip())
    if not found:
        return None
    hours, minutes, rest = found.groups()
    if (minutes and float(rest) >= 60) or (hours and int(minutes) >= 60):
        return None
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest)


def day(moment: str | None) -> str:
    """Format the date of an ISO 8601 time: ``5 May 2026``; anything else is returned unchanged."""
    try:
        found = date.fromisoformat((moment or "")[:10])
    except ValueError:
        return moment or ""
    return f"{found.day} {found:%B} {found.year}"


def stretch(text: str | None) -> tuple[float | None, float | None]:
    """Parse ``start,end`` to seconds (``192,201``); the end is None if missing, malformed or not after the start."""
    first, _, last = (text or "").partition(",")
    start, end = seconds(first), seconds(last)
    return start, end if start is not None and end is not None and end > start else None


def clock(seconds: float) -> str:
    """Show a time in a recording as ``m:ss`` or ``h:mm:ss``."""
    minutes, whole = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"


def exactly(second: float) -> str:
    """Show a time to the thousandth, as ``seconds`` reads it: ``3:12``, ``3:12.4``, ``1:02:03.125``."""
    whole, thousandths = divmod(round(second * 1000), 1000)
    return clock(whole) + f".{thousandths:03}".rstrip("0").rstrip(".")
