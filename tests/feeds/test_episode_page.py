"""Episode web pages: their main text, and question lists found there if the notes have none.

To test a page that was read wrongly, add it to tests/data/pages with the expected result.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.page import page_address, read_page
from pipeline.feeds.questions import find_questions

DATA = Path(__file__).parents[1] / "data/pages"
PAGES = sorted(DATA.glob("*.html"))
ADDRESS = "https://example.org/episodes/12"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_are_read_as_written_down(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    page = read_page(path.read_bytes(), content_type="text/html", address=ADDRESS)
    assert page.address == expected["address"]
    assert [question.text for question in find_questions(page.text)] == expected["questions"]


def test_every_golden_page_has_its_expectation() -> None:
    assert {path.stem for path in DATA.glob("*.json")} == {path.stem for path in PAGES}


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("https://example.org/a?p=12&utm_source=rss&UTM_Medium=x#comments", "https://example.org/a?p=12"),
        ("https://example.org/a/?replytocom=161942", "https://example.org/a/"),
        ("https://example.org/?p=12", "https://example.org/?p=12"),
        ("http://example.org/a?q=a%20b&empty=", "http://example.org/a?q=a%20b&empty="),
        ("https://example.org", None),
        ("https://example.org/?utm_source=rss", None),
        ("https://example.org/#episode-12", None),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
    ],
)
def test_the_address_that_is_visited(link: str, address: str | None) -> None:
    assert page_address(link) == address


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("<p>Crème brûlée".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("<p>Crème brûlée".encode(), "text/html"),
        ("<meta charset=utf-16><p>Crème brûlée".encode(), "text/html; charset=utf-8"),
        ("<meta http-equiv=x content='text/html; charset=windows-1252'><p>Crème brûlée".encode("cp1252"), "text/html"),
        ("<p>Crème brûlée".encode("cp1252"), "text/html; charset=none-such"),
    ],
)
def test_a_page_is_read_in_its_own_encoding(content: bytes, content_type: str) -> None:
    assert read_page(content, content_type=content_type, address=ADDRESS).text == "Crème brûlée"


SCRAPS = st.sampled_from(
    [
        "<main>", "</main>", "<article>", "</article>", "<nav>", "</nav>", "<script>", "</script>", "<div id=comments>",
        "</div>", "<ol start=²>", "<ol>", "<li>", "</ol>", "<!--", "-->", "<![CDATA[", "1) ", "2) ", "Why?", "<", ">",
        '"', "<link rel=canonical href='http://['>", "&amp;", "\x00", "\n", "<p>", "<a href='>'>", "<br/>",
    ]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=300), st.lists(SCRAPS, max_size=40).map(lambda scraps: "".join(scraps).encode())))
def test_whatever_a_page_is_it_can_be_read(content: bytes) -> None:
    page = read_page(content, content_type="text/html", address=ADDRESS)
    assert page.address.startswith(("http:", "https:"))
    page.text.encode()
    find_questions(page.text)


def test_a_hostile_encoding_takes_a_bounded_time() -> None:
    began = time.process_time()
    page = read_page(b"abcdefgh" * 200_000, content_type="text/html; charset=punycode", address=ADDRESS)
    assert page.text.startswith("abcdefgh")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "hostile", ["<div>", "<article>", "<article></article>", "<script>", "<!--", "<", "<a b='", "<a a=b "]
)
def test_a_hostile_page_takes_a_bounded_time(hostile: str) -> None:
    began = time.monotonic()
    read_page(hostile.encode() * 30_000, content_type="text/html", address=ADDRESS)
    assert time.monotonic() - began < 10
