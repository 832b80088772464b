"""The likeliest path through a chain of states (Viterbi 1967, doi 10.1109/TIT.1967.1054010)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IMPOSSIBLE = np.float32(-1e30)
_SKIPPED = 2  # the number of states that a skip advances


@dataclass(frozen=True, slots=True)
class Steps:
    """The log-probabilities of the transitions into each state of a chain, (states,).

    Attributes:
        stay: From itself; always possible.
        enter: From the previous state; ``IMPOSSIBLE`` for the first.
        skip: From the one before that; ``IMPOSSIBLE`` if the state between must not be skipped.
    """

    stay: NDArray[np.float32]
    enter: NDArray[np.float32]
    skip: NDArray[np.float32]


def best_path(
    steps: Steps, scores: NDArray[np.float32], sounds: NDArray[np.int_], *, repeat: int
) -> NDArray[np.int_] | None:
    """Find the state of each frame. The first and the last state of the chain may be left out.

    Args:
        steps: The transitions, of three or more states.
        scores: The log-likelihoods of each sound, (rows, sounds).
        sounds: The sound of each state, (states,).
        repeat: The number of consecutive frames for which each row of ``scores`` is used.

    Returns:
        State indices, (rows x repeat,), or None if there are too few frames to pass through the chain.
    """
    frames, states = repeat * len(scores), len(sounds)
    # The cost of staying is subtracted from the other steps and added to every frame's score, saving an addition.
    enter, skip = steps.enter - steps.stay, steps.skip - steps.stay
    beyond = np.full(_SKIPPED + states, IMPOSSIBLE, np.float32)
    best = beyond[_SKIPPED:]
    best[:2] = scores[0, sounds[:2]]
    entered = np.zeros((frames, states), bool)
    skipped = np.zeros_like(entered)
    score, by_entering, by_skipping = np.empty((3, states), np.float32)
    for frame in range(1, frames):
        if frame == 1 or frame % repeat == 0:
            np.add(scores[frame // repeat, sounds], steps.stay, out=score)
        np.add(beyond[_SKIPPED - 1 : -1], enter, out=by_entering)
        np.add(beyond[:-_SKIPPED], skip, out=by_skipping)
        np.greater(by_entering, best, out=entered[frame])
        np.maximum(by_entering, best, out=best)
        np.greater(by_skipping, best, out=skipped[frame])
        np.maximum(by_skipping, best, out=best)
        best += score
    last = states - 2 + int(np.argmax(best[-2:]))
    return _traced(last, entered, skipped) if best[last] > IMPOSSIBLE / 2 else None


def _traced(state: int, entered: NDArray[np.bool_], skipped: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Trace the path back from the state of the last frame."""
    path = np.empty(len(entered), int)
    for frame in reversed(range(len(entered))):
        path[frame] = state
        if skipped[frame, state]:
            state -= _SKIPPED
        elif entered[frame, state]:
            state -= 1
    return path
