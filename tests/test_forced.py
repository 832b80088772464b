"""Word times by forced alignment, on real speech."""

from __future__ import annotations

import pytest

from pipeline.audio.decode import SAMPLE_RATE, decode
from pipeline.model import Word
from pipeline.sample import DATA
from pipeline.speech.forced.aligner import FARTHEST, ForcedAligner
from pipeline.speech.forced.pronounce import guessed_phones, spoken_words


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (" Well-known,", ["well", "known"]),
        ("children’s", ["children's"]),
        ("£13.60", ["thirteen", "point", "six", "zero", "pounds"]),
        ("3,042", ["three", "thousand", "forty", "two"]),
        ("90%", ["ninety", "percent"]),
        ("1905", ["nineteen", "oh", "five"]),
        ("2007", ["two", "thousand", "seven"]),
        ("2020", ["twenty", "twenty"]),
        ("1900", ["one", "thousand", "nine", "hundred"]),
        ("…", []),
    ],
)
def test_a_token_is_taken_apart_as_it_is_said(token: str, words: list[str]) -> None:
    assert spoken_words(token) == words


def test_phones_of_unknown_words_are_guessed() -> None:
    assert guessed_phones("ofsted") == "AA F S T EH D"
    assert guessed_phones("sch") == "EH S S IY EY CH"
    assert guessed_phones("北京") == ""


def test_words_move_to_where_they_are_said() -> None:
    """The first sentence of the sample: its truth has when it begins and ends."""
    samples = decode(DATA / "episode-1.mp3")[: 9 * SAMPLE_RATE]
    said = "This is a made-up sample; the people and the councils do not exist, and both voices are synthetic."
    texts = said.split()
    step = (7.99 - 0.8) / len(texts)
    rough = [Word(0.8 + n * step, 0.8 + (n + 1) * step, f" {text}", 0.9) for n, text in enumerate(texts)]
    found = ForcedAligner().refine(rough, samples)
    assert [word.text for word in found] == [word.text for word in rough]
    assert found != rough
    assert found[0].start == pytest.approx(0.8, abs=0.06)
    assert all(abs(after.start - before.start) <= FARTHEST for before, after in zip(rough, found, strict=True))


def test_what_cannot_be_said_or_found_stays_where_it_was() -> None:
    samples = decode(DATA / "episode-1.mp3")[: 3 * SAMPLE_RATE]
    aligner = ForcedAligner()
    for words in ([Word(1.0, 1.5, " 北京.", 0.9)], [Word(5.0, 5.5, " Elsewhere.", 0.9)], []):
        assert aligner.refine(words, samples) == words
