"""The chain of states of known words, with silence or any other speech between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.forced.mixtures import Mixtures
from pipeline.speech.forced.sphinx_files import NO_SPEECH, SILENCE, STATES, Phones, transitions
from pipeline.speech.forced.viterbi import IMPOSSIBLE, Steps

BETWEEN = -1  # the word of the states before, between and after the words
# Untranscribed speech – "er", or a sentence left out – should match "any speech" rather than the words around it. This
# is how much worse than the best phone known words may score, as a log-probability per frame: with 4 to 8, 98 % of word
# starts are within 0.2 s of the truth (287 words timed by hand), with 5 more than 99 %.
_ANY_SPEECH = 5.0
# The cost of a gap between two words, so that none is moved beyond untranscribed speech for a slightly better score; 10
# to 30 are equally good.
_BREAK = np.float32(20.0)
_STAY_BETWEEN = np.float32(np.log(0.9))
_LEAVE_BETWEEN = np.float32(np.log(0.1))


@dataclass(frozen=True, slots=True)
class States:
    """A chain of states: those of words, with one between each two, before the first, and after the last.

    Attributes:
        words: The index of the word that each state belongs to, or ``BETWEEN``.
        steps: The transitions; the states between words may be skipped.
        senones: The distinct senones of the words' states.
        sounds: The sound of each state: its index in ``senones``, or for states between words, the one after these.
    """

    words: NDArray[np.int_]
    steps: Steps
    senones: NDArray[np.int_]
    sounds: NDArray[np.int_]


class Speech:
    """The acoustic scores of words, by PocketSphinx's English model. Thread-safe."""

    def __init__(self) -> None:
        self._phones = Phones()
        self._mixtures = Mixtures(self._phones.of_senones)
        with np.errstate(divide="ignore"):
            self._transitions = np.log(transitions()).clip(IMPOSSIBLE)
        names = [name for name in self._phones.numbers if name not in NO_SPEECH]
        self._any_speech = np.concatenate([self._phones.alone(name) for name in names])
        self._silence = self._phones.alone(SILENCE)

    def states(self, words: Sequence[Sequence[str]]) -> States:
        """Return the chain of words, each given by one or more phones.

        Phones are taken in the context of their neighbours, as if words followed each other without a pause.
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
        """Return how well each sound of the states fits each frame.

        Args:
            states: The states.
            features: Three streams, (3, frames, 13).

        Returns:
            Log-likelihoods, (frames, sounds), and whether between words each frame would be speech, (frames,).
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
