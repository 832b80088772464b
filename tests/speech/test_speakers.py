"""Who says each word: invented vectors for the arithmetic, the bundled sample show for the voices."""

from __future__ import annotations

import json
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Person, Segment, Word
from pipeline.speech.speakers.attribute import WordSpeakers, attribute
from pipeline.speech.speakers.clusters import cluster
from pipeline.speech.speakers.mels import mel_power
from pipeline.speech.speakers.naming import VoicePrint, name_speakers
from pipeline.speech.speakers.turns import by_speaker
from pipeline.speech.speakers.voices import VoiceEncoder, Voices

SAMPLE = Path(__file__).parents[2] / "pipeline" / "sample" / "data"
HOP, LENGTH = 0.5, 1.6  # seconds
Turn = tuple[int, float]  # who, and for how many seconds


def recording(*turns: Turn, seed: int = 0, speakers: int = 4) -> tuple[Voices, list[Word], list[int]]:
    """Windows and words of people who talk one after the other, and who says each word.

    A window's vector is the mean of its speakers' voices, of what is being said, and of chance.
    """
    random = np.random.default_rng(seed)
    people = np.abs(random.standard_normal((speakers, 64)))
    content = random.standard_normal((6, 64)) * 0.1
    ends = np.cumsum([seconds for _, seconds in turns])
    step = 0.1
    who = np.array([turns[int(np.searchsorted(ends, at))][0] for at in np.arange(step / 2, ends[-1], step)])
    starts = np.arange(0, max(ends[-1] - LENGTH, 0) + 0.01, HOP)
    vectors = []
    for start in starts:
        part = who[round(start / step) : round((start + LENGTH) / step)]
        vector = people[part].mean(axis=0) + random.standard_normal(6) @ content + random.standard_normal(64) * 0.05
        vectors.append(vector / np.linalg.norm(vector))
    words, truth = [], []
    begin = 0.0
    for (speaker, seconds), end in zip(turns, ends.tolist(), strict=True):
        count = max(1, round(seconds / 0.3))
        edges = np.linspace(begin, end, count + 1).tolist()
        for n in range(count):
            full = n == count - 1 or n % 12 == 11
            words.append(Word(edges[n], edges[n + 1], "stop." if full else "word", 0.9))
            truth.append(speaker)
        begin = end
    return Voices(starts, starts + LENGTH, np.array(vectors, dtype=np.float32)), words, truth


def mistakes(found: WordSpeakers, truth: list[int]) -> tuple[float, float]:
    """The shares of words with the wrong speaker and with none, under the best matching of speakers."""
    names = sorted(set(truth))
    pairs = list(zip(found.speakers, truth, strict=True))
    wrong = min(
        sum(one is not None and one != order[names.index(other)] for one, other in pairs)
        for order in permutations(range(max(len(names), len(found.seconds))), len(names))
    )
    return wrong / len(truth), sum(one is None for one, _ in pairs) / len(truth)


def interview(turns: int = 24, seed: int = 1) -> list[Turn]:
    lengths = np.random.default_rng(seed).uniform(3, 15, turns)
    return [(n % 2, float(length)) for n, length in enumerate(lengths)]


# --- mel spectrogram and encoder


def test_the_mel_spectrogram_is_librosas() -> None:
    seconds = np.arange(1600) / 16000
    chirp = (0.5 * np.sin(2 * np.pi * (300 * seconds + 20000 * seconds**2))).astype(np.float32)
    mels = mel_power(chirp)
    # made with librosa 0.11: librosa.feature.melspectrogram(y=chirp, sr=16000, n_fft=400, hop_length=160, n_mels=40)
    assert mels.argmax(axis=1).tolist() == [5, 9, 14, 18, 21, 24, 26, 27, 29, 30, 31]
    largest = [7.9623, 9.4667, 9.5892, 9.444, 9.2422, 8.0085, 8.0527, 7.0443, 8.0797, 5.8962, 3.2685]
    assert mels.max(axis=1) == pytest.approx(largest, rel=1e-4)


def test_mels_of_long_audio_do_not_depend_on_how_it_is_blocked() -> None:
    noise = np.random.default_rng(0).standard_normal(25 * SAMPLE_RATE).astype(np.float32)
    frame = 2100  # in the second block
    part = mel_power(noise[(frame - 10) * 160 : (frame + 10) * 160])
    assert mel_power(noise)[frame] == pytest.approx(part[10], rel=1e-3)


