"""Times in a recording as people write and read them, and the moment that it is. Knows no recording."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_INTERVAL = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{0,9})?)s?", re.ASCII)


def utc_now() -> str:
    """Return the moment as UTC ISO 8601 ending in ``Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timestamp(moment: str) -> float:
    """Return the seconds since 1970 of a moment, UTC ISO 8601."""
    return datetime.fromisoformat(moment).timestamp()


def interval(text: str) -> int | None:
    """Read how often something is to be: ``90s``, ``30m``, ``6h`` or ``1d``, in seconds; None if it is none."""
    found = _INTERVAL.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] or None if found else None


def moment(timestamp: float) -> str | None:
    """Show seconds since 1970 as UTC ISO 8601 ending in ``Z``; None where no calendar has such a day."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def seconds(text: str | None) -> float | None:
    """Read a time: ``192``, ``192.5``, ``3:12``, ``90:00`` or ``1:02:03.5``; None if it is none.

    What follows a colon is below 60: ``3:75`` is a slip of the pen, not a time.
    """
    found = _CLOCK.fullmatch((text or "").strip())
    if not found:
        return None
    hours, minutes, rest = found.groups()
    if (minutes and float(rest) >= 60) or (hours and int(minutes) >= 60):
        return None
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest)


def day(moment: str | None) -> str:
    """Show the day of an ISO moment: ``5 May 2026``; what is no date is shown as it is."""
    try:
        found = date.fromisoformat((moment or "")[:10])
    except ValueError:
        return moment or ""
    return f"{found.day} {found:%B} {found.year}"


def stretch(text: str | None) -> tuple[float | None, float | None]:
    """Read a start and, after a comma, an end: ``192,201``; an end that is none, or not after the start, is None."""
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
