"""What people type or paste into a search box, compiled to FTS5 expressions. Pure text; touches no database.

Words must all occur; "a phrase" (in straight or typographic quotes) occurs word for word; ``begin*`` matches
beginnings; ``-without`` and ``NOT without`` exclude; ``OR`` takes either side, and ``AND`` says what holds anyhow;
``one NEAR/5 two`` takes both with at most five words between them; ``speaker:``, ``feed:`` and ``question:`` narrow
down. Operators are in capitals; where they join nothing they are words. Everything else is plain text: no input makes
SQLite complain, because only quoted strings and our own operators are ever sent to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TypeVar

from pipeline.archive.search.parser import NARROWING, Token, tokens
from pipeline.archive.search.stems import ends_otherwise, is_cut, shorter_stems, word_with_stem
from pipeline.archive.search.variants import otherwise_written, owner
from pipeline.archive.tokens import folded_words

_SENTENCE = 2  # words from which what is typed may be a quotation without its quotes
_QUOTATION = 6  # words from which that is likelier than that they may stand anywhere
_BEGINNING = 2  # letters of the beginning of a word, at least
_SPELLINGS = 8  # of what is quoted, at most
_PIECE = re.compile(r"\s+|\S+")
_LONGEST = 4_000  # characters that are read
_MAX_TERMS = 60  # FTS5 takes more, but nobody types them; pasted pages would keep it busy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to find. ``fts`` is the expression for FTS5.

    For the beginning of a word (``begins``) ``fts`` also finds some words that do not begin so, because the index
    stems; ``surely`` finds none of these, but misses some that do.

    ``exact`` holds the folded words of a quoted phrase, ``typed`` the same as they were typed: the index stems, a
    quotation does not. Empty for single words, of which any form counts. ``near`` is how many words may stand between
    ``parts`` that are near to each other, each found by an expression of its own; 0 for other terms. ``begins`` is the
    folded beginning of a word. ``plain`` is a word as it was typed, where it is looked for in another spelling, too.
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


@dataclass(frozen=True, slots=True)
class Alternative:
    """One side of an OR: every one of its terms. ``match`` finds what holds them all, without what is excluded."""

    match: str
    terms: tuple[Term, ...]

    @property
    def shown(self) -> tuple[Term, ...]:
        """Return the terms whose places are worth showing: where something is quoted, only that."""
        return tuple(term for term in self.terms if term.crosses) or self.terms

    @property
    def marks(self) -> str:
        """Return the expression that finds the places worth showing."""
        return " OR ".join(term.fts for term in self.shown)


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query. ``match`` is the whole of it, empty when there is nothing to look for.

    ``excluded`` finds what is unwanted, empty when nothing is. ``speakers`` are parts of names, ``feeds`` slugs,
    ``questions`` numbers of published questions: any of each is wanted. ``remarks`` are sentences on what is
    understood otherwise than it may be meant.
    """

    match: str = ""
    excluded: str = ""
    alternatives: tuple[Alternative, ...] = ()
    speakers: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    questions: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def crosses(self) -> bool:
        """Tell whether a hit may run across segments, so that whole transcripts have to be searched."""
        return any(term.crosses for alternative in self.alternatives for term in alternative.terms)

    @property
    def begins(self) -> bool:
        """Tell whether it has beginnings of words."""
        return any(term.begins or term.fts.endswith("*") for one in self.alternatives for term in one.terms)

    @property
    def is_one_word(self) -> bool:
        """Tell whether it is a single word, or the beginning of one."""
        terms = [term for one in self.alternatives for term in one.terms]
        return len(terms) == 1 and not (self.crosses or self.excluded)

    @property
    def beginnings(self) -> tuple[str, ...]:
        """Return the beginnings of words that are worth showing, folded."""
        return tuple(term.begins for one in self.alternatives for term in one.shown if term.begins)

    @property
    def surely(self) -> str:
        """Return the expression that finds what has words with the beginnings for sure, but not all of it."""
        without = f" NOT ({self.excluded})" if self.excluded else ""
        sides = (" AND ".join(term.surely or term.fts for term in one.terms) for one in self.alternatives)
        return " OR ".join(f"(({side}){without})" for side in sides)

    @property
    def narrows(self) -> bool:
        """Tell whether it says who speaks, where, or about which question."""
        return bool(self.speakers or self.feeds or self.questions)

    @property
    def is_sentence(self) -> bool:
        """Tell whether it is so many plain words that they are likely meant one after the other."""
        return self.as_phrase is not None and len(self.alternatives[0].terms) >= _QUOTATION

    @property
    def as_phrase(self) -> Query | None:
        """Return the query as if its words had been in quotes; None if it is more than two or more plain words."""
        if len(self.alternatives) != 1 or len(self.alternatives[0].terms) < _SENTENCE:
            return None
        terms = self.alternatives[0].terms
        plain = f"(({' AND '.join(term.fts for term in terms)}))"
        if self.match != plain or self.crosses or self.begins:
            return None
        text = " ".join(term.plain or term.fts.strip('"') for term in terms)
        phrases = tuple(Alternative(f"({term.fts})", (term,)) for term in _phrases(text))
        return replace(self, match=" OR ".join(one.match for one in phrases), alternatives=phrases)


