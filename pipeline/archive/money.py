"""Sums of money: £5 is also said as five pounds, and never $5. Pure text; touches no database."""

from __future__ import annotations

import re
from functools import lru_cache

# Signs, and the words that are said for them.
_CURRENCIES = {"£": "pounds?|quid", "$": "dollars?|bucks", "€": "euros?"}
SIGNS = "".join(_CURRENCIES)
_ENDED = r"(?![^\W_])"
_WORD = re.compile("|".join(rf"({word})" for word in _CURRENCIES.values()), re.IGNORECASE)


def amount(text: str) -> str:
    """Return a sum without the word for its currency, as in “five million pounds”; other text as it is."""
    return _apart(text)[0]


def currency(text: str) -> tuple[str, bool]:
    """Return the sign of the currency of a sum, or nothing, and whether it is in words."""
    sign = _apart(text)[1]
    return (sign, True) if sign else (next((letter for letter in text if letter in SIGNS), ""), False)


def _apart(text: str) -> tuple[str, str]:
    """A sum without the word for its currency, and the sign for that."""
    before, _, last = text.rstrip().rpartition(" ")
    found = _WORD.match(last)
    if not found or not before or any(letter.isalnum() for letter in last[found.end() :]):
        return text, ""
    return before, SIGNS[(found.lastindex or 1) - 1]


def in_currency(sum_: str, sign: str, *, needed: bool) -> str:
    """Return a regular expression for a sum in a currency.

    Args:
        sum_: a regular expression for it without its currency.
        sign: that of the currency.
        needed: the text has to name it, and not only no other.
    """
    before, after = rf"(?<![{SIGNS.replace(sign, '')}])", _no_other_after(sign)
    if not needed:
        return rf"{before}(?:{sum_}){after}"
    return rf"(?<=[{sign}])(?:{sum_}){after}|{before}(?:{sum_})[\W_]+(?:{_CURRENCIES[sign]}){_ENDED}"


def is_otherwise_paid(asked: str, text: str, begin: int, end: int) -> bool:
    """Tell whether sums asked for with a sign, as in “£5 a week”, are in another currency in a part of a text."""
    wanted = set(asked).intersection(SIGNS)
    if not wanted:
        return False
    found = set(text[max(0, begin - 1) : end]).intersection(SIGNS)
    return bool(found - wanted) or (
        len(wanted) == 1 and not re.compile(_no_other_after(*wanted), re.IGNORECASE).match(text, end)
    )


@lru_cache
def _no_other_after(sign: str) -> str:
    words = "|".join(word for other, word in _CURRENCIES.items() if other != sign)
    return rf"(?! (?:us )?(?:{words}){_ENDED})"
