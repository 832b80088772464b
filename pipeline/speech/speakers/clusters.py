"""Which windows of a recording are of the same speaker. Pure arithmetic over vectors; it knows no words.

Two windows of one speaker differ by what is said in them, and do so along the same few directions for everybody.
Speakers are therefore looked for in several projections, and each split is judged after the spread inside the
speakers was measured and taken out of account (linear discriminant analysis).
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
_COMPONENTS = 32  # of 256: what remains is noise
_DIRECTIONS = 4  # of those in which lasting differences are looked for
_NEIGHBOURS_SECONDS = 5.0  # windows further apart are no neighbours
_ROUNDS = 4  # of estimating speakers and their spread in turn: labels rest after two or three
_LEAST_WINDOWS = 20  # of a speaker: a dozen seconds. Less is a jingle, a clip, or a passer-by
_LEAST_SHARE = 0.04  # of a recording too short for that

# The least that ``plausible`` wants of so many speakers. Measured on LibriSpeech: 56 dialogues of two, also in noise,
# had 0.071 or more, and 115 of 121 times one of them alone less; three speakers had 0.11, two taken for three 0.05.
_DISTINCT = {2: 0.0705, 3: 0.09, 4: 0.09}
_DOUBTFUL = 0.7  # a window of which less is one speaker's is nobody's, though no change is near
_BLOCKS = 6  # in which every other one tells the speakers apart in the rest
_STRANGE = 0.78  # of the likeness to a speaker that half of the speaker's windows have: less is somebody else's


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """The speakers of a recording.

    Attributes:
        shares: How much of each window is each speaker's, (windows, speakers); a row's sum is 1.
        centroids: Each speaker's mean vector, not centred, of unit length, (speakers, dimensions).
        strange: Windows that sound like none of them: a jingle, noise, a voice heard for seconds; (windows,).
    """

    shares: Array
    centroids: Array
    strange: NDArray[np.bool_]

    @property
    def labels(self) -> Labels:
        """The speaker of the most of each window, (windows,)."""
        return np.asarray(self.shares.argmax(axis=1))


def cluster(voices: Voices, *, count: int | None = None) -> Clusters:
    """Tell the speakers of one recording apart.

    Args:
        voices: All windows of the recording, in order.
        count: How many speak. None: between one and four, as the voices suggest. There may be fewer than said,
            where too little is heard of some.
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
    """The windows of a recording, projected to where their differences can be measured."""

    def __init__(self, voices: Voices) -> None:
        self.vectors = voices.vectors.astype(np.float64)
        count = len(voices)
        self.least = max(4, min(_LEAST_WINDOWS, round(_LEAST_SHARE * count)))
        centred = self.vectors - self.vectors.mean(axis=0) if count else self.vectors
        self.points = centred @ _axes(centred.T @ centred, min(_COMPONENTS, max(2, count // 4)))
        self.lasting = _lasting(self.points, *_neighbours(voices))

    def centroids(self, labels: Labels) -> Array:
        """The mean vector of each speaker, of unit length."""
        if not len(labels):
            return np.zeros((1, self.vectors.shape[1]))
        means = np.stack([self.vectors[labels == one].mean(axis=0) for one in range(labels.max() + 1)])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))

    def split(self, labels: Labels, speakers: int) -> Array | None:
        """Shares for one speaker more than ``labels`` has; None where nobody can be told from the rest."""
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
        """Whether these are different people, and not one of them in two moods.

        People are far apart, and there is nothing between them, also in a part of the recording that was not used to
        tell them apart.
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
        """How unlike the two likest speakers are, and the less the less one of them is heard; 0: no speaker."""
        heard = np.bincount(labels, minlength=speakers)
        if heard.min() < self.least:
            return 0.0
        centroids = self.centroids(labels)
        unlike = (1 - centroids @ centroids.T) * np.sqrt(np.minimum.outer(heard, heard) / len(labels))
        return float(unlike[np.triu_indices(speakers, 1)].min())

    def _halves(self, members: Labels) -> Iterator[Labels]:
        """Ways to cut a group of windows in two."""
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
        """Estimate what part of each window is whose, and from that again whose windows tell the speakers' spread."""
        shares = np.eye(speakers)[labels]
        for _ in range(_ROUNDS):
            shares = self._estimate(labels, speakers, _clear(labels, speakers))
            before, labels = labels, shares.argmax(axis=1)
            if (labels == before).all() or np.bincount(labels, minlength=speakers).min() == 0:
                break
        return _inside(shares)

    def _estimate(self, labels: Labels, speakers: int, used: NDArray[np.bool_]) -> Array:
        """Shares by the means and the spread of the windows that are used: discriminants, made to sum to 1."""
        means = np.stack([self.points[used & (labels == one)].mean(axis=0) for one in range(speakers)])
        whiten = _whitener(self.points[used] - means[labels[used]])
        others = (self.points - means[0]) @ whiten @ np.linalg.pinv((means[1:] - means[0]) @ whiten)
        return np.column_stack([1 - others.sum(axis=1), others])


def _neighbours(voices: Voices) -> tuple[Labels, Labels]:
    """Pairs of windows that follow each other and share no sound."""
    following = np.searchsorted(voices.starts, voices.ends - 1e-6)
    first = np.flatnonzero(following < len(voices))
    second = following[first]
    near = voices.starts[second] - voices.ends[first] < _NEIGHBOURS_SECONDS
    return first[near], second[near]


def _lasting(points: Array, first: Labels, second: Labels) -> Array:
    """Project the points onto the few directions that correlate most between neighbouring windows: those of the voice.

    A speaker lasts from window to window, words do not. Before that, the points are whitened by how neighbours differ,
    measured on the three quarters of pairs that differ least: these are mostly of one speaker. Outliers (a jingle) are
    drawn in.
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
    """Points far from the middle and from each other, each the mean of three windows: somebody who says little."""
    smooth = (points[:-2] + points[1:-1] + points[2:]) / 3
    chosen = []
    nearest = np.square(smooth).sum(axis=1)
    for _ in range(count):
        chosen.append(smooth[nearest.argmax()])
        nearest = np.minimum(nearest, np.square(smooth - chosen[-1]).sum(axis=1))
    return np.array(chosen)


def _axes(scatter: Array, count: int) -> Array:
    """The directions in which there is most of a symmetric matrix, as columns."""
    return np.linalg.eigh(scatter)[1][:, ::-1][:, :count]


def _whitener(differences: Array) -> Array:
    """What makes differences equally large in all directions; the fewer they are, the less it trusts them."""
    samples, size = differences.shape
    scatter = differences.T @ differences / samples
    doubt = np.clip(size / samples, 0.05, 0.9)
    scatter = (1 - doubt) * scatter + (doubt * np.trace(scatter) / size + 1e-12) * np.eye(size)
    values, vectors = np.linalg.eigh(scatter)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def _upper_half(values: Array, least: int) -> Labels:
    """Where the larger of two groups of numbers are, which are each as alike as can be (and not below ``least``)."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(values[order])
    below = np.arange(least, len(values) - least + 1)
    low, high = sums[below - 1] / below, (sums[-1] - sums[below - 1]) / (len(values) - below)
    gain = (high - low) ** 2 * below * (len(values) - below)
    return order[below[gain.argmax()] :]


def _clear(labels: Labels, speakers: int) -> NDArray[np.bool_]:
    """Windows away from a change of speakers: the others hold both. A speaker who has none such keeps all."""
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
    """Shares without negative ones."""
    clipped = shares.clip(0, 1)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def _strange(vectors: Array, centroids: Array, labels: Labels) -> NDArray[np.bool_]:
    """Windows that are far less like their speaker than usual."""
    if not len(vectors):
        return np.zeros(0, dtype=bool)
    likeness = (vectors @ centroids.T).max(axis=1)
    usual = np.ones(len(centroids))
    for one in np.unique(labels):
        usual[one] = np.median(likeness[labels == one])
    return np.asarray(likeness < _STRANGE * usual[labels])
