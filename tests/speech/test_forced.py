"""Word times by forced alignment, on real speech."""

from __future__ import annotations

import itertools
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Word
from pipeline.sample import DATA
from pipeline.speech.forced.aligner import ForcedAligner
from pipeline.speech.forced.cepstra import cepstra
from pipeline.speech.forced.mixtures import Mixtures
from pipeline.speech.forced.pronounce import Dictionary, guessed_phones, spoken_words
from pipeline.speech.forced.sphinx_files import FOLDER, Phones, gaussians, mixture_weights
from pipeline.speech.forced.viterbi import IMPOSSIBLE, Steps, best_path
from pipeline.speech.windows import Samples


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
        ("m²", ["m²"]),
        ("①", ["①"]),
    ],
)
def test_a_token_is_taken_apart_as_it_is_said(token: str, words: list[str]) -> None:
    assert spoken_words(token) == words


def test_phones_of_unknown_words_are_guessed() -> None:
    assert guessed_phones("ofsted") == "AA F S T EH D"
    assert guessed_phones("sch") == "EH S S IY EY CH"
    assert guessed_phones("北京") == ""


def test_a_word_is_said_as_the_dictionary_has_it_or_as_it_is_spelt() -> None:
    dictionary = Dictionary()
    assert dictionary.phones("councils") == ("K", "AW", "N", "S", "AH", "L", "Z")
    assert dictionary.phones("ofsted") == ("AA", "F", "S", "T", "EH", "D")
    assert dictionary.phones("北京") == ()


# Positions of words


@cache
def sample() -> tuple[Samples, list[dict[str, Any]]]:
    """The first half minute of the sample show, and the complete utterances in it."""
    utterances = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))["utterances"]
    return decode(DATA / "episode-1.mp3")[: 30 * SAMPLE_RATE], [one for one in utterances if one["end"] < 29.5]


def written(*texts: str) -> list[Word]:
    """Words of which only the order is known."""
    return [Word(0.0, 0.1, f" {word}", 0.9) for text in texts for word in text.split()]


def test_words_are_found_where_they_are_said_whatever_their_times_were() -> None:
    samples, utterances = sample()
    words = written(*(one["text"] for one in utterances))
    found = ForcedAligner().find(words, samples)
    assert found is not None
    assert [word.text for word in found] == [word.text for word in words]
    assert all(word.start < word.end for word in found)
    assert all(word.end <= following.start for word, following in itertools.pairwise(found))
    at = 0
    for one in utterances:
        assert found[at].start == pytest.approx(one["start"], abs=0.12)
        at += len(one["text"].split())
        assert found[at - 1].end == pytest.approx(one["end"], abs=0.25)


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_what_was_said_and_not_written_moves_no_word(left_out: int) -> None:
    samples, utterances = sample()
    kept = [one for n, one in enumerate(utterances) if n != left_out]
    found = ForcedAligner().find(written(*(one["text"] for one in kept)), samples)
    assert found is not None
    at = 0
    for one in kept:
        assert found[at].start == pytest.approx(one["start"], abs=0.12)
        at += len(one["text"].split())


@pytest.mark.parametrize("count", [12, 20, 28, 36])
def test_after_an_early_stop_the_last_word_stays_with_the_others(count: int) -> None:
    """It is followed by much untranscribed speech, some of which will sound like it."""
    samples, utterances = sample()
    words = written(*(one["text"] for one in utterances))
    aligner = ForcedAligner()
    whole, cut = aligner.find(words, samples), aligner.find(words[:count], samples)
    assert whole is not None
    assert cut is not None
    assert cut[-1].start == pytest.approx(whole[count - 1].start, abs=0.3)


def test_digital_silence_moves_no_word() -> None:
    samples, utterances = sample()
    sound = samples[: round(float(utterances[0]["end"]) * SAMPLE_RATE)]
    words = written(utterances[0]["text"])
    alone = ForcedAligner().find(words, sound)
    beside = ForcedAligner().find(words, np.concatenate([sound, np.zeros_like(sound)]))
    assert alone is not None
    assert beside is not None
    assert [word.start for word in beside] == pytest.approx([word.start for word in alone], abs=0.02)


