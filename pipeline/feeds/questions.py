"""Finding the published question list in show notes. A pure reader of text; it decides nothing about audio."""

from __future__ import annotations

import re
from itertools import pairwise

from pipeline.model import Question

# "1)Text" (the real notes have no space), "1. Text", "1: Text", "Q1 Text", "Q1: Text", "Question 1 - Text".
_NUMBERED = r"(?:Q(?:uestion)?\.?\s*(?P<q>\d{1,2})\s*(?:[).:–—-]\s*|\s+)|(?P<n>\d{1,2})\s?[).:](?!\d)\s*)(?=\S)"
_AT_LINE_START = re.compile(rf"(?m)^[ \t]*{_NUMBERED}", re.IGNORECASE)
_INLINE = re.compile(rf"(?:(?<=^)|(?<=[\s.?!:”\"’])){_NUMBERED}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.?!…][”\"’)]*\s*$")
_QUESTION_END = re.compile(r"\?[”\"’)]*\s*$")
_ANNOUNCED = re.compile(r"\b(?:questions?|asked?|asking)\b", re.IGNORECASE)
_ANNOUNCEMENT_CHARS = 200
MAX_QUESTION_CHARS = 1200


def find_questions(notes: str) -> tuple[Question, ...]:
    """Return the question list in ``notes`` (plain text), in published order; empty when there is none.

    A list counts when the words before it speak of questions, or when at least half of its items have a question
    mark. The same list twice is one list; of several, the announced and then the longest one is taken.
    """
    for marker in (_AT_LINE_START, _INLINE):
        lists = [found for found in _numbered_lists(notes, marker) if _is_question_list(*found)]
        if lists:
            _, items = max(lists, key=lambda found: (_is_announced(found[0]), len(found[1])))
            return tuple(Question(number, text) for number, text in enumerate(items, start=1))
    return ()


def _numbered_lists(notes: str, marker: re.Pattern[str]) -> list[tuple[str, list[str]]]:
    """All runs 1, 2, 3, … in the text, each as (the words before it, its items)."""
    runs: list[list[re.Match[str]]] = []
    for found in marker.finditer(notes):
        # The newest list that it continues: a stray "1:" within an item begins another, and that comes to nothing.
        run = next((run for run in reversed(runs) if _number(found) == _number(run[-1]) + 1), None)
        if run:
            run.append(found)
        elif _number(found) == 1:
            runs.append([found])
    lists = []
    for run in runs:
        if len(run) < 2:
            continue
        inner = [_paragraphs(notes[a.end() : b.start()]) for a, b in pairwise(run)]
        last = _last_item(notes[run[-1].end() :], most=max(len(paragraphs) for paragraphs in inner))
        items = [" ".join(" ".join(paragraphs).split())[:MAX_QUESTION_CHARS] for paragraphs in (*inner, last)]
        before = notes[max(0, run[0].start() - _ANNOUNCEMENT_CHARS) : run[0].start()].strip()
        lists.append((before, items))
    return lists


def _number(found: re.Match[str]) -> int:
    return int(found["q"] or found["n"])


def _paragraphs(text: str) -> list[str]:
    """An item's paragraphs: the first one, or, where that asks nothing, all up to the one that does."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    asking = next((place for place, paragraph in enumerate(paragraphs) if "?" in paragraph), 0)
    return paragraphs[: asking + 1]


def _last_item(text: str, *, most: int) -> list[str]:
    """The last item has no next one to end it: it has no more paragraphs than the others, and ends with its question.

    One that is no question ends with the first line that ends as a sentence does.
    """
    paragraphs = _paragraphs("\n\n".join(re.split(r"\n\s*\n", text.strip())[:most]))
    lines = paragraphs[-1].split("\n")
    ends = [place for place, line in enumerate(lines, start=1) if _QUESTION_END.search(line)]
    ends += [place for place, line in enumerate(lines, start=1) if _SENTENCE_END.search(line)]
    return [*paragraphs[:-1], *lines[: ends[0] if ends else None]]


def _is_announced(before: str) -> bool:
    last_paragraph = before.rsplit("\n", 1)[-1]
    return _ANNOUNCED.search(last_paragraph) is not None


def _is_question_list(before: str, items: list[str]) -> bool:
    if not all(items):
        return False
    return _is_announced(before) or sum("?" in item for item in items) * 2 >= len(items)
