"""What people type or paste into a search box, taken apart: what is looked for, and what it is narrowed to. Pure text.

Parentheses group where there is anything to group: beside an operator, a filter or an exclusion. Else, as in pasted
text, they are punctuation, and so is each without its other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.archive.search.groups import MOST, Group, grouped
from pipeline.archive.search.pieces import FILTERS, Token, pieces
from pipeline.archive.tokens import folded_words

MAX_TERMS = 60  # FTS5 takes more, but nobody types them; pasted pages would keep it busy
_UNCLOSED = "A parenthesis that is not closed groups nothing."
_TOO_MUCH = f"The parentheses are left out of account: written out, it would be more than {MOST} searches, or too long."


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query as it is understood. ``tokens`` are all of it, ``group`` is what is looked for, and left out, of that.

    ``remark`` says that parentheses do not count.
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
    """A query as it was typed. ``words`` are looked for, each folded and with its characters' span in the text.

    ``besides`` are its filters and exclusions.
    """

    words: tuple[tuple[str, int, int], ...]
    besides: str


def parse(text: str) -> Parsed:
    """Return how a query is understood."""
    tokens = tuple(_joined(text, list(pieces(text))))
    ungrouped = Parsed(tokens, Group(tuple(token for token in tokens if token.kind not in FILTERS)[:MAX_TERMS]))
    if "(" not in text:
        return ungrouped
    read, is_closed = _matched(pieces(text, grouped=True))
    remark = "" if is_closed or not any(token.kind == "or" for token in read) else _UNCLOSED
    kinds = {token.kind for token in read}
    if "open" not in kinds or not (kinds - {"open", "close", "text"} or any(token.negative for token in read)):
        return replace(ungrouped, remark=remark)
    tokens = tuple(_joined(text, read))
    parsed = Parsed(tokens, grouped(tokens), remark)
    if parsed.group.is_too_much or len(parsed.wanted) > MAX_TERMS:
        return replace(ungrouped, remark=_TOO_MUCH if parsed.group.depth else "")
    return parsed


def take_apart(text: str) -> Typed:
    """Tell the words that are looked for from operators, filters and exclusions."""
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
    """Return what was typed, with other names and slugs in the place of some that it narrows down to."""
    typed = unicodedata.normalize("NFC", text)
    named = [one for one in parse(typed).tokens if one.kind in {"speaker", "feed"} and one.raw in others]
    for token in reversed(named):
        other = others[token.raw].replace('"', " ")
        quoted = f'"{other}"' if any(map(str.isspace, other)) else other
        typed = f"{typed[: token.begin]}{token.kind}:{quoted}{typed[token.end :]}"
    return typed


def _matched(read: Iterator[Token]) -> tuple[list[Token], bool]:
    """The tokens with those parentheses alone that have their other and something between; whether all are closed."""
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
    for place in reversed(opened):  # what is left out with it is what comes next
        token = kept[place]
        kept[place : place + 1] = [replace(token, kind="not", raw="", negative=False)] if token.negative else []
    return kept, not opened


def _joined(text: str, read: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens without AND and NOT: what follows NOT is negative. In what is left out there are no filters."""
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


def _with_meaning(text: str, token: Token, negated: Token | None, *, left_out: bool) -> Token:
    """A token after ``negated``, or in what is left out: then a filter is words. Operators that join nothing are."""
    if token.kind in {"and", "not"}:
        token = replace(token, kind="text")
    elif token.kind in FILTERS and (negated or left_out):
        token = replace(token, kind="text", raw=text[token.begin : token.end])
    return replace(token, negative=True, begin=negated.begin) if negated else token
