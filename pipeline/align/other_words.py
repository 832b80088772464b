"""Finding questions that were asked in quite other words than published.

If speakers and sentence vectors are available, the questions that wording leaves open are searched for among the host's
askings that were not matched yet. The hints are what the asking says, the end of the host's turn, the beginning of the
answer, and list order: it should lie between the neighbouring questions that were found. The surest match is made
first, which leaves fewer askings to the others and gives them a neighbour. The weights of the hints are fitted by
``benchmarks/align_fit.py``, on lists of which every third question was rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.askings import Exchange
from pipeline.align.candidates import Wanted, asking_in
from pipeline.align.decide import SAME_TIME, Decision, Place, same_asking
from pipeline.align.evidence import Hints, HintWeights
from pipeline.align.windows import Windows

Array = NDArray[np.float64]

TOLD = 2  # places returned: the likeliest and the runner-up
MOST = 50.0  # log-odds; a bound against overflow


@dataclass(frozen=True)
class Search:
    """The decisions by wording, and the questions that they leave open.

    Attributes:
        wanted: The questions, in list order.
        windows: The transcript.
        decisions: The decision on each question.
        guessed: The indices of questions whose time is only a guess, which is kept unless a likely one is found.
        missing: The indices of questions without a time.
        sure: The indices of questions that are more likely than not asked at their time: questions between them in the
            list are asked between them.
        likeness: The similarity of each guessed or missing question with every exchange: (exchanges, 3).
    """

    wanted: Sequence[Wanted]
    windows: Windows
    decisions: Sequence[Decision]
    guessed: frozenset[int]
    missing: frozenset[int]
    sure: frozenset[int]
    likeness: Mapping[int, Array]

    @classmethod
    def of(
        cls,
        wanted: Sequence[Wanted],
        windows: Windows,
        decisions: Sequence[Decision],
        *,
        guessed: frozenset[int],
        missing: frozenset[int],
        sure: frozenset[int],
    ) -> Search:
        """Begin a search, computing ``likeness``."""
        likeness = {n: _likeness(wanted[n], windows) for n in sorted(guessed | missing)}
        return cls(wanted, windows, decisions, guessed, missing, sure, likeness)

    def found(self, n: int, decision: Decision) -> Search:
        """Return the search that is left after question ``n`` was found."""
        decisions = [decision if n == other else one for other, one in enumerate(self.decisions)]
        return replace(
            self,
            decisions=decisions,
            guessed=self.guessed - {n},
            missing=self.missing - {n},
            sure=self.sure | {n},
        )

    @property
    def free(self) -> list[int]:
        """The indices of exchanges whose asking no question was matched with; empty without sentence vectors."""
        if self.windows.exchanged is None:
            return []
        places = [
            decision.places[0].candidate
            for n, decision in enumerate(self.decisions)
            if n not in self.guessed | self.missing and decision.places
        ]
        return [
            k
            for k, one in enumerate(self.windows.exchanges)
            if not any(place.first <= one.last and one.first <= place.last for place in places)
        ]

    def hints(self, n: int) -> Array:
        """Return the hints that the asking of each free exchange is that of question ``n``: (exchanges, hints)."""
        in_place = [[float(self._is_in_place(n, self.windows.exchanges[k]))] for k in self.free]
        return np.hstack([self.likeness[n][self.free], np.array(in_place).reshape(-1, 1)])

    def _is_in_place(self, n: int, one: Exchange) -> bool:
        """Tell whether an asking lies between the nearest sure questions before and after the ``n``-th."""
        starts = {other: self.decisions[other].places[0].candidate.start for other in self.sure}
        before = max((start for other, start in starts.items() if other < n), default=-np.inf)
        after = min((start for other, start in starts.items() if other > n), default=np.inf)
        first, last = self.windows.starts[one.first], self.windows.starts[one.last]
        return bool(before - SAME_TIME <= first and last <= after + SAME_TIME)


def _likeness(wanted: Wanted, windows: Windows) -> Array:
    """The hints of every exchange except ``in_place``: (exchanges, 3); no rows without sentence vectors."""
    if wanted.vector is None or windows.directions is None or windows.exchanged is None:
        return np.zeros((0, 3))
    near = np.where(windows.possible & windows.holds_asking, windows.directions @ wanted.vector, -1.0)
    nearest = [
        max(float(row[one.first : one.last + 1 - longer].max(initial=-1.0)) for longer, row in enumerate(near))
        for one in windows.exchanges
    ]
    said, answers = windows.exchanged
    return np.stack([nearest, said @ wanted.vector, answers @ wanted.vector], axis=1)


def in_other_words(search: Search, weights: HintWeights, *, likely: float) -> list[Decision]:
    """Return the decisions, with new ones for the questions that wording alone did not find.

    Args:
        search: The decisions by wording.
        weights: The weights of the hints.
        likely: The least probability at which an asking is taken for that of a question.
    """
    while True:
        chances = {n: _chances(search, n, weights) for n in search.likeness if n in search.guessed | search.missing}
        surest = max(chances, key=lambda n: (chances[n].max(initial=0.0), -n), default=None)
        if surest is None or chances[surest].max(initial=0.0) < likely:
            left = {n: _decided(search, n, some) for n, some in chances.items()}
            return [left.get(n, decision) for n, decision in enumerate(search.decisions)]
        search = search.found(surest, _in_other_words(search, surest, chances[surest]))


def _chances(search: Search, n: int, weights: HintWeights) -> Array:
    """The probability that question ``n`` is asked in each free exchange; the rest to 1 is that it is not asked."""
    odds = np.exp(np.minimum(weights.bias + search.hints(n) @ np.array(weights.hints), MOST))
    return np.asarray(odds / (1 + odds.sum()))


def _decided(search: Search, n: int, chances: Array) -> Decision:
    """The final decision: a guess stays in the first place; it is unchanged if no exchange is left."""
    before = search.decisions[n]
    if not len(chances):
        return before
    found = _in_other_words(search, n, chances)
    if n not in search.guessed:
        return replace(found, places=_likeliest_first(found.places))
    guess, likeliest = before.places[0], found.places[0]
    if same_asking(guess.candidate, likeliest.candidate):
        guess = replace(guess, probability=max(guess.probability, likeliest.probability))
    others = [place for place in found.places if not same_asking(guess.candidate, place.candidate)]
    return replace(before, places=(guess, *_likeliest_first(others)))


def _likeliest_first(places: Sequence[Place]) -> tuple[Place, ...]:
    """The places by descending probability, each asking only once, with the higher one by hints or by wording."""
    kept: list[Place] = []
    for place in sorted(places, key=lambda one: -one.probability):
        if not any(same_asking(place.candidate, other.candidate) for other in kept):
            kept.append(place)
    return tuple(kept)


def _in_other_words(search: Search, n: int, chances: Array) -> Decision:
    """The decision by hints; the places by wording come after those by hints."""
    before, free, hints = search.decisions[n], search.free, search.hints(n)
    places = [
        Place(
            asking_in(search.wanted[n], search.windows, search.windows.exchanges[free[k]]),
            float(chances[k]),
            Hints(*hints[k].tolist()),
        )
        for k in np.argsort(-chances, kind="stable")[:TOLD].tolist()
    ]
    not_asked = min(before.not_asked, float(1 - chances.sum()))  # no surer than either of them
    return replace(before, places=(*places, *before.places), not_asked=not_asked)
