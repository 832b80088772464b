"""Lists in plain text: marked by numbers, letters, bullets, times or ``Q:``, or just consecutive lines.

Independent of what the items are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import islice, pairwise
from typing import NamedTuple

from pipeline.times import seconds

# Question marks: Latin, full-width, Arabic, Greek (often typed as a semicolon), Armenian.
_ASKS = re.compile(r"[?？؟\u037e՞]|(?<=[\u0370-\u03ff\u1f00-\u1fff]);(?=\s|$)")
_SEPARATOR = r"\s?[;,](?: (?:and|or))?$"  # “1) Why?; 2) How?; and 3) …”
_QUESTION_END = re.compile(rf"(?:{_ASKS.pattern})[”\"’'»)]*(?:\s*$|{_SEPARATOR})")
_SENTENCE_END = re.compile(r"[.?!…。？！؟\u037e][”\"’»)]*\s*$")
_PARAGRAPH = re.compile(r"\n\s*\n")

# "1)Text" (common in real notes, without a space), "1. Text", "1: Text", "(1) Text", "1 - Text", "Q1 Text", "Question 1
# - Text"; digits and brackets of any script.
_NUMBER = (
    r"(?:Q(?:uestion)?\.?\s*(?P<q>\d{1,2})\s*(?:[).:–—-]\s*|\s+)|"
    r"[(（#]?(?P<n>\d{1,2})(?:\s?[).:/）．、：](?!\d)\s*|\ufe0f?\u20e3\s*|\s[–—-]\s+))(?=\S)"
)
_BARE = r"(?P<bare>\d{1,2})[ ]+(?=[^\W\d_]|[¿“‘\"])"
_LETTER = r"\(?(?P<letter>[A-Za-z])[).](?![A-Za-z])\s*(?=\S)"
_ASKED = r"(?P<asked>Q(?:uestion)?\s?[.:)–—-])\s*(?=\S)"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_TIMED = rf"(?P<time>[(\[]?(?P<at>{_TIME})[)\]]?)\s*[-–—|:]?\s*(?=\S)"
_BULLETS = "•‣▪■□◦●○·►▶▸➤→✓✔✅❓❔🔹🔸👉"
_BULLET = rf"(?:(?P<bullet>[{_BULLETS}])\s*|(?P<dash>[-–—*+])\s+)(?=\S)"
_BOLD = r"(?:\*\*|__)?"  # Markdown
_MARK = re.compile(
    rf"(?m)^[ \t\u200e\u200f\u202a-\u202e]*{_BOLD}(?:{_NUMBER}|{_BARE}|{_ASKED}|{_TIMED}|{_LETTER}|{_BULLET})",
    re.IGNORECASE,
)
_INLINE = re.compile(rf"(?:(?<=^)|(?<=[\s.?!:”\"’]))(?:{_NUMBER}|(?P<bullet>[{_BULLETS}])\s*(?=\S))", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*\*|__")
_SEPARATED = re.compile(rf"(?:(?<=[?？؟])|(?<=[?？؟][”\"’»)])){_SEPARATOR}")
_ANSWER = re.compile(rf"(?m)^[ \t]*(?:[-*•][ ]+)?{_BOLD}A(?:nswer)?\s?[.:]")
_TIME_BEFORE = re.compile(rf"^[(\[]?({_TIME})[)\]]?\s*[-–—|:]?\s*")
_TIME_AFTER = re.compile(rf"(?<!\s)\s*(?:[(\[]({_TIME})[)\]]|(?:[-–—|]|(?<=[?？؟])\s)\s*({_TIME}))$")

MAX_MARKS = 1000  # more than any real list has
MAX_ITEM_CHARS = 4000
_BEFORE_CHARS = 600  # an announcement may sum up all the questions


class Kind(IntEnum):
    """How a list is marked; higher values are more reliable signs of a list."""

    LINE = 1
    TIME = 2
    BULLET = 3
    LETTER = 4
    BARE_NUMBER = 5
    INLINE_NUMBER = 6
    NUMBER = 7
    ASKED = 8
    ASKED_NUMBER = 9


_COUNTING = {Kind.LETTER, Kind.BARE_NUMBER, Kind.INLINE_NUMBER, Kind.NUMBER, Kind.ASKED_NUMBER}


class Item(NamedTuple):
    """An item of a list, without its mark; ``time`` is the time beside it, as beside chapters, in seconds."""

    text: str
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of at least two items; ``before`` is the text just before it, ``begin`` and ``end`` are its offsets."""

    kind: Kind
    begin: int
    end: int
    before: str
    items: tuple[Item, ...]

    @property
    def is_timed(self) -> bool:
        """Tell whether there are times beside the items, as beside chapters."""
        return any(item.time is not None for item in self.items)

    @property
    def asking(self) -> int:
        """The number of items with a question mark."""
        return sum(asks(item.text) for item in self.items)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mark before an item: ``value`` is the item's number if the kind counts, else it identifies the mark.

    ``time`` is that of the mark, in seconds.
    """

    begin: int
    end: int
    kind: Kind
    value: int
    time: float | None = None


def asks(text: str) -> bool:
    """Tell whether a text contains a question mark of any script."""
    return _ASKS.search(text) is not None


def before_in(text: str, begin: int) -> str:
    """Return the text just before an offset, at most 600 characters, as in ``Listing.before``."""
    return text[max(0, begin - _BEFORE_CHARS) : begin].strip()


def lists_in(text: str) -> Iterator[Listing]:
    """Find all lists with marked items, in no particular order; lists may be nested."""
    marks = [_mark(found) for found in islice(_MARK.finditer(text), MAX_MARKS)]
    inline = [_inline_mark(found) for found in islice(_INLINE.finditer(text), MAX_MARKS)]
    # Lists with one `<ol>` per item, and Markdown lists whose numbers are all 1.
    ones = [replace(mark, kind=Kind.BULLET) for mark in marks if (mark.kind, mark.value) == (Kind.NUMBER, 1)]
    for run in (*_runs(marks, text), *_runs(inline, text), *_runs(ones, text)):
        texts, end = _items(run, text)
        items = [
            item if item.time is not None else item._replace(time=mark.time)
            for mark, item in zip(run, timed(texts), strict=True)
        ]
        if all(item.text for item in items):
            begin = run[0].begin
            yield Listing(run[0].kind, begin, end, before_in(text, begin), tuple(items))


def lines_in(text: str) -> Iterator[Listing]:
    """Find unmarked lists: consecutive lines or paragraphs that each end as a question."""
    lines = [(found.start(), found[0].strip()) for found in re.finditer(r"[^\n]+", text) if found[0].strip()]
    run: list[tuple[int, Item]] = []
    for begin, line in [*lines, (len(text), "")]:
        item = _without_time(line, _TIME_AFTER)
        bare = _SEPARATED.sub("", item.text)
        if _QUESTION_END.search(bare) and not _MARK.match(bare):
            run.append((begin, item._replace(text=bare)))
            continue
        if len(run) > 1:
            (first, _), (last, item_before) = run[0], run[-1]
            items = tuple(Item(" ".join(item.text.split()), item.time) for _, item in run)
            yield Listing(Kind.LINE, first, last + len(item_before.text), before_in(text, first), items)
        run = []


def _mark(found: re.Match[str]) -> _Mark:
    if found["q"]:
        kind, value = Kind.ASKED_NUMBER, int(found["q"])
    elif found["n"]:
        kind, value = Kind.NUMBER, int(found["n"])
    elif found["bare"]:
        kind, value = Kind.BARE_NUMBER, int(found["bare"])
    elif found["letter"]:
        kind, value = Kind.LETTER, ord(found["letter"].casefold()) - ord("a") + 1
    elif found["asked"]:
        kind, value = Kind.ASKED, 0
    elif found["time"]:
        kind, value = Kind.TIME, 0
    else:
        kind, value = Kind.BULLET, ord(found["bullet"] or found["dash"])
    return _Mark(found.start(), found.end(), kind, value, seconds(found["at"]) if found["time"] else None)


def _inline_mark(found: re.Match[str]) -> _Mark:
    number = found["q"] or found["n"]
    kind, value = (Kind.INLINE_NUMBER, int(number)) if number else (Kind.BULLET, ord(found["bullet"]))
    return _Mark(found.start(), found.end(), kind, value)


def _runs(marks: Sequence[_Mark], text: str) -> Iterator[list[_Mark]]:
    """Return all runs of marks that count 1, 2, 3, … or are identical, with at least two marks.

    A mark continues the newest run that it fits: a stray "1:" within an item begins a run of its own, which is then
    dropped as too short.
    """
    runs: list[list[_Mark]] = []
    waiting: dict[tuple[Kind, int], list[list[_Mark]]] = {}  # by the mark that would continue them
    for mark in marks:
        counts = mark.kind in _COUNTING
        open_runs = waiting.get((mark.kind, mark.value), [])
        if open_runs and (counts or not _is_interrupted(open_runs[-1], mark, text)):
            run = open_runs.pop()
            run.append(mark)
        elif not counts or mark.value == 1:
            run = [mark]
            runs.append(run)
        else:
            continue
        waiting.setdefault((mark.kind, mark.value + counts), []).append(run)
    return (run for run in runs if len(run) > 1)


def _is_interrupted(run: Sequence[_Mark], mark: _Mark, text: str) -> bool:
    """Tell whether more than the item's own text precedes the next bullet or time.

    That is a further paragraph, or a line ending in a colon; and an empty line, if the list has had none so far.
    """
    if mark.kind is Kind.ASKED:  # the answers are in between
        return False
    between = text[run[-1].end : mark.begin]
    lines = [line.strip() for line in between.strip().split("\n")]
    if not all(lines) or any(line.endswith(":") for line in lines):
        return True
    return len(run) > 1 and "\n\n" in between and "\n\n" not in text[run[-2].end : run[-1].begin]


def _items(run: Sequence[_Mark], text: str) -> tuple[list[str], int]:
    """The items, and the offset at which the last one ends."""
    inner = [_paragraphs(text[a.end : min(b.begin, a.end + MAX_ITEM_CHARS)]) for a, b in pairwise(run)]
    rest = text[run[-1].end : run[-1].end + MAX_ITEM_CHARS]
    last = _last_item(rest, most=max(len(paragraphs) for paragraphs in inner))
    if run[0].kind is Kind.ASKED:
        inner = [_last_item("\n\n".join(paragraphs), most=len(paragraphs)) for paragraphs in inner]
    items = [" ".join(_EMPHASIS.sub("", " ".join(paragraphs)).split()) for paragraphs in (*inner, last)]
    return [_SEPARATED.sub("", item) for item in items], text.index(last[-1], run[-1].end) + len(last[-1])


def _paragraphs(text: str) -> list[str]:
    """An item's paragraphs, without answers: up to the first that contains a question; the first if none does."""
    if answer := _ANSWER.search(text):
        text = text[: answer.start()]
    paragraphs = _PARAGRAPH.split(text.strip())
    asking = next((place for place, paragraph in enumerate(paragraphs) if asks(paragraph)), 0)
    return paragraphs[: asking + 1]


