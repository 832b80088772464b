"""The layout of a recording's timeline: when questions are asked and answered, who speaks, what is doubtful.

Pure functions. ``archive_timeline.html`` draws it, so colours and markup are not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.reading import Passage

WHOLE = 1000  # width of every strip in units, whatever the recording's length
SPEAKERS = 5  # strips; the speakers who say least share the last one
_LEAST = 4  # units; less would be invisible
_APART = 2  # units between adjacent questions
_STEPS = (10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200)  # seconds between marks
_MARKS = 7


@dataclass(frozen=True, slots=True)
class QuestionSpan:
    """Questions asked at the same time, up to the end of their answer; ``start`` in seconds, the rest in units."""

    x: int
    width: int
    start: float
    questions: tuple[ListedQuestion, ...]

    @property
    def label(self) -> str:
        """Return their numbers, joined by ``+``."""
        return "+".join(str(question.number) for question in self.questions)

    @property
    def uncertain(self) -> bool:
        """Tell whether any of them has the status ``uncertain``."""
        return any(question.status == "uncertain" for question in self.questions)


@dataclass(frozen=True, slots=True)
class Strip:
    """Parts of the recording with a common property: ``path`` is an SVG path, ``seconds`` their total length."""

    label: str
    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """A recording of ``duration`` seconds. ``marks`` are in seconds; ``flagged`` is the number of doubtful passages."""

    duration: float
    spans: tuple[QuestionSpan, ...]
    speakers: tuple[Strip, ...]
    doubtful: Strip | None
    flagged: int
    marks: tuple[float, ...]

    def x(self, second: float) -> int:
        """Return the position of a time in seconds, in units."""
        return _x(second, self.duration)


def timeline(
    duration: float | None, questions: Iterable[ListedQuestion], passages: Sequence[Passage]
) -> Timeline | None:
    """Lay out a recording; None if there is nothing to show."""
    if not duration or not passages:
        return None
    flagged = [passage for passage in passages if passage.flags]
    asked, speakers = spans(duration, questions), _speakers(duration, passages)
    if not (asked or speakers or flagged):
        return None
    return Timeline(
        duration,
        asked,
        speakers,
        _strip("", flagged, duration) if flagged else None,
        len(flagged),
        _marks(duration),
    )


def spans(duration: float | None, questions: Iterable[ListedQuestion]) -> tuple[QuestionSpan, ...]:
    """Return the spans of the questions that have times, in order; questions asked at the same time share one."""
    if not duration:
        return ()
    found = []
    timed = sorted((one for one in questions if one.start is not None), key=lambda one: (_moment(one), one.number))
    for _, group in groupby(timed, key=_moment):
        together = tuple(group)
        start = min(one.start or 0.0 for one in together)
        end = max(one.answer_end or one.end or start for one in together)
        x = _x(start, duration)
        width = max(_x(end, duration) - x - _APART, _LEAST)
        found.append(QuestionSpan(x, width, start, together))
    # An editor may let an answer end after the next question: drawn over each other, neither could be read.
    following = [one.x for one in found[1:]]
    return tuple(
        replace(one, width=max(min(one.width, after - one.x - _APART), _LEAST))
        for one, after in zip(found, [*following, WHOLE + _APART], strict=False)
    )


def _moment(question: ListedQuestion) -> int:
    """When a question is asked, in whole milliseconds as in exports, so that rounding does not separate equal times."""
    return round((question.start or 0.0) * 1000)


def _speakers(duration: float, passages: Sequence[Passage]) -> tuple[Strip, ...]:
    named = sorted({passage.speaker for passage in passages if passage.speaker})
    strips = sorted(
        (_strip(name, [one for one in passages if one.speaker == name], duration) for name in named),
        key=lambda strip: -strip.seconds,
    )
    if len(strips) <= SPEAKERS:
        return tuple(strips)
    kept = strips[: SPEAKERS - 1]
    names = {strip.label for strip in kept}
    others = [one for one in passages if one.speaker and one.speaker not in names]
    return (*kept, _strip(f"{len(strips) - len(kept)} others", others, duration))


def _strip(label: str, passages: Iterable[Passage], duration: float) -> Strip:
    pieces: list[tuple[int, int]] = []
    seconds = 0.0
    for passage in sorted(passages, key=lambda one: one.start):  # segments may overlap
        seconds += passage.end - passage.start
        x, end = _x(passage.start, duration), _x(passage.end, duration)
        if pieces and x - sum(pieces[-1]) <= _APART:  # an invisible gap would only lengthen the page
            x, width = pieces.pop()
            end = max(end, x + width)
        pieces.append((x, max(end - x, _LEAST)))
    path = "".join(f"M{x} 0h{width}v10h-{width}z" for x, width in pieces)  # boxes ten units high
    return Strip(label, path, seconds)


def _marks(duration: float) -> tuple[float, ...]:
    step = next((step for step in _STEPS if duration / step <= _MARKS), duration / _MARKS)
    return tuple(step * n for n in range(1, int(duration / step) + 1) if step * n < duration * 0.97)


def _x(second: float, duration: float) -> int:
    return round(WHOLE * min(max(second / duration, 0.0), 1.0))
