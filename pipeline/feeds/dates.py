"""Parsing dates in the many formats that feeds use. Independent of the feed and the current time.

feedparser parses most dates. This handles those it rejects (``Mar 1, 2024``, ``1 mars 2024``) and those it misreads:
unknown time zone names, seconds since 1970, 12-hour times with am or pm.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pipeline.times import moment

# How the months begin, in English and other languages of feeds: a server's locale gets into them.
_MONTHS = (
    "jan|ene|gen", "feb|fev|fév", "mar|mär|mrz|maa", "apr|avr|abr", "may|mai|maj|mei|mag", "jun|juin|giu",
    "jul|juil|lug", "aug|aoû|ago", "sep|set", "oct|okt|out|ott", "nov", "dec|dez|déc|dic",
)  # fmt: skip
_MONTH = rf"(?P<name>(?:{'|'.join(_MONTHS)})[^\s\d.,/-]{{0,7}})"
_WEEKDAY = r"(?:[^\s\d.,]{2,14}\.?(?:,\s*|\s+))?"  # any weekday: some feeds give the wrong one
_DATES = (
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})[\s-]{_MONTH}[.,]?[\s-](?P<year>\d{{4}}|\d{{2}})",
    rf"{_WEEKDAY}{_MONTH}\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s?|\s)(?P<year>\d{{4}})",
    r"(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d{1,2})(?P=between)(?P<day>\d{1,2})",
    r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日",
    r"(?P<one>\d{1,2})(?P<between>[-/.])(?P<other>\d{1,2})(?P=between)(?P<year>\d{4})",
)
_ZONE = r"(?:(?:gmt|utc?)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?|(?P<zone>[a-z]{1,5}))"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?(?:\s?(?P<half>[ap])\.?m\b\.?)?"
_TIME = rf"{_CLOCK}(?:\s?{_ZONE})?(?:\s\([a-z ]+\))?"
_PRINTED = (  # as C and other programs print a date: the year comes last, or before the zone
    rf"{_WEEKDAY}{_MONTH}\s(?P<day>\d{{1,2}})\s{_TIME}\s(?P<year>\d{{4}})",
    rf"{_WEEKDAY}{_MONTH}\s(?P<day>\d{{1,2}})\s{_CLOCK}\s(?P<year>\d{{4}})\s{_ZONE}",
)
_FORMS = [
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (*(rf"{date}(?:(?:,\s?|\s|T){_TIME})?" for date in _DATES), *_PRINTED)
]
_NUMBER = re.compile(r"(\d+)(?:\.\d*)?", re.ASCII)
_FIGURES = re.compile(r"[\d\s./:]*", re.ASCII)  # without hyphens: `2024-03` is a date

# A number is taken for a date only if its year is in this range: no podcast is older, and other numbers rarely fall
# into it. The upper bound is generous because the current time is not known here.
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_MOST_HOURS = 14  # no place on earth is further from UTC, and SQLite reads no such offset

# Offsets from UTC in hours. An abbreviation used by several countries has the meaning of RFC 822 or of most feeds; one
# without a prevailing meaning, such as IST, is omitted, and the time is taken as UTC.
_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2,
    "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "sast": 2, "at": -4, "ast": -4, "adt": -3, "et": -4, "est": -5,
    "edt": -4, "ct": -6, "cst": -6, "cdt": -5, "mt": -7, "mst": -7, "mdt": -6, "pt": -8, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "awst": 8, "acst": 9.5, "acdt": 10.5,
    "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip


def read_date(said: str, otherwise: Any = None) -> str | None:
    """Return the date in ISO 8601, with the publisher's own offset from UTC: its day is the one on which it appeared.

    None if it cannot be parsed or is ambiguous (day and month interchangeable). Without a readable offset it is taken
    as UTC.

    Args:
        said: the date as published.
        otherwise: feedparser's result, a ``struct_time`` in UTC; used if no format of this module matches.
    """
    said = " ".join(said.split())
    if number := _NUMBER.fullmatch(said):
        return _of_number(number[1])
    for form in _FORMS:
        if found := form.fullmatch(said):
            return _of_parts({name: part.lower() for name, part in found.groupdict().items() if part})
    if otherwise is None or _FIGURES.fullmatch(said):  # feedparser makes a date of any digits
        return None
    try:
        return moment(calendar.timegm(otherwise))
    except ValueError:  # no such day
        return None


def _of_number(digits: str) -> str | None:
    """Parse a bare number: a year, a day as ``20240301``, or seconds or milliseconds since 1970."""
    if len(digits) in {4, 8}:
        found = _of_parts({"year": digits[:4], "month": digits[4:6] or "1", "day": digits[6:] or "1"})
    elif len(digits) in {9, 10, 12, 13}:
        found = moment(int(digits) // (1000 if len(digits) > 10 else 1))
    else:
        found = None
    return found if found and _FIRST_YEAR <= int(found[:4]) <= _LAST_YEAR else None


def _of_parts(parts: Mapping[str, str]) -> str | None:
    day, month = _day_and_month(parts)
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 1900 if year >= 90 else 2000
    hour, minute, second = (int(parts.get(name, 0)) for name in ("hour", "minute", "second"))
    if "half" in parts and hour <= 12:
        hour = hour % 12 + (12 if parts["half"] == "p" else 0)
    time = timedelta(hours=hour, minutes=minute, seconds=second)
    if minute > 59 or second > 60 or time > timedelta(days=1):  # 24:00 is the end of the day (ISO 8601)
        return None
    try:
        at = datetime(year, month, day, tzinfo=timezone(_offset(parts))) + time
        if int(parts.get("hours", 0)) > _MOST_HOURS:
            at = at.astimezone(UTC)
        return at.isoformat().replace("+00:00", "Z") if moment(at.timestamp()) else None
    except (ValueError, OverflowError):  # no such day, for example a database's zero date, 0000-00-00
        return None


def _day_and_month(parts: Mapping[str, str]) -> tuple[int, int]:
    """The day and the month, or zeros if ambiguous: 01/03 is in January for some and in March for others."""
    if "name" in parts:
        month = next(number for number, names in enumerate(_MONTHS, start=1) if re.match(names, parts["name"]))
        return int(parts["day"]), month
    if "month" in parts:
        return int(parts["day"]), int(parts["month"])
    one, other = int(parts["one"]), int(parts["other"])
    possible = {(day, month) for day, month in ((one, other), (other, one)) if month <= 12}
    return possible.pop() if len(possible) == 1 else (0, 0)


def _offset(parts: Mapping[str, str]) -> timedelta:
    if "hours" in parts:
        offset = timedelta(hours=int(parts["hours"]), minutes=int(parts.get("minutes", 0)))
        return -offset if parts["sign"] == "-" else offset
    return timedelta(hours=_ZONES.get(parts.get("zone", ""), 0))
