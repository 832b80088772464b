"""The states that known words go through as they are said: those of their phones, with silences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.forced.mixtures import Mixtures
from pipeline.speech.forced.sphinx_files import SILENCE, Phones, transitions
from pipeline.speech.forced.viterbi import IMPOSSIBLE, SKIPPED, Steps

BETWEEN = -1  # the word of a silence
_STATES = 3  # of each phone
_CHUNK = 128  # frames scored at a time, with the states that are possible in any of them


@dataclass(frozen=True, slots=True)
class States:
    """A chain of states. All arrays but those of ``steps`` are numbers, one for each state.

    Attributes:
        senones: What it sounds like.
        phones: The phone it is a part of.
        words: Which of the words it is a part of, or ``BETWEEN`` them.
        steps: Every silence may be passed over.
    """

    senones: NDArray[np.int_]
    phones: NDArray[np.int_]
    words: NDArray[np.int_]
    steps: Steps


class Speech:
    """How words sound, by PocketSphinx's English model. Threads may share it."""

    def __init__(self) -> None:
        self._phones = Phones()
        self._mixtures = Mixtures()
        with np.errstate(divide="ignore"):
            self._transitions = np.log(transitions()).clip(IMPOSSIBLE)

    def states(self, words: Sequence[Sequence[str]]) -> States:
        """Chain the states of words, each given by its phones: none before, between and after them is silent for long.

        A phone sounds as it does between its neighbours; words are taken to follow each other without a pause.
        """
        silence = self._phones.senones((SILENCE,), SILENCE, SILENCE)
        senones, names, places = list(silence), [SILENCE], [BETWEEN]
        for n, word in enumerate(words):
            before = words[n - 1][-1] if n else SILENCE
            after = words[n + 1][0] if n + 1 < len(words) else SILENCE
            senones += [*self._phones.senones(word, before, after), *silence]
            names += [*word, SILENCE]
            places += [n] * len(word) + [BETWEEN]
        phones = np.array([self._phones.numbers[name] for name in names])
        return States(
            senones=np.concatenate(senones).astype(int),
            phones=phones.repeat(_STATES),
            words=np.repeat(places, _STATES),
            steps=self._steps(phones, np.array(places)),
        )

    def scores(self, states: States, features: NDArray[np.float32], spans: NDArray[np.float64]) -> NDArray[np.float32]:
        """Tell how likely each state is in each frame, as logarithms, (frames, states).

        Args:
            states: The states.
            features: Three streams, (3, frames, 13).
            spans: From which frame to which each word may be looked for, (words, 2); elsewhere it is ``IMPOSSIBLE``.
        """
        first, last = _spans_of_states(states, spans)
        scores = np.full((features.shape[1], len(states.senones)), IMPOSSIBLE, np.float32)
        for at in range(0, len(scores), _CHUNK):
            possible = np.flatnonzero((first < at + _CHUNK) & (last >= at))
            senones, example, place = np.unique(states.senones[possible], return_index=True, return_inverse=True)
            if senones.size:
                chunk = slice(at, at + _CHUNK)
                found = self._mixtures.scores(features[:, chunk], senones, states.phones[possible[example]])
                scores[chunk, possible] = found[:, place]
        return scores

    def _steps(self, phones: NDArray[np.int_], places: NDArray[np.int_]) -> Steps:
        inner = np.arange(_STATES)
        stay = self._transitions[phones][:, inner, inner].reshape(-1)
        leave = self._transitions[phones][:, inner, inner + 1].reshape(-1)
        enter = np.concatenate([[IMPOSSIBLE], leave[:-1]])
        skip = np.full_like(leave, IMPOSSIBLE)
        # Behind each silence but the first, which the way may begin after, a word may follow the word before.
        behind = _STATES * (np.flatnonzero(places[:-1] == BETWEEN)[1:] + 1)
        skip[behind] = leave[behind - SKIPPED]
        return Steps(stay, enter.astype(np.float32), skip)


def _spans_of_states(states: States, spans: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first and the last frame of each state: a silence may be wherever its neighbours may."""
    silent = states.words == BETWEEN
    before = (np.cumsum(silent) - 1) // _STATES  # of a silence: how many words are before it
    first = np.where(silent, np.concatenate([[0], spans[:, 0]])[before], spans[states.words, 0])
    last = np.where(silent, np.concatenate([spans[:, 1], [np.inf]])[before], spans[states.words, 1])
    return first, last