@pytest.fixture(scope="module")
def encoder() -> VoiceEncoder:
    return VoiceEncoder()


@pytest.fixture(scope="module")
def sample(encoder: VoiceEncoder) -> dict[str, tuple[Voices, list[Word], list[int]]]:
    """Both episodes of the sample show: their voices, and words spread evenly over the true utterances."""
    found = {}
    for name in ("episode-1", "episode-2"):
        audio = decode(SAMPLE / f"{name}.mp3")
        words, truth = [], []
        for utterance in json.loads((SAMPLE / f"{name}.truth.json").read_text())["utterances"]:
            texts = utterance["text"].split()
            edges = np.linspace(utterance["start"], utterance["end"], len(texts) + 1).tolist()
            words += [Word(edges[n], edges[n + 1], text, 1.0) for n, text in enumerate(texts)]
            truth += [int(utterance["speaker"] == "guest")] * len(texts)
        found[name] = (encoder.embed(audio, at=0.0), words, truth)
    return found


def test_windows_lie_in_time_where_their_sound_does(encoder: VoiceEncoder) -> None:
    audio = decode(SAMPLE / "episode-1.mp3")[: 30 * SAMPLE_RATE]
    voices = encoder.embed(audio, at=100.0)
    assert voices.starts[0] >= 100
    assert voices.ends[-1] <= 130.1
    assert (np.diff(voices.starts) > 0).all()
    lengths = voices.ends - voices.starts
    assert lengths.min() >= 0.4 - 1e-9
    assert lengths.max() <= LENGTH + 1e-9
    assert np.linalg.norm(voices.vectors, axis=1) == pytest.approx(1, abs=1e-3)


def test_loudness_is_no_mark_of_a_voice(encoder: VoiceEncoder) -> None:
    audio = decode(SAMPLE / "episode-1.mp3")[: 5 * SAMPLE_RATE]
    loud, quiet = encoder.embed(audio, at=0.0), encoder.embed(audio / np.float32(30), at=0.0)
    assert (loud.vectors * quiet.vectors).sum(axis=1).min() > 0.99


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_too_little_speech_has_no_voice(encoder: VoiceEncoder, seconds: float) -> None:
    noise = np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)
    assert len(encoder.embed(noise, at=0.0)) == 0


