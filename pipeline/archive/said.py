"""Selecting the words between two times of a transcript, and matching them to an earlier wording. Pure functions."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.model import Word
from pipeline.text import SAME_WORD, placed

MOMENT = 0.001  # seconds; the least that an address can name
DIGEST = 6  # hex digits
_COUNTS = frozenset({"Mn", "Mc", "Me", "Sc", "Sm"})  # marks of letters, signs of currencies and of arithmetic
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment with its speaker; ``standing`` is the speaker's role (``model.Speaker.role``), ``role`` the segment's.

    ``questions`` are the numbers of the questions it asks or answers, ``attributed`` is the id of the attribution that
    names its speaker.
    """

    start: float
    end: float
    text: str
    speaker: str | None
    standing: str | None
    role: str
    questions: tuple[int, ...]
    flags: tuple[str, ...]
    words: tuple[Word, ...]
    attributed: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """The unit of quoting: a word, or a segment without word times; ``begin`` and ``stop`` are offsets in its text."""

    stretch: Stretch
    begin: int
    stop: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker says in one go, verbatim.

    ``role`` is None if its segments have different roles; ``question`` is None unless all of it is about the same one
    question. ``questions`` are all that it is about.
    """

    text: str
    speaker: str | None
    standing: str | None
    role: str | None
    question: int | None
    questions: tuple[int, ...] = ()


def pieces(stretches: Iterable[Stretch]) -> Iterator[Piece]:
    """Cut segments into quotable pieces, which together cover all of the text except the spaces between them."""
    for stretch in stretches:
        if not stretch.text:
            continue  # nobody says anything in it
        words = list(placed(stretch.text, stretch.words))
        if not words:
            yield Piece(stretch, 0, len(stretch.text), stretch.start, stretch.end)
            continue
        begins = [0, *(place for place, _ in words[1:]), len(stretch.text)]
        for (begin, after), (_, word) in zip(pairwise(begins), words, strict=True):
            stop = begin + len(stretch.text[begin:after].rstrip())
            yield Piece(stretch, begin, stop, word.start, word.end)


def between(found: Sequence[Piece], start: float, end: float) -> Sequence[Piece]:
    """Return the pieces whose midpoint lies between two times, or else those that overlap them.

    Words are thus never cut, and a word that barely touches the range (as after a new transcription) is left out.
    """
    inside = [n for n, piece in enumerate(found) if start <= (piece.start + piece.end) / 2 <= end]
    if not inside:
        end = max(end, start + MOMENT)
        inside = [n for n, piece in enumerate(found) if piece.start < end and start < piece.end]
    return found[inside[0] : inside[-1] + 1] if inside else ()


def worded(found: Sequence[Piece], start: float, end: float, wording: str) -> Sequence[Piece] | None:
    """Return the run of pieces with this digest that begins and ends within ``SAME_WORD`` of these times, or None."""
    firsts = [n for n, piece in enumerate(found) if abs(piece.start - start) <= SAME_WORD]
    lasts = [n for n, piece in enumerate(found) if abs(piece.end - end) <= SAME_WORD]
    runs = [(first, last) for first in firsts for last in lasts if first <= last]
    runs.sort(key=lambda run: abs(found[run[0]].start - start) + abs(found[run[1]].end - end))
    return next(
        (found[first : last + 1] for first, last in runs if digest(text(found[first : last + 1])) == wording), None
    )


def whole(nearby: Sequence[Piece], found: Sequence[Piece]) -> Sequence[Piece]:
    """Return all pieces of the segments, that is sentences, from which some pieces of ``nearby`` are quoted."""
    touched = {id(piece.stretch) for piece in found}
    return [piece for piece in nearby if id(piece.stretch) in touched]


def lines(found: Sequence[Piece]) -> tuple[Line, ...]:
    """Group pieces into one line per uninterrupted speaker, in order."""
    return tuple(
        _line(list(group))
        for _, group in groupby(found, key=lambda piece: (piece.stretch.speaker, piece.stretch.standing))
    )


def text(found: Sequence[Piece]) -> str:
    """Return what is said, verbatim: segments are joined by a space, as everywhere in the archive."""
    runs = [list(run) for _, run in groupby(found, key=lambda piece: id(piece.stretch))]
    return " ".join(run[0].stretch.text[run[0].begin : run[-1].stop] for run in runs)


def digest(said: str) -> str:
    """Return a short digest of the words that ignores case and punctuation, but for what makes another figure."""
    return hashlib.sha256(_plain(said).encode()).hexdigest()[:DIGEST]


def contains(whole: str, part: str) -> bool:
    """Tell whether the words of ``part`` occur consecutively in ``whole``, compared as in ``digest``."""
    return _plain(part) in _plain(whole)


def _line(found: Sequence[Piece]) -> Line:
    first = found[0].stretch
    roles = {piece.stretch.role for piece in found}
    questions = sorted({number for piece in found for number in piece.stretch.questions})
    return Line(
        text=text(found),
        speaker=first.speaker,
        standing=first.standing,
        role=first.role if len(roles) == 1 else None,
        question=questions[0] if len(questions) == 1 and all(piece.stretch.questions for piece in found) else None,
        questions=tuple(questions),
    )


def _plain(said: str) -> str:
    """The words in lower case, each between two spaces.

    Unlike where words are searched, an accent or a vowel sign counts, and so do signs of currencies and of arithmetic
    and what belongs to a figure: £5 is not $5, 20% not 20, 1.5 neither 1 5 nor -1.5, C not C++.
    """
    text = unicodedata.normalize("NFC", said).casefold().translate(_DASHES)
    kept = (
        letter
        if letter.isalnum() or unicodedata.category(letter) in _COUNTS or letter in "%‰#&@" or _is_of_figure(text, n)
        else " "
        for n, letter in enumerate(text)
    )
    return " ".join(["", *"".join(kept).split(), ""])


def _is_of_figure(text: str, n: int) -> bool:
    """Whether a point, a comma, a colon, a slash or a dash stands within a figure, or a minus before one."""
    before, letter, after = text[n - 1 : n], text[n], text[n + 1 : n + 2]
    return after.isdigit() and (letter in ".,:/-" if before.isdigit() else letter == "-" and not before.isalnum())
