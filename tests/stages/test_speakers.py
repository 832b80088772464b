"""Speaker labels in the transcribe stage: invented voices, with the words of the bundled sample show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlite_utils import Database

from pipeline.archive.episodes import episodes
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import host_voices
from pipeline.config import Feed, load
from pipeline.errors import ConfigError
from pipeline.feeds.people import find_people
from pipeline.feeds.transcripts import PublishedTurn
from pipeline.model import KeptAudio, Person, Question, Segment
from pipeline.sample import DATA
from pipeline.speech.hearing import Hearing
from pipeline.speech.speakers.voices import Voices
from pipeline.speech.windows import Window
from pipeline.stages import Outcome, Tools
from pipeline.stages.speakers import Known, label_speakers
from pipeline.stages.transcribe import transcribe
from tests.conftest import FakeEngine
from tests.speech.test_speakers import recording
from tests.support.building import NOW, add_feed, episode

Turns = list[tuple[str, str]]  # "host" or "guest", and what they say
TRUTH = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))
QUESTIONS = tuple(Question(one["number"], one["text"]) for one in TRUTH["questions"])
TURNS: Turns = [
    (who, " ".join(one["text"] for one in same))
    for who, same in groupby(TRUTH["utterances"], key=lambda one: one["speaker"])
]
STATED: Turns = [(who, text.replace("?", ".")) for who, text in TURNS]
HOST, GUEST = "Alice Waterman", "Martin Fairchild"
PEOPLE = find_people("An episode", f"{HOST} talks to {GUEST}, director of children’s services.", hosts=[HOST])
WHO = {"host": 0, "guest": 1}


def heard(turns: Turns = TURNS, *, seed: int = 0) -> Hearing:
    """The hearing of these turns, one segment each, with the same two voices whatever the seed."""
    voices, words, _ = recording(*((WHO[who], 0.3 * len(text.split())) for who, text in turns))
    chance = np.random.default_rng(seed).standard_normal(voices.vectors.shape) * 0.01
    vectors = (voices.vectors + chance).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    segments, rest = [], iter(words)
    for _, text in turns:
        own = tuple(next(rest)._replace(text=word) for word in text.split())
        segments.append(Segment(own[0].start, own[-1].end, text, own, confidence=0.9))
    return Hearing(tuple(segments), words[-1].end, windows=1, voices=[Voices(voices.starts, voices.ends, vectors)])


def without_voices(hearing: Hearing) -> Hearing:
    return replace(hearing, voices=())


def labels(segments: Sequence[Segment]) -> list[str | None]:
    """The speaker of each word."""
    return [segment.speaker for segment in segments for _ in segment.words]


def assert_said_by(found: Sequence[str | None], host: str, guest: str) -> None:
    """Every word has its speaker, except for a few (a short "Thank you." between others) that may have none."""
    true = [{"host": host, "guest": guest}[who] for who, text in TURNS for _ in text.split()]
    assert [who for who, truth in zip(found, true, strict=True) if who not in {truth, None}] == []
    assert found.count(None) < 0.02 * len(true)


def published(host: str, guest: str, turns: Turns = TURNS) -> tuple[PublishedTurn, ...]:
    return tuple(PublishedTurn(None, None, host if who == "host" else guest, text) for who, text in turns)


# --- known names, and the resulting labels


def test_who_asks_the_published_questions_is_the_host() -> None:
    segments, (host, guest) = label_speakers(heard(), Known(hosts=(HOST,), questions=QUESTIONS))
    assert (host.label, host.name, host.role) == (HOST, HOST, "host")
    assert (guest.label, guest.name, guest.role) == ("Speaker 2", None, "guest")
    assert_said_by(labels(segments), HOST, "Speaker 2")


def test_questions_asked_without_a_question_mark_still_tell_the_host() -> None:
    _, (host, guest) = label_speakers(heard(STATED), Known(hosts=(HOST,), questions=QUESTIONS))
    assert (host.name, host.role, guest.role) == (HOST, "host", "guest")


def test_without_a_list_who_asks_the_questions_is_the_host() -> None:
    _, (host, guest) = label_speakers(heard(), Known(hosts=(HOST,)))
    assert (host.name, host.role, guest.role) == (HOST, "host", "guest")


def test_a_list_that_is_not_asked_counts_as_none() -> None:
    others = (Question(1, "Whom do you recommend for the choir?"), Question(2, "Why are tulips so dear this spring?"))
    _, (host, _) = label_speakers(heard(), Known(hosts=(HOST,), questions=others))
    assert (host.name, host.role) == (HOST, "host")


def test_with_no_sign_of_the_host_nobody_is_named() -> None:
    segments, speakers = label_speakers(heard(STATED), Known(hosts=(HOST,), people=PEOPLE))
    assert [(one.label, one.name, one.role) for one in speakers] == [
        ("Speaker 1", None, "unknown"),
        ("Speaker 2", None, "unknown"),
    ]
    assert_said_by(labels(segments), "Speaker 1", "Speaker 2")


def test_the_guest_of_the_notes_is_who_is_left() -> None:
    segments, (_, guest) = label_speakers(heard(), Known(hosts=(HOST,), people=PEOPLE, questions=QUESTIONS))
    assert (guest.label, guest.name, guest.role) == (GUEST, GUEST, "guest")
    assert_said_by(labels(segments), HOST, GUEST)


def test_the_publishers_names_win_over_the_notes() -> None:
    turns = published("Alice Waterman", "Dr Martin Fairchild")
    people = (Person("Somebody Else", "guest"),)
    segments, (host, guest) = label_speakers(
        heard(), Known(hosts=(HOST,), people=people, questions=QUESTIONS, published=turns)
    )
    assert (host.name, host.role) == (HOST, "host")
    assert (guest.label, guest.name, guest.role) == ("Dr Martin Fairchild", "Dr Martin Fairchild", "guest")
    assert_said_by(labels(segments), HOST, "Dr Martin Fairchild")


def test_the_publisher_alone_may_tell_the_host() -> None:
    known = Known(hosts=(HOST,), published=published(HOST, GUEST))
    _, speakers = label_speakers(heard(STATED), known)
    assert [(one.name, one.role) for one in speakers] == [(HOST, "host"), (GUEST, "unknown")]


def test_a_name_that_the_publisher_gives_to_one_voice_is_no_others() -> None:
    """The one who asks would be the host, but the publisher gives that name to the one who answers."""
    turns = tuple(replace(turn, speaker=turn.speaker or None) for turn in published("", HOST))
    _, speakers = label_speakers(heard(), Known(hosts=(HOST,), questions=QUESTIONS, published=turns))
    assert [(one.label, one.name) for one in speakers] == [("Speaker 1", None), (HOST, HOST)]


def test_the_publisher_puts_right_what_the_notes_have_the_wrong_way_round() -> None:
    turns = published("Alice Waterman", "Martin Fairchild")
    people = (Person(HOST, "guest"), Person(GUEST, "host"))
    _, (one, other) = label_speakers(heard(), Known(people=people, questions=QUESTIONS, published=turns))
    assert [(speaker.label, speaker.name) for speaker in (one, other)] == [(HOST, HOST), (GUEST, GUEST)]


def test_a_publisher_who_gives_both_voices_one_name_names_neither() -> None:
    turns = published("Speaker", "Speaker")
    _, speakers = label_speakers(heard(), Known(hosts=(HOST,), questions=QUESTIONS, published=turns))
    assert [one.label for one in speakers] == [HOST, "Speaker 2"]


def named(*, turns: Turns = TURNS, **known: Any) -> list[tuple[str | None, str]]:
    """Name and role of the host's voice, and of the guest's."""
    _, speakers = label_speakers(
        heard(turns), Known(**{"hosts": (HOST,), "people": PEOPLE, "questions": QUESTIONS, **known})
    )
    return [(one.name, one.role) for one in speakers]


RIGHT = [(HOST, "host"), (GUEST, "guest")]


def test_a_host_who_asks_only_short_questions_is_not_taken_for_the_guest() -> None:
    short = [(who, text if who == "guest" else " ".join(text.split()[-7:])) for who, text in TURNS]
    assert sum("?" in text for who, text in short if who == "host") >= 4
    assert named(turns=short) in (RIGHT, [(None, "unknown")] * 2)


def test_one_voice_alone_is_nobodys_for_asking() -> None:
    """Two voices that were taken for one: the guest's words must not become the host's."""
    (only,) = named(turns=[("host", text) for _, text in TURNS])
    assert only == (None, "unknown")


def test_who_stands_in_for_the_host_has_the_own_name() -> None:
    people = find_people(
        "An episode", f"{HOST}, standing in for Judy Cooper, talks to {GUEST}, director of care.", hosts=["Judy Cooper"]
    )
    assert named(hosts=("Judy Cooper",), people=people) == RIGHT
    assert named(hosts=("Judy Cooper", HOST)) == RIGHT  # the notes say which of the two it is


@pytest.mark.parametrize(
    "labels",
    [("Speaker 1", "Speaker 2"), ("SPEAKER_00", "SPEAKER_01"), ("Host", "Guest"), ("Interviewer", "spk_1"),
     ("Alice", "MARTIN FAIRCHILD"), ("AW", "M.F."), ("Waterman", "Fairchild")],
    ids="-".join,
)  # fmt: skip
def test_a_publishers_label_takes_no_name_away(labels: tuple[str, str]) -> None:
    assert named(published=published(*labels)) == RIGHT
    assert [name for name, _ in named(people=(), published=published("Speaker 2", ""))] == [HOST, None]


def test_two_labels_of_one_person_do_not_join_two_voices() -> None:
    assert named(published=published("Waterman", "Alice")) == RIGHT


def test_one_caption_with_a_name_names_no_voice() -> None:
    turns = list(published("", ""))
    turns[1] = replace(turns[1], speaker="Tom Caller")
    assert named(published=tuple(turns)) == RIGHT


def test_where_the_publisher_names_the_host_nobody_else_is_one() -> None:
    """The other way round than it is heard: whoever asks is the guest, by name."""
    assert sorted(named(published=published(GUEST, HOST))) == sorted(RIGHT)


def test_without_voices_the_publisher_alone_says_who_speaks() -> None:
    known = Known(hosts=(HOST,), people=PEOPLE, questions=QUESTIONS, published=published(HOST, GUEST))
    segments, speakers = label_speakers(without_voices(heard()), known)
    assert_said_by(labels(segments), HOST, GUEST)
    assert [(one.label, one.name, one.role, one.voice) for one in speakers] == [
        (HOST, HOST, "host", ()),
        (GUEST, GUEST, "guest", ()),
    ]
    for speaker in speakers:
        words = [word for segment in segments if segment.speaker == speaker.label for word in segment.words]
        assert speaker.seconds == pytest.approx(sum(word.end - word.start for word in words), abs=0.01)


def test_without_voices_and_publisher_nobody_speaks() -> None:
    hearing = without_voices(heard())
    assert label_speakers(hearing, Known(hosts=(HOST,), people=PEOPLE, questions=QUESTIONS)) == (hearing.segments, ())


def test_where_nobody_speaks_there_are_no_speakers() -> None:
    assert label_speakers(Hearing((), 12.0), Known(hosts=(HOST,), published=published(HOST, GUEST))) == ((), ())


def test_a_segment_is_cut_where_the_speaker_changes_inside() -> None:
    hearing = heard()
    words = tuple(word for segment in hearing.segments for word in segment.words)
    whole = Segment(0.0, words[-1].end, " ".join(word.text for word in words), words, confidence=0.9, flags=("loop",))
    segments, _ = label_speakers(replace(hearing, segments=(whole,)), Known(hosts=(HOST,), questions=QUESTIONS))
    assert_said_by(labels(segments), HOST, "Speaker 2")
    assert tuple(word for segment in segments for word in segment.words) == words
    assert {segment.flags for segment in segments} == {("loop",)}


@pytest.mark.parametrize("count", [1, 2])
def test_as_many_speakers_are_told_apart_as_are_known_to_be(count: int) -> None:
    _, speakers = label_speakers(heard(), Known(count=count, hosts=(HOST,), questions=QUESTIONS))
    assert len(speakers) == count


# --- the stage


class Voiced(FakeEngine):
    """Hears the given recordings in turn; requests the voices of one window of each."""

    def __init__(self, *hearings: Hearing) -> None:
        super().__init__()
        self.hearings = list(hearings)

    def transcribe(self, blocks: Any, *, voices: Any = None, **more: Any) -> Hearing:
        super().transcribe(blocks, **more)
        if voices:
            second = ((0, 16_000),)
            voices(Window(np.zeros(16_000, np.float32), second, second))
        return self.hearings.pop(0)


class SilentEncoder:
    def embed(self, samples: NDArray[np.float32], *, at: float) -> Voices:  # noqa: ARG002 - the interface
        return Voices.join(())


class BrokenEncoder:
    def embed(self, samples: NDArray[np.float32], *, at: float) -> Voices:  # noqa: ARG002 - the interface
        raise RuntimeError("the network is damaged")


@pytest.fixture
def stage(
    make_tools: Callable[..., Tools], archive: Database, tmp_path: Path, tone_mp3: bytes
) -> Callable[..., list[Outcome]]:
    """Transcribe a show with one episode for each of these hearings; the first has the published questions."""

    def do(feed: Feed, *hearings: Hearing, notes: str = "", encoder: Any = SilentEncoder) -> list[Outcome]:
        items = [
            replace(
                episode(f"e{n}", questions=[one.text for one in QUESTIONS] if n == 0 else ()),
                notes_text=notes,
                published=f"2026-01-{20 - n:02}T06:00:00Z",
            )
            for n in range(len(hearings))
        ]
        for n, one in enumerate(add_feed(archive, feed.slug, *items)):
            content = tone_mp3 + bytes(n)
            sha256 = hashlib.sha256(content).hexdigest()
            (tmp_path / "audio").mkdir(exist_ok=True)
            (tmp_path / "audio" / f"{n}.mp3").write_bytes(content)
            audio = KeptAudio(sha256, f"audio/{n}.mp3", len(content), "audio/mpeg", 2.0, "u", "u", NOW)
            save_rendition(archive, one, audio)
        engine = Voiced(*hearings)
        tools = make_tools(engine=lambda _: engine, voices=encoder)
        outcomes = (transcribe(tools, feed, one) for one in episodes(archive, feed.slug))
        return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]

    return do


def show(**more: Any) -> Feed:
    return Feed(**{"slug": "show", "title": "Show", "url": "feed.xml", "hosts": (HOST,), **more})


def test_speakers_are_stored_with_their_voices(archive: Database, stage: Callable[..., list[Outcome]]) -> None:
    (outcome,) = stage(show(), heard(), notes=f"{HOST} talks to {GUEST}, director of children’s services.")
    assert outcome.status == "ok"
    assert "without speakers" not in outcome.reason
    rows = archive.execute("select label, name, role, seconds, voice from speakers order by label").fetchall()
    assert [row[:3] for row in rows] == [(HOST, HOST, "host"), (GUEST, GUEST, "guest")]
    for _, _, _, seconds, voice in rows:
        assert 30 < seconds < 250
        assert np.linalg.norm(json.loads(voice)) == pytest.approx(1, abs=1e-3)
    segments = archive.execute("select speaker, json_array_length(words) from segments order by n").fetchall()
    assert_said_by([who for who, words in segments for _ in range(words)], HOST, GUEST)


def test_a_host_is_known_again_by_the_voice_of_earlier_episodes(
    archive: Database, stage: Callable[..., list[Outcome]]
) -> None:
    """The second episode has no list and no question marks: only the voice identifies the host."""
    swapped: Turns = [("guest" if who == "host" else "host", text) for who, text in STATED]
    stage(show(), heard(), heard(swapped, seed=1))
    first, second = (one.id for one in episodes(archive, "show"))
    assert [name for name, _ in host_voices(archive, "show", but=second)] == [HOST]
    assert [name for name, _ in host_voices(archive, "show", but=first)] == [HOST]
    assert host_voices(archive, "other", but=first) == []
    rows = archive.execute(
        """select s.label, s.role from speakers s join transcripts t on t.id = s.transcript
           where t.episode = ? order by s.rowid""",
        [second],
    ).fetchall()
    assert rows == [("Speaker 1", "guest"), (HOST, "host")]


def test_alone_the_second_episode_names_nobody(archive: Database, stage: Callable[..., list[Outcome]]) -> None:
    stage(show(), heard(STATED[:2]), heard(STATED, seed=1))
    assert HOST not in {label for (label,) in archive.execute("select label from speakers")}


def test_voices_that_cannot_be_heard_cost_no_word(archive: Database, stage: Callable[..., list[Outcome]]) -> None:
    (outcome,) = stage(show(), without_voices(heard()), encoder=BrokenEncoder)
    assert outcome.status == "ok"
    assert "without speakers: the voices could not be told apart (RuntimeError: the network is damaged)" in (
        outcome.reason
    )
    assert archive.execute("select count(*), count(speaker) from segments").fetchone() == (len(TURNS), 0)


def test_an_encoder_that_cannot_be_made_costs_no_word(archive: Database, stage: Callable[..., list[Outcome]]) -> None:
    def lost() -> object:
        raise OSError("voice_encoder.onnx is not there")

    (outcome,) = stage(show(), without_voices(heard()), encoder=lost)
    assert outcome.status == "ok"
    assert "without speakers: the voices could not be told apart (OSError: voice_encoder.onnx is not there)" in (
        outcome.reason
    )
    assert archive.execute("select count(*) from segments").fetchone() == (len(TURNS),)


def test_a_failure_in_telling_speakers_apart_costs_no_word(
    archive: Database, stage: Callable[..., list[Outcome]]
) -> None:
    hearing = heard()
    odd = Voices(np.array([0.0]), np.array([1.6]), np.ones((1, 7), np.float32))  # of the size of another encoder
    (outcome,) = stage(show(), replace(hearing, voices=[*hearing.voices, odd]))
    assert outcome.status == "ok"
    assert "without speakers: ValueError: " in outcome.reason
    assert archive.execute("select count(*), count(speaker) from segments").fetchone() == (len(TURNS), 0)
    assert archive.execute("select count(*) from speakers").fetchone() == (0,)


def test_the_number_of_speakers_in_the_feed_is_kept_to(archive: Database, stage: Callable[..., list[Outcome]]) -> None:
    stage(show(speakers=1), heard())
    assert archive.execute("select count(*) from speakers").fetchone() == (1,)


# --- feeds.yaml


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0", "must be greater than 0"),
        ("9", "must be less than or equal to 8"),
        ("two", "must be a whole number; it is 'two'"),
        ('"2"', "must be a whole number; it is '2'"),
        ("2.5", "must be a whole number"),
        ("yes", "must be a whole number; it is True"),
    ],
)
def test_a_number_of_speakers_that_cannot_be(tmp_path: Path, value: str, said: str) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text(f"feeds:\n- slug: a\n  title: A\n  url: a.xml\n  speakers: {value}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(feeds)
    assert str(caught.value).startswith(f"{feeds}, line 5: feed “a”, key “speakers”: {said}")


@pytest.mark.parametrize(("line", "count"), [("", None), ("speakers: 1", 1), ("speakers: 8", 8)])
def test_a_number_of_speakers_may_be_given(tmp_path: Path, line: str, count: int | None) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text(f"feeds:\n- slug: a\n  title: A\n  url: a.xml\n  {line}\n", encoding="utf-8")
    assert load(feeds).feeds[0].speakers == count
