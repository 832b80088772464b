"""Attributing speech to speakers in a transcript: pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editing.attributing import attributed, concerning, speaker_name, speakers_in_force, voice_in
from pipeline.errors import CorrectionError
from pipeline.model import Attribution, Segment, Speaker
from tests.support.building import NOW

HOST, GUEST, OTHER = "Dana Whitfield", "Speaker 2", "Speaker 3"
SPEAKERS = (
    Speaker(HOST, HOST, "host", 4.0, (0.1, 0.2)),
    Speaker(GUEST, None, "guest", 6.0, (0.3, 0.4)),
    Speaker(OTHER, None, "unknown", 2.0, (0.5, 0.6)),
)
# Host, guest, host, guest, nobody, a third voice: two seconds each.
HEARD = tuple(
    Segment(2.0 * n, 2.0 * n + 2, f"Passage {n}.", speaker=speaker)
    for n, speaker in enumerate((HOST, GUEST, HOST, GUEST, None, OTHER))
)


def said(
    number: int, n: int, name: str, *, everywhere: bool = False, machine: str | None = None, last: int | None = None
) -> Attribution:
    """An attribution of passage ``n``, or of ``n`` to ``last``."""
    start, end = HEARD[n].start, HEARD[n if last is None else last].end
    return Attribution(
        number, "ab" * 32, start, end, name, machine or HEARD[n].speaker, everywhere, None, "ann", NOW
    )  # fmt: skip


def names(*attributions: Attribution, segments: tuple[Segment, ...] = HEARD) -> list[str | None]:
    return [one.speaker for one in attributed(segments, attributions)]


def test_a_passage_has_another_speaker_and_the_others_do_not() -> None:
    assert names(said(1, 1, "Ann Lee")) == [HOST, "Ann Lee", HOST, GUEST, None, OTHER]
    assert names(said(1, 0, "")) == [None, GUEST, HOST, GUEST, None, OTHER]
    assert names() == [one.speaker for one in HEARD]


def test_a_voice_is_named_wherever_it_is_heard() -> None:
    assert names(said(1, 1, "Ann Lee", everywhere=True)) == [HOST, "Ann Lee", HOST, "Ann Lee", None, OTHER]


def test_of_one_stretch_the_newest_counts_whatever_it_is_of() -> None:
    here, voice = said(1, 3, "Bo Cole"), said(2, 3, "Ann Lee", everywhere=True)
    assert names(here, voice) == [HOST, "Ann Lee", HOST, "Ann Lee", None, OTHER]
    assert names(replace(voice, id=1), replace(here, id=2)) == [HOST, "Ann Lee", HOST, "Bo Cole", None, OTHER]
    elsewhere = said(1, 1, "Bo Cole")  # an attribution of a single passage does not extend to the whole voice
    assert names(elsewhere, voice) == [HOST, "Bo Cole", HOST, "Ann Lee", None, OTHER]


def test_a_voice_that_is_named_anew_loses_its_old_name_everywhere() -> None:
    mistyped, right = said(1, 1, "An Lee", everywhere=True), said(2, 3, "Ann Lee", everywhere=True)
    assert names(mistyped, right) == [HOST, "Ann Lee", HOST, "Ann Lee", None, OTHER]
    assert [one.name for one in speakers_in_force(SPEAKERS, HEARD, [mistyped, right])] == [HOST, "Ann Lee", None]
    assert concerning(HEARD, [mistyped, right], 1, 1) == (mistyped, right)
    assert concerning(HEARD, [mistyped, said(3, 0, "")], 3, 3) == (mistyped,)


def test_a_stretch_is_about_everybody_in_it_who_speaks_one_after_the_other() -> None:
    assert names(said(1, 0, "Ann Lee", last=1)) == ["Ann Lee", "Ann Lee", HOST, GUEST, None, OTHER]
    assert names(said(1, 3, "Ann Lee", last=4)) == [HOST, GUEST, HOST, "Ann Lee", "Ann Lee", OTHER]


def test_a_voice_that_is_named_anew_takes_no_other_voice_along() -> None:
    stretch, voice = said(1, 3, "An Lee", last=4, everywhere=True), said(2, 1, "Ann Lee", everywhere=True)
    assert names(stretch, voice) == [HOST, "Ann Lee", HOST, "Ann Lee", "An Lee", OTHER]


def test_who_is_heard_longest_is_meant_whatever_the_labels_are() -> None:
    again = (
        Segment(2.0, 3.6, "Passage", speaker="Speaker 1"),
        Segment(3.6, 4.0, "one.", speaker=GUEST),  # somebody else with this label in another transcription
        Segment(6.0, 8.0, "Passage 3.", speaker=GUEST),
    )
    voice = said(1, 1, "Ann Lee", everywhere=True)
    assert names(voice, segments=again)[::2] == ["Ann Lee", GUEST]
    assert concerning(again, [voice], 2, 2) == ()


def test_who_speaks_at_the_same_time_is_left_as_it_is_under_another_label() -> None:
    renamed = (replace(HEARD[0], speaker="D. Whitfield"), Segment(0.5, 0.9, "Mhm.", speaker=GUEST))
    assert names(said(1, 0, "Ann Lee"), segments=renamed) == ["Ann Lee", GUEST]


def test_a_word_in_between_does_not_name_a_whole_speech() -> None:
    speech = (Segment(0.0, 8.0, "All of it in one.", speaker=HOST), Segment(8.0, 9.0, "Yes.", speaker=HOST))
    assert names(replace(said(1, 1, "Ann Lee", everywhere=True), start=3.0, end=5.0), segments=speech) == [HOST, HOST]


def test_two_names_may_have_been_mixed_up() -> None:
    bo = "Bo Cole"
    heard = tuple(replace(one, speaker=bo if one.speaker == GUEST else one.speaker) for one in HEARD)
    speakers = (SPEAKERS[0], replace(SPEAKERS[1], label=bo, name=bo))
    found = speakers_in_force(
        speakers, heard, [said(1, 0, bo, everywhere=True), said(2, 1, HOST, everywhere=True, machine=bo)]
    )
    assert {one.label: (one.name, one.role, one.voice) for one in found} == {
        bo: (bo, "host", SPEAKERS[0].voice),
        HOST: (HOST, "guest", SPEAKERS[1].voice),
    }


def test_two_voices_may_be_one_persons() -> None:
    both = said(1, 1, "Ann Lee", everywhere=True), said(2, 5, "Ann Lee", everywhere=True)
    assert names(*both) == [HOST, "Ann Lee", HOST, "Ann Lee", None, "Ann Lee"]
    host, ann = speakers_in_force(SPEAKERS, HEARD, both)
    assert host == SPEAKERS[0]
    assert ann == Speaker("Ann Lee", "Ann Lee", "guest", 6.0, (0.3, 0.4))  # of the longer one


def test_who_speaks_at_the_same_time_is_left_as_it_is() -> None:
    mhm = Segment(0.5, 0.9, "Mhm.", speaker=GUEST)
    segments = (HEARD[0], mhm, *HEARD[1:])
    assert names(said(1, 0, "Ann Lee"), segments=segments)[:2] == ["Ann Lee", GUEST]


def test_it_holds_in_another_transcript_with_other_labels_and_passages() -> None:
    again = (
        Segment(0.0, 1.2, "Passage", speaker="Speaker 1"),
        Segment(1.2, 2.1, "0.", speaker="Speaker 1"),
        Segment(2.1, 4.0, "Passage 1.", speaker=HOST),
        Segment(6.0, 8.0, "Passage 3.", speaker=HOST),
    )
    assert names(said(1, 1, "Ann Lee"), segments=again) == ["Speaker 1", "Speaker 1", "Ann Lee", HOST]
    voice = said(1, 1, "Ann Lee", everywhere=True)
    assert names(voice, segments=again) == ["Speaker 1", "Speaker 1", "Ann Lee", "Ann Lee"]


def test_who_speaks_is_known_with_how_long_and_as_what() -> None:
    assert speakers_in_force(SPEAKERS, HEARD, [said(1, 1, "Ann Lee")]) == (
        SPEAKERS[0],
        replace(SPEAKERS[1], seconds=2.0),
        SPEAKERS[2],
        Speaker("Ann Lee", "Ann Lee", "unknown", 2.0),
    )
    (host, *_) = speakers_in_force(SPEAKERS, HEARD, [said(1, 1, HOST)])
    assert (host.name, host.role, host.seconds) == (HOST, "host", 6.0)
    gone = speakers_in_force(SPEAKERS, HEARD, [said(1, 5, "")])
    assert [one.label for one in gone] == [HOST, GUEST]


def test_a_label_that_tells_voices_apart_is_no_name() -> None:
    found = speakers_in_force(SPEAKERS, HEARD, [said(1, 1, "Speaker 9"), said(2, 5, GUEST)])
    assert {one.label: one.name for one in found} == {HOST: HOST, GUEST: None, "Speaker 9": None}


def test_without_the_machines_speakers_only_who_was_named_is_known() -> None:
    (ann,) = speakers_in_force((), HEARD, [said(1, 1, "Ann Lee", everywhere=True)])
    assert (ann.label, ann.name, ann.seconds) == ("Ann Lee", "Ann Lee", 4.0)


def test_names_are_plain_and_not_too_long() -> None:
    assert speaker_name("  Ann \u200b\t Lee\n") == "Ann Lee"
    with pytest.raises(CorrectionError, match="speaker: is longer than 200"):
        speaker_name("x" * 201)


@pytest.mark.parametrize("label", ["Speaker 2", " Speaker  12 "])
def test_the_label_of_a_voice_is_nobodys_name(label: str) -> None:
    with pytest.raises(CorrectionError, match="is not a person’s name"):
        speaker_name(label)
    assert speaker_name("Speaker Two") == "Speaker Two"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.integers(0, 5), st.sampled_from(["", "Ann Lee", HOST, GUEST, OTHER]), st.booleans()
        ),
        max_size=6,
    )
)
def test_words_and_times_are_never_touched_and_seconds_add_up(given_: list[tuple[int, int, str, bool]]) -> None:
    some = [
        said(number, min(n, m), name, last=max(n, m), everywhere=everywhere and bool(name))
        for number, (n, m, name, everywhere) in enumerate(given_)
    ]
    found = attributed(HEARD, some)
    assert [replace(one, speaker=None) for one in found] == [replace(one, speaker=None) for one in HEARD]
    speakers = speakers_in_force(SPEAKERS, HEARD, some)
    labels = [one.label for one in speakers]
    assert len(labels) == len(set(labels))
    assert {one.speaker for one in found if one.speaker} == {one.label for one in speakers if one.seconds}
    if some:
        for one in speakers:
            assert one.seconds == sum(2.0 for segment in found if segment.speaker == one.label) or one in SPEAKERS
    last: dict[int, Attribution] = {}
    for attribution in some:
        last.update(dict.fromkeys((n for n in range(6) if attribution.start <= 2 * n < attribution.end), attribution))
    for n, attribution in last.items():
        if (
            not attribution.everywhere
            and attribution.machine == HEARD[n].speaker
            and attribution.start == HEARD[n].start
            and attribution.end == HEARD[n].end
        ):
            assert found[n].speaker == (attribution.name or None)


def test_the_voice_of_a_stretch_is_the_one_heard_longest() -> None:
    assert voice_in(HEARD[3:6]) == GUEST
    assert voice_in([HEARD[4]]) is None
    assert voice_in([]) is None
