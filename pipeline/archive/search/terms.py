"""Compiling words, phrases and NEAR operands to FTS5 expressions. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product

from pipeline.archive.search.groups import Group, Part
from pipeline.archive.search.pieces import Token, is_beginning
from pipeline.archive.search.stems import ends_otherwise, is_cut, shorter_stems, word_with_stem
from pipeline.archive.search.variants import otherwise_written, owner
from pipeline.archive.tokens import folded_words

SPELLINGS = 8  # maximum number of spelling variants of a phrase
_WAYS = 256  # maximum number of combinations of NEAR operands
_PIECE = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to find. ``fts`` is the expression for FTS5.

    For a prefix (``begins``, folded) ``fts`` has false positives, because the index is stemmed; ``surely`` has none,
    but has false negatives.

    ``exact`` holds the folded words of a phrase and ``typed`` the same words as typed, to verify matches of the stemmed
    index; both are empty for single words, which match in any form. ``near`` is the maximum number of words between
    the ``parts`` of a NEAR term, each an expression of its own; 0 for other terms. ``plain`` is the word as typed, if
    it is also searched in other spellings.
    """

    fts: str
    exact: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    near: int = 0
    parts: tuple[str, ...] = ()
    begins: str = ""
    surely: str = ""
    plain: str = ""

    @property
    def crosses(self) -> bool:
        """Tell whether it may begin in one segment and end in another."""
        return bool(self.exact or self.near)


def terms_of(parts: Sequence[Part]) -> Iterator[tuple[Part, tuple[Term, ...]]]:
    """Yield each part with its alternative terms; groups and OR have none. NEAR joins the parts beside it into one."""
    position = 0
    while position < len(parts):
        part = parts[position]
        operands, distance = [_operands(part)], 0
        while operands[0] and position + 2 < len(parts):
            near, other = parts[position + 1 : position + 3]
            if isinstance(near, Group) or near.kind != "near" or other.negative or not _operands(other):
                break
            distance = max(distance, near.distance)
            operands.append(_operands(other))
            position += 2
        position += 1
        if len(operands) > 1:
            yield part, (_near(operands, distance),)
        elif isinstance(part, Group) or part.kind == "or":
            yield part, ()
        elif part.kind == "text" or not _is_beside_group(parts, position - 1):
            yield part, phrases(part.raw) if part.quoted else (_word(part.raw),)


def _is_beside_group(parts: Sequence[Part], place: int) -> bool:
    return any(isinstance(part, Group) for part in parts[max(0, place - 1) : place + 2])


def _operands(part: Part) -> tuple[Token, ...]:
    """The words and quotations of which any may be near something else; none if it cannot be."""
    if isinstance(part, Group):
        return part.choices
    return (part,) if part.kind == "text" else ()


def _phrase(text: str) -> Term:
    words = folded_words(text)
    if len(words) < 2:
        return Term(_fts(text))
    return Term(_fts(text), tuple(word for word, _, _ in words), tuple(text[begin:end] for _, begin, end in words))


def phrases(text: str) -> tuple[Term, ...]:
    """A phrase in each of its spellings, for example with 4000 and with 4,000."""
    if len(folded_words(text)) < 2:
        return (_phrase(text),)
    ways = [(piece, _otherwise(piece, whole=True)) for piece in _PIECE.findall(text)]
    spelt = product(*([piece] if other is None else [piece, other] for piece, other in ways))
    return tuple(_phrase("".join(pieces)) for pieces in islice(spelt, SPELLINGS))


def _near(operands: Sequence[Sequence[Token]], distance: int) -> Term:
    spelt = [tuple(chain.from_iterable(map(_spelt, choices))) for choices in operands]
    together = [f"NEAR({' '.join(words)}, {distance})" for words in islice(product(*spelt), _WAYS)]
    whole = together[0] if len(together) == 1 else f"({' OR '.join(together)})"
    return Term(whole, near=distance, parts=tuple(" OR ".join(words) for words in spelt))


def _spelt(operand: Token) -> tuple[str, ...]:
    """The expressions for what stands beside NEAR, in all of its forms."""
    if operand.quoted:
        return (_fts(operand.raw),)
    return (f"{_fts(operand.raw)}*",) if is_beginning(operand.raw) else _forms(operand.raw)


def _forms(text: str) -> tuple[str, ...]:
    """The expressions for a word: as it was typed, in another spelling, and for council’s also council."""
    words = folded_words(text)
    whose = owner(text[words[0][1] : words[-1][2]]) if words and not is_beginning(text) else None
    others = (_otherwise(text), whose, _otherwise(whose) if whose else None)
    return tuple(dict.fromkeys(_fts(form) for form in (text, *others) if form))


def _otherwise(text: str, *, whole: bool = False) -> str | None:
    """Another spelling of a word, without what stands around it: £4,000 and “4,000?” are asked for as 4,000.

    ``whole`` keeps what stands around it.
    """
    words = folded_words(text)
    if not words or is_beginning(text):
        return None
    begin, end = words[0][1], words[-1][2]
    other = otherwise_written(text[begin:end])
    return f"{text[:begin]}{other}{text[end:]}" if other and whole else other


def _word(text: str) -> Term:
    forms, words = _forms(text), folded_words(text)
    if len(forms) > 1:
        return Term(f"({' OR '.join(forms)})", plain=text)
    if not is_beginning(text) or len(words) != 1:
        return Term(_fts(text) + ("*" if is_beginning(text) else ""))
    begins, typed = words[0][0], text[words[0][1] : words[0][2]]
    stems = " OR ".join(_fts(word_with_stem(stem)) for stem in shorter_stems(typed))
    whole = _fts(word_with_stem(typed))
    surely = f"{whole}*"
    if ends_otherwise(typed):
        surely = f"({whole}* NOT {whole})"
    if is_cut(typed):
        surely = f"({whole} NOT {whole})"  # nothing
    return Term(f"({whole}* OR {stems})" if stems else f"({whole}*)", begins=begins, surely=surely)


def _fts(text: str) -> str:
    return '"' + text.replace('"', " ").rstrip("*") + '"'
