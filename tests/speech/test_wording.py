"""Two wordings of the same speech: how much they differ, and which words correspond."""

from __future__ import annotations

from dataclasses import dataclass

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.transcripts import PublishedTurn
from pipeline.speech.wording import MAX_GAP_WORDS, Difference, carry_speakers, compare, normalise


@dataclass(frozen=True)
class Said:
    speaker: str | None
    text: str


def spoken(words: str) -> list[str]:
    return words.split()


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        ("Don’t", "don't"), ("“Hello,”", "hello"), ("1,000", "1000"), ("3.5", "3.5"), ("£5m,", "£5m"), ("20%.", "20%"),
        ("10:30.", "10:30"), ("U.K.", "uk"), ("...", ""), ("–", ""), ("um,", ""), ("Uh…", ""), ("ERM", ""),
        ("children’s", "children's"), ("‘quoted’", "quoted"), ("nai\u0308ve", "naïve"), ("2018", "2018"), ("", ""),
    ],
)  # fmt: skip
def test_words_are_compared_without_capitals_and_punctuation(word: str, plain: str) -> None:
    assert normalise(word) == plain
    assert normalise(plain) == plain


def test_what_counts_as_a_difference() -> None:
    reference = spoken("The well-known director said, “We don’t know.”")
    assert compare(reference, spoken("the well known director um said we don't know")) == Difference(0, 0, 0, 8)
    assert compare(reference, spoken("The known directors said we do not know")) == Difference(2, 1, 1, 8)
    assert compare(reference, []).word_error_rate == 1.0
    assert compare([], ["well"]).word_error_rate == float("inf")
    assert compare([], ["um"]).word_error_rate == 0.0


WORDS = st.lists(st.sampled_from(spoken("we don't know what the inspector said about it")), max_size=25)


@given(reference=WORDS.filter(bool), heard=WORDS)
def test_the_word_error_rate_is_the_usual_one(reference: list[str], heard: list[str]) -> None:
    assert compare(reference, heard).word_error_rate == pytest.approx(jiwer.wer(" ".join(reference), " ".join(heard)))


ALMA = "Alma Reed"
INES = "Ines Marlow"


def test_speakers_are_carried_over_misheard_words() -> None:
    turns = [Said(ALMA, "What changed most since the last visit?"), Said(INES, "The front door, and our caseloads.")]
    words = spoken("um what change most since the last visit the front door and our case loads")
    assert carry_speakers(turns, words) == (None, *[ALMA] * 7, *[INES] * 5, None, None)


def test_words_between_two_speakers_are_nobodys() -> None:
    turns = [Said(ALMA, "one two three four five six"), Said(INES, "seven eight nine ten eleven twelve")]
    words = spoken("one two three four five nix heaven eight nine ten eleven twelve")
    assert carry_speakers(turns, words)[4:8] == (ALMA, None, None, INES)


def test_a_word_that_another_one_said_in_between_is_not_given_away() -> None:
    turns = [Said(ALMA, "so nobody waits any more at all"), Said(INES, "yes"), Said(ALMA, "that is what you say to me")]
    words = spoken("so nobody waits any more at all yeah that is what you say to me")
    assert carry_speakers(turns, words)[6:9] == (ALMA, None, ALMA)


def test_an_advertisement_is_nobodys() -> None:
    before, after = (" ".join(f"{name}{number}" for number in range(60)) for name in ("a", "b"))
    advertisement = [f"buy{number}" for number in range(MAX_GAP_WORDS + 1)]
    carried = carry_speakers([Said(ALMA, f"{before} {after}")], [*before.split(), *advertisement, *after.split()])
    assert carried == (*[ALMA] * 60, *[None] * len(advertisement), *[ALMA] * 60)


def test_words_with_hyphens_and_without_letters_keep_their_place() -> None:
    turns = [Said(ALMA, "a well known thing – and a half-hearted one, yes")]
    words = spoken("a well-known thing ... and a half hearted one yes")
    assert carry_speakers(turns, words) == (ALMA,) * len(words)


def test_turns_without_speaker_give_none() -> None:
    assert carry_speakers([Said(None, "one two three")], ["one", "two", "three"]) == (None, None, None)
    assert carry_speakers([], ["one"]) == (None,)
    assert carry_speakers([Said(ALMA, "one")], []) == ()


def test_another_episodes_transcript_carries_nothing() -> None:
    chance = np.random.default_rng(1)
    common = spoken("the a of to and in that we you it is was for on are with they be at have")
    turns = [Said(ALMA, " ".join(chance.choice(common, 40))) for _ in range(20)]
    assert set(carry_speakers(turns, [str(word) for word in chance.choice(common, 800)])) == {None}


def test_a_few_words_do_not_name_a_long_recording() -> None:
    words = [f"word{number % 400}" for number in range(4000)]
    assert set(carry_speakers([Said(ALMA, "word1 word2 word3")], words)) == {None}


def test_three_hours_are_aligned() -> None:
    """30,000 words, a seventh misheard or missed: nearly all get a speaker, and the right one."""
    chance = np.random.default_rng(2)
    weights = 1 / np.arange(1, 5001)
    vocabulary = [f"word{number}" for number in range(5000)]
    turns, words, truth = [], [], []
    for place in range(400):
        said = [str(word) for word in chance.choice(vocabulary, 75, p=weights / weights.sum())]
        turns.append(PublishedTurn(None, None, (ALMA, INES)[place % 2], " ".join(said)))
        for word, luck in zip(said, chance.random(75), strict=True):
            if luck > 0.06:
                words.append(f"misheard{place}" if luck < 0.14 else word)
                truth.append(turns[-1].speaker)
    carried = carry_speakers(turns, words)
    given = [(found, true) for found, true in zip(carried, truth, strict=True) if found is not None]
    assert len(given) > 0.98 * len(words)
    assert sum(found != true for found, true in given) < 0.001 * len(words)
    published = [word for turn in turns for word in spoken(turn.text)]
    assert 0.12 < compare(published, words).word_error_rate < 0.16
