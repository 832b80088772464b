"""What speaks for a window of sentences as the asking of a question, or against it, and what each piece of it weighs.

The weights are those of a conditional logit (McFadden 1974) over all places of a question and its not being asked,
learnt by ``benchmarks/align_fit.py`` on interviews whose questions have true times: as they were published, with words
left out, with words replaced by others of like meaning, and misheard, with punctuation and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Evidence(NamedTuple):
    """One window and one question.

    Attributes:
        coverage: The share of the question's words that it holds, rare ones weighing more.
        in_order: The share of all the question's words that are heard in their order: answers shuffle them.
        common: The logarithm of how many of the episode's sentences are like it in whether they sound like a question
            of the host's: the fewer there are, the more it says that it is one of them.
        misplaced: How far it is from where the question's place in the list lets expect it, as a share of the episode.
        unlike_long: The logarithm of how many times as long the one is as the other.
        scarce: 1 where the host, who asks hardly more than the list has, asks something that is answered; less where
            other questions are likely to be what is asked, or to be asked on the wrong side of it by the list's order.
        left_out: The share of the question's words that are not in the part that it is compared with; those that ask
            before that part count twice, for an asking begins with the first. 0 for the whole question.
        unanswered: 1 where the host has not begun to ask yet, or asks nothing any more: a teaser, or a recap.
        read_out: 1 where several questions of the list are read out one after the other.
        by_others: The share of it that is said by who does not ask here, a guest or an advertisement, if that is most.
        nearness: How alike both are in meaning, -1 to 1; 0 without sentence vectors, as in all that follow.
        stands_out: By how many standard deviations it is nearer than the episode's other windows.
        answered: How much nearer what follows it is to the question than what comes before.
    """

    coverage: float
    in_order: float
    common: float
    misplaced: float
    unlike_long: float
    scarce: float
    left_out: float = 0.0
    unanswered: float = 0.0
    read_out: float = 0.0
    by_others: float = 0.0
    nearness: float = 0.0
    stands_out: float = 0.0
    answered: float = 0.0


class Closeness(NamedTuple):
    """How closely a host keeps to the published wording: three of the pieces of evidence."""

    coverage: float
    in_order: float
    nearness: float


class Weights(NamedTuple):
    """What each piece of evidence weighs, in log-odds.

    Attributes:
        bias: Of any window, before there is evidence.
        evidence: What each piece weighs.
        closer: What it weighs to be closer to the published wording than is usual for the host.
        usual: How close hosts are, until something is known of this one.
    """

    bias: float
    evidence: Evidence
    closer: Closeness
    usual: Closeness

    def log_odds(self, evidence: Evidence, usual: Closeness) -> float:
        """Return the evidence added up: that a window is the asking, against that the question is not asked."""
        return sum(share for _, _, share in self.shares(evidence, usual))

    def shares(self, evidence: Evidence, usual: Closeness) -> Iterator[tuple[str, float, float]]:
        """Give the name of each piece of evidence, its value, and its share in the log-odds."""
        yield "bias", 1.0, self.bias
        for name, found, weight in zip(Evidence._fields, evidence, self.evidence, strict=True):
            yield name, found, weight * found
        for name, found, often, weight in zip(Closeness._fields, closeness(evidence), usual, self.closer, strict=True):
            yield f"{name}_beyond_usual", found - often, weight * (found - often)


def closeness(evidence: Evidence) -> Closeness:
    """Return how closely a window keeps to the published wording."""
    return Closeness(evidence.coverage, evidence.in_order, evidence.nearness)


class Hints(NamedTuple):
    """What speaks for one of the host's askings as that of a question whose wording was found nowhere.

    Attributes:
        nearness: How alike the question and the nearest few sentences of the asking are in meaning, -1 to 1.
        turn: How alike it and all are that the host says up to there.
        answer: How alike it and what is answered are.
        in_place: 1 between the questions around it in the list that were found, else 0.
    """

    nearness: float
    turn: float
    answer: float
    in_place: float


class HintWeights(NamedTuple):
    """What each hint weighs, in log-odds against that the question is not asked, and the bias of any asking."""

    bias: float
    hints: Hints

    def shares(self, hints: Hints) -> Iterator[tuple[str, float, float]]:
        """Give the name of each hint, its value, and its share in the log-odds."""
        yield "bias", 1.0, self.bias
        for name, found, weight in zip(Hints._fields, hints, self.hints, strict=True):
            yield name, found, weight * found


# Not learnt: none of the interviews to learn from is of a host who asks little besides the list. There, what is left of
# the askings when the plain ones are found is most likely what is left of the list.
SCARCE = 3.5
# Nor is this. Learnt with it, to be far from the wording counts for so much that questions which an editor rewrote are
# found less often. The more it is, the surer that what is asked whole begins at its beginning; with twice as much, some
# questions are missed of which only a part is asked (``a part not asked`` in ``benchmarks/align.py``).
LEFT_OUT = -3.0
# Nor are these: the interviews to learn from begin and end with what was asked, and no advertisement is in them.
UNANSWERED, READ_OUT, BY_OTHERS = -6.0, -4.0, -3.0
BY_MEANING = Weights(
    bias=1.11,
    evidence=Evidence(
        coverage=0.0,  # it counts, as nearness does, by how far it is beyond what is usual for the host
        in_order=3.79,
        common=-1.04,
        misplaced=-1.07,
        unlike_long=-1.32,
        scarce=SCARCE,
        left_out=LEFT_OUT,
        unanswered=UNANSWERED,
        read_out=READ_OUT,
        by_others=BY_OTHERS,
        nearness=0.0,
        stands_out=0.86,
        answered=1.91,
    ),
    closer=Closeness(coverage=2.44, in_order=3.74, nearness=0.81),
    usual=Closeness(coverage=0.8, in_order=0.75, nearness=0.7),
)
BY_WORDS = Weights(
    bias=3.56,
    evidence=Evidence(
        coverage=2.55,
        in_order=4.63,
        common=-0.92,
        misplaced=-1.23,
        unlike_long=-1.95,
        scarce=SCARCE,
        left_out=LEFT_OUT,
        unanswered=UNANSWERED,
        read_out=READ_OUT,
        by_others=BY_OTHERS,
    ),
    closer=Closeness(coverage=2.90, in_order=4.88, nearness=0.0),
    usual=Closeness(coverage=0.8, in_order=0.75, nearness=0.0),
)
OTHER_WORDS = HintWeights(bias=-8.72, hints=Hints(nearness=5.35, turn=3.39, answer=2.69, in_place=3.59))
