"""Chapters, show notes, transcripts and feeds as parsed by other programs."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from html import unescape
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import feedparser
import nh3
import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import validate
from markdown_it import MarkdownIt

from pipeline.addresses import Addresses, addresses
from pipeline.archive.publication import Channel
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.errors import ExportError
from pipeline.export import FORMATS, chapters, notes, transcript
from pipeline.export.feed import feed, podcast_guid
from pipeline.model import Segment
from tests.support.building import spoken
from tests.support.exporting import NOWHERE, SHA256, item, publication, question

SITE = Addresses("https://archive.example/x")
HOSTILE = (
    "<b onload=x()>&amp; --> **bold** [a](javascript:b) `c` ]]> \\ | ~~d~~ ![e](f) http://g.example/?h=i&j #k 1) $l$"
)
LONG = "Average caseloads have come down from twenty-four children to sixteen. How did you pay for that – and how much?"
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=150).filter(str.strip)

# The fields documented in github.com/Podcastindex-org/podcast-namespace: docs/examples/chapters and
# docs/examples/transcripts.
CHAPTERS = {
    "type": "object",
    "required": ["version", "chapters"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.2.0"},
        "title": {"type": "string"},
        "podcastName": {"type": "string"},
        "fileName": {"type": "string"},
        "chapters": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["startTime"],
                "additionalProperties": False,
                "properties": {
                    "startTime": {"type": "number", "minimum": 0},
                    "endTime": {"type": "number", "minimum": 0},
                    "title": {"type": "string"},
                    "toc": {"type": "boolean"},
                },
            },
        },
    },
}
TRANSCRIPT = {
    "type": "object",
    "required": ["version", "segments"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0.0"},
        "segments": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["startTime", "endTime", "body"],
                "additionalProperties": False,
                "properties": {
                    "speaker": {"type": "string"},
                    "startTime": {"type": "number", "minimum": 0},
                    "endTime": {"type": "number", "minimum": 0},
                    "body": {"type": "string"},
                },
            },
        },
    },
}

QUESTIONS = (
    question(1, "asked", 25.5, 60.0),
    question(2, "merged", 25.5, 55.0, text="And the second?"),
    question(3, "uncertain", 80.25, 90.0),
    question(4, "not_asked"),
    question(5, "asked", 300.0, 9999.0, text=LONG),
    question(6, "asked", 100.0, 310.0, text=HOSTILE),
    question(7, None),
    question(8, "asked", 600.0, 610.0, text="After the end?"),
)


def podcast_chapters(*questions: ListedQuestion, **changes: Any) -> list[dict[str, Any]]:
    written = json.loads(chapters.podcast_json(publication(questions=questions, **changes), NOWHERE))
    validate(written, CHAPTERS)
    found: list[dict[str, Any]] = written["chapters"]
    return found


def podlove_chapters(text: str) -> list[tuple[float, str]]:
    """The chapters as feedparser reads them, inside a feed."""
    body = text.partition("?>")[2]
    parsed = feedparser.parse(f'<rss version="2.0"><channel><item>{body}</item></channel></rss>'.encode())
    assert not parsed.bozo
    return [
        (chapter["start_parsed"].total_seconds(), chapter["title"])
        for chapter in parsed.entries[0].psc_chapters.chapters
    ]


def test_json_chapters_are_the_questions_that_are_asked_and_hide_the_uncertain_ones() -> None:
    found = podcast_chapters(*QUESTIONS)
    assert [(one["startTime"], one.get("endTime"), one.get("toc")) for one in found] == [
        (0, None, None),
        (25.5, 60.0, None),
        (80.25, 90.0, False),
        (100.0, 300.0, None),  # cut where the next begins,
        (300.0, 600.0, None),  # and where the recording ends
    ]
    assert [one["title"] for one in found[:3]] == ["Introduction", "Question 1? / And the second?", "Question 3?"]
    assert (
        found[4]["title"]
        == "Average caseloads have come down from twenty-four children to sixteen. How did you pay for that …"
    )
    written = json.loads(chapters.podcast_json(publication(questions=QUESTIONS), NOWHERE))
    assert (written["title"], written["podcastName"], written["fileName"]) == (
        "An episode",
        "The Show",
        f"{SHA256}.mp3",
    )


def test_podlove_and_webvtt_chapters_leave_the_uncertain_ones_out() -> None:
    episode = publication(questions=QUESTIONS)
    found = podlove_chapters(chapters.podlove(episode, NOWHERE))
    assert [start for start, _ in found] == [0, 25.5, 100, 300]
    assert found[2][1].startswith("<b onload=x()>&amp; --> **bold**")
    cues = webvtt.from_string(chapters.vtt(episode, NOWHERE)).captions
    assert [(cue.start, cue.end) for cue in cues] == [
        ("00:00:00.000", "00:00:25.500"),
        ("00:00:25.500", "00:01:00.000"),
        ("00:01:40.000", "00:05:00.000"),
        ("00:05:00.000", "00:10:00.000"),
    ]
    assert [unescape(cue.raw_text) for cue in cues[2:]] == [HOSTILE, LONG]  # whole


@pytest.mark.parametrize(("first", "introduced"), [(0.0, False), (4.9, False), (5.0, True)])
def test_what_is_said_before_the_first_question_is_a_chapter_if_it_is_long_enough(
    first: float, introduced: bool
) -> None:
    assert [one["startTime"] for one in podcast_chapters(question(1, "asked", first))] == [0] * introduced + [first]


def test_an_uncertain_question_never_takes_the_place_of_a_sure_one() -> None:
    found = podcast_chapters(question(1, "uncertain", 50.0), question(2, "asked", 50.0), question(3, "uncertain", 0.0))
    assert [(one["startTime"], one["title"]) for one in found] == [(0, "Introduction"), (50, "Question 2?")]


def test_an_answer_that_ends_before_its_question_has_no_end() -> None:
    (chapter,) = podcast_chapters(question(1, "asked", 2.0, 1.0))
    assert "endTime" not in chapter


@given(
    st.lists(
        st.builds(
            question,
            st.integers(1, 99),
            st.sampled_from(["asked", "merged", "uncertain", "not_asked", None]),
            st.none() | st.floats(-5, 700) | st.sampled_from([0.0, 7.0, 7.0004, 599.9996]),
            st.none() | st.floats(-5, 700),
            text=TEXTS,
        ),
        max_size=8,
    )
)
def test_chapters_are_in_strict_order_and_within_the_recording(questions: list[ListedQuestion]) -> None:
    episode = publication(questions=questions)
    for unsure in (False, True):
        try:
            found = chapters.chapters(episode, unsure=unsure)
        except ExportError:
            assert not [one for one in questions if one.status in {"asked", "merged"} and 0 <= (one.start or -1) < 599]
            return
        assert all(one.start < one.stop <= one.until <= 600_000 for one in found)
        assert all(one.until == following.start for one, following in pairwise(found))
        assert all(one.sure for one in found) or unsure
        assert all(len(part) <= chapters.TITLE for one in found for part in [one.title] if len(one.questions) == 1)
    assert len(podlove_chapters(chapters.podlove(episode, NOWHERE))) == len(chapters.chapters(episode))


def test_a_correction_and_a_match_make_the_same_chapter() -> None:
    corrected = replace(question(1, "asked", 30.0), corrected=True)
    assert podcast_chapters(corrected) == podcast_chapters(question(1, "asked", 30.0))


def test_a_question_that_a_person_times_to_the_second_shares_the_chapter_of_what_is_asked_with_it() -> None:
    rounded = replace(question(2, "asked", 30.0), corrected=True)
    (_, chapter) = podcast_chapters(question(1, "asked", 30.646), rounded)
    assert chapter["startTime"] == 30.0
    assert chapter["title"].count("?") == 2
    assert len(podcast_chapters(question(1, "asked", 30.646), replace(rounded, corrected=False))) == 3


def rendered(markdown: str) -> str:
    return str(MarkdownIt("gfm-like", {"html": True}).disable("linkify").render(markdown))


def items_of(page: str) -> list[str]:
    """The visible text of each list item, after a sanitiser that keeps only lists, links and emphasis."""
    cleaned = nh3.clean(page, tags={"ul", "li", "a", "em"}, attributes={"a": {"href"}}, link_rel=None)
    assert re.findall("<[^>]*>", cleaned) == re.findall("<[^>]*>", page)  # that was all
    return [unescape(re.sub("<[^>]*>", "", one)).strip() for one in re.findall("<li>(.*?)</li>", page, re.DOTALL)]


EXPECTED = [
    "0:25 1) Question 1?",
    "0:25 2) And the second?",
    "1:20 3) Question 3? (uncertain)",
    "4) Question 4? (not asked)",
    f"5:00 5) {LONG}",
    f"1:40 6) {HOSTILE}",
    "7) Question 7? (not looked for yet)",
    "10:00 8) After the end?",
]


@pytest.mark.parametrize("page", [lambda e: rendered(notes.markdown(e, SITE)), lambda e: notes.page(e, SITE)])
def test_show_notes_have_a_line_a_question_with_a_link_and_no_markup_of_its_own(page: Callable[..., str]) -> None:
    written = page(publication(questions=QUESTIONS))
    assert items_of(written) == EXPECTED
    base = "https://archive.example/x/-/episode/show/12345678"
    assert re.findall(r'href="([^"]*)"', written) == [
        f"{base}?t=25.5#q1", f"{base}?t=25.5#q2", f"{base}?t=80.2#q3", f"{base}?t=300.0#q5", f"{base}?t=100.0#q6",
        f"{base}?t=600.0#q8",
    ]  # fmt: skip


@given(TEXTS)
def test_whatever_a_question_says_is_read_as_it_is(text: str) -> None:
    episode = publication(questions=[question(1, "asked", 2.0, text=text)])
    wanted = ["0:02 1) " + " ".join(text.split())]
    assert items_of(notes.page(episode, SITE)) == wanted
    assert items_of(rendered(notes.markdown(episode, SITE))) == wanted


@pytest.mark.parametrize(
    ("given_url", "base"),
    [
        ("https://archive.example/", "https://archive.example"),
        ('https://a.example/"><script>)', "https://a.example/%22%3E%3Cscript%3E%29"),
        ("", ""),
    ],
)
def test_an_address_cannot_end_the_link_it_is_in(given_url: str, base: str) -> None:
    assert addresses(given_url).feed("show") == f"{base}/-/feed/show.xml"


def people(*turns: tuple[str | None, str]) -> list[Segment]:
    segments = spoken(*(text for _, text in turns))
    return [replace(one, speaker=speaker) for one, (speaker, _) in zip(segments, turns, strict=True)]


def test_text_has_a_paragraph_a_turn_with_time_and_speaker() -> None:
    segments = people(("Ann", "Is it calm?"), ("Ann", "Tell me."), ("Bo", "It  is,\n[0:00] Ann: calm."), (None, "Ha!"))
    text = transcript.txt(publication(segments, title="One\nmore"), NOWHERE)
    assert text == (
        "One more\nThe Show, 2026-01-02\n"
        "Machine transcript (tiny.en, faster-whisper), not checked by a person. Listen before you quote.\n\n"
        "[0:00] Ann: Is it calm? Tell me.\n\n[0:02] Bo: It is, [0:00] Ann: calm.\n\n[0:05] Unclear voice: Ha!\n"
    )
    nameless = transcript.txt(publication(people((None, "Ha!"))), NOWHERE)
    assert nameless.endswith("\n\n[0:00] Ha!\n")


def test_a_long_turn_has_several_paragraphs_and_one_name() -> None:
    sentence = "This is one of many sentences that somebody says."
    text = transcript.txt(publication(people(*[("Ann", sentence)] * 10)), NOWHERE)
    assert re.findall(r"^\[(.*?)\](?: (Ann):)?", text, re.MULTILINE) == [("0:00", "Ann"), ("0:31", "")]


def test_a_publishers_transcript_is_not_called_a_machines() -> None:
    episode = publication(people(("Ann", "Ha!")))
    assert episode.provenance is not None
    published = replace(episode, provenance=replace(episode.provenance, source="publisher"))
    assert "supplied by the publisher" in transcript.txt(published, NOWHERE)


def test_the_json_transcript_is_as_the_podcast_namespace_has_it() -> None:
    segments = people(("Ann", "Is it <calm>?"), (None, "Ha!"))
    written = json.loads(transcript.podcast_json(publication(segments), NOWHERE))
    validate(written, TRANSCRIPT)
    assert written["segments"] == [
        {"speaker": "Ann", "startTime": 0.0, "endTime": 1.4, "body": "Is it <calm>?"},
        {"startTime": 1.5, "endTime": 1.9, "body": "Ha!"},
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_what_has_nothing_to_write_says_which_episode_and_what_to_do(form: str) -> None:
    for empty in (publication(), publication(questions=[question(1, None)]), publication(audio=None)):
        with pytest.raises(ExportError, match=r"^show/12345678: .*(Run `python -m pipeline|show notes have no)"):
            FORMATS[form].render(empty, NOWHERE)


@pytest.mark.parametrize("form", ["chapters.json", "psc.xml", "chapters.vtt"])
def test_without_a_question_that_is_surely_asked_there_are_no_chapters(form: str) -> None:
    questions = [question(1, "uncertain", 10.0), question(2, "not_asked")]
    with pytest.raises(ExportError, match="no question is known to be asked"):
        FORMATS[form].render(publication(questions=questions), NOWHERE)


def test_a_transcript_without_words_is_said_to_be_one() -> None:
    silent = replace(publication(people(("Ann", "Ha!"))), segments=())
    with pytest.raises(ExportError, match="without any words"):
        FORMATS["vtt"].render(silent, NOWHERE)


PODCAST = "{https://podcastindex.org/namespace/1.0}"


def test_a_feed_has_the_original_episodes_with_the_kept_audio_transcripts_and_chapters() -> None:
    guid = f"tag:{HOSTILE}"
    whole = item(
        segments=people(("Ann", "Ha!")), questions=QUESTIONS, title=f"One {HOSTILE}\x00\ufffe", guid=guid,
        notes_html="<p>Notes &amp; more</p>",
    )  # fmt: skip
    bare = item(id="show/00000000", guid="two", published=None)
    waiting = item(id="show/11111111", guid="three", audio=None)
    url = "https://example.org/feed.xml/"
    text = feed(Channel("show", "The <Show>", url, (whole, bare, waiting)), SITE)
    parsed = feedparser.parse(text.encode())
    assert not parsed.bozo
    assert (parsed.feed.title, parsed.feed.link, parsed.feed.language) == ("The <Show>", f"{SITE.base}/", "en")
    assert [entry.id for entry in parsed.entries] == [guid, "two"]
    first = parsed.entries[0]
    assert datetime(*first.published_parsed[:6]) == datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - feedparser's are UTC
    assert first.summary == "<p>Notes &amp; more</p>"
    assert first.itunes_duration == "600"
    (audio,) = first.enclosures
    assert (audio.href, audio.length, audio.type) == (f"{SITE.base}/-/audio/{SHA256}", "1000", "audio/mpeg")
    channel = ElementTree.fromstring(text.encode()).find("channel")  # noqa: S314 - we wrote it
    assert channel is not None
    assert channel.findtext(f"{PODCAST}guid") == str(podcast_guid(url))
    rich, poor = channel.findall("item")
    assert rich.findtext("title") == f"One {HOSTILE}"  # feedparser parses titles as HTML
    base = f"{SITE.base}/-/export/show/12345678"
    assert [dict(one.attrib) for one in rich.findall(f"{PODCAST}transcript")] == [
        {"url": f"{base}.vtt", "type": "text/vtt", "language": "en"},
        {"url": f"{base}.srt", "type": "application/x-subrip", "language": "en"},
        {"url": f"{base}.json", "type": "application/json", "language": "en"},
    ]
    assert [dict(one.attrib) for one in rich.findall(f"{PODCAST}chapters")] == [
        {"url": f"{base}.chapters.json", "type": "application/json+chapters"}
    ]
    assert [one.tag for one in poor if one.tag.startswith(PODCAST)] == []


def test_a_feeds_guid_is_the_one_of_the_podcast_namespaces_own_example() -> None:
    assert podcast_guid("https://mp3s.nashownotes.com/pc20rss.xml") == uuid.UUID("917393e3-1b1e-5cef-ace4-edaa54e1f810")


def test_a_feed_without_any_kept_audio_is_none() -> None:
    with pytest.raises(ExportError, match=r"^show: none of its audio is kept yet\. Run"):
        feed(Channel("show", "The Show", "x.xml", (item(audio=None),)), SITE)
