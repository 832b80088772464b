"""Clustering the windows of a recording by speaker. Pure computation on embeddings, without words.

Two windows of one speaker differ by what is said in them, along the same few directions for all speakers. Speakers are
therefore searched for in several projections, and each split is judged after whitening by the variance within speakers
(linear discriminant analysis).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.speakers.voices import Voices

Array = NDArray[np.float64]
Labels = NDArray[np.intp]

MOST_SPEAKERS = 4
_COMPONENTS = 32  # of 256; the rest is noise
_DIRECTIONS = 4  # of these, in which lasting differences are searched for
_NEIGHBOURS_SECONDS = 5.0  # the gap from which windows are not neighbours
_ROUNDS = 4  # of estimating speakers and their variance in turn; labels converge after two or three
_LEAST_WINDOWS = 20  # of a speaker, a dozen seconds; less is a jingle, a clip, or a passer-by
_LEAST_SHARE = 0.04  # of a recording too short for that

# The least distinctness that ``plausible`` requires, by the number of speakers. On LibriSpeech, 56 dialogues of two,
# some in noise, had 0.071 or more, and single speakers had less in 115 of 121 cases; three speakers had 0.11, two taken
# for three 0.05.
_DISTINCT = {2: 0.0705, 3: 0.09, 4: 0.09}
_DOUBTFUL = 0.7  # a window whose largest share is less is between speakers, though no change is near
_BLOCKS = 6  # of the recording, for cross-validation: alternate ones estimate the speakers of the others
_STRANGE = 0.78  # of the median similarity of a speaker's windows; a window with less is somebody else's


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """The speakers of a recording.

    Attributes:
        shares: The share of each speaker in each window, (windows, speakers); rows sum to 1.
        centroids: Each speaker's mean embedding, not centred, of unit length, (speakers, dimensions).
        strange: Whether a window sounds like none of them: a jingle, noise, a voice heard for seconds; (windows,).
    """

    shares: Array
    centroids: Array
    strange: NDArray[np.bool_]

    @property
    def labels(self) -> Labels:
        """The speaker with the largest share in each window, (windows,)."""
        return np.asarray(self.shares.argmax(axis=1))


def cluster(voices: Voices, *, count: int | None = None) -> Clusters:
    """Tell the speakers of one recording apart.

    Args:
        voices: All windows of the recording, in order.
        count: The number of speakers; None to estimate it, from one to four. Fewer may be found if some of them speak
            too little.
    """
    room = _Room(voices)
    labels = np.zeros(len(voices), dtype=np.intp)
    shares = np.ones((len(voices), 1))
    for speakers in range(2, (count or MOST_SPEAKERS) + 1):
        found = room.split(labels, speakers)
        if found is None or (count is None and not room.plausible(found.argmax(axis=1))):
            break
        shares, labels = found, found.argmax(axis=1)
    centroids = room.centroids(labels)
    return Clusters(shares, centroids, _strange(room.vectors, centroids, labels))


class _Room:
    """The windows of a recording, in projections in which their differences can be measured."""

    def __init__(self, voices: Voices) -> None:
        self.vectors = voices.vectors.astype(np.float64)
        count = len(voices)
        self.least = max(4, min(_LEAST_WINDOWS, round(_LEAST_SHARE * count)))
        centred = self.vectors - self.vectors.mean(axis=0) if count else self.vectors
        self.points = centred @ _axes(centred.T @ centred, min(_COMPONENTS, max(2, count // 4)))
        self.lasting = _lasting(self.points, *_neighbours(voices))

    def centroids(self, labels: Labels) -> Array:
        """The mean embedding of each speaker, of unit length."""
        if not len(labels):
            return np.zeros((1, self.vectors.shape[1]))
        means = np.stack([self.vectors[labels == one].mean(axis=0) for one in range(labels.max() + 1)])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))

    def split(self, labels: Labels, speakers: int) -> Array | None:
        """Return the shares with one more speaker than ``labels`` has; None if no split is distinct."""
        best, most = None, 0.0
        for one in range(speakers - 1):
            members = np.flatnonzero(labels == one)
            for half in self._halves(members):
                tried = labels.copy()
                tried[half] = speakers - 1
                shares = self._shares(tried, speakers)
                distinct = self._distinctness(shares.argmax(axis=1), speakers)
                if distinct > most:
                    best, most = shares, distinct
        return best

    def plausible(self, labels: Labels) -> bool:
        """Tell whether these are different people, and not one person in two moods.

        Different people are far apart with nothing between them, also in a part of the recording that was not used to
        tell them apart (cross-validation).
        """
        speakers = int(labels.max()) + 1
        clear = _clear(labels, speakers)
        blocks = np.arange(len(labels)) * _BLOCKS // len(labels) % 2
        doubtful = 0
        for block in (0, 1):
            others = clear & (blocks != block)
            if np.bincount(labels[others], minlength=speakers).min() < self.least // 4:
                others = blocks != block
            if np.bincount(labels[others], minlength=speakers).min() == 0:
                return False
            shares = self._estimate(labels, speakers, others)[clear & (blocks == block)]
            doubtful += int((shares.max(axis=1) < _DOUBTFUL).sum())
        between = doubtful / int(clear.sum())
        return self._distinctness(labels, speakers) * (1 - 2 * between) > _DISTINCT[speakers]

    def _distinctness(self, labels: Labels, speakers: int) -> float:
        """The cosine distance of the closest two speakers, scaled down if one speaks little; 0 if one is too rare."""
        heard = np.bincount(labels, minlength=speakers)
        if heard.min() < self.least:
            return 0.0
        centroids = self.centroids(labels)
        unlike = (1 - centroids @ centroids.T) * np.sqrt(np.minimum.outer(heard, heard) / len(labels))
        return float(unlike[np.triu_indices(speakers, 1)].min())

    def _halves(self, members: Labels) -> Iterator[Labels]:
        """Candidate ways to split a group of windows: the part that becomes the new speaker's."""
        if len(members) < 2 * self.least:
            return
        points, lasting = self.points[members], self.lasting[members]
        projections = (
            points[:, :6],
            points @ _far_apart(points, 8).T,
            lasting,
            lasting @ _axes(np.cov(lasting.T), lasting.shape[1]),
        )
        for projected in projections:
            for values in projected.T:
                yield members[_upper_half(values, self.least)]

    def _shares(self, labels: Labels, speakers: int) -> Array:
        """Alternate between estimating the shares from the labels, and the labels from the shares."""
        shares = np.eye(speakers)[labels]
        for _ in range(_ROUNDS):
            shares = self._estimate(labels, speakers, _clear(labels, speakers))
            before, labels = labels, shares.argmax(axis=1)
            if (labels == before).all() or np.bincount(labels, minlength=speakers).min() == 0:
                break
        return _inside(shares)

    def _estimate(self, labels: Labels, speakers: int, used: NDArray[np.bool_]) -> Array:
        """The shares by linear discriminants, from the means and variance of the windows ``used``; rows sum to 1."""
        means = np.stack([self.points[used & (labels == one)].mean(axis=0) for one in range(speakers)])
        whiten = _whitener(self.points[used] - means[labels[used]])
        others = (self.points - means[0]) @ whiten @ np.linalg.pinv((means[1:] - means[0]) @ whiten)
        return np.column_stack([1 - others.sum(axis=1), others])