def as_meant(query: Query, find: Callable[[Query], T], *, is_found: Callable[[T], bool]) -> tuple[Query, T]:
    """Run a query as what was typed most likely means, and return the one that was run with what it found.

    A sentence that was pasted without its quotes may begin in one segment and end in another: it is a quotation if it
    is said anywhere. A few words that no segment has together are one, too: they may stand where a segment ends.

    Args:
        query: what was typed.
        find: runs a query.
        is_found: tells whether what ``find`` returned is anything.
    """
    phrase = query.as_phrase
    if phrase and query.is_sentence and is_found(found := find(phrase)):
        return phrase, found
    found = find(query)
    if phrase and not is_found(found):
        return phrase, find(phrase)
    return query, found


def compile_query(text: str) -> Query:
    """Compile ``text``; the result never raises an FTS5 syntax error."""
    # Half a surrogate pair, as a broken client may send it, cannot be handed on to SQLite.
    whole = text[:_LONGEST].encode("utf-8", "replace").decode().replace("\0", " ")
    read = list(tokens(unicodedata.normalize("NFC", whole)))
    narrowing = {kind: tuple(one.raw for one in read if one.kind == kind) for kind in ("speaker", "feed", "question")}
    groups: list[list[tuple[Term, ...]]] = [[]]
    excluded: list[str] = []
    wanted = [token for token in read if token.kind not in narrowing]
    for token, spellings in _terms(wanted[:_MAX_TERMS]):
        if not spellings:
            groups.append([])
        elif token.negative:
            excluded.extend(term.fts for term in spellings)
        else:
            groups[-1].append(spellings)
    without = f" NOT ({' OR '.join(excluded)})" if excluded else ""
    alternatives = tuple(
        Alternative(f"({' AND '.join(term.fts for term in terms)}){without}", terms)
        for group in groups
        for terms in (islice(product(*group), _SPELLINGS) if group else ())
    )
    return Query(
        excluded=" OR ".join(excluded),
        match=" OR ".join(f"({alternative.match})" for alternative in alternatives),
        alternatives=alternatives,
        speakers=narrowing["speaker"],
        feeds=narrowing["feed"],
        questions=tuple(map(int, narrowing["question"])),
        remarks=tuple(_remarks(wanted)),
    )


def _remarks(wanted: Sequence[Token]) -> Iterator[str]:
    for token in wanted[:_MAX_TERMS]:
        filtering = NARROWING.match(token.raw) if token.negative and not token.quoted else None
        if filtering:
            kind = filtering[1].lower()
            yield f"“-{token.raw}” leaves out these words where they are said: a {kind} cannot be left out."
        if token.raw.endswith("*") and not token.quoted and not _is_beginning(token.raw):
            yield f"“{token.raw}” is looked for as a word: a beginning needs {_BEGINNING} letters at least."
    if len(wanted) > _MAX_TERMS:
        yield f"Only the first {_MAX_TERMS} of {len(wanted)} words and quotations are looked for."


