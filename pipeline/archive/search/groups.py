"""Parenthesised groups of a query as a tree: ``buses AND (mall OR library)``. Pure text; independent of FTS5.

Redundant parentheses are removed, so that the tree of most queries is flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from pipeline.archive.search.pieces import FILTERS, Token

MOST = 32  # alternatives that a query with groups may expand to
_LONGEST = 160  # terms that these may have in total: each is looked up, even if repeated
_DEEPEST = 8  # levels of nesting; FTS5 itself allows about thirty


@dataclass(frozen=True, slots=True)
class Group:
    """Words, quotations, operators and nested groups, in order. ``depth`` is the number of nesting levels.

    ``number`` is the number of alternatives it expands to and ``length`` their total number of terms; if an excluded
    group inside is larger, they are that group's.
    """

    parts: tuple[Token | Group, ...]
    negative: bool = False
    depth: int = 0
    number: int = 0
    length: int = 0

    @property
    def choices(self) -> tuple[Token, ...]:
        """Return the words and quotations joined by OR, if it consists of nothing else."""
        found = []
        for side in sides(self.parts):
            (one, *others) = side
            if others or isinstance(one, Group) or one.kind != "text" or one.negative:
                return ()
            found.append(one)
        return tuple(found)

    @property
    def is_too_much(self) -> bool:
        """Tell whether its groups make it expand to too many alternatives, or nest too deeply."""
        too_many = self.number > max(MOST, len(list(sides(self.parts)))) or self.length > _LONGEST
        return self.depth > _DEEPEST or (self.depth > 0 and too_many)


Part = Token | Group


def is_kind(part: Part, kind: str) -> bool:
    """Tell whether it is a token of this kind."""
    return isinstance(part, Token) and part.kind == kind


def sides(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield the parts on each side of an OR, skipping empty sides."""
    side: list[Part] = []
    for part in parts:
        if not is_kind(part, "or"):
            side.append(part)
        elif side:
            yield side
            side = []
    if side:
        yield side


def grouped(tokens: Sequence[Token]) -> Group:
    """Build the tree from tokens with balanced parentheses. Filters are dropped: they apply to the whole query."""
    levels: list[list[Part]] = [[]]
    opened: list[Token] = []
    for place, token in enumerate(tokens):
        if token.kind == "open":
            opened.append(token)
            levels.append([])
        elif token.kind == "close":
            parts = levels.pop()
            after = tokens[place + 1].kind if place + 1 < len(tokens) else "close"
            levels[-1] += _simplest(parts, levels[-1], after, negative=opened.pop().negative)
        elif token.kind not in FILTERS:
            levels[-1].append(token)
    (parts,) = levels
    return _group(parts)


def _group(parts: Sequence[Part], *, negative: bool = False) -> Group:
    groups = [part for part in parts if isinstance(part, Group)]
    left_out = [one for one in groups if one.negative]
    number = length = 0
    for side in sides(parts):
        written = [one for one in side if isinstance(one, Group) and not one.negative]
        alternatives = prod(one.number for one in written)
        number += alternatives
        length += sum(alternatives // one.number * one.length for one in written)
        length += alternatives * (len(side) - len(written))
    return Group(
        tuple(parts),
        negative,
        depth=max((one.depth + 1 for one in groups), default=0),
        number=max(number, *(one.number for one in left_out), 1),
        length=max(length, *(one.length for one in left_out), 1),
    )


def _simplest(parts: list[Part], before: Sequence[Part], after: str, *, negative: bool) -> Sequence[Part]:
    """What stands in parentheses as parts of what they stand in: as one group, if they change anything.

    ``before`` are the parts before it, ``after`` is the kind of the token after it.
    """
    left_out = [part.negative for part in parts]
    is_or = any(is_kind(part, "or") for part in parts)
    if all(is_kind(part, "or") for part in parts):
        return ()  # nothing that it could join
    if negative:
        if len(parts) == 1:
            return [replace(parts[0], negative=True)]
        return parts if all(left_out) else [_group(parts, negative=True)]
    alone = (not before or is_kind(before[-1], "or")) and after in {"or", "close"}
    near = after == "near" or (before and is_kind(before[-1], "near"))
    same = alone and not any(left_out) if is_or else not near and (all(left_out) or not any(left_out))
    return parts if len(parts) == 1 or same else [_group(parts)]
