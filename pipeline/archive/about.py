"""Which published questions a segment is about, as SQL has it and as people read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


def questions_sql(cursor: sqlite3.Cursor | sqlite3.Connection) -> str:
    """Return what is the JSON list of the numbers of a segment ``s``; an older version's archive has one at most."""
    columns = {row[1] for row in cursor.execute("pragma table_info(segments)")}
    return "s.questions" if "questions" in columns else "iif(s.question is null, '[]', json_array(s.question))"


def questions_named(numbers: Sequence[int]) -> str:
    """Return the questions in words: ``question 4``, ``questions 4 and 5``; empty where there are none."""
    if len(numbers) < 2:
        return "".join(f"question {number}" for number in numbers)
    return f"questions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
