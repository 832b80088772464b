"""Word times by forced alignment: the sounds of a window's words are looked for all over it. English only.

The acoustic model is PocketSphinx's: hidden Markov models of phones between their neighbours, 10 ms frames (BSD
licence). The search is ours: what was said and not written fits into it between any two words. Measured on 287 words
timed by hand (AMI, MFA): the median error of word starts falls from Whisper's 42 to 12 ms, and 99 % instead of 91 % lie
within 0.2 s; with PocketSphinx's own search, sentence by sentence, it was 16 ms and 95 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Word
from pipeline.speech.forced.cepstra import FRAME, Samples, cepstra, changes
from pipeline.speech.forced.pronounce import Dictionary, spoken_words
from pipeline.speech.forced.states import Speech
from pipeline.speech.forced.viterbi import best_path

_EVERY = 3  # frames of which one is scored: as near to the truth as every frame, in less than half the time


class ForcedAligner:
    """Finds words in sound. Threads may share it; it reads its model, in 0.3 s, when it is first needed."""

    def find(self, words: Sequence[Word], samples: Samples) -> list[Word] | None:
        """Move words to where their sounds are.

        Args:
            words: All that is said in ``samples``, or some of it, in order. Their times, in seconds, count only for
                what cannot be said.
            samples: One channel at 16 kHz, up to 30 s.

        Returns:
            The same words, or None where there is no time for all of them, or nothing to be said.
        """
        said = [
            [phones for one in spoken_words(word.text) if (phones := self._dictionary.phones(one))] for word in words
        ]
        found = self._find([phones for some in said for phones in some], samples)
        if not found:
            return None
        spans = iter(found)
        own = [[next(spans) for _ in some] for some in said]
        return list(_placed(words, [(some[0][0], some[-1][1]) if some else None for some in own]))

    def _find(self, spoken: Sequence[Sequence[str]], samples: Samples) -> list[tuple[float, float]]:
        """Where each spoken word begins and ends, in seconds; nothing where there is no time for all."""
        if not spoken:
            return []
        states = self._speech.states(spoken)
        scores = self._speech.scores(states, changes(cepstra(samples))[:, ::_EVERY])
        path = best_path(states.steps, scores, states.sounds, repeat=_EVERY)
        return [] if path is None else list(_spans(states.words[path], len(spoken)))

    @cached_property
    def _speech(self) -> Speech:
        return Speech()

    @cached_property
    def _dictionary(self) -> Dictionary:
        return Dictionary()


def _spans(word_of_frame: NDArray[np.int_], count: int) -> Iterator[tuple[float, float]]:
    """When each word is said: no frame of another is between its first and its last."""
    early = (_EVERY - 1) / 2  # frames: what is scored stands for those behind it
    for word in range(count):
        frames = np.flatnonzero(word_of_frame == word)
        start, end = frames[0] - early, frames[-1] + 1 - early
        yield max(0.0, float(start * FRAME)), float(end * FRAME)


def _placed(words: Sequence[Word], found: Sequence[tuple[float, float] | None]) -> Iterator[Word]:
    """Words where they were found; one that cannot be said stays where it was as far as its neighbours let it."""
    before = 0.0
    for n, (word, span) in enumerate(zip(words, found, strict=True)):
        after = next((other[0] for other in found[n:] if other), np.inf)
        start, end = span or (min(max(word.start, before), after), min(max(word.end, before), after))
        before = end
        yield word._replace(start=start, end=max(start, end))
