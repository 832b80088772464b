"""Compiling words, phrases and NEAR operands to FTS5 expressions. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from pipeline.archive.money import SIGNS, amount, currency, in_currency
from pipeline.archive.search.groups import Group, Part
from pipeline.archive.search.pieces import Token, is_beginning
from pipeline.archive.search.stems import ends_otherwise, is_cut, shorter_stems, word_with_stem
from pipeline.archive.search.variants import (
    APART,
    MEASURE,
    hyphenless,
    is_number,
    measures,
    otherwise_written,
    owner,
    whole,
)
from pipeline.archive.tokens import as_said, folded_words, quoted_words

SPELLINGS = 8  # maximum number of spelling variants of a phrase that is looked up as a whole
_WAYS = 256  # maximum number of combinations of NEAR operands that are looked up as near each other
_PIECE = re.compile(rf"{MEASURE.pattern}|{APART.pattern}|\s+|\S+", re.IGNORECASE)
_FIGURE = re.compile(r"[^\w]*([0-9]+(?:[.,][0-9]+)*)[^\w%]*")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to find. ``fts`` is the expression for FTS5.

    It may have false positives, because the index is stemmed and knows no figures. ``check`` is a regular expression
    for a word’s places in folded text, where it has. ``surely`` is an expression without false positives, but with
    false negatives; empty if there is none.

    ``exact`` holds the folded words of a phrase and ``spellings`` its pieces, each in all of its spellings, to verify
    matches; both are empty for single words, which match in any form. ``signs`` are those of its currencies. ``near``
    is the maximum number of words between the ``parts`` of a NEAR term, of each of which any will do; 0 for other
    terms. ``ways`` are the phrases of which ``fts`` finds any; none if it is more than that. ``plain`` is the word as
    typed, if it is also searched in other spellings.
    """

    fts: str
    exact: tuple[str, ...] = ()
    spellings: tuple[tuple[str, ...], ...] = ()
    signs: str = ""
    near: int = 0
    parts: tuple[tuple[Term, ...], ...] = ()
    ways: tuple[str, ...] = ()
    check: str = ""
    surely: str = ""
    plain: str = ""

    @property
    def crosses(self) -> bool:
        """Tell whether it may begin in one segment and end in another."""
        return bool(self.exact or self.near)

    @property
    def is_doubtful(self) -> bool:
        """Tell whether only the text can tell that it is there."""
        return bool(self.check or self.exact or self.near)

    @property
    def certain(self) -> str:
        """Return an expression without false positives; empty if there is none."""
        return self.surely if self.is_doubtful else self.fts


def terms_of(parts: Sequence[Part]) -> Iterator[tuple[Part, Term | None]]:
    """Yield each part with its term; groups and OR have none. NEAR joins the parts beside it into one."""
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
            yield part, _near(operands, distance)
        elif isinstance(part, Group) or part.kind == "or":
            yield part, None
        elif part.kind == "text" or not _is_beside_group(parts, position - 1):
            yield part, phrase(part.raw) if part.quoted else _word(part.raw)


def _is_beside_group(parts: Sequence[Part], place: int) -> bool:
    return any(isinstance(part, Group) for part in parts[max(0, place - 1) : place + 2])


def _operands(part: Part) -> tuple[Token, ...]:
    """The words and quotations of which any may be near something else; none if it cannot be."""
    if isinstance(part, Group):
        return part.choices
    return (part,) if part.kind == "text" else ()


def phrase(text: str) -> Term:
    """What is quoted: a word in this form alone, or words in each of their spellings, as with 4000 and with 4,000."""
    words = quoted_words(text)
    if len(words) == 1:
        return Term(_fts(text), ways=(_fts(text),), check=_checked(text, [text]))
    spellings = tuple(_ways(found) for found in _PIECE.finditer(text) if folded_words(found[0]))
    parts = list(_parts(spellings))
    return Term(
        parts[0][0] if len(parts) == 1 == len(parts[0]) else f"({' AND '.join(map(_any_of, parts))})",
        exact=tuple(word for word, _, _ in words),
        signs="".join(letter for letter in text if letter in SIGNS),
        spellings=spellings,
        ways=parts[0] if len(parts) == 1 else (),
    )


