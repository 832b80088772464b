"""The evidence of the times that a publisher gives beside the questions.

They are those of the recording as it was published; what is kept may have other advertisements. So how far they are
shifted here is found first, as the likeliest path through a hidden Markov model (Viterbi; Rabiner 1989, doi
10.1109/5.18626): the shift is that of the time before, or another one at a cost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align.candidates import Candidate, Wanted, best_between
from pipeline.align.decide import Decision
from pipeline.align.windows import Windows
from pipeline.model import Question

Array = NDArray[np.float64]

EARLY, LATE = 10.0, 25.0  # seconds: how long before and after the time given a question may begin
UNTIL_THE_NEXT = 0.5  # the evidence of a place that is later, but before the next question's time
SHIFTS = np.arange(-900.0, 901.0, 5.0)  # seconds
TRUST = 3.0  # log-odds that the times are of this recording at all
ELSEWHERE = 0.3  # the probability that a question's wording says nothing of where it is asked
FARTHER = 25.0  # seconds beside the time that cost one unit of log-odds
# Log-odds against a first time that is shifted, and against another shift than before: every other time, and one in
# ten, divided among the shifts that are possible.
SHIFT_COST, CHANGE_COST = np.log(len(SHIFTS)), np.log(10 * len(SHIFTS))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Where a question is asked by the publisher's times: about ``at``, or at least before ``until``, in seconds."""

    at: float
    until: float

    def evidence(self, start: float) -> float:
        if self.at - EARLY <= start <= self.at + LATE:
            return 1.0
        return UNTIL_THE_NEXT if self.at <= start < self.until else 0.0


def with_stated(
    questions: Sequence[Question],
    decisions: Sequence[Decision],
    options: Sequence[Sequence[Candidate]],
    wanted: Sequence[Wanted],
    windows: Windows,
    *,
    certain: Collection[int] = (),
) -> list[list[Candidate]] | None:
    """Return the candidates with the evidence ``stated``, and those at the times given; None without such times.

    Args:
        questions: the list.
        decisions: on each question, without the times.
        options: the candidates of each question.
        wanted: what is looked for of each question.
        windows: the transcript.
        certain: the indices in the list of questions that are certainly asked at their candidate.
    """
    timed = sorted((question.stated, n) for n, question in enumerate(questions) if question.stated is not None)
    if not timed or not windows.units or windows.units[-1].end <= 0:
        return None
    times = np.array([time for time, _ in timed])
    shifts, likelier = _shifts(np.stack([_scores(time, decisions[n], windows.units[-1].end) for time, n in timed]))
    if likelier < -TRUST:
        return None
    here = times + shifts
    found = [list(places) for places in options]
    for (_, n), at, until in zip(timed, here, [*here[1:], np.inf], strict=True):
        if n not in certain:
            found[n] = _seen(found[n], _Stretch(float(at), float(until)), wanted[n], windows)
    return found


def _scores(time: float, decision: Decision, length: float) -> Array:
    """How much likelier each shift is, by where the question seems to be asked, than by chance, as a logarithm."""
    likely = np.zeros(len(SHIFTS))
    for place in decision.places:
        late = place.candidate.start - (time + SHIFTS)
        about = (late >= -EARLY) & (late <= LATE)
        likely = np.maximum(likely, np.where(about, place.probability * np.exp(-np.abs(late) / FARTHER), 0.0))
    of_all = max(sum(place.probability for place in decision.places), 1e-9)
    by_chance = (EARLY + LATE) / length
    return np.log((1 - ELSEWHERE) * likely / of_all / by_chance + ELSEWHERE)


def _shifts(scores: Array) -> tuple[Array, float]:
    """The likeliest shift of each time in seconds, and how much likelier that is than times of another recording.

    ``scores`` is (times, shifts), in order of time; what is returned second is a logarithm.
    """
    total = scores[0] - SHIFT_COST * (SHIFTS != 0)
    come_from: list[NDArray[np.intp]] = []
    for score in scores[1:]:
        best = int(total.argmax())
        stays = total >= total[best] - CHANGE_COST
        come_from.append(np.where(stays, np.arange(len(SHIFTS)), best))
        total = np.where(stays, total, total[best] - CHANGE_COST) + score
    path = [int(total.argmax())]
    likelier = float(total.max())
    for before in reversed(come_from):
        path.append(int(before[path[-1]]))
    return SHIFTS[path[::-1]], likelier


def _seen(places: list[Candidate], stretch: _Stretch, wanted: Wanted, windows: Windows) -> list[Candidate]:
    there = best_between(wanted, windows, stretch.at - EARLY, stretch.at + LATE)
    if there and not any(stretch.evidence(place.start) == 1 for place in places):
        places = [*places, there]
    return [replace(place, evidence=place.evidence._replace(stated=stretch.evidence(place.start))) for place in places]
