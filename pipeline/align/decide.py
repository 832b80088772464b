"""Deciding all questions of an episode jointly: the probability that each is asked at each of its places, or at none.

The questions form a chain in list order (a conditional random field, Lafferty et al. 2001). Each takes one of its
places or none; being asked before the one found last has a cost, as has sharing its place. So list order is a strong
prior, not a constraint. The results are the exact marginal probabilities of each question's places (forward-backward;
Rabiner 1989, doi 10.1109/5.18626): choosing the likeliest place of each maximises the expected number of right ones.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.align.candidates import Candidate
from pipeline.align.evidence import Closeness, Hints, Weights, closeness

Array = NDArray[np.float64]

INVERSION_COST = 1.0
SHARED_PLACE_COST = 1.0
TWINS_COST = 4.0  # additional, for similar questions that share a place with too few words for both
MOSTLY = 0.5
SAME_TIME = 3.0  # seconds: places nearer than this are not out of order
SAME_START = 2.0  # seconds: places that begin within this are the same answer to when a question is asked
ROUNDS = 3
CERTAIN = 100.0  # log-odds
NEGLIGIBLE = 0.01
_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a question, and the probability that the question is asked within ``SAME_START`` of it.

    ``hints`` is the evidence if it was found in other words.
    """

    candidate: Candidate
    probability: float
    hints: Hints | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on one question.

    Attributes:
        places: Its possible places, likeliest first; one that is the same asking as an earlier one is left out.
        not_asked: The probability that it is asked at none of them.
        usual: How closely the host was assumed to keep to the published wording, estimated from the other questions.
    """

    places: tuple[Place, ...]
    not_asked: float
    usual: Closeness


def decide(
    options: Sequence[Sequence[Candidate]], weights: Weights, *, certain: Collection[int] = ()
) -> list[Decision]:
    """Decide where each question is asked, with probabilities. Deterministic.

    It iterates ``ROUNDS`` times: how closely the host keeps to the published wording, and which askings are left for
    the other questions, is known only after questions were found.

    Args:
        options: The candidates of each question, in list order.
        weights: The weights of their evidence.
        certain: The indices in the list of questions that are certainly asked at one of their candidates.
    """
    usual = [weights.usual] * len(options)
    left: Sequence[Sequence[Candidate]] = _scarce_scaled(options, _belonging(options, weights, usual, certain))
    for _ in range(ROUNDS):
        scores = [
            np.array([weights.log_odds(candidate.evidence, often) + CERTAIN * (n in certain) for candidate in places])
            for n, (places, often) in enumerate(zip(left, usual, strict=True))
        ]
        probabilities = probabilities_of(left, scores)
        decisions = [_decision(*question) for question in zip(left, probabilities, usual, strict=True)]
        usual = _usual_beside(decisions, weights.usual)
        left = _left_by_others(options, probabilities)
        left = _scarce_scaled(left, _belonging(options, weights, usual, certain))
    return decisions


def _belonging(
    options: Sequence[Sequence[Candidate]], weights: Weights, usual: Sequence[Closeness], certain: Collection[int]
) -> list[float]:
    """For each question, how clearly the best other question is found, 0 to 1: whether the list belongs here.

    Some questions of a list that was published with another recording may resemble what the host asks. The evidence
    ``scarce``, that nothing else is left to be asked, is valid only if the list belongs to this recording.
    """
    plain = [
        CERTAIN
        if n in certain
        else max((weights.log_odds(place.evidence._replace(scarce=0.0), often) for place in places), default=-np.inf)
        for n, (places, often) in enumerate(zip(options, usual, strict=True))
    ]
    if len(plain) == 1:
        return [1.0]
    found = [max(0.0, float(2 / (1 + np.exp(-odds)) - 1)) for odds in plain]
    return [max(found[:n] + found[n + 1 :]) for n in range(len(found))]


def _scarce_scaled(options: Sequence[Sequence[Candidate]], shares: Sequence[float]) -> list[list[Candidate]]:
    return [
        [
            replace(place, evidence=place.evidence._replace(scarce=place.evidence.scarce * share))
            if place.evidence.scarce
            else place
            for place in places
        ]
        for places, share in zip(options, shares, strict=True)
    ]


def _left_by_others(
    options: Sequence[Sequence[Candidate]], probabilities: Sequence[Array]
) -> Sequence[Sequence[Candidate]]:
    """The candidates of each question, with the evidence ``scarce`` reduced where others probably belong there.

    It is scaled by the probability that no other question has the same asking, and by the probability that at most one
    other question is asked on the wrong side of it in list order: one may have swapped places with it.
    """
    taken = [
        (candidate, float(probability), n)
        for n, (places, chances) in enumerate(zip(options, probabilities, strict=True))
        for candidate, probability in zip(places, chances, strict=True)
        if candidate.evidence.scarce and probability > NEGLIGIBLE
    ]
    starts = [np.array([candidate.start for candidate in places]) for places in options]

    def out_of_order(n: int, place: Candidate) -> float:
        wrong = [
            float(chances[at > place.start + SAME_TIME if other < n else at < place.start - SAME_TIME].sum())
            for other, (at, chances) in enumerate(zip(starts, probabilities, strict=True))
            if other != n
        ]
        return sorted([0.0, 0.0, *wrong])[-2]

    def left(n: int, place: Candidate) -> Candidate:
        if not place.evidence.scarce:
            return place
        by_others = sum(
            probability * candidate.filled
            for candidate, probability, asker in taken
            if asker != n and candidate.first <= place.last and place.first <= candidate.last
        )
        share = max(0.0, 1 - by_others) * max(0.0, 1 - out_of_order(n, place))
        return replace(place, evidence=place.evidence._replace(scarce=share))

    return [[left(n, place) for place in places] for n, places in enumerate(options)]


def _decision(candidates: Sequence[Candidate], probabilities: Array, usual: Closeness) -> Decision:
    starts = np.array([candidate.start for candidate in candidates])
    near = np.abs(starts[:, None] - starts[None]) <= SAME_START
    together = near @ probabilities if len(candidates) else probabilities
    places: list[Place] = []
    for n in np.lexsort((-probabilities, -together)):
        if not any(same_asking(candidates[n], place.candidate) for place in places):
            places.append(Place(candidates[n], float(together[n])))
    return Decision(tuple(places), 1 - float(probabilities.sum()), usual)


def same_asking(one: Candidate, other: Candidate) -> bool:
    """Tell whether two places begin within ``SAME_START``, or share sentences."""
    return abs(one.start - other.start) <= SAME_START or (one.first <= other.last and other.first <= one.last)


def _usual_beside(decisions: Sequence[Decision], at_first: Closeness) -> list[Closeness]:
    """How closely the host keeps to the wording of all other questions: their mean, with ``at_first`` as a prior."""
    known = np.array([(1 - decision.not_asked) * _share_asked(decision) for decision in decisions])
    found = np.array(
        [closeness(decision.places[0].candidate.evidence) if decision.places else at_first for decision in decisions]
    ).reshape(len(decisions), len(at_first))
    total, count = known @ found, known.sum()
    return [
        Closeness(*(total - known[n] * found[n] + at_first) / (count - known[n] + 1)) for n in range(len(decisions))
    ]


def _share_asked(decision: Decision) -> float:
    """The share of the question that seems to be asked: a part is weaker evidence of how the host words questions."""
    return max(0.0, 1 - decision.places[0].candidate.evidence.left_out) if decision.places else 0.0


def probabilities_of(options: Sequence[Sequence[Candidate]], scores: Sequence[Array]) -> list[Array]:
    """Return the marginal probabilities of each question's places, given the log-odds of each by itself."""
    # In the first state nothing was found yet; the others are all places of all questions, in list order.
    edges = np.cumsum([1, *map(len, options)]).tolist()
    own = [slice(first, end) for first, end in pairwise(edges)]
    costs = _costs([place for places in options for place in places])
    steps = [costs[:, mine] + score for mine, score in zip(own, scores, strict=True)]
    before = np.full(edges[-1], _NEVER)
    before[0] = 0.0
    forward = []
    for step, mine in zip(steps, own, strict=True):
        before = before.copy()
        before[mine] = np.logaddexp.reduce(before[:, None] + step, axis=0)
        forward.append(before)
    behind = np.zeros(edges[-1])
    found: list[Array] = []
    total = float(np.logaddexp.reduce(before))
    for after, step, mine in zip(reversed(forward), reversed(steps), reversed(own), strict=True):
        found.append(np.exp(after[mine] + behind[mine] - total))
        if mine.stop > mine.start:
            behind = np.logaddexp(behind, np.logaddexp.reduce(step + behind[None, mine], axis=1))
    return found[::-1]


