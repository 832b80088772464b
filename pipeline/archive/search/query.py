"""What people type or paste into a search box, compiled to FTS5 expressions. Pure text; touches no database.

Words must all occur; "a phrase" (in straight or typographic quotes) occurs word for word; ``begin*`` matches
beginnings; ``-without`` and ``NOT without`` exclude; ``OR`` takes either side, and ``AND`` says what holds anyhow;
``one NEAR/5 two`` takes both with at most five words between them; parentheses group; ``speaker:``, ``feed:`` and
``question:`` narrow down. Operators are in capitals; where they join nothing they are words. Everything else is plain
text: no input makes SQLite complain, because only quoted strings and our own operators are ever sent to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from pipeline.archive.search.groups import Group
from pipeline.archive.search.parser import Typed, parse, take_apart
from pipeline.archive.search.pieces import FILTERS
from pipeline.archive.search.remarks import remarks
from pipeline.archive.search.terms import Term, phrase, terms_of
from pipeline.text import visible

_SENTENCE = 2  # words from which what is typed may be a quotation without its quotes
_QUOTATION = 6  # words from which that is likelier than that they may stand anywhere
_LONGEST = 4_000  # characters that are read
_HYPHENS = str.maketrans("‐‑", "--")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One side of an OR, all of whose ``terms`` are required, and nothing of what is ``excluded``."""

    terms: tuple[Term, ...] = ()
    excluded: tuple[Alternative, ...] = ()

    @property
    def match(self) -> str:
        """Return its FTS5 expression, exclusions included; it may have false positives (see ``Term``)."""
        return _all_of([term.fts for term in self.terms], [one.surely for one in self.excluded])

    @property
    def surely(self) -> str:
        """Return an expression without false positives, but with false negatives; empty if there is none."""
        certain = [term.certain for term in self.terms]
        return _all_of(certain, [one.match for one in self.excluded]) if all(certain) else ""

    @property
    def is_doubtful(self) -> bool:
        """Tell whether matches of the index must be verified in the text."""
        return any(term.is_doubtful for term in self.terms) or any(one.is_doubtful for one in self.excluded)

    def beside(self, other: Alternative) -> Alternative:
        """Return what holds where both do."""
        return Alternative((*self.terms, *other.terms), (*self.excluded, *other.excluded))

    @property
    def shown(self) -> tuple[Term, ...]:
        """Return the terms whose places are worth showing: where something is quoted, only that."""
        return tuple(term for term in self.terms if term.crosses) or self.terms

    @property
    def marks(self) -> str:
        """Return the expression that finds the places worth showing."""
        return " OR ".join(term.fts for term in self.shown)


