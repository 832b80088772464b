"""Formatting the report of the quality gate as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.times import clock


def explained(report: Mapping[str, Any]) -> Iterator[str]:
    """Describe what was done about each window that did not pass at once.

    Args:
        report: As returned by ``Hearing.report``, and stored in a transcript's options under ``gate``.
    """
    decisions = report.get("decisions", [])
    spoken = ", ".join(f"{code} {clock(seconds)}" for code, seconds in report.get("languages", {}).items())
    yield (
        f"{report.get('windows', 0)} windows with {clock(report.get('speech_seconds', 0))} of speech "
        f"({spoken or 'no language'}); {len(decisions)} did not pass at once"
    )
    for decision in decisions:
        yield f"{clock(decision['start'])}-{clock(decision['end'])}:"
        for action, faults in decision["tried"]:
            yield f"  {action}: {', '.join(faults).replace('_', ' ') or 'sound'}"
        if decision["dropped"]:
            why = "Whisper invents it over noise" if decision["flags"] else "hardly anybody speaks"
            yield f"  dropped, because {why}: {decision['dropped']!r}"
        if decision["flags"]:
            kept = "" if decision["dropped"] else "kept, and "
            yield f"  {kept}flagged: {', '.join(decision['flags'])}"
