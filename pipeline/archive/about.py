"""What is known of a segment, in SQL and in words: which questions it is about, whether a person heard it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

# Those who are heard in what counts: a transcript that was set aside has speakers, too.
SPEAKING = "speakers p join transcripts t on t.id = p.transcript and t.preferred = 1"


def questions_sql(cursor: sqlite3.Cursor | sqlite3.Connection) -> str:
    """Return what is the JSON list of the numbers of a segment ``s``; an older version's archive has one at most."""
    return known_sql(cursor)[0]


def known_sql(cursor: sqlite3.Cursor | sqlite3.Connection, heard: str = "s") -> tuple[str, str]:
    """Return what is that list, and what tells whether a person heard all of a segment that is called ``heard``.

    In an older version's archive nobody could say so.
    """
    columns = {row[1] for row in cursor.execute("pragma table_info(segments)")}
    numbers = "s.questions" if "questions" in columns else "iif(s.question is null, '[]', json_array(s.question))"
    return numbers, f"{heard}.checked" if "checked" in columns else "0"


def questions_named(numbers: Sequence[int]) -> str:
    """Return the questions in words: ``question 4``, ``questions 4 and 5``; empty where there are none."""
    if len(numbers) < 2:
        return "".join(f"question {number}" for number in numbers)
    return f"questions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
