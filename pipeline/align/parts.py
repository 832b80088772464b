"""Splitting a published question into parts: several are often printed as one, and asked separately or only in part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pipeline.align.lexical import carrying_words
from pipeline.text import ends_sentence

MOST_PARTS = 8
FEWEST_WORDS = 4
FEWEST_CARRYING = 2  # content words: "How does that work" may refer to anything

_QUESTION_WORD = r"(?:how|what|why|whether)\b"
# These ask a question at the beginning of a sentence; elsewhere they mostly begin a relative clause.
_RELATIVE = r"(?:which|who|where|when)\b"
_VERB_FIRST = r"(?:do|does|did|is|are|was|were|can|could|would|will|should|has|have)\b"
_SUBJECT = r"(?:you|your|we|our|it|its|they|their|he|she|there|this|that|these|those|the|an?|any\w*)\b"
_JOINT = re.compile(
    rf"""
      \s+[–—-]+\s+ | ;\s+
    | ,?\s+(?:and|or|but)\s+(?=if\ so\b|{_QUESTION_WORD}|{_RELATIVE}|{_VERB_FIRST}\s+{_SUBJECT})
    | ,\s+(?={_QUESTION_WORD})
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ASKS = re.compile(
    rf"\?$|(?:^|[,:]\s)(?:{_QUESTION_WORD}|{_VERB_FIRST}|(?:if\ so|tell|talk|walk|take|describe|explain)\b)",
    re.IGNORECASE,
)
_ASKS_FIRST = re.compile(_RELATIVE, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a question that may be asked by itself, and the text of the question that asks ``before`` it."""

    text: str
    before: str


def parts_of(question: str) -> tuple[Part, ...]:
    """Return the clauses of a question that ask something by themselves, in order; none if it is a single clause."""
    clauses = list(_clauses(question))
    found: dict[str, Part] = {}
    before = ""
    for clause, asks in clauses if len(clauses) > 1 else ():
        if asks and _may_be_asked(clause):
            found.setdefault(clause, Part(clause, before))
        if asks:
            before = f"{before} {clause}".strip()
        if len(found) == MOST_PARTS:
            break
    return tuple(found.values())


def _may_be_asked(clause: str) -> bool:
    return len(clause.split()) >= FEWEST_WORDS and len(carrying_words(clause)) >= FEWEST_CARRYING


def _clauses(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each clause, and whether it asks something."""
    for sentence in _sentences(text):
        for n, clause in enumerate(one.strip(" ,;–—-") for one in _JOINT.split(sentence)):
            yield clause, bool(_ASKS.search(clause) or (n == 0 and _ASKS_FIRST.match(clause)))


def _sentences(text: str) -> Iterator[str]:
    words = text.split()
    sentence: list[str] = []
    for word, following in pairwise([*words, ""]):
        sentence.append(word)
        # A full stop before a lower-case letter does not end a sentence: "the U.S. government".
        if not following or (
            ends_sentence(word) and not (following[:1].islower() and word.rstrip("”\"’')").endswith("."))
        ):
            yield " ".join(sentence)
            sentence = []