def test_no_window_goes_across_a_pause(encoder: VoiceEncoder) -> None:
    audio = decode(SAMPLE / "episode-1.mp3")
    spoken = audio[2 * SAMPLE_RATE : 4 * SAMPLE_RATE]
    voices = encoder.embed(np.concatenate([spoken, np.zeros(SAMPLE_RATE // 2, np.float32), spoken]), at=0.0)
    assert not ((voices.starts < 2.1) & (voices.ends > 2.4)).any()


def test_silence_has_no_voice(encoder: VoiceEncoder) -> None:
    assert len(encoder.embed(np.zeros(5 * SAMPLE_RATE, dtype=np.float32), at=0.0)) == 0


def test_a_short_stretch_has_one_voice(encoder: VoiceEncoder) -> None:
    audio = decode(SAMPLE / "episode-1.mp3")[2 * SAMPLE_RATE : 3 * SAMPLE_RATE]
    assert len(encoder.embed(audio, at=0.0)) == 1


def test_a_voice_is_like_itself_in_another_episode_and_unlike_the_other(
    sample: dict[str, tuple[Voices, list[Word], list[int]]],
) -> None:
    first, second = (attribute(words, voices).centroids for voices, words, _ in sample.values())
    alike = first @ second.T  # rows and columns are host, guest: the host is heard first
    assert alike.diagonal().min() > 0.9
    assert max(alike[0, 1], alike[1, 0]) < 0.75


@pytest.mark.parametrize("count", [None, 2])
def test_the_sample_shows_words_have_their_speakers(
    sample: dict[str, tuple[Voices, list[Word], list[int]]], count: int | None
) -> None:
    for voices, words, truth in sample.values():
        found = attribute(words, voices, count=count)
        wrong, unknown = mistakes(found, truth)
        assert wrong < 0.005
        assert unknown < 0.02
        assert len(found.seconds) == 2


# --- clusters


@pytest.mark.parametrize(
    ("turns", "count"),
    [
        ([(0, 120.0)], 1),
        (interview(), 2),
        ([(0, 25.0), (1, 4.0)] * 8, 2),
        ([(n % 3, 8.0) for n in range(24)], 3),
        ([(n % 4, 8.0) for n in range(32)], 4),
        ([(2, 5.0), *interview(), (3, 4.0)], 2),  # a jingle before, a clip after
    ],
    ids=["one", "two", "unbalanced", "three", "four", "jingle"],
)
def test_speakers_are_counted(turns: list[Turn], count: int) -> None:
    voices, *_ = recording(*turns)
    assert cluster(voices).shares.shape == (len(voices), count)


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_short_recordings_do_no_harm(turns: int) -> None:
    voices, words, _ = recording(*[(n, 2.0) for n in range(turns)]) if turns else (Voices.join(()), [], [])
    for count in (None, 1, 2, 4):
        found = attribute(words, voices, count=count)
        assert len(found.speakers) == len(words)


def test_shares_say_how_much_of_a_window_is_whose() -> None:
    turns = interview()
    voices, *_ = recording(*turns)
    shares = cluster(voices, count=2).shares
    changes = np.cumsum([seconds for _, seconds in turns])[:-1]
    for n, change in enumerate(changes):
        over = np.flatnonzero((voices.starts < change) & (voices.ends > change))
        second = (voices.ends[over] - change) / LENGTH
        speaker = cluster(voices, count=2).labels[np.searchsorted(voices.starts, change + 0.2)]
        assert shares[over, speaker] == pytest.approx(second, abs=0.3), n


@given(st.integers(0, 5))
def test_grouping_does_not_depend_on_the_direction_of_time(seed: int) -> None:
    voices, *_ = recording(*interview(seed=seed), seed=seed)
    backwards = Voices(-voices.ends[::-1], -voices.starts[::-1], voices.vectors[::-1])
    labels, reverse = cluster(voices, count=2).labels, cluster(backwards, count=2).labels[::-1]
    agreement = (labels == reverse).mean()
    assert max(agreement, 1 - agreement) > 0.98


# --- words


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.5, 12)), min_size=1, max_size=12), st.integers(0, 3))
def test_every_word_has_one_speaker_or_none(turns: list[Turn], seed: int) -> None:
    voices, words, _ = recording(*turns, seed=seed)
    found = attribute(words, voices)
    assert len(found.speakers) == len(words)
    first_heard = list(dict.fromkeys(one for one in found.speakers if one is not None))
    assert first_heard == list(range(len(found.seconds)))
    assert found.centroids.shape == (len(found.seconds), voices.vectors.shape[1])
    total = sum(word.end - word.start for word, one in zip(words, found.speakers, strict=True) if one is not None)
    assert sum(found.seconds) == pytest.approx(total, abs=0.01)


@given(st.integers(0, 7))
def test_words_have_the_speaker_of_their_turn(seed: int) -> None:
    voices, words, truth = recording(*interview(seed=seed), seed=seed)
    wrong, unknown = mistakes(attribute(words, voices, count=2), truth)
    assert wrong < 0.01
    assert unknown < 0.02


def test_a_host_who_says_little_is_found() -> None:
    voices, words, truth = recording(*[(0, 25.0), (1, 2.5)] * 12)
    wrong, unknown = mistakes(attribute(words, voices, count=2), truth)
    assert wrong < 0.01
    assert unknown < 0.02


def test_a_short_answer_inside_anothers_turn_is_right_or_unknown() -> None:
    turns = [*interview(), (0, 12.0), (1, 0.4), (0, 12.0), *interview()]
    voices, words, truth = recording(*turns)
    found = attribute(words, voices, count=2)
    wrong, _ = mistakes(found, truth)
    assert wrong == 0
    place = len(recording(*turns[:25])[1])  # the short answer is one word
    assert found.speakers[place] in {None, found.speakers[recording(*turns)[2].index(1)]}


def test_words_that_nobody_was_heard_at_have_no_speaker() -> None:
    voices, words, _ = recording(*interview())
    later = [Word(word.start + 1000, word.end + 1000, word.text, 0.9) for word in words[:10]]
    assert attribute([*words, *later], voices, count=2).speakers[-10:] == (None,) * 10


