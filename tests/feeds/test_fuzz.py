"""A small version of benchmarks/fuzz.py: golden files, cut up and mixed, through every parser of untrusted files."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ArchiveError
from pipeline.feeds.fetch import FeedBody
from pipeline.feeds.notes import sanitise, to_text
from pipeline.feeds.page import read_page
from pipeline.feeds.parse import parse_feed
from pipeline.feeds.people import find_people
from pipeline.feeds.questions import find_questions
from pipeline.feeds.transcripts import find_transcript, read_transcript

DATA = Path(__file__).parents[1] / "data"
ADDRESS = "https://example.org/shows/feed.xml"


def mixed(*folders: str) -> st.SearchStrategy[bytes]:
    """Pieces of golden files and arbitrary bytes, concatenated."""
    files = [path.read_bytes()[:5000] for name in folders for path in sorted((DATA / name).iterdir())]
    place = st.integers(0, 5000)
    pieces = st.builds(lambda content, a, b: content[min(a, b) : max(a, b)], st.sampled_from(files), place, place)
    return st.lists(pieces | st.binary(max_size=4), min_size=1, max_size=5).map(b"".join)


@given(mixed("feeds"))
def test_a_mutated_feed_is_read_or_refused(content: bytes) -> None:
    try:
        feed = parse_feed(FeedBody(content, "", ADDRESS))
    except ArchiveError:
        return
    assert len({episode.guid for episode in feed.episodes}) == len(feed.episodes)
    for episode in feed.episodes:
        assert sanitise(episode.notes_html, base=ADDRESS) == episode.notes_html


@given(mixed("notes", "people", "pages"))
def test_mutated_notes_and_pages_are_read(content: bytes) -> None:
    page = read_page(content, content_type="text/html", address=ADDRESS)
    for text in (page.text, content.decode("utf-8", errors="replace")):
        shown, plain = sanitise(text, base=ADDRESS), to_text(text)
        assert sanitise(shown, base=ADDRESS) == shown
        for question in find_questions(plain):
            assert question.text.strip() == question.text != ""
        find_people(plain[:200], plain)
        find_transcript(plain)


@given(mixed("transcripts", "transcripts_in_notes"))
def test_a_mutated_transcript_is_read_or_refused(content: bytes) -> None:
    try:
        turns = read_transcript(content)
    except ArchiveError:
        return
    assert all(turn.text for turn in turns)
