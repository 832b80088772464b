"""The spelling that was meant: for a word that nobody says, the nearest that somebody does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from pipeline.archive.query import folded_words
from pipeline.archive.search.hits import MARK, MARKED, UNMARK
from pipeline.archive.search.words import matching


def spelling(cursor: sqlite3.Cursor, text: str) -> str | None:
    """The text with each word that nobody says replaced by the nearest that somebody does; None if there is none."""
    parts, position, changed = [], 0, False
    for word, begin, end in folded_words(text):
        if len(word) > 2 and not matching(cursor, f'"{word}"', 1):
            nearest = _nearest_word(cursor, word)
            if nearest:
                parts += [text[position:begin], nearest]
                position, changed = end, True
    return "".join([*parts, text[position:]]) if changed else None


def _nearest_word(cursor: sqlite3.Cursor, word: str) -> str | None:
    """The word of the index that is spelt most alike, as somebody said it."""
    cursor.execute(
        "create virtual table if not exists temp.vocabulary using fts5vocab('main', 'transcripts_fts', 'row')"
    )
    tolerated = 1 if len(word) <= 4 else 2 if len(word) <= 9 else 3
    # What is misspelt seldom begins with another letter, and the whole vocabulary takes long to read.
    ranges = ((word[0], word[0] + "\U0010ffff"), ("", "\U0010ffff"))
    for low, high in ranges:
        rows = cursor.execute("select term, doc from temp.vocabulary where term >= ? and term < ?", [low, high])
        stems = dict(rows.fetchall())
        # The index holds stems: a form may have up to three letters more.
        near = process.extract(word, list(stems), scorer=OSA.distance, score_cutoff=tolerated + 3, limit=12)
        forms = {form for stem, _, _ in near for form in _forms(cursor, stem)}
        fits = [(OSA.distance(word, form), form) for form in sorted(forms)]
        fits = [fit for fit in fits if fit[0] <= tolerated]
        if fits:
            return min(fits)[1]
    return None


def _forms(cursor: sqlite3.Cursor, stem: str) -> Iterator[str]:
    """Words as they were said that have this stem."""
    rows = cursor.execute(
        f"""select highlight(segments_fts, 0, '{MARK}', '{UNMARK}') from segments_fts
        where segments_fts match ? limit 5""",
        [f'"{stem}"*'],
    )
    for (text,) in rows:
        for marked in MARKED.findall(text):
            yield from (word for word, _, _ in folded_words(marked))
