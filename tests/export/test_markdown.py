"""Escaped Markdown: rendered literally, by CommonMark and by GitHub."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.export.markdown import escaped

# Pieces of markup are more effective than arbitrary characters.
LINES = st.lists(
    st.sampled_from(
        [
            *(" ", "   ", "\t", "\n", "- ", "+ ", "1. ", "2) ", "# ", "> ", "=", "~~~", "`", "*", "_", "a", "b.c"),
            *("(", ")", "!", "[", "]", "](", "[a](b)", "&", "&amp;", "&#33;", ":", "http://a.b", "<b>", "|", "$"),
        ]
    )
).map("".join)


def shown(text: str) -> str:
    """The text of the only paragraph."""
    page = MarkdownIt("gfm-like").disable("linkify").render(escaped(text))
    paragraph = re.fullmatch(r"<p>([^<]*)</p>\n", page)
    assert paragraph is not None, page
    return html.unescape(paragraph[1])


@pytest.mark.parametrize("text", ["   - x", "\t- x", "    code", " 1. x", "- x", "12. May", "   # x", " > x", "   ==="])
def test_what_could_begin_something_is_text(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize("text", ["Ann (host): 01:58–1:02:03", "Q&A!", "8(3) and £5"])
def test_what_has_no_special_meaning_is_left_as_it_is(text: str) -> None:
    assert escaped(text) == text
    assert shown(text) == text


@pytest.mark.parametrize(("text", "hidden"), [("see http://a.b", "://"), (":smile: 1", ":smile"), (":+1a:", ":+1a")])
def test_no_address_or_emoji_is_made_of_a_colon(text: str, hidden: str) -> None:
    assert hidden not in escaped(text).replace("\\:", "\\;")
    assert shown(text) == text


@pytest.mark.parametrize("text", ["www.example.com", "see WWW.example.com", "(www.example.com)"])
def test_no_bare_address_becomes_a_link(text: str) -> None:
    assert re.search(r"www\.", escaped(text), re.IGNORECASE) is None  # GitHub detects this
    assert shown(text) == text


@given(LINES)
def test_whatever_the_text_it_is_shown_as_it_is(text: str) -> None:
    assert shown(f"{text}.") == f"{text}."
