"""A transcript laid out for reading: turns of one speaker, in paragraphs. Pure functions over passages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from pipeline.archive.reading import Passage
from pipeline.text import paragraphs


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says in one go about one question; ``paragraphs`` are never empty.

    ``new`` tells that the turn before was not about the same published question, ``follow_up`` that it asks something
    more about one that was answered already.
    """

    speaker: str | None
    role: str
    question: int | None
    new: bool
    follow_up: bool
    paragraphs: tuple[tuple[Passage, ...], ...]

    @property
    def about(self) -> str:
        """Return what to write between the speaker and the question's number; empty where that would say nothing.

        Whoever speaks while a question is being answered does not always answer it, so that is not claimed.
        """
        if self.question is None or not (self.new or self.role == "question" or not self.speaker):
            return ""
        if self.follow_up:
            return "follows up on" if self.speaker else "Follow-up to"
        if self.role == "question":
            return "asks" if self.speaker else "Asked:"
        return "on" if self.speaker else "Answer to"


def turns(passages: Iterable[Passage]) -> tuple[Turn, ...]:
    """Group passages, in their order."""
    found: list[Turn] = []
    for (speaker, role, question), group in groupby(passages, key=lambda one: (one.speaker, one.role, one.question)):
        new = not found or found[-1].question != question
        follow_up = role == "question" and not new and found[-1].role == "answer"
        found.append(Turn(speaker, role, question, new, follow_up, tuple(paragraphs(group))))
    return tuple(found)
