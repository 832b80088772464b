"""Attributing words to speakers, from windows in which voices were told apart. Pure functions.

A window of 1.6 s may contain the end of one turn and the beginning of the next; its shares estimate how much of each
speaker it contains. So the words are labelled such that together they explain the shares of all windows over them, with
as few changes of speaker as possible, and those preferably at the end of a sentence or at a pause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipeline.model import Word
from pipeline.speech.speakers.clusters import Array, Clusters, Labels, cluster
from pipeline.speech.speakers.voices import WINDOW_SECONDS, Voices
from pipeline.text import ends_sentence

_PAUSE_SECONDS = 0.3  # between words, for a likely change of speaker
_LONGEST_WORD = 0.9  # seconds; Whisper stretches the last word before a pause over the pause
_MOVE_WORDS = 8  # the most words that a change is moved by at once
_SWEEPS = 3

# The cost of a change of speaker. The unit is 1.6 s of speech that is clearly by somebody else. Tuned on LibriSpeech
# dialogues of two to three people in four acoustic conditions, with word times that err by 0.08 s.
_COST_AT_SENTENCE = 0.03
_COST_AT_PAUSE = 0.08
_COST_ELSEWHERE = 0.2
_SURE = 0.1  # the least difference in cost to the next best speaker of a sentence


@dataclass(frozen=True, slots=True, eq=False)
class WordSpeakers:
    """The speakers of words. They are numbered from 0 in the order in which they first speak.

    Attributes:
        speakers: The speaker of each word; None if uncertain.
        centroids: Each speaker's mean embedding, of unit length: a voice print, (speakers, dimensions).
        seconds: The speaking time of each, over the words that are certainly theirs.
    """

    speakers: tuple[int | None, ...]
    centroids: NDArray[np.float32]
    seconds: tuple[float, ...]


def attribute(words: Sequence[Word], voices: Voices, *, count: int | None = None) -> WordSpeakers:
    """Attribute each word to a speaker.

    Args:
        words: All words of a recording, in order.
        voices: All windows of its speech, in order.
        count: The number of speakers, if known.
    """
    # Thousands of products of small matrices, for which threads have more overhead than benefit.
    with threadpool_limits(1, "blas"):
        clusters = cluster(voices, count=count)
        if not words or not len(voices):
            return WordSpeakers((None,) * len(words), np.empty((0, voices.vectors.shape[1]), np.float32), ())
        fit = _Fit(words, voices, clusters)
        fit.improve()
        return _numbered(words, fit.sure(), clusters)


class _Fit:
    """The labels of words, and how well they explain the windows.

    Time is measured in seconds of words, so that pauses have no duration.
    """

    def __init__(self, words: Sequence[Word], voices: Voices, clusters: Clusters) -> None:
        self._costs = _change_costs(words)
        clock = _SpeechClock(words)
        self._edges = clock.edges
        begin, end = clock.at(voices.starts), clock.at(voices.ends)
        used = (end - begin > 0.1) & ~clusters.strange
        self._begin, self._end = begin[used], end[used]
        self._shares = clusters.shares[used]
        # Windows overlap, and must not count as more evidence than the speech that they cover.
        spacing = np.gradient(voices.starts[used]) if used.sum() > 1 else np.ones(used.sum())
        lengths = (voices.ends - voices.starts)[used]
        self._weights = np.minimum(np.minimum(spacing, lengths) / WINDOW_SECONDS, 1)
        self._speakers = clusters.shares.shape[1]
        self.labels = self._first_guess()
        self._rest = self._shares.copy()  # residuals: the part of the shares that the labels do not explain
        for first, last in _runs(self.labels):
            self._rest[:, self.labels[first]] -= self._part(slice(None), first, last)

    def improve(self) -> None:
        """Change labels greedily while that reduces the total cost, in at most ``_SWEEPS`` sweeps."""
        if self._speakers < 2:
            return
        for _ in range(_SWEEPS):
            changes = [self._try(*move) for move in self._moves()]
            if not any(changes):
                return

    def sure(self) -> list[int | None]:
        """The labels; None for units of words that another speaker would explain almost as well."""
        labels: list[int | None] = []
        for first, last in self._units():
            current = int(self.labels[first])
            others = [one for one in range(self._speakers) if one != current]
            misfits = [self._misfit(first, last, one)[0] + self._dearer(first, last, one) for one in others]
            heard = self._near(first, last)
            sure = min(misfits) >= _SURE if others else heard.stop > heard.start
            labels += [current if sure else None] * (last - first)
        return labels

    def _first_guess(self) -> Labels:
        """The cheapest labels if each word simply has the mean shares of the windows over it (Viterbi)."""
        evidence = np.array([self._mean_share(word) for word in range(len(self._edges) - 1)])
        seconds = np.diff(self._edges)[:, None]
        costs = (1 - evidence) * seconds / WINDOW_SECONDS
        back = np.zeros(costs.shape, dtype=np.intp)
        total = costs[0]
        for word in range(1, len(costs)):
            cheapest = int(total.argmin())
            changed = total[cheapest] + self._costs[word]
            back[word] = np.where(total <= changed, np.arange(self._speakers), cheapest)
            total = np.minimum(total, changed) + costs[word]
        labels = np.empty(len(costs), dtype=np.intp)
        labels[-1] = total.argmin()
        for word in range(len(costs) - 1, 0, -1):
            labels[word - 1] = back[word, labels[word]]
        return labels

    def _mean_share(self, word: int) -> Array:
        near = self._near(word, word + 1)
        weights = self._part(near, word, word + 1)
        if not weights.sum():
            return np.full(self._speakers, 1 / self._speakers)
        return np.asarray(weights @ self._shares[near] / weights.sum())

    def _near(self, first: int, last: int) -> slice:
        """The windows over words ``first`` to ``last`` (exclusive)."""
        begin = int(np.searchsorted(self._end, self._edges[first], side="right"))
        end = int(np.searchsorted(self._begin, self._edges[last], side="left"))
        return slice(begin, max(begin, end))

    def _part(self, windows: slice, first: int, last: int) -> Array:
        """The fraction of each window that these words cover."""
        begin, end = self._begin[windows], self._end[windows]
        over = np.minimum(end, self._edges[last]) - np.maximum(begin, self._edges[first])
        return np.asarray(over.clip(0) / (end - begin))

    def _misfit(self, first: int, last: int, label: int) -> tuple[float, slice, Array]:
        """The change in misfit if these words get this label; the windows affected, and their new residuals."""
        near = self._near(first, last)
        rest = self._rest[near].copy()
        for begin, end in _runs(self.labels[first:last]):
            part = self._part(near, first + begin, first + end)
            rest[:, self.labels[first + begin]] += part
            rest[:, label] -= part
        change = (rest**2).sum(axis=1) - (self._rest[near] ** 2).sum(axis=1)
        return float(self._weights[near] @ change / 2), near, rest

    def _dearer(self, first: int, last: int, label: int) -> float:
        """The change in the cost of speaker changes if these words get this label."""
        around = slice(max(first - 1, 0), last + 1)
        before = self.labels[around]
        after = before.copy()
        after[first - around.start : last - around.start] = label
        costs = self._costs[around.start + 1 : around.start + len(before)]
        return float(costs @ (after[1:] != after[:-1]) - costs @ (before[1:] != before[:-1]))

    def _try(self, first: int, last: int, label: int) -> bool:
        """Label these words if that reduces the total cost; tell whether it did."""
        misfit, near, rest = self._misfit(first, last, label)
        if misfit + self._dearer(first, last, label) >= -1e-9:
            return False
        self.labels[first:last] = label
        self._rest[near] = rest
        return True

    def _moves(self) -> Iterator[tuple[int, int, int]]:
        """Words and labels to try: other places for changes of speaker, other speakers of turns and sentences."""
        runs = list(_runs(self.labels))
        for (begin, change), (_, end) in pairwise(runs):
            before, after = int(self.labels[change - 1]), int(self.labels[change])
            yield begin, change, after
            yield change, end, before
            for words in range(1, _MOVE_WORDS + 1):
                if change - words > begin:
                    yield change - words, change, after
                if change + words < end:
                    yield change, change + words, before
        for first, last in list(self._units()):
            for label in range(self._speakers):
                if (self.labels[first:last] != label).any():
                    yield first, last, label

    def _units(self) -> Iterator[tuple[int, int]]:
        """The runs of words between changes of speaker and likely places for them."""
        likely = self._costs <= _COST_AT_PAUSE
        likely[1:] |= self.labels[1:] != self.labels[:-1]
        likely[0] = True
        yield from pairwise([*np.flatnonzero(likely).tolist(), len(likely)])


class _SpeechClock:
    """Converts seconds of the recording to seconds of words."""

    def __init__(self, words: Sequence[Word]) -> None:
        starts = np.maximum.accumulate([word.start for word in words])
        ends = np.minimum([word.end for word in words], starts + _LONGEST_WORD)
        ends = np.maximum(np.minimum(ends, np.append(starts[1:], np.inf)), starts + 0.01)
        self.edges = np.concatenate([[0], np.cumsum(ends - starts)])
        self._seconds = np.maximum.accumulate(np.column_stack([starts, ends]).reshape(-1))
        self._spoken = np.column_stack([self.edges[:-1], self.edges[1:]]).reshape(-1)

    def at(self, seconds: Array) -> Array:
        """The seconds of words before these times."""
        return np.asarray(np.interp(seconds, self._seconds, self._spoken))


def _change_costs(words: Sequence[Word]) -> Array:
    """The cost of a change of speaker before each word."""
    costs = [0.0]
    for word, following in pairwise(words):
        pause = following.start - min(word.end, word.start + _LONGEST_WORD)
        if ends_sentence(word.text):
            costs.append(_COST_AT_SENTENCE)
        else:
            costs.append(_COST_AT_PAUSE if pause >= _PAUSE_SECONDS else _COST_ELSEWHERE)
    return np.array(costs)


def _runs(labels: Labels) -> Iterator[tuple[int, int]]:
    """The start and end (exclusive) of each run of equal labels."""
    bounds = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    yield from pairwise(bounds)


def _numbered(words: Sequence[Word], labels: Sequence[int | None], clusters: Clusters) -> WordSpeakers:
    """Renumber speakers in the order in which they first speak, without those who have no certain words."""
    order = list(dict.fromkeys(label for label in labels if label is not None))
    number = {label: place for place, label in enumerate(order)}
    speakers = tuple(None if label is None else number[label] for label in labels)
    seconds = [0.0] * len(order)
    for word, speaker in zip(words, speakers, strict=True):
        if speaker is not None:
            seconds[speaker] += word.end - word.start
    return WordSpeakers(speakers, clusters.centroids[order].astype(np.float32), tuple(round(one, 3) for one in seconds))
