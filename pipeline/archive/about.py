"""Shared fragments: the SQL join for speakers of preferred transcripts, and the wording for question numbers."""

from __future__ import annotations

from collections.abc import Sequence

# Only preferred transcripts: a superseded transcript still has rows in ``speakers``.
SPEAKING = "speakers p join transcripts t on t.id = p.transcript and t.preferred = 1"


def questions_named(numbers: Sequence[int]) -> str:
    """Return question numbers as text: ``question 4``, ``questions 4 and 5``; empty if there are none."""
    if len(numbers) < 2:
        return "".join(f"question {number}" for number in numbers)
    return f"questions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
