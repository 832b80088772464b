"""Spelling suggestions: for a word that does not occur, the most similar one that does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from pipeline.archive.search.marks import highlit, unmarked
from pipeline.archive.search.query import Query
from pipeline.archive.tokens import folded_words

_VOCABULARY = "interview_archive_words"  # a temporary table hides one of the same name
_CORRECTED = 3  # words
_PART = 2  # letters of the first part of a word with a hyphen, and one less than those of the second


def spelling(cursor: sqlite3.Cursor, query: Query) -> str | None:
    """Return the query with unknown words replaced by the most similar known ones; None if nothing is replaced.

    Operators, filters and exclusions are kept. At most a few words are replaced, and none if most are unknown: the
    query is then probably in another language, and each lookup is slow.
    """
    text = query.text
    words = [
        (word, begin, end, _is_said(cursor, f'"{word}"' + "*" * text.startswith("*", end)))
        for word, begin, end in query.typed.words
        if len(word) > 2 and not any(map(str.isdigit, word))  # no number is another one misspelt
    ]
    unknown = [(word, begin, end) for word, begin, end, is_said in words if not is_said]
    if len(unknown) > max(len(words) / 2, 2):
        return None
    parts, position = list[str](), 0
    for word, begin, end in unknown[:_CORRECTED]:
        nearest = _nearest_word(cursor, word)
        if not nearest or OSA.distance(word, nearest) > 1:
            nearest = _parted(cursor, word) or nearest
        if nearest:
            parts += [text[position:begin], nearest]
            position = end
    return "".join([*parts, text[position:]]) if parts else None


def _is_said(cursor: sqlite3.Cursor, match: str) -> bool:
    """Tell whether an FTS5 expression fits a transcript that is searched."""
    sql = """select 1 from transcripts_fts f cross join transcripts t on t.id = f.rowid and t.preferred = 1
        where transcripts_fts match ? limit 1"""
    return cursor.execute(sql, [match]).fetchone() is not None


def _parted(cursor: sqlite3.Cursor, word: str) -> str | None:
    """The word with a hyphen in it, where somebody says it so: re-offending."""
    places = range(_PART, len(word) - _PART)
    return next((f"{word[:n]}-{word[n:]}" for n in places if _is_said(cursor, f'"{word[:n]} {word[n:]}"')), None)


def _nearest_word(cursor: sqlite3.Cursor, word: str) -> str | None:
    """The word of the index that is spelt most alike, as somebody said it."""
    cursor.execute(
        f"create virtual table if not exists temp.{_VOCABULARY} using fts5vocab('main', 'transcripts_fts', 'row')"
    )
    tolerated = 1 if len(word) <= 4 else 2 if len(word) <= 9 else 3
    # Misspellings rarely change the first letter, and scanning the whole vocabulary is slow.
    ranges = ((word[0], word[0] + "\U0010ffff"), ("", "\U0010ffff"))
    for low, high in ranges:
        rows = cursor.execute(f"select term from temp.{_VOCABULARY} where term >= ? and term < ?", [low, high])
        stems = [stem for (stem,) in rows]
        # The index holds stems: a form may have up to three letters more.
        near = process.extract(word, stems, scorer=OSA.distance, score_cutoff=tolerated + 3, limit=12)
        forms = {form for stem, _, _ in near for form in _forms(cursor, stem)}
        fits = [(OSA.distance(word, form), form) for form in sorted(forms)]
        fits = [fit for fit in fits if fit[0] <= tolerated]
        if fits:
            return min(fits)[1]
    return None


def _forms(cursor: sqlite3.Cursor, stem: str) -> Iterator[str]:
    """Words as they were said that have this stem."""
    rows = cursor.execute(
        f"""select {highlit("segments_fts")} from segments_fts f
        cross join segments s on s.id = f.rowid join transcripts t on t.id = s.transcript and t.preferred = 1
        where segments_fts match ? limit 5""",
        [f'"{stem}"*'],
    )
    for text, spans in (unmarked(marked) for (marked,) in rows):
        for begin, end in spans:
            yield from (word for word, _, _ in folded_words(text[begin:end]))