@dataclass(frozen=True)
class Query:
    """A compiled query. ``match`` is the whole of it, empty when there is nothing to look for.

    ``text`` is what was typed; queries that mean the same are equal, however they were typed.

    ``unwanted`` is what is excluded everywhere. ``speakers`` are parts of names, ``feeds`` slugs, ``questions`` numbers
    of published questions; a hit must match one of each that is given. ``remarks`` tell the user where the query may
    have been interpreted differently than intended.
    """

    match: str = ""
    unwanted: tuple[Alternative, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    speakers: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    questions: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    text: str = field(default="", compare=False)

    @cached_property
    def typed(self) -> Typed:
        """Return what was typed, taken apart."""
        return take_apart(self.text)

    @property
    def crosses(self) -> bool:
        """Tell whether a hit may run across segments, so that whole transcripts have to be searched."""
        return any(term.crosses for alternative in self.alternatives for term in alternative.terms)

    @property
    def is_checked(self) -> bool:
        """Tell whether matches of the index must be verified in the text, or it has prefixes."""
        has_prefix = any(term.fts.endswith("*") for one in self.alternatives for term in one.terms)
        return has_prefix or any(one.is_doubtful for one in (*self.alternatives, *self.unwanted))

    @property
    def excluded(self) -> str:
        """Return the expression of what is excluded everywhere, or empty; it may have false positives."""
        return " OR ".join(one.match for one in self.unwanted)

    @property
    def surely_excluded(self) -> str:
        """Return the same without false positives, but with false negatives."""
        return " OR ".join(filter(None, (one.surely for one in self.unwanted)))

    @property
    def is_one_word(self) -> bool:
        """Tell whether it is a single word, or the beginning of one."""
        terms = [term for one in self.alternatives for term in one.terms]
        return len(terms) == 1 and not (self.crosses or self.excludes)

    @property
    def excludes(self) -> bool:
        """Tell whether it leaves out anything."""
        return bool(self.unwanted or any(one.excluded for one in self.alternatives))

    @property
    def marked_words(self) -> tuple[Term, ...]:
        """Return the terms whose words are found in the text to be highlighted, instead of by the index."""
        return tuple(term for one in self.alternatives for term in one.shown if term.check)

    @property
    def surely(self) -> str:
        """Return an expression without false positives, but with false negatives; empty if there is none."""
        return " OR ".join(f"({one.surely})" for one in self.alternatives if one.surely)

    @property
    def narrows(self) -> bool:
        """Tell whether it has filters: ``speaker:``, ``feed:`` or ``question:``."""
        return bool(self.speakers or self.feeds or self.questions)

    @property
    def is_sentence(self) -> bool:
        """Tell whether it has so many plain words that it is probably a pasted quotation."""
        return self.as_phrase is not None and len(self.alternatives[0].terms) >= _QUOTATION

    @property
    def as_phrase(self) -> Query | None:
        """Return the query with its words quoted; None unless it consists of two or more plain words."""
        if len(self.alternatives) != 1 or len(self.alternatives[0].terms) < _SENTENCE:
            return None
        terms = self.alternatives[0].terms
        plain = f"(({' AND '.join(term.fts for term in terms)}))"
        is_plain = all(term.plain or not (term.check or term.fts.endswith("*")) for term in terms)
        if self.match != plain or self.crosses or not is_plain:
            return None
        text = " ".join(term.plain or term.fts.strip('"') for term in terms)
        quoted = phrase(text)
        return replace(self, match=f"({quoted.fts})", alternatives=(Alternative((quoted,)),))


def as_meant(query: Query, find: Callable[[Query], T], *, is_found: Callable[[T], bool]) -> tuple[Query, T]:
    """Run a query, or its quoted form if that is more likely meant; return the query that was run and its result.

    Many plain words are first tried as a quotation, which may span segments. Few words are tried as a quotation only if
    no segment contains them all: they may straddle two segments.

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
    # Without half a surrogate pair, too: a broken client may send it, and it cannot be handed on to SQLite.
    text = visible(text).translate(_HYPHENS)
    parsed = parse(unicodedata.normalize("NFC", text[:_LONGEST]))
    narrowing = {kind: tuple(one.raw for one in parsed.tokens if one.kind == kind) for kind in FILTERS}
    written = _written_out(parsed.group)
    alternatives = tuple(Alternative(side.terms, (*written.excluded, *side.excluded)) for side in written.sides)
    # What stands in several alternatives is looked up once, if it is once in the expression.
    short = written.expression if parsed.group.depth and alternatives else ""
    return Query(
        unwanted=written.excluded,
        match=short or " OR ".join(f"({alternative.match})" for alternative in alternatives),
        alternatives=alternatives,
        speakers=narrowing["speaker"],
        feeds=narrowing["feed"],
        questions=tuple(map(int, narrowing["question"])),
        remarks=tuple(remarks(parsed)),
        text=text,
    )


@dataclass(frozen=True, slots=True)
class _WrittenOut:
    """A group expanded to alternatives without groups (``sides``), its expression, and what all sides exclude."""

    sides: tuple[Alternative, ...]
    match: str
    excluded: tuple[Alternative, ...]

    @property
    def expression(self) -> str:
        """Return what finds it, without what is left out of it."""
        return f"(({self.match}){_without([one.surely for one in self.excluded])})"


def _written_out(group: Group) -> _WrittenOut:
    sides, matches, excluded = [[Alternative()]], [list[str]()], list[Alternative]()
    for part, term in terms_of(group.parts):
        if term:
            found, others = term.fts, [Alternative((term,))]
        elif isinstance(part, Group):
            inner = _written_out(part)
            found = inner.expression
            others = [Alternative(one.terms, (*inner.excluded, *one.excluded)) for one in inner.sides]
            if not others:
                excluded += inner.excluded
                continue
        else:
            sides.append([Alternative()])
            matches.append([])
            continue
        if part.negative:
            excluded += others
        else:
            sides[-1] = [one.beside(other) for one in sides[-1] for other in others]
            matches[-1].append(found)
    return _WrittenOut(
        tuple(one for side in sides for one in side if one.terms),
        " OR ".join(f"({' AND '.join(match)})" for match in matches if match),
        tuple(excluded),
    )


def _all_of(expressions: Iterable[str], excluded: Sequence[str]) -> str:
    return f"({' AND '.join(expressions)}){_without(excluded)}"


def _without(excluded: Sequence[str]) -> str:
    unwanted = " OR ".join(f"({one})" for one in excluded if one)
    return f" NOT ({unwanted})" if unwanted else ""
