"""Show notes to paste: a line for each published question, with a link to the second at which it is asked."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.addresses import Addresses
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.reading import Item
from pipeline.errors import ExportError
from pipeline.export.markdown import escaped
from pipeline.model import ASKED
from pipeline.times import clock


@dataclass(frozen=True, slots=True)
class _Line:
    """A line for a question; ``link`` and ``time`` are empty if its time is unknown."""

    text: str
    remark: str
    link: str
    time: str


def markdown(item: Item, addresses: Addresses) -> str:
    """Write the notes as a Markdown list; titles and questions are escaped.

    Raises:
        ExportError: the episode has no questions, or has not been aligned.
    """
    return "".join(
        "- "
        + (f"[{line.time}]({line.link}) " if line.link else "")
        + escaped(line.text)
        + (f" *({line.remark})*" if line.remark else "")
        + "\n"
        for line in _listed(item, addresses)
    )


def page(item: Item, addresses: Addresses) -> str:
    """Write the notes as an HTML list to paste into a page.

    Raises:
        ExportError: the episode has no questions, or has not been aligned.
    """
    lines = (
        "<li>"
        + (f'<a href="{html.escape(line.link)}">{line.time}</a> ' if line.link else "")
        + html.escape(line.text)
        + (f" <em>({line.remark})</em>" if line.remark else "")
        + "</li>\n"
        for line in _listed(item, addresses)
    )
    return f"<ul>\n{''.join(lines)}</ul>\n"


def _listed(item: Item, addresses: Addresses) -> Iterator[_Line]:
    if not item.questions:
        raise ExportError(f"{item.id}: its show notes have no list of questions, so there are no times to add.")
    if not any(question.status for question in item.questions):
        raise ExportError(
            f"{item.id}: its questions are not aligned yet. Run `python -m pipeline ingest --only {item.id}` first."
        )
    return (_line(item, question, addresses) for question in item.questions)


def _line(item: Item, question: ListedQuestion, addresses: Addresses) -> _Line:
    text = f"{question.number}) {' '.join(question.text.split())}"
    remark = "" if question.status in ASKED else question.standing
    start = question.start
    if start is None or question.status in {"not_asked", None}:
        return _Line(text, remark or "time not known", "", "")
    return _Line(text, remark, addresses.question(item.id, question.number, start), clock(start))
