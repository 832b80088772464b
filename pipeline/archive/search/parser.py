"""Parsing a search query into terms, operators, groups and filters. Pure text.

Parentheses group only in queries that have an operator, a filter or an exclusion. Otherwise, as in pasted text, they
are punctuation; so is an unmatched parenthesis.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.archive.search.groups import MOST, Group, grouped
from pipeline.archive.search.pieces import FILTERS, Token, pieces
from pipeline.archive.search.variants import APART, is_number
from pipeline.archive.tokens import folded_words

MAX_TERMS = 60  # FTS5 takes more, but nobody types them; pasted pages would keep it busy
_NUMBER = 9  # words that a number may have: twenty four thousand five hundred and twenty four
_UNCLOSED = "A parenthesis that is not closed is ignored."
_TOO_MUCH = f"The parentheses are ignored: written out, this would be more than {MOST} searches, or too long."


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed query: all ``tokens``, and the ``group`` of terms to find and to exclude, without filters.

    ``remark`` is a sentence for the user if parentheses were ignored.
    """

    tokens: tuple[Token, ...]
    group: Group
    remark: str = ""

    @property
    def wanted(self) -> tuple[Token, ...]:
        """Return the words, quotations and operators."""
        return tuple(token for token in self.tokens if token.kind not in {*FILTERS, "open", "close"})


@dataclass(frozen=True, slots=True)
class Typed:
    """The parts of a query's text: the search ``words``, each folded and with its character span in the text.

    ``besides`` is the text of its filters and exclusions.
    """

    words: tuple[tuple[str, int, int], ...]
    besides: str


def parse(text: str) -> Parsed:
    """Parse a query."""
    tokens = tuple(_with_numbers(list(_joined(text, list(pieces(text))))))
    ungrouped = Parsed(tokens, Group(tuple(token for token in tokens if token.kind not in FILTERS)[:MAX_TERMS]))
    if "(" not in text:
        return ungrouped
    read, is_closed = _matched(pieces(text, grouped=True))
    remark = "" if is_closed or not any(token.kind == "or" for token in read) else _UNCLOSED
    kinds = {token.kind for token in read}
    if "open" not in kinds or not (kinds - {"open", "close", "text"} or any(token.negative for token in read)):
        return replace(ungrouped, remark=remark)
    tokens = tuple(_with_numbers(list(_joined(text, read))))
    parsed = Parsed(tokens, grouped(tokens), remark)
    if parsed.group.is_too_much or len(parsed.wanted) > MAX_TERMS:
        return replace(ungrouped, remark=_TOO_MUCH if parsed.group.depth else "")
    return parsed


def take_apart(text: str) -> Typed:
    """Separate a query's search words from its operators, filters and exclusions."""
    words, besides = list[tuple[str, int, int]](), list[str]()
    left_out = list[Token]()  # the groups about a token, if the outermost is left out
    for token in parse(text).tokens:
        if token.kind == "open" and (left_out or token.negative):
            left_out.append(token)
        elif token.kind == "close" and left_out:
            opening = left_out.pop()
            besides += [] if left_out else [text[opening.begin : token.end]]
        elif left_out or token.kind in {"or", "near", "open", "close"}:
            continue
        elif token.kind == "text" and not token.negative:
            piece = folded_words(text[token.begin : token.end])
            words += [(word, token.begin + begin, token.begin + end) for word, begin, end in piece]
        else:
            besides.append(text[token.begin : token.end])
    return Typed(tuple(words), " ".join(besides))


def narrowed_to(text: str, others: Mapping[str, str]) -> str:
    """Return the query with the values of ``speaker:`` and ``feed:`` filters replaced as ``others`` says."""
    typed = unicodedata.normalize("NFC", text)
    named = [one for one in parse(typed).tokens if one.kind in {"speaker", "feed"} and one.raw in others]
    for token in reversed(named):
        other = others[token.raw].replace('"', " ")
        quoted = f'"{other}"' if any(map(str.isspace, other)) else other
        typed = f"{typed[: token.begin]}{token.kind}:{quoted}{typed[token.end :]}"
    return typed


def _matched(read: Iterator[Token]) -> tuple[list[Token], bool]:
    """The tokens without unmatched or empty parentheses, and whether all were closed."""
    kept: list[Token] = []
    opened: list[int] = []
    for token in read:
        if token.kind == "open":
            opened.append(len(kept))
        elif token.kind == "close":
            if not opened:
                continue
            if (last := opened.pop()) == len(kept) - 1:
                del kept[last]
                continue
        kept.append(token)
    for place in reversed(opened):  # an unclosed ``-(`` excludes just the next token
        token = kept[place]
        kept[place : place + 1] = [replace(token, kind="not", raw="", negative=False)] if token.negative else []
    return kept, not opened


def _joined(text: str, read: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with AND dropped and NOT applied to what follows. Filters in excluded groups become words."""
    negated: Token | None = None
    left_out: list[bool] = []
    for place, token in enumerate(read):
        before = read[place - 1].kind if place else "open"
        after = read[place + 1].kind if place + 1 < len(read) else "close"
        if token.kind == "not" and after != "close":
            negated = negated or token
        elif (token.kind == "and" and before != "open" and after != "close") or (token.kind == "not" and not token.raw):
            continue
        else:
            if token.kind == "close":
                negated = None
                left_out.pop()
            is_left_out = negated is not None and token.kind not in {"or", "near"}
            yield _with_meaning(text, token, negated if is_left_out else None, left_out=any(left_out))
            negated = None if is_left_out else negated
            if token.kind == "open":
                left_out.append(token.negative or is_left_out)


def _with_numbers(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens with each number of several words as one."""
    place = 0
    while place < len(tokens):
        number = _number_at(tokens, place)
        if number:
            text = APART.sub(r"\1-\2", " ".join(one.raw for one in number))
            yield replace(number[0], raw=text, end=number[-1].end)
        else:
            yield tokens[place]
        place += len(number) or 1


def _number_at(tokens: Sequence[Token], place: int) -> list[Token]:
    """The tokens from ``place`` on that are one number, as “20 per cent” and “twenty four” are; else none."""
    found = list[Token]()
    for token in tokens[place : place + _NUMBER]:
        if token.kind != "text" or token.quoted or (found and token.negative):
            break
        if found and token.begin - found[-1].end >= len(" AND "):  # what is joined by AND may stand apart
            break
        found.append(token)
    while found and not is_number(" ".join(one.raw for one in found)):
        found.pop()
    return found


def _with_meaning(text: str, token: Token, negated: Token | None, *, left_out: bool) -> Token:
    """Apply a preceding NOT to a token. Dangling operators, and filters inside an exclusion, become plain words."""
    if token.kind in {"and", "not"}:
        token = replace(token, kind="text")
    elif token.kind in FILTERS and (negated or left_out):
        token = replace(token, kind="text", raw=text[token.begin : token.end])
    return replace(token, negative=True, begin=negated.begin) if negated else token
