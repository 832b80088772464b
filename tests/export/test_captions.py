"""Captions: every word once and in order, never two cues at the same time, and readable lines."""

from __future__ import annotations

import html
import re
from io import StringIO
from itertools import pairwise, zip_longest

import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ExportError
from pipeline.export import captions
from pipeline.export.cues import LINE, SHORTEST, SPEED, UNCLEAR, cues
from pipeline.model import Segment, Word
from tests.support.building import spoken
from tests.support.exporting import NOWHERE, publication

HOSTILE = "</v><c.red>&lt;--> {\\an8}"
NAMES = (
    None,
    "Ann",
    "Dr. Bo Li",
    f"Cy{HOSTILE}",
    "A person of a name that is much longer than any line of captions is",
)
TEXTS = st.one_of(
    st.sampled_from(["so", "the", "front", "door,", "caseloads", "calm.", "Why?", "e.g.", "well –", "“No!”", HOSTILE]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
)


@st.composite
def transcripts(draw: st.DrawFn, *, orderly: bool) -> list[Segment]:
    """Segments with or without words; unless ``orderly``, words may overlap and go back in time."""
    found, position = [], 0.0
    for texts in draw(st.lists(st.lists(TEXTS, max_size=25), max_size=6)):
        words = []
        for text in texts:
            position = max(0.0, position + draw(st.sampled_from([0.0, 0.01, 0.2, 0.5, 3.0] + [-2.0] * (not orderly))))
            length = draw(st.sampled_from([0.01, 0.15, 0.4, 1.2] + [0.0, -1.0, 30.0] * (not orderly)))
            words.append(Word(position, position + length, text, 0.9))
            position += length if orderly else 0.1
        start, end = (words[0].start, words[-1].end) if words else (position, position)
        timed = tuple(words) if draw(st.booleans()) else ()
        found.append(Segment(start, end, " ".join(texts), timed, draw(st.sampled_from(NAMES))))
    return found


def said(segments: list[Segment]) -> list[str]:
    return [word for segment in segments for word in segment.text.split()]


@given(transcripts(orderly=False), st.booleans())
def test_every_word_is_shown_once_and_in_order(segments: list[Segment], names: bool) -> None:
    found = cues(segments, duration=60.0, names=names)
    shown = " ".join(line for cue in found for line in cue.lines).split()
    if not names:
        assert shown == said(segments)
    left = iter(shown)
    assert all(any(word == other for other in left) for word in said(segments))


@given(transcripts(orderly=False), st.booleans())
def test_no_two_cues_are_shown_at_a_time_and_none_for_no_time(segments: list[Segment], names: bool) -> None:
    found = cues(segments, duration=60.0, names=names)
    assert all(0 <= cue.start < cue.end for cue in found)
    assert all(cue.end <= following.start for cue, following in pairwise(found))


@given(transcripts(orderly=False), st.booleans())
def test_there_are_two_lines_at_most_and_only_a_long_word_makes_a_long_one(
    segments: list[Segment], names: bool
) -> None:
    for cue in cues(segments, duration=60.0, names=names):
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= LINE or " " not in line for line in cue.lines)
        assert all(line.split() for line in cue.lines)


@given(transcripts(orderly=True))
def test_what_is_too_fast_or_too_short_has_all_the_time_there_is(segments: list[Segment]) -> None:
    duration = max((segment.end for segment in segments), default=0.0) + 0.3
    found = cues(segments, duration=duration, names=False)
    shown = 0
    for cue, following in zip_longest(found, found[1:]):
        until = following.start if following else round(duration * 1000)
        seconds = (cue.end - cue.start) / 1000
        assert len(" ".join(cue.lines)) / seconds <= SPEED or cue.end == until
        assert cue.end - cue.start >= SHORTEST or (cue.start, cue.end) == (shown, until)
        shown = cue.end


@given(transcripts(orderly=True))
def test_a_cue_is_shown_while_its_words_are_spoken(segments: list[Segment]) -> None:
    timed = [segment for segment in segments if segment.words]
    words = [(word, text) for segment in timed for word in segment.words for text in word.text.split()]
    for cue in cues(timed, duration=9999.0, names=False):
        count = sum(len(line.split()) for line in cue.lines)
        own, words = words[:count], words[count:]
        assert cue.start <= round(own[0][0].start * 1000) + count
        assert cue.end >= round(own[-1][0].end * 1000) - 1


