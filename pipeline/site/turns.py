"""A transcript laid out for reading: turns of one speaker, in paragraphs. Pure functions over passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.archive.reading import ListedQuestion, Passage
from pipeline.editing.pointing import numbers_at
from pipeline.text import paragraphs


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says in one go about the same questions, mostly one or none; ``paragraphs`` are never empty.

    ``new`` tells that the turn before was not about the same published questions, ``follow_up`` that it asks something
    more about what was answered already.
    """

    speaker: str | None
    role: str
    questions: tuple[int, ...]
    new: bool
    follow_up: bool
    paragraphs: tuple[tuple[Passage, ...], ...]

    @property
    def about(self) -> str:
        """Return what to write between the speaker and the questions; empty where that would say nothing.

        Whoever speaks while a question is being answered does not always answer it, so that is not claimed.
        """
        if not self.questions or not (self.new or self.role == "question" or not self.speaker):
            return ""
        if self.follow_up:
            return "follows up on" if self.speaker else "Follow-up to"
        if self.role == "question":
            return "asks" if self.speaker else "Asked:"
        return "on" if self.speaker else "Answer to"


def turns(passages: Iterable[Passage]) -> tuple[Turn, ...]:
    """Group passages, in their order."""
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
    """Return the questions that are asked in each passage, by its number; after the last one, in that."""
    found: defaultdict[int, list[ListedQuestion]] = defaultdict(list)
    for question in questions:
        if passages and question.start is not None:
            here = numbers_at(passages, question.start)
            found[passages[here.start if here else -1].n].append(question)
    return dict(found)