def _terms(tokens: Sequence[Token]) -> Iterator[tuple[Token, tuple[Term, ...]]]:
    """The tokens with the terms of which any will do; none stands for OR. NEAR joins the tokens beside it."""
    position = 0
    while position < len(tokens):
        token = tokens[position]
        joined, distance = [token], 0
        while (
            token.kind == "text" and position + 2 < len(tokens) and _joins(tokens[position + 1], tokens[position + 2])
        ):
            distance = max(distance, int(tokens[position + 1].raw))
            joined.append(tokens[position + 2])
            position += 2
        position += 1
        if len(joined) > 1:
            yield token, (_near(joined, distance),)
        elif token.kind == "or":
            yield token, ()
        else:
            raw = f"NEAR {token.raw}" if token.kind == "near" else token.raw  # there is nothing beside it to join
            yield token, _phrases(raw) if token.quoted else (_word(raw),)


def _phrase(text: str) -> Term:
    words = folded_words(text)
    if len(words) < 2:
        return Term(_fts(text))
    return Term(_fts(text), tuple(word for word, _, _ in words), tuple(text[begin:end] for _, begin, end in words))


def _phrases(text: str) -> tuple[Term, ...]:
    """A quotation in each spelling: what was said may be written with 4000 or 4,000."""
    if len(folded_words(text)) < 2:
        return (_phrase(text),)
    ways = [(piece, _otherwise(piece, whole=True)) for piece in _PIECE.findall(text)]
    spelt = product(*([piece] if other is None else [piece, other] for piece, other in ways))
    return tuple(_phrase("".join(pieces)) for pieces in islice(spelt, _SPELLINGS))


def _near(operands: Sequence[Token], distance: int) -> Term:
    spelt = [_spelt(one) for one in operands]
    together = [f"NEAR({' '.join(words)}, {distance})" for words in islice(product(*spelt), _MAX_TERMS)]
    whole = together[0] if len(together) == 1 else f"({' OR '.join(together)})"
    return Term(whole, near=distance, parts=tuple(" OR ".join(words) for words in spelt))


def _spelt(operand: Token) -> tuple[str, ...]:
    """The expressions for what stands beside NEAR, in all of its forms."""
    if operand.quoted:
        return (_fts(operand.raw),)
    return (f"{_fts(operand.raw)}*",) if _is_beginning(operand.raw) else _forms(operand.raw)


def _forms(text: str) -> tuple[str, ...]:
    """The expressions for a word: as it was typed, in another spelling, and for council’s also council."""
    words = folded_words(text)
    whose = owner(text[words[0][1] : words[-1][2]]) if words and not _is_beginning(text) else None
    others = (_otherwise(text), whose, _otherwise(whose) if whose else None)
    return tuple(dict.fromkeys(_fts(form) for form in (text, *others) if form))


def _otherwise(text: str, *, whole: bool = False) -> str | None:
    """Another spelling of a word, without what stands around it: £4,000 and “4,000?” are asked for as 4,000.

    ``whole`` keeps what stands around it.
    """
    words = folded_words(text)
    if not words or _is_beginning(text):
        return None
    begin, end = words[0][1], words[-1][2]
    other = otherwise_written(text[begin:end])
    return f"{text[:begin]}{other}{text[end:]}" if other and whole else other


def _word(text: str) -> Term:
    forms, words = _forms(text), folded_words(text)
    if len(forms) > 1:
        return Term(f"({' OR '.join(forms)})", plain=text)
    if not _is_beginning(text) or len(words) != 1:
        return Term(_fts(text) + ("*" if _is_beginning(text) else ""))
    begins, typed = words[0][0], text[words[0][1] : words[0][2]]
    stems = " OR ".join(_fts(word_with_stem(stem)) for stem in shorter_stems(typed))
    whole = _fts(word_with_stem(typed))
    surely = f"{whole}*"
    if ends_otherwise(typed):
        surely = f"({whole}* NOT {whole})"
    if is_cut(typed):
        surely = f"({whole} NOT {whole})"  # nothing
    return Term(f"({whole}* OR {stems})" if stems else f"({whole}*)", begins=begins, surely=surely)


def _is_beginning(text: str) -> bool:
    """Tell whether ``relation*`` is meant. A single letter is none: most segments have a word that begins so."""
    words = folded_words(text) if text.endswith("*") else []
    return bool(words) and len(words[-1][0]) >= _BEGINNING


def _joins(operator: Token, operand: Token) -> bool:
    return operator.kind == "near" and operand.kind == "text" and not operand.negative


def _fts(text: str) -> str:
    return '"' + text.replace('"', " ").rstrip("*") + '"'