def _costs(places: Sequence[Candidate]) -> Array:
    """The score (at most 0) of a transition from the place found last (row) to the next one (column)."""
    start, end = (np.array([-np.inf, *(getattr(place, of) for place in places)]) for of in ("start", "end"))
    inverted = start[:, None] > start[None, :] + SAME_TIME
    shared = (start[:, None] < end[None, :]) & (end[:, None] > start[None, :])
    filled = np.array([0.0, *(place.filled for place in places)])
    crowded = np.maximum(0.0, filled[:, None] + filled[None, :] - 1) * _likeness([place.wording for place in places])
    costs = -INVERSION_COST * inverted - (SHARED_PLACE_COST + TWINS_COST * crowded) * shared
    costs[0] = 0.0
    return np.asarray(costs)


def _likeness(wordings: Sequence[str]) -> Array:
    """The share of the shorter wording's words that two wordings share, if it is most: (places + 1, places + 1).

    Two questions that are asked in one sentence share few words; two similar ones are mistaken for each other.
    """
    distinct = {wording: n for n, wording in enumerate(dict.fromkeys(wordings))}
    words = [set(wording.casefold().split()) for wording in distinct]
    columns = {word: n for n, word in enumerate(sorted(set().union(*words)))}
    holds = np.zeros((len(words), len(columns)))
    for n, some in enumerate(words):
        holds[n, [columns[word] for word in some]] = 1.0
    sizes = holds.sum(axis=1)
    alike = holds @ holds.T / np.maximum(1.0, np.minimum(sizes[:, None], sizes[None, :]))
    which = [distinct[wording] for wording in wordings]
    found = np.zeros((len(wordings) + 1, len(wordings) + 1))
    found[1:, 1:] = np.where(alike > MOSTLY, alike, 0.0)[which][:, which]
    return found
