"""A transcript laid out for reading: turns of one speaker, in paragraphs. Pure functions over passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.archive.reading import Passage, PublishedQuestion
from pipeline.text import paragraphs

# An address holds a time to a tenth of a second, so the passage it names may begin that much later.
_ROUNDING = 0.1


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


def begun_at(passages: Sequence[Passage], second: float, end: float | None = None) -> float:
    """Return when the passage begins of which a clock shows this whole second; the second itself if there is none.

    It begins before an ``end``, if one is given.

    A clock shows 66.9 as 1:06: at 66.0 somebody else may still be speaking.
    """
    before = min(second + 1, end if end is not None else second + 1)
    return next((passage.start for passage in passages if second <= passage.start < before), second)


def passages_at(passages: Sequence[Passage], second: float | None, end: float | None = None) -> Sequence[Passage]:
    """Return what is being said at a second, or was said last before it, and on to the end if one is given.

    There is nothing after the last passage.
    """
    if second is None or not passages or second > passages[-1].end + _ROUNDING:
        return ()
    first = max(0, sum(passage.start <= second + _ROUNDING for passage in passages) - 1)
    until = sum(passage.start <= (end or second) - _ROUNDING for passage in passages)
    return passages[first : max(until, first + 1)]


def asked_in(
    passages: Sequence[Passage], questions: Iterable[PublishedQuestion]
) -> Mapping[int, Sequence[PublishedQuestion]]:
    """Return the questions that are asked in each passage, by its number; after the last one, in that."""
    found: defaultdict[int, list[PublishedQuestion]] = defaultdict(list)
    for question in questions:
        if passages and question.start is not None:
            here = passages_at(passages, question.start) or passages[-1:]
            found[here[0].n].append(question)
    return dict(found)