def _neighbours(voices: Voices) -> tuple[Labels, Labels]:
    """Pairs of consecutive windows that do not overlap."""
    following = np.searchsorted(voices.starts, voices.ends - 1e-6)
    first = np.flatnonzero(following < len(voices))
    second = following[first]
    near = voices.starts[second] - voices.ends[first] < _NEIGHBOURS_SECONDS
    return first[near], second[near]


def _lasting(points: Array, first: Labels, second: Labels) -> Array:
    """Project the points onto the few directions that correlate most between neighbouring windows: those of the voice.

    A speaker persists from window to window, words do not. First the points are whitened by the differences between
    neighbours, using the three quarters of pairs that differ least, which are mostly of one speaker. Outliers (a
    jingle) are pulled in.
    """
    if len(first) < 8:
        return points[:, :_DIRECTIONS]
    change = points[second] - points[first]
    kept = change
    for _ in range(3):
        whiten = _whitener(kept)
        size = np.linalg.norm(change @ whiten, axis=1)
        kept = change[size <= np.quantile(size, 0.75)]
    whitened = points @ whiten
    size = np.linalg.norm(whitened, axis=1, keepdims=True)
    whitened *= np.minimum(1, 1.5 * np.quantile(size, 0.95) / np.maximum(size, 1e-12))
    together = whitened[first].T @ whitened[second]
    return whitened @ _axes(together + together.T, _DIRECTIONS)


def _far_apart(points: Array, count: int) -> Array:
    """Points far from the centre and from each other, each the mean of three windows, to find a rare speaker."""
    smooth = (points[:-2] + points[1:-1] + points[2:]) / 3
    chosen = []
    nearest = np.square(smooth).sum(axis=1)
    for _ in range(count):
        chosen.append(smooth[nearest.argmax()])
        nearest = np.minimum(nearest, np.square(smooth - chosen[-1]).sum(axis=1))
    return np.array(chosen)


def _axes(scatter: Array, count: int) -> Array:
    """The eigenvectors of a symmetric matrix with the largest eigenvalues, as columns."""
    return np.linalg.eigh(scatter)[1][:, ::-1][:, :count]


def _whitener(differences: Array) -> Array:
    """The matrix that whitens differences, with more shrinkage the fewer there are."""
    samples, size = differences.shape
    scatter = differences.T @ differences / samples
    doubt = np.clip(size / samples, 0.05, 0.9)
    scatter = (1 - doubt) * scatter + (doubt * np.trace(scatter) / size + 1e-12) * np.eye(size)
    values, vectors = np.linalg.eigh(scatter)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def _upper_half(values: Array, least: int) -> Labels:
    """Split numbers into two groups of least variance, each at least ``least`` large; indices of the upper group."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(values[order])
    below = np.arange(least, len(values) - least + 1)
    low, high = sums[below - 1] / below, (sums[-1] - sums[below - 1]) / (len(values) - below)
    gain = (high - low) ** 2 * below * (len(values) - below)
    return order[below[gain.argmax()] :]


def _clear(labels: Labels, speakers: int) -> NDArray[np.bool_]:
    """Windows away from changes of speaker, since those near one contain both; a speaker with few such keeps all."""
    clear = np.ones(len(labels), dtype=bool)
    changes = np.flatnonzero(np.diff(labels))
    for near in (-1, 0, 1, 2):
        clear[np.clip(changes + near, 0, len(labels) - 1)] = False
    for one in range(speakers):
        own = labels == one
        if (clear & own).sum() < 0.4 * own.sum():
            clear |= own
    return clear


def _inside(shares: Array) -> Array:
    """Clip shares to 0..1, and normalise rows to sum to 1."""
    clipped = shares.clip(0, 1)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def _strange(vectors: Array, centroids: Array, labels: Labels) -> NDArray[np.bool_]:
    """Windows that are far less similar to their speaker than usual."""
    if not len(vectors):
        return np.zeros(0, dtype=bool)
    likeness = (vectors @ centroids.T).max(axis=1)
    usual = np.ones(len(centroids))
    for one in np.unique(labels):
        usual[one] = np.median(likeness[labels == one])
    return np.asarray(likeness < _STRANGE * usual[labels])