# --- segments


def segments_of(texts: list[str]) -> list[Segment]:
    made, at = [], 0.0
    for text in texts:
        words = tuple(
            Word(at + n * 0.5, at + n * 0.5 + 0.4, word, 0.5 + n / 100) for n, word in enumerate(text.split())
        )
        at += len(words) * 0.5
        made.append(Segment(words[0].start, words[-1].end, text, words, flags=("repetition",)))
    return made


@given(
    st.lists(st.lists(st.sampled_from(["yes", "no.", "so,", "why?", "Mr."]), min_size=1, max_size=9), max_size=6),
    st.data(),
)
def test_cut_segments_join_to_the_same_words(texts: list[list[str]], data: st.DataObject) -> None:
    segments = segments_of([" ".join(text) for text in texts])
    words = [word for segment in segments for word in segment.words]
    speaker = st.one_of(st.none(), st.integers(0, 2))
    speakers = data.draw(st.lists(speaker, min_size=len(words), max_size=len(words)))
    cut = by_speaker(segments, speakers)
    assert [word for segment in cut for word in segment.words] == words
    assert " ".join(segment.text for segment in cut) == " ".join(segment.text for segment in segments)
    assert all(segment.text == " ".join(word.text for word in segment.words) for segment in cut)
    assert all(segment.flags == ("repetition",) for segment in cut)
    assert all(one.end <= other.start for one, other in pairwise(cut))
    at = 0
    for segment in cut:
        own = {one for one in speakers[at : at + len(segment.words)] if one is not None}
        at += len(segment.words)
        if segment.speaker is not None:
            assert own == {int(segment.speaker.removeprefix("Speaker ")) - 1}


def test_a_segment_is_cut_where_the_speaker_changes() -> None:
    (segment,) = segments_of(["Did it help? Yes it did."])
    question, answer = by_speaker([segment], [0, 0, 0, 1, 1, 1], labels=["Alice"])
    assert (question.text, question.speaker, question.end) == ("Did it help?", "Alice", 1.4)
    assert (answer.text, answer.speaker, answer.start) == ("Yes it did.", "Speaker 2", 1.5)
    assert (question.confidence, answer.confidence) == (0.51, 0.54)


@pytest.mark.parametrize(
    ("speakers", "expected"),
    [
        ([0, 0, None, 1, 1, 1], [("Did it help?", "Speaker 1"), ("Yes it did.", "Speaker 2")]),
        ([0, 0, 0, None, None, None], [("Did it help?", "Speaker 1"), ("Yes it did.", None)]),
        ([None, None, 0, 0, 0, 0], [("Did it help?", None), ("Yes it did.", "Speaker 1")]),
        ([None] * 6, [("Did it help? Yes it did.", None)]),
    ],
)
def test_unknown_words_go_along_only_inside_a_sentence(
    speakers: list[int | None], expected: list[tuple[str, str | None]]
) -> None:
    cut = by_speaker(segments_of(["Did it help? Yes it did."]), speakers)
    assert [(segment.text, segment.speaker) for segment in cut] == expected


def test_text_without_spaces_is_cut_as_it_is_written() -> None:
    words = tuple(Word(n, n + 0.9, text, 1.0) for n, text in enumerate(["元気", "です", "か。", "はい。"]))
    cut = by_speaker([Segment(0, 4, "元気ですか。はい。", words)], [0, 0, 0, 1])
    assert [segment.text for segment in cut] == ["元気ですか。", "はい。"]


def test_segments_without_words_stay_as_they_are() -> None:
    silent = Segment(0, 1, "Nobody timed this.", speaker="Alice")
    assert by_speaker([silent], []) == (silent,)


def test_there_has_to_be_a_speaker_for_each_word() -> None:
    with pytest.raises(ValueError, match="one speaker"):
        by_speaker(segments_of(["One two."]), [0])


# --- names

ALICE, BEN, CLEO = np.eye(8, dtype=np.float32)[:3]
VOICES = np.stack([ALICE, BEN])
GUEST = Person("Ben Ford", "guest")
HOST = Person("Alice Hill", "host")


