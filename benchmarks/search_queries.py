"""The searches of each kind in the synthetic archive, and the simplest FTS5 query that finds the same passages."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pipeline.archive.search import Filters

_JOINED = """from segments_fts join segments s on s.id = segments_fts.rowid
    join transcripts t on t.id = s.transcript join episodes e on e.id = s.episode"""
_SHOWN = """s.id, s.start, s."end", s.text, s.speaker, s.role, s.question, t.rendition, e.id, e.title, e.published,
    highlight(segments_fts, 0, '<mark>', '</mark>')"""
PLAIN = f"select {_SHOWN} {_JOINED} where segments_fts match :match order by rank limit 20"
PLAIN_SPEAKER = (
    f"select {_SHOWN} {_JOINED} where segments_fts match :match and s.speaker = :speaker order by rank limit 20"
)
PLAIN_DEEP = PLAIN + " offset 2000"
_WHOLE = """from transcripts_fts join transcripts t on t.id = transcripts_fts.rowid join episodes e on e.id = t.episode
    where transcripts_fts match :match order by rank limit 20"""
PLAIN_WHOLE = f"""select t.id, t.rendition, e.id, e.title, e.published,
    snippet(transcripts_fts, 0, '<mark>', '</mark>', '…', 24) {_WHOLE}"""
# A snippet requires reading the whole transcript, and has no time; without it the query returns less, but faster.
PLAIN_EPISODES = f"select t.id, t.rendition, e.id, e.title, e.published {_WHOLE}"


@dataclass(frozen=True)
class Asked:
    """One search: as it is typed, and as plain SQL. ``pages`` is the number of pages before the one measured.

    ``bare`` is the SQL without snippets, if it differs.
    """

    text: str
    match: str
    sql: str = PLAIN
    bare: str | None = None
    filters: Filters = field(default_factory=Filters)
    pages: int = 0

    @property
    def values(self) -> dict[str, str | None]:
        """Return the parameters of the SQL."""
        return (
            {"match": self.match, "speaker": self.filters.speaker} if ":speaker" in self.sql else {"match": self.match}
        )


def _word(word: str) -> Asked:
    return Asked(word, f'"{word}"')


class Drawn:
    """Draws searches from the archive's contents; deterministic for a seed."""

    def __init__(self, connection: sqlite3.Connection, seed: int = 11) -> None:
        self.connection, self.chance = connection, random.Random(seed)  # noqa: S311 - not for secrets
        connection.execute(
            "create virtual table if not exists temp.terms using fts5vocab('main', 'segments_fts', 'row')"
        )
        self.terms = sorted(connection.execute("select doc, term from temp.terms").fetchall())
        (self.last,) = connection.execute("select max(id) from segments").fetchone()

    def kinds(self) -> dict[str, Callable[[], Asked]]:
        """Return a function for each kind of search that draws one."""
        return {
            "rare word": lambda: _word(self.term(80, 150)),
            "word": lambda: _word(self.term(800, 4_000)),
            "common word": lambda: _word(self.term(20_000, 200_000)),
            "“the”": lambda: _word("the"),
            "two words": self.two_words,
            "phrase": lambda: self.phrase(3),
            "phrase across segments": self.across,
            "beginning of a word": self.beginning,
            "speaker": self.speaker,
            "deep page": self.deep,
        }

    def term(self, least: int, most: int) -> str:
        """Return a term that is in ``least`` to ``most`` segments."""
        fitting = [term for number, term in self.terms if least <= number <= most and self.finds_itself(term)]
        return str(self.chance.choice(fitting))

    def finds_itself(self, term: str) -> bool:
        """Tell whether searching for a term of the index, which is a stem, finds it."""
        sql = "select 1 from segments_fts where segments_fts match ? limit 1"
        return self.connection.execute(sql, [f'"{term}"']).fetchone() is not None

    def text(self) -> tuple[int, list[str]]:
        """Return the id and words of a random segment."""
        segment = self.chance.randrange(1, self.last)
        (text,) = self.connection.execute("select text from segments where id = ?", [segment]).fetchone()
        return segment, text.split()

    def two_words(self) -> Asked:
        """Two words of one segment."""
        words = self.chance.sample(self.text()[1], 2)
        return Asked(" ".join(words), " AND ".join(f'"{word}"' for word in words))

    def phrase(self, length: int) -> Asked:
        """Consecutive words of one segment."""
        words: list[str] = []
        while len(words) < length:
            words = self.text()[1]
        first = self.chance.randrange(len(words) - length + 1)
        phrase = f'"{" ".join(words[first : first + length])}"'
        return Asked(phrase, phrase)

    def across(self) -> Asked:
        """The last three words of a segment and the first three of the next."""
        while True:
            segment, words = self.text()
            rows = self.connection.execute(
                """select b.text from segments a join segments b on b.id = a.id + 1 and b.transcript = a.transcript
                where a.id = ?""",
                [segment],
            ).fetchone()
            if rows:
                phrase = f'"{" ".join(words[-3:] + rows[0].split()[:3])}"'
                return Asked(phrase, phrase, PLAIN_WHOLE, PLAIN_EPISODES)

    def beginning(self) -> Asked:
        """The first four letters of a word that is neither rare nor common."""
        return Asked((start := self.term(500, 4_000)[:4]) + "*", f'"{start}"*')

    def speaker(self) -> Asked:
        """A word, said by one of the guests."""
        word = self.term(800, 4_000)
        speaker = f"Guest {self.chance.randrange(300)}"
        return Asked(word, f'"{word}"', PLAIN_SPEAKER, filters=Filters(speaker=speaker))

    def deep(self) -> Asked:
        """The 101st page of a word."""
        word = self.term(2_500, 4_500)
        return Asked(word, f'"{word}"', PLAIN_DEEP, pages=100)


def draw(connection: sqlite3.Connection, number: int) -> Iterator[tuple[str, Asked]]:
    """Yield ``number`` searches of each kind, alternating between kinds."""
    kinds = Drawn(connection).kinds()
    for _ in range(number):
        for kind, one in kinds.items():
            yield kind, one()
