"""How else Whisper may have written a word that somebody types. Pure text; touches no database."""

from __future__ import annotations

import re

_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_DIGITS = re.compile(r"[1-9][0-9]{3,14}")
_AMOUNT = re.compile(r"([0-9]+(?:[.,][0-9]+)*)(m|mn|bn)")
_SCALES = {"m": "million", "mn": "million", "bn": "billion"}
_COMPOUND = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]{2,})+")
# Small numbers are written in either way, but “one” nearly always as a word.
_WORDS = """
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty
"""
_IN_WORDS = {str(number): word for number, word in enumerate(_WORDS.split(), start=2)}
_IN_DIGITS = {word: number for number, word in _IN_WORDS.items()}


def otherwise_written(word: str) -> str | None:
    """Return another spelling of a word, if it has one.

    That is 4000 for 4,000, and five for 5, each also the other way round; 2.6 million for 2.6m; wellbeing for
    well-being.
    """
    if number := _IN_WORDS.get(word) or _IN_DIGITS.get(word.lower()):
        return number
    if amount := _AMOUNT.fullmatch(word):
        return f"{amount[1]} {_SCALES[amount[2]]}"
    if _THOUSANDS.fullmatch(word):
        return word.replace(",", "")
    if _DIGITS.fullmatch(word):
        return f"{int(word):,}"
    return word.replace("-", "") if _COMPOUND.fullmatch(word) else None
