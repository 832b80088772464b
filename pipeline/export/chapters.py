"""Chapters from the published questions: JSON (podcast namespace), Podlove Simple Chapters, WebVTT."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from pipeline.addresses import Addresses
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.reading import Item
from pipeline.errors import ExportError
from pipeline.export import webvtt, xml
from pipeline.model import ASKED
from pipeline.text import shortened

TITLE = 100  # characters; players have room for about as many
INTRODUCTION = "Introduction"
ROUNDED_SECONDS = 1.0  # a person may give the time of a question to a whole second, as it is shown
INTRODUCTION_SECONDS = 5.0  # a shorter beginning gets no chapter of its own


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter; times in milliseconds, ``end`` is None unless the end of its answer is known.

    ``until`` is the start of the next chapter, or the end of the recording. ``questions`` are the full texts of its
    questions; ``sure`` tells that they are certainly asked.
    """

    start: int
    end: int | None
    until: int
    questions: tuple[str, ...]
    sure: bool = True

    @property
    def stop(self) -> int:
        """Return its end, for formats in which every chapter has one."""
        return self.until if self.end is None else self.end

    @property
    def title(self) -> str:
        """Return the questions on one line, long ones cut at a word."""
        return " / ".join(shortened(question, TITLE) for question in self.questions)

    @property
    def text(self) -> str:
        """Return the full questions on one line."""
        return " / ".join(" ".join(question.split()) for question in self.questions)


def chapters(item: Item, *, unsure: bool = False) -> tuple[Chapter, ...]:
    """Return the chapters of an episode in strict order of time: its questions that are asked, and an introduction.

    Questions that are asked together share a chapter. A chapter ends no later than the next one begins or the
    recording ends; times outside the recording are skipped.

    Args:
        item: the episode.
        unsure: include uncertain questions too, unless another chapter begins at the same time.

    Raises:
        ExportError: none of its questions is known to be asked.
    """
    length = round(item.audio.duration * 1000) if item.audio else 0
    found = _begun(item.questions, ASKED, length)
    if not found:
        raise ExportError(
            f"{item.id}: no question is known to be asked in it, so it has no chapters. Run `python -m pipeline "
            f"ingest --only {item.id}` if you have not yet; the view question_times shows what is known."
        )
    if found[0].start >= INTRODUCTION_SECONDS * 1000:
        found.insert(0, Chapter(0, None, length, (INTRODUCTION,)))
    if unsure:
        taken = [chapter.start for chapter in found]
        found += [one for one in _begun(item.questions, {"uncertain"}, length) if one.start not in taken]
        found.sort(key=lambda chapter: chapter.start)
    ends = [chapter.start for chapter in found[1:]] + [length]
    return tuple(_bounded(chapter, until) for chapter, until in zip(found, ends, strict=True))


def _begun(questions: Iterable[ListedQuestion], statuses: Collection[str | None], length: int) -> list[Chapter]:
    """A chapter for each time at which questions with these statuses are asked, in order."""
    begun: list[tuple[int, list[ListedQuestion]]] = []
    asked = [one for one in questions if one.status in statuses and one.start is not None]
    for question in sorted(asked, key=lambda one: one.start or 0.0):
        start = round((question.start or 0.0) * 1000)
        if begun and start - begun[-1][0] < _together(question, *begun[-1][1]):
            begun[-1][1].append(question)
        else:
            begun.append((start, [question]))
    return [
        Chapter(
            start,
            max((round(one.answer_end * 1000) for one in asked if one.answer_end is not None), default=None),
            length,
            tuple(one.text for one in asked),
            sure="uncertain" not in statuses,
        )
        for start, asked in begun
        if 0 <= start < length
    ]


def _together(*questions: ListedQuestion) -> float:
    """Within how many milliseconds these are asked together."""
    return ROUNDED_SECONDS * 1000 if any(one.corrected for one in questions) else 1


def _bounded(chapter: Chapter, until: int) -> Chapter:
    """The chapter, ending no later than the next one begins; without an end if that would precede its start."""
    end = chapter.end
    return replace(chapter, end=None if end is None or end <= chapter.start else min(end, until), until=until)


def podcast_json(item: Item, _: Addresses) -> str:
    """Write JSON chapters 1.2 of the podcast namespace; uncertain ones are hidden (``toc`` is false).

    Raises:
        ExportError: the episode has no chapters.
    """
    found = chapters(item, unsure=True)
    content = {
        "version": "1.2.0",
        "title": item.title,
        "podcastName": item.show,
        **({"fileName": PurePosixPath(item.audio.path).name} if item.audio else {}),
        "chapters": [
            {
                "startTime": chapter.start / 1000,
                **({"endTime": chapter.end / 1000} if chapter.end is not None else {}),
                "title": chapter.title,
                **({} if chapter.sure else {"toc": False}),
            }
            for chapter in found
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def podlove(item: Item, _: Addresses) -> str:
    """Write Podlove Simple Chapters 1.2.

    Raises:
        ExportError: the episode has no chapters.
    """
    root = Element("psc:chapters", {"version": "1.2", "xmlns:psc": "http://podlove.org/simple-chapters"})
    for chapter in chapters(item):
        xml.add(root, "psc:chapter", start=webvtt.stamp(chapter.start), title=chapter.title)
    return xml.document(root)


def vtt(item: Item, _: Addresses) -> str:
    """Write WebVTT chapters, with the full questions.

    Raises:
        ExportError: the episode has no chapters.
    """
    return webvtt.document((chapter.start, chapter.stop, webvtt.escaped(chapter.text)) for chapter in chapters(item))
