"""Deciding which of an episode's recordings is current, and describing how two differ. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.model import Comparison
from pipeline.times import clock

_LISTED = 5  # stretches that are named one by one


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a new recording replaces the current one, and why."""

    replaces: bool
    reason: str


def choose(comparison: Comparison | None, *, transcribed: bool, chosen_by: str | None, beside: bool = False) -> Choice:
    """Decide whether a new recording becomes the current one.

    Citations use the times of the transcribed recording, so that one stays current unless the new one lacks part of it:
    then the publisher has changed the content, and the archive follows what is published.

    Args:
        comparison: of the current recording with the new one; None if they could not be compared.
        transcribed: whether the current one is transcribed.
        chosen_by: who chose the current one; None if nobody did.
        beside: whether everything that is missing lies outside all questions and answers.
    """
    if chosen_by is not None:
        return Choice(False, f"{chosen_by} chose the earlier one")
    if comparison is None:
        return Choice(True, "the earlier one cannot be read any more")
    if not transcribed:
        return Choice(True, "the earlier one was not transcribed")
    if comparison.verdict in {"same", "spliced"}:
        return Choice(False, "everything that was transcribed is in both")
    if comparison.verdict == "changed" and beside:
        return Choice(False, "only what is neither question nor answer is gone, such as advertisements")
    return Choice(True, "it lacks part of the earlier one")


def account(comparison: Comparison) -> str:
    """Describe how a later recording differs from an earlier one."""
    if comparison.verdict == "other":
        return "it has hardly anything in common with the earlier one"
    if comparison.verdict == "same":
        return "the same sound, re-encoded"
    more = f"{_stretches(comparison.added)} added" if comparison.added else ""
    if comparison.verdict == "changed":
        gone = f"{_stretches(comparison.gone)} of the earlier one gone"
        return f"{gone}, {more}" if more else gone
    return f"all of the earlier one, {more or 'with different pauses'}"


def _stretches(stretches: Sequence[tuple[float, float]]) -> str:
    named = ", ".join(f"{clock(start)} to {clock(end)}" for start, end in stretches[:_LISTED])
    rest = len(stretches) - _LISTED
    return f"{named} and {rest} more" if rest > 0 else named