@given(transcripts(orderly=False))
def test_readers_of_webvtt_and_subrip_find_the_same_words_and_nothing_else(segments: list[Segment]) -> None:
    if not segments:
        return
    episode = publication(segments, duration=60.0)
    shown = []
    for caption in webvtt.from_string(captions.vtt(episode, NOWHERE)).captions:
        voice = re.match(r"<v ([^>]*)>", caption.raw_text)
        assert not voice or html.unescape(voice[1]) in NAMES
        assert caption.raw_text.count("<") == bool(voice)
        shown += html.unescape(caption.raw_text[voice.end() if voice else 0 :]).split()
    assert shown == said(segments)
    written = captions.srt(episode, NOWHERE)
    subtitles = list(srt.parse(written))
    assert [subtitle.index for subtitle in subtitles] == list(range(1, written.count(" --> ") + 1))
    assert not re.search("[<>]", "".join(subtitle.content for subtitle in subtitles))
    assert all(subtitle.start < subtitle.end for subtitle in subtitles)


def test_cues_end_with_sentences_then_clauses_and_take_short_sentences_together() -> None:
    text = (
        "No. The front door is calm. The council put in more than a million pounds last year, "
        "and most of it was spent on thirty extra posts instead of agency workers."
    )
    found = cues(spoken(text, seconds_a_word=0.3), duration=60.0, names=False)
    assert [cue.lines for cue in found] == [
        ("No. The front door is calm.",),
        ("The council put in more than", "a million pounds last year,"),
        ("and most of it was spent on thirty", "extra posts instead of agency workers."),
    ]


def test_a_cue_ends_before_a_pause() -> None:
    before, after = spoken("and then there was nothing"), spoken("for a while", start=4.0)
    found = cues([*before, *after], duration=60.0, names=False)
    assert [cue.lines for cue in found] == [("and then there was nothing",), ("for a while",)]
    assert (found[0].start, found[0].end, found[1].start) == (0, 2400, 4000)


def test_a_short_answer_stays_into_the_pause_that_follows() -> None:
    words = (Word(2.0, 2.1, "Yes.", 0.9),)
    (cue,) = cues([Segment(2.0, 2.1, "Yes.", words)], duration=60.0, names=False)
    assert (cue.start, cue.end) == (2000, 2800)
    (cue,) = cues([Segment(2.0, 2.1, "Yes.", words)], duration=2.5, names=False)
    assert (cue.start, cue.end) == (1700, 2500)  # if there is none, from the preceding pause


def test_subrip_names_who_speaks_where_that_changes_and_does_not_leave_words_to_somebody_else() -> None:
    texts = ("Good morning.", "And welcome.", "Thank you very much.", "Somebody laughs at that.")
    people = ("Ann", "Ann", "Bo", None)
    segments = [
        Segment(one.start, one.end, one.text, one.words, speaker)
        for one, speaker in zip(spoken(*texts, seconds_a_word=1.0), people, strict=True)
    ]
    text = captions.srt(publication(segments), NOWHERE)
    assert [subtitle.content for subtitle in srt.parse(text)] == [
        "Ann: Good morning. And welcome.",
        "Bo: Thank you very much.",
        f"{UNCLEAR}: Somebody laughs at that.",
    ]
    read = webvtt.from_buffer(StringIO(captions.vtt(publication(segments), NOWHERE)))
    assert [caption.voice for caption in read.captions] == ["Ann", "Bo", None]
    alone = [Segment(one.start, one.end, one.text, one.words) for one in spoken(*texts)]
    assert UNCLEAR not in captions.srt(publication(alone), NOWHERE)


@pytest.mark.parametrize("render", [captions.vtt, captions.srt])
def test_an_episode_without_a_transcript_has_no_captions(render: object) -> None:
    with pytest.raises(ExportError, match=r"show/12345678: is not transcribed yet\. Run"):
        render(publication(), NOWHERE)  # type: ignore[operator]
