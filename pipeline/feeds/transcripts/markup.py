"""Parsing HTML transcripts as described by the podcast namespace: ``<cite>``, ``<time>`` and ``<p>``.

It makes a single pass and builds no tree, so that it runs in linear time on any page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pipeline.feeds.names import as_speaker
from pipeline.feeds.transcripts.turns import PublishedTurn, clock_seconds

_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})(?:[\s/][^<>]*)?>")
_LOOKS_LIKE_HTML = re.compile(
    r"<(?:!doctype|html|head|body|div|span|p|br|cite|time|b|i|strong|em|h[1-6]|ul|ol|li)\b[^<>]*>", re.IGNORECASE
)
HIDDEN = {"script", "style", "template", "title"}
_BLOCKS = {
    "article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
}  # fmt: skip
_MAX_FIELD_CHARS = 200
_TIME_IN_BRACKETS = "[]() "


def looks_like_html(text: str) -> bool:
    """Tell whether the first 5000 characters contain a tag that only HTML has."""
    return _LOOKS_LIKE_HTML.search(text[:5000]) is not None


def read_html(text: str) -> tuple[PublishedTurn, ...]:
    """Return the page's paragraphs with the speaker and time before them; empty if fewer than two have either."""
    turns = tuple(_turns(text))
    marked = sum(turn.speaker is not None or turn.start is not None for turn in turns)
    return turns if marked > 1 else ()


def html_to_text(text: str) -> str:
    """Return the page's text, with an empty line between paragraphs."""
    parts = [_break(tag) if tag else " ".join(re.split(r"\s+", chunk)) for tag, chunk in _chunks(text)]
    lines = [" ".join(line.split()) for line in html.unescape("".join(parts)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _break(tag: str) -> str:
    name = tag.removeprefix("/")
    return "\n" if name == "br" else "\n\n" if name in _BLOCKS else ""


def _turns(text: str) -> Iterator[PublishedTurn]:
    speaker: str | None = None
    start: float | None = None
    field: str | None = None  # the open cite or time element
    said: list[str] = []
    named: list[str] = []
    for tag, chunk in _chunks(text):
        if tag in {"cite", "time", "p", "/p"} and said:
            if spoken := _line(said):
                yield PublishedTurn(start, None, speaker, spoken)
                start = None
            said = []
        if tag in {"cite", "time"}:
            field, named = tag, []
        elif tag == f"/{field}":
            content = _line(named)[:_MAX_FIELD_CHARS]
            if field == "cite":
                speaker, start = as_speaker(content), None
            else:
                start = clock_seconds(content.strip(_TIME_IN_BRACKETS))
            field = None
        else:
            (named if field else said).append(chunk if not tag else _break(tag))
    if spoken := _line(said):
        yield PublishedTurn(start, None, speaker, spoken)


def _line(chunks: list[str]) -> str:
    return " ".join(html.unescape("".join(chunks)).split())


def _chunks(text: str) -> Iterator[tuple[str, str]]:
    """The page as tags (``p``, ``/p``) and the text between them, without comments and hidden elements."""
    text = without_comments(text)
    place = 0
    hidden: str | None = None
    for token in _TOKEN.finditer(text):
        name = token[2].lower()
        if hidden is None and token.start() > place:
            yield "", text[place : token.start()]
        place = token.end()
        if hidden is not None:
            hidden = None if token[1] and name == hidden else hidden
        elif name in HIDDEN and not token[1]:
            hidden = name
        else:
            yield token[1] + name, ""
    if hidden is None and place < len(text):
        yield "", text[place:]


def without_comments(text: str) -> str:
    """Return text without ``<!-- comments -->`` and declarations; an unclosed comment extends to the end."""
    parts: list[str] = []
    place = 0
    while (opening := text.find("<!--", place)) >= 0:
        parts.append(text[place:opening])
        closing = text.find("-->", opening)
        if closing < 0:
            place = len(text)
            break
        place = closing + 3
    parts.append(text[place:])
    return re.sub(r"<[!?][^<>]*>", "", " ".join(parts))
