"""Show notes: sanitised HTML, plain text, and the question lists found in them.

To test notes that were read wrongly, add them to tests/data/notes with the expected result.
"""

from __future__ import annotations

import html
import json
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.feeds.notes import MAX_CHARS, sanitise, to_text
from pipeline.feeds.people import find_people
from pipeline.feeds.questions import find_questions

NOTES = sorted(path for path in (Path(__file__).parents[1] / "data/notes").iterdir() if path.suffix != ".json")

# Text that tends to break HTML parsers, combined at random.
SCRAPS = st.sampled_from(
    [
        "<d>", "<h1>", "<h2>", "</h2>", "&#2", "&#xd800;",
        "<p>", "</p>", "<br>", "<br/>", "<ol>", '<ol start="7">', '<ol start="²">', "</ol>", "<li>", "</li>", "<ul>",
        "<b>", "<script>alert(1)</script>", "<script>", "</script>", "<style>", "<svg><script>", "<math>", "<title>",
        '<a href="javascript:alert(1)">', "<a href=' x'>", '<a href="//evil.example/x">', "<table><td>", "<template>",
        '<img src=x onerror="alert(1)">', '<p onclick="alert(1)">', "<font>", "<![foo[", "<![CDATA[", "]]>", "<!--",
        "-->", "<!x", "<?x", "<noscript>", "</", "&amp;", "&lt;script&gt;", "&#x1F600;", "&#0;", "&nbsp", "&", "<", ">",
        '"', "1) ", "2)", "Q1 ", "1. ", "\n", "\n\n", "Why?", " ", "\x00", "\x01", "\ud800", "\u2028", "²", "٣) ",
        "javascript:", "\r\n",
    ]
)  # fmt: skip
ANY_NOTES = st.one_of(st.text(max_size=200), st.lists(st.one_of(SCRAPS, st.text(max_size=8)), max_size=30).map("".join))


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_notes_are_read_as_written_down(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    text = to_text(path.read_text(encoding="utf-8"))
    questions = find_questions(text)
    assert [question.text for question in questions] == expected["questions"]
    assert [question.number for question in questions] == list(range(1, len(questions) + 1))
    assert [question.stated for question in questions] == expected.get("stated", [None] * len(questions))
    if "people" in expected:
        people = find_people("", text)
        assert [[person.name, person.role, person.description] for person in people] == expected["people"]
    if "text" in expected:
        assert text == expected["text"]


def test_every_golden_note_has_its_expectation() -> None:
    data = Path(__file__).parents[1] / "data/notes"
    assert {path.stem for path in data.glob("*.json")} == {path.stem for path in NOTES}


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def tags_of(page: str) -> _Tags:
    reader = _Tags()
    reader.feed(page)
    reader.close()
    return reader


@given(ANY_NOTES)
@example("<b><![foo bar]]>")
@example("<ol start='" + "9" * 5000 + "'><li>x")
@example("<b>\ud800")
@example("<h2><d><h1>")
@example("&p;&#2")
def test_whatever_is_published_comes_out_harmless(published: str) -> None:
    shown = sanitise(published, base="https://example.org/feed.xml")
    found = tags_of(shown)
    assert not found.tags & {"script", "style", "svg", "math", "iframe", "img", "template", "title"}
    for name, value in found.attributes:
        assert name in {"href", "rel"}
        if name == "href":
            assert str(value).lower().startswith(("http:", "https:", "mailto:"))
    assert sanitise(shown, base="https://example.org/feed.xml") == shown
    shown.encode()


@given(ANY_NOTES)
@example("<b><![foo bar]]>")
@example("<ol start='" + "9" * 5000 + "'><li>x")
@example("plain \ud800")
@example("<p>&#2;")
def test_whatever_is_published_can_be_read(published: str) -> None:
    text = to_text(published)
    text.encode()
    assert not any(ord(character) < 32 and character not in "\n\t\r" for character in text)
    for number, question in enumerate(find_questions(text), start=1):
        assert question.number == number
        assert question.text


MARKERS = [
    "{})", "{}) ", "{}. ", "{}: ", "({}) ", "{} – ", "Q{} ", "Q{}: ", "Question {} - ", "{letter}) ", "{letter}. ",
    "• ", "- ", "Q: ", "[0:{:02}] ", "{:02}:30 – ", "",
]  # fmt: skip
QUESTION = st.lists(
    st.text(alphabet=st.characters(categories=["L"], max_codepoint=0x17F), min_size=2, max_size=10),
    min_size=1,
    max_size=12,
).map(lambda words: " ".join(words) + "?")


@given(
    questions=st.lists(QUESTION, min_size=2, max_size=15),
    marker=st.sampled_from(MARKERS),
    between=st.sampled_from(["\n", "\n\n", "\r\n"]),
)
def test_a_written_list_is_found_again(questions: list[str], marker: str, between: str) -> None:
    numbered = enumerate(questions, start=1)
    items = [marker.format(number, letter=chr(ord("a") + number - 1)) + question for number, question in numbered]
    notes = "About the guest.\n\nThe full list of questions is:\n" + between.join(items) + "\n\nSubscribe!"
    assert [question.text for question in find_questions(to_text(notes))] == questions


@given(questions=st.lists(QUESTION, min_size=2, max_size=15))
def test_an_html_list_is_found_again(questions: list[str]) -> None:
    items = "".join(f"<li>{html.escape(question)}</li>" for question in questions)
    notes = f"<p>About the guest.</p><ol>{items}</ol><p>Subscribe!</p>"
    assert [question.text for question in find_questions(to_text(notes))] == questions


def test_plain_notes_keep_their_lines_when_shown() -> None:
    assert sanitise("One & two\nthree\n\n1 < 2") == "<p>One &amp; two<br>three</p><p>1 &lt; 2</p>"


def test_relative_links_start_at_the_feed_and_nowhere_else() -> None:
    notes = '<a href="/notes/1">more</a>'
    assert 'href="https://example.org/notes/1"' in sanitise(notes, base="https://example.org/feed.xml")
    assert "href" not in sanitise(notes)
    assert "href" not in sanitise(notes, base="file:///srv/feed.xml")


def test_pictures_styles_and_handlers_are_left_out() -> None:
    pixel = '<img src="https://tracker.example/p.gif?u=1" width="1" height="1">'
    notes = f'<p style="color:red" class="x" onclick="go()">Bread{pixel} <a href="mailto:a@example.org">us</a></p>'
    shown = sanitise(notes)
    assert shown == '<p>Bread <a href="mailto:a@example.org" rel="noopener noreferrer">us</a></p>'


@pytest.mark.parametrize("hostile", ["<div>", "<ol><li>", "</x><div>", "<b a=1><p>", "<table><tr><td>"])
def test_hostile_nesting_takes_a_bounded_time(hostile: str) -> None:
    began = time.process_time()  # CPU time of this process alone
    notes = hostile * (MAX_CHARS // len(hostile))
    assert len(sanitise(notes)) < 3 * MAX_CHARS
    to_text(notes)
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    "hostile",
    ["1) ", "1) a? 2) ", "• x?\n", "Q: x?\n", "we ask: a; ", "questions: what? ", "?\n", "0:00 ", "**", "a.\n"],
)
def test_hostile_lists_take_a_bounded_time(hostile: str) -> None:
    began = time.monotonic()
    find_questions(hostile * (MAX_CHARS // len(hostile)))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("space", [" ", "\N{EM SPACE}"])
def test_hostile_spaces_take_a_bounded_time(space: str) -> None:
    began = time.process_time()
    notes = f"<p>Questions:<br>1) What{space * (MAX_CHARS - 100)}else?<br>2) Why?<br>How?<br>Who?</p>"
    assert len(find_questions(to_text(notes))) == 2
    assert time.process_time() - began < 5


def test_paragraphs_and_items_that_are_never_closed_are_all_read() -> None:
    notes = "<ol>" + "".join(f"<li><p>Why {n}?" for n in range(1, 100)) + "</ol>" + "<p>x" * 300
    assert len(find_questions(to_text(notes))) == 99
    assert to_text(notes).endswith("x\n\nx")