def test_what_cannot_be_said_is_put_between_its_neighbours() -> None:
    samples, utterances = sample()
    words = written(utterances[0]["text"])
    words.insert(3, Word(20.0, 21.0, " 北京.", 0.9))
    found = ForcedAligner().find(words, samples)
    assert found is not None
    assert found[2].end <= found[3].start <= found[3].end <= found[4].start
    assert found[4].start < 5


def test_nothing_is_found_where_there_is_nothing_to_be_said_or_no_time_for_it() -> None:
    samples, utterances = sample()
    aligner = ForcedAligner()
    for words, sound in (
        ([], samples),
        (written("北京"), samples),
        (written(utterances[0]["text"]), samples[:SAMPLE_RATE]),
        (written("yes"), samples[:0]),
        (written("a"), samples[:0]),
    ):
        assert aligner.find(words, sound) is None


# Components


def test_the_front_end_is_pocketsphinxs_without_its_noise_removal(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(FOLDER / "en-us", model)
    parameters = model / "feat.params"
    parameters.write_text(parameters.read_text().replace("-remove_noise yes", "-remove_noise no"))
    samples = decode(DATA / "episode-1.mp3")[: 10 * SAMPLE_RATE]
    decoder = pocketsphinx.Decoder(hmm=str(model), lm=None, loglevel="FATAL")
    decoder.set_align_text("this")
    decoder.start_utt()
    decoder.process_raw((samples.clip(-1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    theirs = [float(mean) for mean in decoder.get_cmn(False).split(",")]
    assert cepstra(samples).mean(axis=0).tolist() == pytest.approx(theirs, abs=0.2)


def test_scores_are_those_of_mixtures_of_gaussians() -> None:
    features = np.random.default_rng(1).normal(0, 8, (3, 5, 13)).astype(np.float32)
    phones = Phones()
    senones = np.array([5, 700, 701, 5000])
    scores = Mixtures(phones.of_senones).scores(features, senones)
    means, variances = (part.astype(np.float64) for part in gaussians())
    expected = np.empty((5, 4))
    for frame, (n, senone) in itertools.product(range(5), enumerate(senones)):
        mean, variance = means[phones.of_senones[senone]], variances[phones.of_senones[senone]].clip(1e-2)
        apart = (features[:, np.newaxis, frame] - mean) ** 2 / variance
        densities = -0.5 * (apart + np.log(2 * np.pi * variance)).sum(axis=2)
        weights = np.log(mixture_weights()[:, senone].astype(np.float64))
        expected[frame, n] = np.logaddexp.reduce(densities + weights, axis=1).sum()
    # Minus a constant, and with a floor for the practically impossible.
    above_floor = scores > -150
    assert above_floor.sum() > above_floor.size / 2
    constants = (scores - expected)[above_floor]
    assert constants == pytest.approx(np.full_like(constants, np.median(constants)), abs=0.01)


STATES, ROWS = 5, 4
LOGARITHMS = st.floats(-8, 0, width=16)


@given(
    scores=arrays(np.float32, (ROWS, STATES), elements=LOGARITHMS),
    stay=arrays(np.float32, STATES, elements=LOGARITHMS),
    enter=arrays(np.float32, STATES, elements=LOGARITHMS),
    repeat=st.sampled_from([1, 2]),
)
def test_the_path_is_the_likeliest_of_all(scores: np.ndarray, stay: np.ndarray, enter: np.ndarray, repeat: int) -> None:
    """States 0, 2 and 4 may be skipped, like those between words."""
    enter[0] = IMPOSSIBLE
    skip = np.array([IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE, -1.5, IMPOSSIBLE], np.float32)

    def likelihood(path: tuple[int, ...]) -> float:
        if path[0] > 1 or path[-1] < STATES - 2:
            return -np.inf
        total = float(scores[0, path[0]])
        for frame, (before, state) in enumerate(itertools.pairwise(path), 1):
            step = {0: stay, 1: enter, 2: skip}.get(state - before)
            if step is None or step[state] == IMPOSSIBLE:
                return -np.inf
            total += float(step[state]) + float(scores[frame // repeat, state])
        return total

    found = best_path(Steps(stay, enter, skip), scores, np.arange(STATES), repeat=repeat)
    best = max(map(likelihood, itertools.product(range(STATES), repeat=ROWS * repeat)))
    assert found is not None
    assert likelihood(tuple(found.tolist())) == pytest.approx(best, abs=1e-3)
