"""What is known of segments, in SQL and in words: who is heard in what counts, which questions one is about."""

from __future__ import annotations

from collections.abc import Sequence

# Those who are heard in what counts: a transcript that was set aside has speakers, too.
SPEAKING = "speakers p join transcripts t on t.id = p.transcript and t.preferred = 1"


def questions_named(numbers: Sequence[int]) -> str:
    """Return the questions in words: ``question 4``, ``questions 4 and 5``; empty where there are none."""
    if len(numbers) < 2:
        return "".join(f"question {number}" for number in numbers)
    return f"questions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
