"""Numbers in figures and in words, and where one goes on: the 4 of 24 is not a 4. Pure text; touches no database."""

from __future__ import annotations

from functools import lru_cache

ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
SCALES = ("hundred", "thousand", "million", "billion")
# One to ninety-nine, in order.
NUMBERS = (*ONES, *_TEENS, *(ten + one for ten in TENS for one in ("", *(f"-{one}" for one in ONES))))
# A regular expression for one of them, also without its hyphen.
NUMBER = rf"(?:{'|'.join(TENS)})(?:[-\s](?:{'|'.join(ONES)}))?|{'|'.join((*ONES, *_TEENS))}"

# Expressions can look back only as far as they are long, so each word has its own.
_AFTER_POINT, _BEFORE_POINT = r"(?<![0-9][.,])", r"(?![.,][0-9])"
_AFTER_TEN = "".join(rf"(?<!{ten}[\W_])" for ten in TENS)
# In “between four hundred and five hundred” are two numbers.
_AFTER_SCALE = "".join(rf"(?<!{scale} )(?:(?<!{scale} and )|(?=(?:{NUMBER}) {scale}(?![^\W_])))" for scale in SCALES)
BEFORE_SCALE = rf"(?![\W_](?:{'|'.join(SCALES)})(?![^\W_]))"
_AFTER_SAID_POINT = "".join(f"(?<!{number} point )" for number in (*ONES, *_TEENS, *TENS))
_ONE = rf"(?:{'|'.join(ONES)})(?![^\W_])"


@lru_cache(maxsize=1_000)
def begins(word: str) -> str:
    """Return a regular expression for where a folded word begins a number: not 6 in 2.6, nor four in twenty-four."""
    if word[0].isdigit():
        return _AFTER_POINT
    if word not in NUMBERS:
        return ""
    return (_AFTER_TEN if word in ONES else "") + _AFTER_SCALE + _AFTER_SAID_POINT


@lru_cache(maxsize=1_000)
def ends(word: str) -> str:
    """Return a regular expression for where a folded word ends a number: not 2 in 2.6, nor twenty in twenty-four.

    It may end before “million”: a quotation may end after any word.
    """
    if word[-1].isdigit():
        return _BEFORE_POINT
    if word in SCALES:
        return rf"(?! (?:and )?(?:{NUMBER})(?![^\W_])(?! {word}(?![^\W_]))){BEFORE_SCALE}"
    if word not in NUMBERS:
        return ""
    return rf"(?!(?: point |[\W_]){_ONE})" if word in TENS else f"(?! point {_ONE})"
