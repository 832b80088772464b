"""What speaks for a window of sentences as the asking of a question, or against it, and what each piece of it weighs.

The weights are those of a conditional logit (McFadden 1974) over all places of a question and its not being asked,
learnt by ``benchmarks/align_fit.py`` on interviews whose questions have true times: as they were published, with words
left out, and with words replaced by others of like meaning.
"""

from __future__ import annotations

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
        nearness: How alike both are in meaning, -1 to 1; 0 without sentence vectors, as in all that follow.
        stands_out: By how many standard deviations it is nearer than the episode's other windows.
        answered: How much nearer what follows it is to the question than what comes before.
    """

    coverage: float
    in_order: float
    common: float
    misplaced: float
    unlike_long: float
    nearness: float = 0.0
    stands_out: float = 0.0
    parts: float = 0.0
    parts_stand_out: float = 0.0
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
        closer = (found - often for found, often in zip(closeness(evidence), usual, strict=True))
        return (
            self.bias
            + sum(weight * found for weight, found in zip(self.evidence, evidence, strict=True))
            + sum(weight * more for weight, more in zip(self.closer, closer, strict=True))
        )


def closeness(evidence: Evidence) -> Closeness:
    """Return how closely a window keeps to the published wording."""
    return Closeness(evidence.coverage, evidence.in_order, evidence.nearness)


BY_MEANING = Weights(
    bias=1.24,
    evidence=Evidence(
        coverage=0.91,
        in_order=2.96,
        common=-1.12,
        misplaced=-0.89,
        unlike_long=-1.42,
        nearness=0.48,
        stands_out=0.74,
        answered=1.55,
    ),
    closer=Closeness(coverage=1.78, in_order=3.55, nearness=0.89),
    usual=Closeness(coverage=0.80, in_order=0.75, nearness=0.70),
)
BY_WORDS = Weights(
    bias=3.89,
    evidence=Evidence(coverage=1.67, in_order=4.34, common=-0.91, misplaced=-1.20, unlike_long=-1.92),
    closer=Closeness(coverage=2.81, in_order=5.13, nearness=0.0),
    usual=Closeness(coverage=0.8, in_order=0.75, nearness=0.0),
)
