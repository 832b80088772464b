"""Parsing the dates in HTTP headers."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime


def http_date(text: str | None) -> datetime | None:
    """Return the moment (RFC 9110, section 5.6.7); None if malformed, and without a time zone if it names none."""
    try:
        return parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):  # OverflowError: a time zone offset out of range
        return None
