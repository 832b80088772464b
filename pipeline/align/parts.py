"""The parts of a published question. Several are often printed as one, and the host asks only some, or each in turn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.align.lexical import carrying_words
from pipeline.text import ends_sentence

MOST_PARTS = 8
FEWEST_WORDS = 4
FEWEST_CARRYING = 2  # words with a meaning: "How does that work" may be said of anything

_ASKING = (
    r"(?:how|what|why|when|where|who|which|whether|if\ so"
    r"|do|does|did|is|are|was|were|can|could|would|will|should|has|have)\b"
)
_JOINT = re.compile(
    rf"""
      \s+[–—-]+\s+ | ;\s+
    | ,?\s+(?:and|or|but)\s+(?={_ASKING})
    | ,\s+(?=(?:how|what|why|whether)\b)  # not which or who: they go on with what was said before
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ASKS = re.compile(rf"\?$|(?:^|[,:]\s)(?:{_ASKING}|(?:tell|talk|walk|take|describe|explain)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a question may be asked by itself, and what of the question asks ``before`` it."""

    text: str
    before: str


def parts_of(question: str) -> tuple[Part, ...]:
    """Return the sentences and clauses of a question that may be asked by themselves, in order; none if it has one."""
    clauses = [clause.strip(" ,;–—-") for sentence in _sentences(question) for clause in _JOINT.split(sentence)]
    if len(clauses) == 1:
        return ()
    asking = [clause if _ASKS.search(clause) else "" for clause in clauses]
    parts = {
        clause: Part(clause, " ".join(filter(None, asking[:n])))
        for n, clause in reversed([*enumerate(clauses)])  # the first of those that are the same
        if _may_be_asked(clause)
    }
    return tuple(parts.values())[::-1][:MOST_PARTS]


def _may_be_asked(clause: str) -> bool:
    return len(clause.split()) >= FEWEST_WORDS and len(carrying_words(clause)) >= FEWEST_CARRYING


def _sentences(text: str) -> list[str]:
    found: list[list[str]] = [[]]
    for word in text.split():
        found[-1].append(word)
        if ends_sentence(word):
            found.append([])
    return [" ".join(words) for words in found if words]
