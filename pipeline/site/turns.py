"""The layout of a transcript for reading: turns of one speaker, in paragraphs. Pure functions on passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.reading import Passage
from pipeline.editing.pointing import numbers_at
from pipeline.text import paragraphs


@dataclass(frozen=True, slots=True)
class Turn:
    """Consecutive passages with the same speaker, role and questions (usually one or none).

    ``paragraphs`` are never empty. ``new`` tells that the previous turn was not about the same questions; ``follow_up``
    that it asks more about a question that was already answered.
    """

    speaker: str | None
    role: str
    questions: tuple[int, ...]
    new: bool
    follow_up: bool
    paragraphs: tuple[tuple[Passage, ...], ...]

    @property
    def about(self) -> str:
        """Return the words between the speaker and the questions; empty if they would be redundant.

        It is not claimed that somebody who speaks while a question is being answered is answering it.
        """
        if not self.questions or not (self.new or self.role == "question" or not self.speaker):
            return ""
        if self.follow_up:
            return "follows up on" if self.speaker else "Follow-up to"
        if self.role == "question":
            return "asks" if self.speaker else "Asked:"
        return "on" if self.speaker else "Answer to"


def turns(passages: Iterable[Passage]) -> tuple[Turn, ...]:
    """Group consecutive passages into turns."""
    found: list[Turn] = []
    answered = False
    for (speaker, role, questions), group in groupby(passages, key=lambda one: (one.speaker, one.role, one.questions)):
        new = not found or found[-1].questions != questions
        answered = (answered and not new) or role == "answer"
        follow_up = role == "question" and answered
        found.append(Turn(speaker, role, questions, new, follow_up, tuple(paragraphs(group))))
    return tuple(found)


def asked_in(
    passages: Sequence[Passage], questions: Iterable[ListedQuestion]
) -> Mapping[int, Sequence[ListedQuestion]]:
    """Return the questions asked in each passage, by its number; a time after the last passage counts as in it."""
    found: defaultdict[int, list[ListedQuestion]] = defaultdict(list)
    for question in questions:
        if passages and question.start is not None:
            here = numbers_at(passages, question.start)
            found[passages[here.start if here else -1].n].append(question)
    return dict(found)
