"""Show notes: sanitising their HTML, and converting it to plain text. Does not look for questions."""

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
# Markup of notes that were escaped once or twice too often.
_ESCAPED = re.compile(
    r"&(?:amp;){0,2}lt;(?P<end>/?)(?P<tag>blockquote|div|h[1-6]|li|ol|p|ul)"
    r"(?:\s(?:(?!&(?:amp;){0,2}[lg]t;).){0,1000})?&(?:amp;){0,2}gt;",
    re.IGNORECASE,
)
# Control characters mean nothing in notes or transcripts, and search marks its hits with two of them. Lone surrogates
# are halves of characters: neither SQLite nor a browser accepts them.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_NEVER_NESTED = {"br", "hr", "img", "input", "li", "p", "source", "td", "th", "tr", "wbr"}  # and often not closed
# The cost of nested tags grows with the square of their depth; real notes have a few thousand characters.
MAX_CHARS = 100_000
MAX_DEPTH = 200
MAX_ROUNDS = 10


def sanitise(published: str, *, base: str = "") -> str:
    """Sanitise notes to HTML that is safe to show: harmless tags, and http(s) and mailto links only.

    Notes without tags are plain text, whose line breaks are kept. Relative links are resolved against ``base``.
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
    """Clean until nothing changes: removing a tag may change how its contents are parsed."""
    for _ in range(MAX_ROUNDS):
        found = nh3.clean(
            page,
            tags=_TAGS,
            clean_content_tags=_HIDDEN,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            url_relative=("rewrite_with_base", base) if scheme(base) in {"http", "https"} else "deny",
        )
        cleaned = _UNSHOWABLE.sub("", found)  # `&#2;` is decoded by the cleaner
        if cleaned == page:
            return page
        page = cleaned
    return f"<p>{html.escape(to_text(page))}</p>"


def to_text(published: str) -> str:
    """Convert notes to plain text, one line per block, with ordered list items numbered (``1) …``)."""
    published = _bounded(published)
    if not _LOOKS_LIKE_HTML.search(published):
        return _tidy(published)
    reader = _TextReader()
    # Cleaned first: it is then parsed as a browser does, and without odd declarations, on which html.parser raises.
    reader.feed(nh3.clean(published, tags=_TAGS, clean_content_tags=_HIDDEN, attributes={"ol": {"start"}}))
    reader.close()
    return _tidy("".join(reader.parts))


def unescaped(published: str) -> str:
    """Undo the escaping of notes that were escaped too often, so that all of their tags would be shown as text.

    Notes with tags of their own are left as they are, for they may be about HTML. So are those without an escaped
    paragraph, list or the like, from its beginning to its end.
    """
    for _ in range(3):
        tags = {(found["tag"].lower(), found["end"]) for found in _ESCAPED.finditer(published[:MAX_CHARS])}
        if _TAG.search(published) or not any((name, "/") in tags for name, end in tags if not end):
            break
        published = html.unescape(published)
    return published


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
    # Composed form: “Öberg” with a combining mark would otherwise be another name.
    text = unicodedata.normalize("NFC", _UNSHOWABLE.sub("", text))
    lines = [re.sub(r"[ \t\xa0\u200b]+", " ", line).strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _TextReader(HTMLParser):
    """Collects text, with line breaks where a browser would break lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._lists: list[int | None] = []  # the last number used in each open list; None if unordered

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
        # Text before the first tag is kept verbatim; elsewhere runs of line breaks are shortened (see ``_line_break``).
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
    """Keep up to two line breaks, for notes that mix tags with plain lines; in real HTML they are harmless."""
    breaks = found[0].count("\n")
    return "\n" * min(breaks, 2) if breaks else found[0]
