"""The states that known words go through as they are said, and what may be between them: silence or any speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.forced.mixtures import Mixtures
from pipeline.speech.forced.sphinx_files import NO_SPEECH, SILENCE, STATES, Phones, transitions
from pipeline.speech.forced.viterbi import IMPOSSIBLE, Steps

BETWEEN = -1  # the word of the state before, between and after the words
# What was said and not written – "er", or a sentence left out – is better heard as any speech than as the words around
# it. How much worse than the best phone at each moment known words may sound, as a logarithm for each frame: with 4 to
# 8, 98 % of word starts are within 0.2 s of the truth (287 words timed by hand), with 5 more than 99 %.
_ANY_SPEECH = 5.0
# What it takes to part two words, so that none is looked for beyond speech that was not written for a better likeness:
# as good with 10 to 30.
_BREAK = np.float32(20.0)
_STAY_BETWEEN = np.float32(np.log(0.9))
_LEAVE_BETWEEN = np.float32(np.log(0.1))


@dataclass(frozen=True, slots=True)
class States:
    """A chain of states: those of words, with one between each two, before the first, and after the last.

    Attributes:
        words: Which of the words each state is a part of, or ``BETWEEN``.
        steps: From state to state; all that is between words may be left out.
        senones: What the states of words sound like, each once.
        sounds: What each state sounds like: its place in ``senones``, or behind them what is between words.
    """

    words: NDArray[np.int_]
    steps: Steps
    senones: NDArray[np.int_]
    sounds: NDArray[np.int_]


class Speech:
    """How words sound, by PocketSphinx's English model. Threads may share it."""

    def __init__(self) -> None:
        self._phones = Phones()
        self._mixtures = Mixtures(self._phones.of_senones)
        with np.errstate(divide="ignore"):
            self._transitions = np.log(transitions()).clip(IMPOSSIBLE)
        names = [name for name in self._phones.numbers if name not in NO_SPEECH]
        self._any_speech = np.concatenate([self._phones.alone(name) for name in names])
        self._silence = self._phones.alone(SILENCE)

    def states(self, words: Sequence[Sequence[str]]) -> States:
        """Chain the states of words, each given by its phones, of which it has one or more.

        A phone sounds as it does between its neighbours: words are taken to follow each other without a pause.
        """
        places = [BETWEEN]
        senones: list[NDArray[np.int16]] = []
        names: list[str] = []
        for n, word in enumerate(words):
            before = words[n - 1][-1] if n else SILENCE
            after = words[n + 1][0] if n + 1 < len(words) else SILENCE
            senones += self._phones.senones(word, before, after)
            names += word
            places += [n] * (STATES * len(word)) + [BETWEEN]
        phones = np.array([self._phones.numbers[name] for name in names])
        in_words = np.array(places)
        different, place = np.unique(np.concatenate(senones).astype(int), return_inverse=True)
        sounds = np.full(len(in_words), len(different))
        sounds[in_words != BETWEEN] = place
        return States(in_words, self._steps(phones, in_words), different, sounds)

    def scores(self, states: States, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Tell how likely each sound of the states is in each frame.

        Args:
            states: The states.
            features: Three streams, (3, frames, 13).

        Returns:
            Logarithms, (frames, sounds), and whether what is between words would be speech, (frames,).
        """
        found = self._mixtures.scores(features, np.concatenate([states.senones, self._any_speech, self._silence]))
        of_words, of_any, of_silence = np.split(found, np.cumsum([len(states.senones), len(self._any_speech)]), axis=1)
        any_speech, silence = of_any.max(axis=1) - _ANY_SPEECH, of_silence.max(axis=1)
        return np.column_stack([of_words, np.maximum(any_speech, silence)]), any_speech > silence

    def _steps(self, phones: NDArray[np.int_], words: NDArray[np.int_]) -> Steps:
        inner = np.arange(STATES)
        said = words != BETWEEN
        stay = np.full(len(words), _STAY_BETWEEN, np.float32)
        leave = np.full(len(words), _LEAVE_BETWEEN, np.float32)
        stay[said] = self._transitions[phones][:, inner, inner].reshape(-1)
        leave[said] = self._transitions[phones][:, inner, inner + 1].reshape(-1)
        enter, skip = np.full((2, len(words)), IMPOSSIBLE, np.float32)
        enter[1:] = leave[:-1]
        enter[~said] -= _BREAK
        behind = np.flatnonzero(~said)[1:-1] + 1  # the first states of all words but the first
        skip[behind] = leave[behind - 2]
        return Steps(stay, enter, skip)
