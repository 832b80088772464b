"""The likeliest way through chains of states (Viterbi 1967, doi 10.1109/TIT.1967.1054010), several chains at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IMPOSSIBLE = np.float32(-1e30)
SKIPPED = 4  # places: over the three states of a phone


@dataclass(frozen=True, slots=True)
class Steps:
    """How likely it is to get to each state of a chain, as logarithms, (states,).

    Attributes:
        stay: From itself.
        enter: From the state before; ``IMPOSSIBLE`` for the first.
        skip: From ``SKIPPED`` states before; ``IMPOSSIBLE`` where none may be passed over.
    """

    stay: NDArray[np.float32]
    enter: NDArray[np.float32]
    skip: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Chain:
    """States that follow one another; the first three and the last three may be left out.

    Attributes:
        steps: From state to state.
        scores: How likely each state is in each frame, as logarithms, (frames, states); ``IMPOSSIBLE`` where it may
            not be.
    """

    steps: Steps
    scores: NDArray[np.float32]


def best_paths(chains: Sequence[Chain], *, repeat: int) -> list[NDArray[np.int_] | None]:
    """Find the state of each frame of each chain.

    The chains lie side by side and take their steps together: a step of ten costs little more than a step of one.

    Args:
        chains: Of four states or more.
        repeat: How many frames in a row each row of ``scores`` is for.

    Returns:
        Numbers of states, (frames,), or None where no way leads from a chain's beginning to its end.
    """
    if not chains:
        return []
    lengths = [repeat * len(chain.scores) for chain in chains]
    lasts = np.cumsum([chain.scores.shape[1] for chain in chains])
    firsts = np.array([0, *lasts[:-1]])
    scores = np.zeros((max(lengths) // repeat, lasts[-1]), np.float32)
    for chain, first, last in zip(chains, firsts, lasts, strict=True):
        scores[: len(chain.scores), first:last] = chain.scores
    stay, enter, skip = (
        np.concatenate([getattr(chain.steps, step) for chain in chains]) for step in ("stay", "enter", "skip")
    )
    # What it costs to stay is taken off the other steps, and paid in every frame: it need not be added each time.
    scores, enter, skip = scores + stay, enter - stay, skip - stay
    beyond = np.full(SKIPPED + lasts[-1], IMPOSSIBLE, np.float32)
    best = beyond[SKIPPED:]
    for first in (firsts, firsts + SKIPPED - 1):
        best[first] = scores[0, first]
    entered = np.zeros((max(lengths), lasts[-1]), bool)
    skipped = np.zeros_like(entered)
    by_entering, by_skipping = np.empty_like(best), np.empty_like(best)
    ends = {}
    for frame in range(1, max(lengths) + 1):
        if frame in lengths:
            ends[frame] = best.copy()
        if frame == max(lengths):
            break
        np.add(beyond[SKIPPED - 1 : -1], enter, out=by_entering)
        np.add(beyond[:-SKIPPED], skip, out=by_skipping)
        np.greater(by_entering, best, out=entered[frame])
        np.maximum(by_entering, best, out=best)
        np.greater(by_skipping, best, out=skipped[frame])
        np.maximum(by_skipping, best, out=best)
        best += scores[frame // repeat]
    return [
        _traced(ends[length][first:last], entered[:length, first:last], skipped[:length, first:last])
        for first, last, length in zip(firsts, lasts, lengths, strict=True)
    ]


def _traced(
    best: NDArray[np.float32], entered: NDArray[np.bool_], skipped: NDArray[np.bool_]
) -> NDArray[np.int_] | None:
    """Go back from the likelier of the two states a chain may end with."""
    state = max((len(best) - SKIPPED, len(best) - 1), key=lambda last: best[last])
    if best[state] <= IMPOSSIBLE / 2:
        return None
    path = np.empty(len(entered), int)
    for frame in reversed(range(len(entered))):
        path[frame] = state
        if skipped[frame, state]:
            state -= SKIPPED
        elif entered[frame, state]:
            state -= 1
    return path
