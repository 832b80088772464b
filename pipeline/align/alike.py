"""Grouping similar questions of different episodes by their meaning. Pure computation, without I/O."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.align.meaning import DIMENSIONS, Vectors, directions

# The least cosine similarity of questions that are shown side by side. Below it, hosts' turns of phrase dominate.
ALIKE = 0.55


def leaders(lists: Iterable[Vectors]) -> list[list[int]]:
    """Group the questions of episodes, given in order of publication.

    A question joins the group whose first question is most similar to it, if they are similar enough; else it begins a
    new group. Two questions of one episode are never in the same group: a list does not ask the same thing twice, but
    all of it is about the same subject. Later episodes do not change the groups of earlier ones.

    Args:
        lists: for each episode the vectors of its questions, (questions, 384).

    Returns:
        For each question of each episode, the index of the first question of its group, counted over all episodes.
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
    """The groups that questions of an episode join, most similar pairs first; ``alike`` is (groups, questions)."""
    pairs = [(int(group), int(own)) for group, own in np.argwhere(alike >= ALIKE)]
    groups: dict[int, int] = {}
    taken: set[int] = set()
    for group, own in sorted(pairs, key=lambda pair: (-alike[pair[0], pair[1]], pair)):
        if own not in groups and group not in taken:
            groups[own] = group
            taken.add(group)
    return groups
