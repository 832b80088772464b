"""Formatting times, dates and certainties as text for the pages. Pure functions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping

from pipeline.archive import attributions, checks
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.questions.doubts import SURE
from pipeline.flags import doubts as doubts  # noqa: PLC0414 - the templates know it by this module
from pipeline.site.history import Entry
from pipeline.text import amount as amount  # noqa: PLC0414 - the templates know it by this module
from pipeline.times import day

ORDERS: Mapping[str, str] = {"relevance": "Best first", "newest": "Newest first", "oldest": "Oldest first"}
ROLES: Mapping[str, str] = {"question": "Questions", "answer": "Answers", "other": "Everything else"}


def moment(stamp: str) -> str:
    """Format an ISO moment to the minute: ``5 May 2026, 14:02 UTC``; an invalid one is returned unchanged."""
    try:
        at = datetime.datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    at = at.astimezone(datetime.UTC)
    return f"{day(at.isoformat())}, {at:%H:%M} UTC"


def length(duration: float | None) -> str:
    """Format a duration in seconds: ``2 s``, ``4 min``, ``1 h 05 min``."""
    if not duration:
        return ""
    if duration < 59.5:
        return f"{max(1, round(duration))} s"
    minutes = max(1, round(duration / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def size(octets: int) -> str:
    """Format a number of bytes: ``340 kB``, ``1.2 GB``."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB")):
        if octets >= 10**power:
            return f"{octets / 10**power:.1f} {unit}"
    return f"{octets / 1000:.0f} kB"


def certainty(confidence: float | None) -> str:
    """Format a probability as a word and a number."""
    if confidence is None:
        return ""
    word = "high" if confidence >= SURE else "medium" if confidence >= 0.6 else "low"
    return f"{word} confidence ({confidence:.2f})"


def status(question: ListedQuestion) -> str:
    """Describe where a question is asked; empty if it is asked and there is nothing more to say."""
    if question.status == "merged" and question.merged_with is not None:
        return f"asked together with question {question.merged_with}"
    if question.status == "merged":
        return "asked together with another question"
    return "" if question.status == "asked" else question.standing


def checkers(entries: Iterable[Entry]) -> str:
    """Describe who checked passages or named their speakers, and when: ``Checked by ann on 5 May 2026``."""
    entries = list(entries)
    heard = [one for one in entries if isinstance(one, checks.CheckEntry)]
    told = [one for one in entries if isinstance(one, attributions.AttributionEntry)]
    said = [
        f"{what} {by}" for what, some in (("checked", heard), ("speaker identified", told)) if (by := _by(some))
    ] or ["no longer checked" if heard else "speaker no longer identified"]
    joined = "; ".join(said)
    return joined[0].upper() + joined[1:]


def _by(entries: Iterable[Entry]) -> str:
    """Say who made those in force, and when."""
    counting = (one for one in entries if one.counts)
    return ", ".join(dict.fromkeys(f"by {one.editor or 'somebody'} on {day(one.made_at)}" for one in counting))
