"""Quotations: which words are said between two times, in which wordings, and who has checked them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.addresses import Addresses
from pipeline.archive import checks, said
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.quoting import MAX_SECONDS, Quotation, quotation, recording
from pipeline.archive.renditions import save_rendition
from pipeline.archive.said import Piece, Stretch
from pipeline.archive.transcripts import save_transcript
from pipeline.errors import NothingQuotedError, QuotationError
from pipeline.export.citation import standing
from pipeline.model import KeptAudio, Match, Segment, Signature, Speaker, Transcript, Word
from tests.support.building import NOW, add_feed, episode, name_speaker, spoken

SHA = "0123456789ab" + "cd" * 26
LATER = "2026-03-04T05:06:07Z"
TEXTS = ("Good social work is about", "relationships, and it always was.", "I doubt that.")


def keep(db: Database, episode_id: str, sha256: str = SHA, *, duration: float = 60.0) -> None:
    save_rendition(db, episode_id, KeptAudio(sha256, "audio/x.mp3", 1, "audio/mpeg", duration, "u", "u", NOW))


def transcribe(
    db: Database, episode_id: str, segments: Sequence[Segment], *, model: str = "tiny.en", **facts: object
) -> int:
    transcript = Transcript(SHA, 60.0, "faster-whisper", model, "en", NOW, tuple(segments))
    return save_transcript(db, episode_id, replace(transcript, **facts), model)  # type: ignore[arg-type]


@pytest.fixture
def one(archive: Database) -> str:
    """An episode in which Ann speaks for ten words, and Bob for three."""
    (one,) = add_feed(archive, "show", episode("one", title="One", questions=["What is it about?", "Really?"]))
    keep(archive, one)
    first, second, third = spoken(*TEXTS)
    segments = [replace(first, speaker="Ann"), replace(second, speaker="Ann"), replace(third, speaker="Bob")]
    speakers = (Speaker("Ann", "Ann", "guest", 5.0), Speaker("Bob", "Bob", "host", 1.5))
    transcript = transcribe(archive, one, segments, speakers=speakers)
    matches = [Match(1, "asked", 0.0, 0.1, 5.0, 0.9), Match(2, "asked", 5.0, 6.0, 6.4, 0.9)]
    save_matches(archive, one, transcript, matches, key="k", now=NOW)
    return one


def quoted(db: Database, start: float, end: float, wording: str | None = None) -> Quotation:
    return quotation(db.conn, SHA[:12], start, end, wording=wording)


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (0.0, 0.4, "Good"),
        (0.5, 2.9, "social work is about relationships,"),
        (0.3, 1.1, "social"),  # without the words that it barely touches
        (0.1, 1.3, "Good social work"),  # both words that are mostly inside
        (0.05, 0.1, "Good"),  # inside a word: the whole word
        (2.0, 2.0, "about"),
        (1.6, 99.0, "is about relationships, and it always was. I doubt that."),
    ],
)
def test_words_are_quoted_whole_and_verbatim(archive: Database, start: float, end: float, text: str) -> None:
    assert quoted(archive, start, end).wording.text == text


def test_a_quotation_says_all_that_a_citation_names(archive: Database, one: str) -> None:
    found = quoted(archive, 4.4, 5.9)
    assert (found.episode, found.title, found.show, found.published) == (one, "One", "Show", NOW)
    assert (found.audio.sha256, found.audio.duration) == (SHA, 60.0)
    ann, bob = found.wording.lines
    assert (ann.text, ann.speaker, ann.standing, ann.role, ann.question) == ("was.", "Ann", "guest", "answer", 1)
    assert (bob.text, bob.speaker, bob.standing, bob.role, bob.question) == ("I doubt", "Bob", "host", "question", 2)
    assert [(asked.number, asked.text) for asked in found.questions] == [(1, "What is it about?"), (2, "Really?")]
    assert (found.wording.start, found.wording.end) == (4.5, 5.9)
    assert (found.wording.provenance.source, found.wording.provenance.model) == ("whisper", "tiny.en")
    assert (found.changed, found.others, found.linked) == (False, (), None)
    assert (found.checks, found.checked, found.also_in) == ((), False, ())


def test_where_words_have_no_times_segments_are_quoted_whole(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    keep(archive, one)
    segments = [Segment(0.0, 8.0, "All of this."), Segment(8.0, 16.0, "And all of that.")]
    transcribe(archive, one, segments, source="publisher", engine="publisher", model="vtt")
    assert quoted(archive, 1.0, 2.0).wording.text == "All of this."
    found = quoted(archive, 3.0, 16.0).wording
    assert (found.text, found.start, found.end) == ("All of this. And all of that.", 0.0, 16.0)


def test_text_between_the_words_that_were_heard_is_kept(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    keep(archive, one)
    words = (Word(1.0, 1.4, "Well", 0.9), Word(1.5, 1.9, "–no", 0.9))
    transcribe(archive, one, [Segment(1.0, 2.0, "“Well,  –no”", words)])
    assert quoted(archive, 1.0, 2.0).wording.text == "“Well,  –no”"
    assert quoted(archive, 1.0, 1.4).wording.text == "“Well,"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("0123456", "has 8 to 64"),
        ("0123456789AB", "has 8 to 64"),
        ("0123456_", "has 8 to 64"),
        ("a" * 65, "has 8 to 64"),
        ("01234567", "Several recordings"),
        ("0123456789ac", "keeps no recording"),
    ],
)
def test_a_name_that_is_not_one_recordings_is_refused(archive: Database, one: str, name: str, said: str) -> None:
    keep(archive, one, "01234567" + "0" * 56)
    with pytest.raises(QuotationError, match=said):
        recording(archive.conn, name)
    assert recording(archive.conn, SHA[:9]).sha256 == SHA
    assert recording(archive.conn, SHA).sha256 == SHA


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (2.0, 1.0, "before it begins"),
        (0.0, MAX_SECONDS + 1, "10 minutes"),
        (60.0, 61.0, "ends at 1:00"),
        (30.0, 40.0, "Nothing is said between 0:30 and 0:40"),
    ],
)
def test_times_that_make_no_sense_are_refused(archive: Database, start: float, end: float, said: str) -> None:
    with pytest.raises(QuotationError, match=said):
        quoted(archive, start, end)


def test_a_recording_that_is_not_transcribed_has_no_words(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    keep(archive, one)
    with pytest.raises(NothingQuotedError, match="not transcribed yet"):
        quoted(archive, 0, 1)


def test_a_link_holds_after_the_recording_is_transcribed_again(archive: Database, one: str) -> None:
    before = quoted(archive, 0.5, 2.4).wording
    # All times a third of a second later, the same words: nothing has changed, and the same is quoted.
    transcribe(archive, one, spoken(*TEXTS, start=0.3), model="base.en")
    after = quoted(archive, before.start, before.end, before.digest)
    assert (after.wording.text, after.changed, after.others) == (before.text, False, ())
    assert after.wording.start == pytest.approx(0.8)
    assert after.wording.provenance.model == "base.en"


@pytest.mark.usefixtures("one")
def test_a_link_knows_when_somebody_else_is_named(archive: Database) -> None:
    before = quoted(archive, 0.5, 2.4).wording
    assert not quoted(archive, before.start, before.end, before.fingerprint).other_speakers
    name_speaker(archive, 1, "Ann", "Cleo")
    assert quoted(archive, before.start, before.end, before.fingerprint).other_speakers
    assert not quoted(archive, before.start, before.end, before.digest).other_speakers  # a link of an older version
    assert not quoted(archive, 5.0, 6.0, before.fingerprint).other_speakers  # these are other words


def test_a_wording_that_has_changed_is_shown_beside_the_present_one(archive: Database, one: str) -> None:
    before = quoted(archive, 0.5, 2.9).wording
    transcribe(archive, one, spoken("Good social work is a bout", *TEXTS[1:]), model="base.en")
    after = quoted(archive, before.start, before.end, before.digest)
    assert after.changed
    assert after.linked == before
    assert after.wording.text == "social work is a bout"
    assert after.others == ()  # shown once
    unasked = quoted(archive, before.start, before.end)
    assert (unasked.changed, unasked.linked) == (False, None)  # nothing is claimed
    assert [other.text for other in unasked.others] == [before.text]


@pytest.mark.usefixtures("one")
def test_a_wording_that_the_archive_no_longer_has_is_said_to_be_lost(archive: Database) -> None:
    found = quoted(archive, 0.5, 2.9, "000000")
    assert (found.changed, found.linked, found.others) == (True, None, ())
    assert found.wording.text == "social work is about relationships,"


def test_capitals_and_punctuation_are_no_other_wording(archive: Database, one: str) -> None:
    link = quoted(archive, 0.0, 2.4).wording.digest
    transcribe(archive, one, spoken("GOOD: social—work is about", *TEXTS[1:]), model="base.en")
    found = quoted(archive, 0.0, 2.4, link)
    assert (found.changed, found.others) == (False, ())


def test_the_publishers_wording_counts_as_another_one_only_where_it_differs(archive: Database, one: str) -> None:
    lines = [
        Segment(0.0, 5.0, "Good social work is about friendships, and it always was."),
        Segment(5.0, 7.0, TEXTS[2]),
    ]
    transcribe(archive, one, lines, model="vtt", source="publisher", engine="publisher")
    assert quoted(archive, 0.0, 1.9).others == ()  # it is part of the publisher's longer line
    (other,) = quoted(archive, 1.0, 3.0).others
    assert other.text == lines[0].text
    assert other.provenance.source == "publisher"


def test_words_that_no_transcript_in_force_has_are_still_found(archive: Database, one: str) -> None:
    before = quoted(archive, 0.0, 0.9).wording
    transcribe(archive, one, spoken("Much later.", start=40.0), model="base.en")
    found = quoted(archive, 0.0, 0.9, before.digest)
    assert found.wording.lines == ()
    assert found.linked == found.cited == before
    assert quoted(archive, 0.0, 0.9).cited.text == before.text


def test_a_file_of_several_episodes_is_quoted_from_the_newest_that_is_transcribed(archive: Database, one: str) -> None:
    again, newest = add_feed(
        archive, "show", episode("again", title="Again", published=LATER), episode("new", title="New", published=LATER)
    )
    for episode_id in (again, newest):
        keep(archive, episode_id)
    assert quoted(archive, 0.0, 1.0).episode == one
    transcribe(archive, again, spoken(*TEXTS))
    asked_for = quotation(archive.conn, SHA[:12], 0.0, 1.0, episode=one)
    assert (asked_for.episode, asked_for.title) == (one, "One")
    assert quotation(archive.conn, SHA[:12], 0.0, 1.0, episode="show/unknown").episode == again
    found = quoted(archive, 0.0, 1.0)
    assert found.episode == again
    assert sorted(found.also_in) == sorted([(newest, "New"), (one, "One")])
    assert found.others == ()


def test_a_recording_that_was_replaced_is_quoted_as_before(archive: Database, one: str) -> None:
    keep(archive, one, "f" * 64)
    save_transcript(
        archive, one, Transcript("f" * 64, 60.0, "x", "y", "en", LATER, spoken("Another recording.")), "new"
    )
    assert quoted(archive, 0.0, 0.9).wording.text == "Good social"


def check(db: Database, episode_id: str, passage: int, text: str | None = None, *, editor: str = "ann") -> None:
    seen = checks.place(db.conn, episode_id, passage, passage).seal
    checks.check(db, episode_id, (passage, passage), text, Signature(editor, LATER), seen=seen)


def test_only_what_was_checked_word_for_word_counts_as_checked(archive: Database, one: str) -> None:
    check(archive, one, 0)
    whole, part, none = quoted(archive, 0.0, 2.4), quoted(archive, 1.5, 3.4), quoted(archive, 2.5, 4.9)
    assert [(found.checked, len(found.checks)) for found in (whole, part, none)] == [(True, 1), (False, 1), (False, 0)]
    check(archive, one, 1, editor="bob")
    both = quoted(archive, 1.5, 3.4)
    assert both.checked
    assert [one.editor for one in both.checks] == ["ann", "bob"]


def test_where_a_person_heard_nothing_there_is_nothing_to_cite_but_what_the_machine_heard(
    archive: Database, one: str
) -> None:
    before = quoted(archive, 5.0, 6.4).wording
    check(archive, one, 2, "", editor="bob")
    for link in (None, before.digest):
        found = quoted(archive, 5.0, 6.4, link)
        assert (found.wording.lines, found.checked, found.cited.text) == ((), False, "I doubt that.")
        assert found.cited.machine
        assert [(one.text, one.editor) for one in found.checks] == [("", "bob")]
        assert standing(found) == "Machine transcript; nothing is said here, as checked by bob on 4 March 2026"
    around = quoted(archive, 4.0, 7.0)
    assert (around.wording.text, len(around.wording.lines)) == ("always was.", 1)
    assert (around.checks, standing(around)) == ((), "Machine transcript, not checked by a person")


def test_the_machines_words_under_a_correction_are_another_wording(archive: Database, one: str) -> None:
    before = quoted(archive, 0.0, 2.4).wording
    check(archive, one, 0, "Good social walk is about")
    after = quoted(archive, 0.0, 2.4, before.digest)
    assert (after.wording.text, after.wording.machine) == ("Good social walk is about", False)
    assert after.linked == replace(before, machine=True)
    (other,) = quoted(archive, 0.0, 2.4).others
    assert (other.text, other.machine) == (before.text, True)
    assert quoted(archive, 0.0, 0.9).others == ()  # where the editor left the words unchanged


def test_words_that_the_same_model_no_longer_hears_are_kept_for_their_links(archive: Database, one: str) -> None:
    before = quoted(archive, 0.0, 2.4).wording
    transcribe(archive, one, spoken("Good social walk is about", *TEXTS[1:]))
    after = quoted(archive, 0.0, 2.4, before.digest)
    assert after.wording.text == "Good social walk is about"
    assert after.linked is not None
    assert after.linked.text == before.text


@st.composite
def stretches(draw: st.DrawFn) -> list[Stretch]:
    """Segments in order; some have word times, some do not."""
    found, now = [], 0
    for _ in range(draw(st.integers(1, 4))):
        words, start = [], now
        for text in draw(st.lists(st.sampled_from(["a", "Bee", "sea,", "–", "dé"]), min_size=1, max_size=4)):
            begin = now + draw(st.integers(0, 900))
            now = begin + draw(st.integers(1, 900))
            words.append(Word(begin / 1000, now / 1000, text, 1.0))
        joined = draw(st.sampled_from([" ", "  "])).join(word.text for word in words)
        timed = tuple(words) if draw(st.booleans()) else ()
        found.append(Stretch(start / 1000, now / 1000, joined, None, None, "other", (), (), timed))
    return found


@given(stretches(), st.integers(0, 9000), st.integers(0, 9000))
def test_a_link_to_what_was_found_finds_the_same(segments: list[Stretch], first: int, last: int) -> None:
    pieces: Sequence[Piece] = list(said.pieces(segments))
    found = said.between(pieces, min(first, last) / 1000, max(first, last) / 1000)
    if not found:
        return
    start, end = (
        int(edge) / 1000 for edge in Addresses().quote(SHA, found[0].start, found[-1].end).split("/")[-1].split("-")
    )
    assert said.between(pieces, start, end) == found
    assert said.text(said.worded(pieces, start, end, said.digest(said.text(found))) or ()) == said.text(found)
    assert said.contains(said.text(pieces), said.text(found))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It cost £5 million.", "It cost $5 million."), ("20% of them", "20 of them"), ("-5 degrees", "5 degrees"),
        ("1.5 metres", "1 5 metres"), ("at 1:30", "at 1.30"), ("schön", "schon"), ("की", "का"), ("in C++", "in C"),
    ],
)  # fmt: skip
def test_what_makes_another_figure_or_word_makes_another_wording(one: str, other: str) -> None:
    assert said.digest(one) != said.digest(other)
    assert not said.contains(f"So {one}", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes, and no.", "yes and no"), ("well-being", "well being"), ("don’t", "don't"), ("2019–20", "2019-20"),
        ("It was – well – good", "It was well, good!"), ("It costs 1,400.", "it costs 1,400"),
    ],
)  # fmt: skip
def test_punctuation_and_case_make_no_other_wording(one: str, other: str) -> None:
    assert said.digest(one) == said.digest(other)


@given(stretches())
def test_all_pieces_are_all_of_the_text(segments: list[Stretch]) -> None:
    assert said.text(list(said.pieces(segments))) == " ".join(segment.text for segment in segments)