def _parts(spellings: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The parts in which a phrase is looked up, each in its spellings: as many as keep these few."""
    begin = 0
    for end in range(1, len(spellings) + 1):
        if end == len(spellings) or prod(map(len, spellings[begin : end + 1])) > SPELLINGS:
            yield tuple(_fts(" ".join(words)) for words in product(*spellings[begin:end]))
            begin = end


def _any_of(expressions: Sequence[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"({' OR '.join(expressions)})"


def _ways(found: re.Match[str]) -> tuple[str, ...]:
    """A piece of a phrase in each of its spellings, as it was typed first."""
    if measure := MEASURE.match(found[0]):
        return tuple(dict.fromkeys((found[0], *measures(measure))))
    other = _otherwise(APART.sub(r"\1-\2", found[0]), framed=True)
    return (found[0],) if other is None else (found[0], other)


def _near(operands: Sequence[Sequence[Token]], distance: int) -> Term:
    parts = tuple(tuple(phrase(one.raw) if one.quoted else _word(one.raw) for one in choices) for choices in operands)
    ways = [[way for term in part for way in term.ways] for part in parts]
    if prod(map(len, ways)) <= _WAYS and all(term.ways for part in parts for term in part):
        fts = _any_of([f"NEAR({' '.join(words)}, {distance})" for words in product(*ways)])
        surely = "" if any(term.is_doubtful for part in parts for term in part) else fts
    else:
        fts, surely = f"({' AND '.join(_any_of([term.fts for term in part]) for part in parts)})", ""
    return Term(fts, near=distance, parts=parts, surely=surely)


def _forms(text: str) -> tuple[str, ...]:
    """A word as it was typed and in other spellings; for council’s also council, for 20% also 20 per cent."""
    text = amount(text) if is_number(text) else text
    if measure := whole(MEASURE, text):
        return tuple(dict.fromkeys((text, *measures(measure))))
    words = folded_words(text)
    whose = owner(text[words[0][1] : words[-1][2]]) if words and not is_beginning(text) else None
    others = (_otherwise(text), whose, _otherwise(whose) if whose else None)
    return tuple(dict.fromkeys(form for form in (text, *others) if form))


def _otherwise(text: str, *, framed: bool = False) -> str | None:
    """Another spelling of a word, without what stands around it: £4,000 and “4,000?” are asked for as 4,000.

    ``framed`` keeps what stands around it.
    """
    words = folded_words(text)
    if not words or is_beginning(text):
        return None
    begin, end = words[0][1], words[-1][2]
    other = otherwise_written(text[begin:end])
    return f"{text[:begin]}{other}{text[end:]}" if other and framed else other


def _word(text: str) -> Term:
    forms, words = _forms(text), folded_words(text)
    if not is_beginning(text) or len(words) != 1:
        check = _check(text, forms)
        ways = tuple(dict.fromkeys(_fts(form) + "*" * is_beginning(text) for form in forms))
        return Term(_any_of(ways), ways=ways, check=check, plain=text if len(forms) > 1 or check else "")
    typed = text[words[0][1] : words[0][2]]
    stem = _fts(word_with_stem(typed))
    ways = (f"{stem}*", *(_fts(word_with_stem(shorter)) for shorter in shorter_stems(typed)))
    surely = f"({stem}* NOT {stem})" if ends_otherwise(typed) else f"{stem}*"
    check = rf"(?<![^\W_]){re.escape(words[0][0])}"
    return Term(f"({' OR '.join(ways)})", ways=ways, check=check, surely="" if is_cut(typed) else surely)


def _check(text: str, forms: Sequence[str]) -> str:
    """What the text of a segment must have where FTS5 finds more than the forms of a word; else nothing."""
    found = [_FIGURE.fullmatch(form) for form in forms]
    if any(found) or is_number(text):
        said = [figure[1] if figure else form for figure, form in zip(found, forms, strict=True)]
        return _checked(text, said, inflected=True)
    return "|".join(rf"(?<![^\W_]){beginning.replace('-', '[-‐‑]')}" for beginning in hyphenless(text))


def _checked(text: str, forms: Sequence[str], *, inflected: bool = False) -> str:
    """A check for the forms of a word, the typed one first. With a currency it is a sum: £5 is neither $5 nor £5m."""
    sign, in_words = currency(text)
    check = "|".join(
        as_said(form, as_typed=form == forms[0] and not sign, inflected=inflected and len(folded_words(form)) == 1)
        for form in dict.fromkeys(forms)
    )
    return in_currency(check, sign, needed=in_words) if sign else check


def _fts(text: str) -> str:
    return '"' + text.replace('"', " ").rstrip("*") + '"'
