"""Which questions of different episodes ask alike, by what they mean. Pure arithmetic; reads and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.align.meaning import DIMENSIONS, Vectors, directions

# How alike two questions are, -1 to 1, that are shown side by side. Lower, hosts' turns of phrase begin to count.
ALIKE = 0.55


def leaders(lists: Iterable[Vectors]) -> list[list[int]]:
    """Group the questions of episodes, given in the order of their publication.

    A question joins the group whose first question it is most alike, if it is enough; else it begins one. Two of one
    episode are never in one group: a list does not ask the same twice, but all of it is about the same place. What
    comes later changes nothing about the groups of those before.

    Args:
        lists: for each episode the vectors of its questions, (questions, 384).

    Returns:
        For each question of each episode the first question of its group, counted over all episodes.
    """
    first: list[int] = []
    vectors = np.empty((0, DIMENSIONS), np.float32)
    found: list[list[int]] = []
    seen = 0
    for some in map(directions, lists):
        joined = _joined(vectors @ some.T)
        new = [n for n in range(len(some)) if n not in joined]
        found.append([first[joined[n]] if n in joined else seen + n for n in range(len(some))])
        first += [seen + n for n in new]
        vectors = np.concatenate([vectors, some[new]])
        seen += len(some)
    return found


def _joined(alike: Vectors) -> dict[int, int]:
    """For those questions of an episode that join a group, which: the most alike first. ``alike`` is (groups, own)."""
    pairs = [(int(group), int(own)) for group, own in np.argwhere(alike >= ALIKE)]
    groups: dict[int, int] = {}
    taken: set[int] = set()
    for group, own in sorted(pairs, key=lambda pair: (-alike[pair[0], pair[1]], pair)):
        if own not in groups and group not in taken:
            groups[own] = group
            taken.add(group)
    return groups
