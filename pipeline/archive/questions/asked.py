"""Where an episode's questions are asked, as people read it: corrections applied."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.archive.database import made, named_rows
from pipeline.times import exactly

NEAR = 0.1  # probability above which the runner-up is worth showing as an alternative


@dataclass(frozen=True, slots=True)
class ListedQuestion:
    """A published question and where it is asked; ``status`` is None when nobody has looked for it yet.

    ``question`` is its stable id. ``detected`` is true if no list was published and the question was found in the
    transcript. ``runner_up`` is the start of the next likeliest place, if it is plausible or the question is not asked.
    """

    number: int
    text: str
    status: str | None
    start: float | None
    end: float | None
    answer_end: float | None
    confidence: float | None
    corrected: bool
    merged_with: int | None
    question: str
    detected: bool = False
    runner_up: float | None = None

    @property
    def standing(self) -> str:
        """Return its status as text: ``not asked``."""
        return (self.status or "not looked for yet").replace("_", " ")

    @property
    def summary(self) -> str:
        """Return a one-line summary: ``question 3: asked at 3:12, corrected``."""
        when = f" at {exactly(self.start)}" if self.start is not None else ""
        return f"question {self.number}: {self.standing}{when}{', corrected' if self.corrected else ''}"


def questions_of(connection: sqlite3.Connection, episodes: Iterable[str]) -> dict[str, tuple[ListedQuestion, ...]]:
    """Return each episode's questions in list order; an empty tuple if it has no list."""
    wanted = sorted(set(episodes))
    marks = ", ".join("?" * len(wanted))
    rows = named_rows(connection).execute(
        f"""select t.episode, t.number, t.text, t.status, t.start, t."end", t.answer_end, t.confidence, t.corrected,
            t.merged_with, t.question, t.source = 'detected' as detected,
            case when t.runner_up_confidence > {NEAR} or t.status = 'not_asked' then t.runner_up end as runner_up
        from question_times t where t.episode in ({marks}) order by t.episode, t.number""",
        wanted,
    )
    found: defaultdict[str, list[ListedQuestion]] = defaultdict(list)
    for row in rows:
        facts = dict(row)
        found[facts.pop("episode")].append(made(ListedQuestion, facts, "corrected", "detected"))
    return {episode: tuple(found[episode]) for episode in wanted}