def _last_item(text: str, *, most: int) -> list[str]:
    """The last item, whose end no further mark shows.

    It has at most as many paragraphs as the others, and ends with its question. If it is not a question, it ends with
    the first line that ends a sentence.
    """
    paragraphs = _paragraphs("\n\n".join(_PARAGRAPH.split(text.strip())[:most]))
    lines = paragraphs[-1].split("\n")
    ends = [place for place, line in enumerate(lines, start=1) if _QUESTION_END.search(line)]
    ends += [place for place, line in enumerate(lines, start=1) if _SENTENCE_END.search(line)]
    return [*paragraphs[:-1], *lines[: ends[0] if ends else None]]


def timed(texts: Sequence[str]) -> list[Item]:
    """Return the items, with the times before or after them taken out of their text if at least half have one."""
    items = [Item(text) for text in texts]
    for pattern in (_TIME_BEFORE, _TIME_AFTER):
        if sum(pattern.search(item.text) is not None for item in items) * 2 >= len(items):
            bare = [_without_time(item.text, pattern) for item in items]
            items = [
                Item(after.text, before.time if after.time is None else after.time)
                for before, after in zip(items, bare, strict=True)
            ]
    return items


def _without_time(text: str, pattern: re.Pattern[str]) -> Item:
    found = pattern.search(text)
    at = next(filter(None, found.groups()), None) if found else None
    return Item(pattern.sub("", text), seconds(at))