def test_who_asks_is_the_host_and_who_is_left_is_the_guest() -> None:
    host, guest = name_speakers(VOICES, [60, 540], asks={0: 0.9, 1: 0.1}, hosts=["Alice Hill"], people=[GUEST])
    assert (host.name, host.role, host.label, host.seconds) == ("Alice Hill", "host", "Alice Hill", 60)
    assert (guest.name, guest.role, guest.label) == ("Ben Ford", "guest", "Ben Ford")


def test_a_kept_voice_print_names_the_host() -> None:
    prints = {"Alice Hill": VoicePrint(BEN + 0.1 * CLEO, episodes=3)}
    guest, host = name_speakers(VOICES, [300, 300], prints=prints, hosts=["Alice Hill"], people=[GUEST])
    assert (host.name, guest.name) == ("Alice Hill", "Ben Ford")


def test_without_a_sign_of_the_host_nobody_is_named() -> None:
    speakers = name_speakers(VOICES, [300, 300], asks={0: 0.5, 1: 0.4}, hosts=["Alice Hill"], people=[GUEST])
    assert [(one.label, one.name, one.role) for one in speakers] == [
        ("Speaker 1", None, "unknown"),
        ("Speaker 2", None, "unknown"),
    ]


def test_of_two_guests_neither_is_guessed() -> None:
    both = [GUEST, Person("Cleo Marsh", "guest")]
    voices = np.stack([ALICE, BEN, CLEO])
    found = name_speakers(voices, [100, 300, 300], asks={0: 1.0}, hosts=["Alice Hill"], people=both)
    assert [(one.name, one.role) for one in found] == [("Alice Hill", "host"), (None, "guest"), (None, "guest")]
    found = name_speakers(VOICES, [100, 300], asks={0: 1.0}, hosts=["Alice Hill"], people=both)
    assert found[1].name is None


def test_a_stand_in_for_the_host_is_not_given_the_hosts_name() -> None:
    prints = {"Alice Hill": VoicePrint(CLEO, episodes=5)}
    asker, _ = name_speakers(VOICES, [100, 300], asks={0: 1.0}, prints=prints, hosts=["Alice Hill"])
    assert (asker.name, asker.role, asker.label) == (None, "host", "Speaker 1")


@pytest.mark.parametrize(("episodes", "name"), [(1, None), (4, "Alice Hill")])
def test_signs_that_contradict_each_other_name_nobody(episodes: int, name: str | None) -> None:
    prints = {"Alice Hill": VoicePrint(BEN, episodes=episodes)}
    found = name_speakers(VOICES, [300, 300], asks={0: 1.0}, prints=prints, hosts=["Alice Hill"])
    assert [one.name for one in found] == [None, name]


def test_a_print_that_two_speakers_are_like_names_neither() -> None:
    prints = {"Alice Hill": VoicePrint(ALICE + BEN, episodes=4)}
    voices = np.stack([ALICE + 0.9 * BEN, BEN + 0.9 * ALICE])
    assert [one.name for one in name_speakers(voices, [300, 300], prints=prints)] == [None, None]


def test_while_one_host_is_not_found_nobody_is_the_guest() -> None:
    found = name_speakers(VOICES, [300, 300], asks={0: 1.0}, hosts=["Alice Hill", "Dan Orr"], people=[GUEST])
    assert [(one.name, one.role) for one in found] == [(None, "host"), (None, "unknown")]


def test_who_hosts_other_episodes_may_be_the_guest_of_this_one() -> None:
    prints = {"Ben Ford": VoicePrint(BEN, episodes=3)}
    found = name_speakers(VOICES, [60, 540], asks={0: 0.9}, prints=prints, hosts=["Alice Hill"], people=[GUEST])
    assert [(one.name, one.role) for one in found] == [("Alice Hill", "host"), ("Ben Ford", "guest")]


def test_the_notes_may_name_the_host() -> None:
    host, guest = name_speakers(VOICES, [300, 300], asks={1: 1.0}, people=[HOST, GUEST])[::-1]
    assert (host.name, guest.name) == ("Alice Hill", "Ben Ford")


def test_a_voice_heard_for_seconds_is_no_guest() -> None:
    voices = np.stack([ALICE, BEN, CLEO])
    found = name_speakers(voices, [100, 300, 5], asks={0: 1.0}, hosts=["Alice Hill"], people=[GUEST])
    assert [one.role for one in found] == ["host", "guest", "unknown"]
    assert found[1].name == "Ben Ford"
