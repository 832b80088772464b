"""Detecting the host's questions in interviews that were published without a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import shorten

from pipeline.align.askings import Asking, answer_end, askings, asks, closing, host_of, hosts_of
from pipeline.align.units import Unit, cut
from pipeline.model import Match, Question, Segment

APART = 10.0  # seconds: an asking that begins sooner after the previous one belongs to it
LEAD_IN = 12.0  # seconds of a host's turn before a question that belong to it
MOST_TEXT = 300  # characters
ANSWERED_BY_ANYBODY = 25  # words without a question that must follow one, if speakers are not known
# Not fitted: everything detected in the sample show is asked by the host. Without speakers, guests' questions are
# detected as well.
CONFIDENCE = 0.9
CONFIDENCE_WITHOUT_SPEAKERS = 0.6


def detect(segments: Sequence[Segment]) -> tuple[tuple[Question, ...], tuple[Match, ...]]:
    """Find the host's questions, numbered in chronological order, and the times of each and of its answer.

    If speakers are not known, the questions that are followed by a stretch without one are taken.
    """
    units = cut(segments)
    hosts = hosts_of(units, host_of(units, ()))
    found = _apart([_with_lead_in(asking, units) for asking in (askings(units, hosts) if hosts else _by_text(units))])
    end = closing(units, hosts, found)
    questions = tuple(Question(n, _text(asking, units)) for n, asking in enumerate(found, 1))
    matches = tuple(
        Match(
            n,
            "asked",
            round(asking.start, 3),
            round(asking.end, 3),
            round(answer_end(asking, found, end, units), 3),
            CONFIDENCE if hosts else CONFIDENCE_WITHOUT_SPEAKERS,
        )
        for n, asking in enumerate(found, 1)
    )
    return questions, matches


def _by_text(units: Sequence[Unit]) -> Iterator[Asking]:
    asked = [n for n, unit in enumerate(units) if asks(unit)]
    for n, following in pairwise([*asked, len(units)]):
        if sum(len(unit.text.split()) for unit in units[n + 1 : following]) >= ANSWERED_BY_ANYBODY:
            first = n
            while first - 1 in asked:
                first -= 1
            yield Asking(first, n, units[first].start, units[n].end)


def _with_lead_in(asking: Asking, units: Sequence[Unit]) -> Asking:
    """The asking with up to ``LEAD_IN`` seconds of what its speaker said before it in the same turn."""
    first, speaker = asking.first, units[asking.first].speaker
    while speaker and first > 0 and units[first - 1].speaker == speaker:
        if asking.start - units[first - 1].start > LEAD_IN:
            break
        first -= 1
    return Asking(first, asking.last, units[first].start, asking.end)


def _apart(found: Sequence[Asking]) -> list[Asking]:
    """The askings without those that begin within ``APART`` of the last one kept and are no longer than it."""
    kept: list[Asking] = []
    for asking in found:
        is_apart = not kept or asking.start - kept[-1].start >= APART
        if is_apart or asking.end - asking.start > kept[-1].end - kept[-1].start:
            kept.append(asking)
    return kept


def _text(asking: Asking, units: Sequence[Unit]) -> str:
    said = " ".join(unit.text for unit in units[asking.first : asking.last + 1])
    return shorten(said, MOST_TEXT, placeholder=" …")
