"""Show notes: making their HTML safe to show, and reading it as plain text. Does not look for questions."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from html.parser import HTMLParser

import nh3

from pipeline.net.urls import scheme

_TAGS = {
    "a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li",
    "ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_BLOCKS = {
    "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "tr", "ul",
}  # fmt: skip
_HIDDEN = {"script", "style", "template", "title"}
_LOOKS_LIKE_HTML = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);")
# Control characters mean nothing in notes or transcripts, and search marks its hits with two of them.
# Lone surrogates are half a character each: neither SQLite nor a browser takes them.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_NEVER_NESTED = {"br", "hr", "img", "input", "li", "p", "source", "td", "th", "tr", "wbr"}  # often never closed, either
# Nested tags take a time that grows with the square of their depth; real notes have a few thousand characters.
MAX_CHARS = 100_000
MAX_DEPTH = 200
MAX_ROUNDS = 10


def sanitise(published: str, *, base: str = "") -> str:
    """Return notes as HTML that can be shown: harmless tags, http(s) and mailto links, nothing else.

    Notes without any tag are plain text: their line breaks are kept. Relative links start at ``base``.
    """
    shown = _bounded(published)
    if _LOOKS_LIKE_HTML.search(shown):
        shown = _clean(shown, base)
    if not _LOOKS_LIKE_HTML.search(shown):
        paragraphs = re.split(r"\n\s*\n", shown.strip())
        marked = "".join(f"<p>{html.escape(p).replace(chr(10), '<br>')}</p>" for p in paragraphs if p.strip())
        shown = _clean(marked, base)
    return shown


def _clean(page: str, base: str) -> str:
    """Clean until nothing changes: where a tag is left out, what was in it may be read otherwise than before."""
    for _ in range(MAX_ROUNDS):
        found = nh3.clean(
            page,
            tags=_TAGS,
            clean_content_tags=_HIDDEN,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            url_relative=("rewrite_with_base", base) if scheme(base) in {"http", "https"} else "deny",
        )
        cleaned = _UNSHOWABLE.sub("", found)  # `&#2;` is shown as what it stands for
        if cleaned == page:
            return page
        page = cleaned
    return f"<p>{html.escape(to_text(page))}</p>"


def to_text(published: str) -> str:
    """Return notes as plain text, a line a block, items of ordered lists with their numbers (``1) …``)."""
    published = _bounded(published)
    if not _LOOKS_LIKE_HTML.search(published):
        return _tidy(published)
    reader = _TextReader()
    # Cleaned first, it is read as a browser reads it, and html.parser, which raises on odd declarations, meets none.
    reader.feed(nh3.clean(published, tags=_TAGS, clean_content_tags=_HIDDEN, attributes={"ol": {"start"}}))
    reader.close()
    return _tidy("".join(reader.parts))


def _bounded(published: str) -> str:
    open_tags: Counter[str] = Counter()

    def shallow(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        if tag[1]:
            if open_tags[name]:
                open_tags[name] -= 1
        elif name not in _NEVER_NESTED:
            if open_tags.total() >= MAX_DEPTH:
                return ""
            open_tags[name] += 1
        return tag[0]

    return _TAG.sub(shallow, _UNSHOWABLE.sub("", published[:MAX_CHARS]))


def _tidy(text: str) -> str:
    # Composed: “Öberg” is written with one letter less by some, and would be another name.
    text = unicodedata.normalize("NFC", _UNSHOWABLE.sub("", text))
    lines = [re.sub(r"[ \t\xa0\u200b]+", " ", line).strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _TextReader(HTMLParser):
    """Collects text with line breaks where a browser would break the line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._lists: list[int | None] = []  # the last number given in each open list; None if unordered

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag in {"ol", "ul"}:
            start = dict(attrs).get("start") or "1"
            number = int(start) if re.fullmatch(r"[0-9]{1,4}", start) else 1
            self._lists.append(number - 1 if tag == "ol" else None)
            self.parts.append("\n\n")
        elif tag == "li":
            self.parts.append("\n" + self._bullet())
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        elif tag in _BLOCKS and not self._just_bulleted():
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
            self.parts.append("\n\n")
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        # In HTML a line break is a space, except where text stands outside every tag that breaks lines.
        self.parts.append(data if not self.parts else re.sub(r"\s+", _line_break, data))

    def _bullet(self) -> str:
        if not self._lists:
            return ""
        number = self._lists[-1]
        if number is None:
            return "• "
        self._lists[-1] = number + 1
        return f"{number + 1}) "

    def _just_bulleted(self) -> bool:
        return bool(self.parts) and re.fullmatch(r"\n(?:\d+\) |• )", self.parts[-1]) is not None


def _line_break(found: re.Match[str]) -> str:
    """Keep the line breaks of notes that mix tags with plain lines; indentation of real HTML is harmless."""
    breaks = found[0].count("\n")
    return "\n" * min(breaks, 2) if breaks else found[0]
