"""Which of an episode's recordings counts, and what two of them have in common, in words. Reads and stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.model import Comparison
from pipeline.times import clock

_LISTED = 5  # stretches that are named one by one


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a recording that has come takes the place of the one that counts, and why."""

    replaces: bool
    reason: str


def choose(comparison: Comparison | None, *, transcribed: bool, chosen_by: str | None, beside: bool = False) -> Choice:
    """Decide whether a recording that has come counts from now on.

    What is cited has the times of the recording that is transcribed, so that stays unless something of it is gone: then
    the publisher has changed what is said, and the archive says what is published now.

    Args:
        comparison: the one that counts with the one that has come; None if that could not be made.
        transcribed: the one that counts is transcribed.
        chosen_by: who chose the one that counts; None where nobody did.
        beside: nothing of what is gone is part of a question or an answer.
    """
    if chosen_by is not None:
        return Choice(False, f"{chosen_by} chose the earlier one")
    if comparison is None:
        return Choice(True, "the earlier one cannot be read any more")
    if not transcribed:
        return Choice(True, "the earlier one was not transcribed")
    if comparison.verdict in {"same", "spliced"}:
        return Choice(False, "all that was transcribed is in both")
    if comparison.verdict == "changed" and beside:
        return Choice(False, "what is gone is neither question nor answer, as advertisements are")
    return Choice(True, "not all of the earlier one is in it")


def account(comparison: Comparison) -> str:
    """Say what a later recording has of an earlier one."""
    if comparison.verdict == "other":
        return "hardly anything of the earlier one is in it"
    if comparison.verdict == "same":
        return "the same sound, encoded anew"
    more = f"{_stretches(comparison.added)} added" if comparison.added else ""
    if comparison.verdict == "changed":
        gone = f"{_stretches(comparison.gone)} of the earlier one gone"
        return f"{gone}, {more}" if more else gone
    return f"all of the earlier one, {more or 'with other pauses'}"


def _stretches(stretches: Sequence[tuple[float, float]]) -> str:
    named = ", ".join(f"{clock(start)} to {clock(end)}" for start, end in stretches[:_LISTED])
    rest = len(stretches) - _LISTED
    return f"{named} and {rest} more" if rest > 0 else named
