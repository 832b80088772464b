"""The pronunciation of written tokens: numbers as words, words by a dictionary, unknown words by a rough guess.

The alignment depends only on the duration of a word and the sounds at its edges, so guessing from the letters is good
enough for a name.
"""

from __future__ import annotations

import re

from pipeline.speech.forced.sphinx_files import pronunciations

_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SIGNS = {"%": " percent ", "£": " pounds ", "$": " dollars ", "€": " euros ", "&": " and ", "+": " plus ", "@": " at "}
_LETTERS = {  # phones of the CMU dictionary; the longest match is used
    "tion": "SH AH N", "sion": "ZH AH N", "ough": "AO", "augh": "AO", "eigh": "EY", "igh": "AY",
    "sch": "S K", "tch": "CH", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "wh": "W", "ck": "K", "ng": "NG",
    "qu": "K W", "kn": "N", "wr": "R", "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY",
    "ay": "EY", "oa": "OW", "oi": "OY", "oy": "OY", "au": "AO", "aw": "AO", "ie": "IY", "ei": "EY", "ey": "IY",
    "ar": "AA R", "er": "ER", "ir": "ER", "or": "AO R", "ur": "ER",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH",
    "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LETTER_RUN = re.compile("|".join(sorted(_LETTERS, key=len, reverse=True)))
_SPELLED = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip


def spoken_words(token: str) -> list[str]:
    """Split a token of a transcript into the words that are said, in lower case.

    ``well-known`` gives two, ``£13.60`` five; a token that cannot be pronounced gives none.
    """
    token = re.sub(r"([£$€])([\d.,]*\d)", r"\2\1", token.replace("’", "'"))
    token = re.sub(r"(?<=\d),(?=\d{3})", "", token)
    for sign, word in _SIGNS.items():
        token = token.replace(sign, word)
    words: list[str] = []
    for part in re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*", token):
        words += _number(part) if part[0].isdecimal() else [part.lower()]
    return words


class Dictionary:
    """The CMU dictionary of American English, with a guess for words that it does not have."""

    def __init__(self) -> None:
        self._known = pronunciations()

    def phones(self, word: str) -> tuple[str, ...]:
        """Return the phones of a lower-case word; empty if it cannot be pronounced."""
        return tuple((self._known.get(word) or guessed_phones(word)).split())


def guessed_phones(word: str) -> str:
    """Guess the phones of a word that is not in the dictionary; it is spelt letter by letter if it has no vowel."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    if not re.search("[aeiouy]", letters):
        return " ".join(_SPELLED[letter] for letter in letters)
    return " ".join(_LETTERS[run] for run in _LETTER_RUN.findall(re.sub(r"(.)\1", r"\1", letters.removesuffix("e"))))


def _number(digits: str) -> list[str]:
    whole, _, fraction = digits.partition(".")
    words = _year(int(whole)) if len(whole) == 4 and whole[0] in "12" and not fraction else _whole(int(whole[:12]))
    return words + (["point", *(_UNITS[int(digit)] for digit in fraction)] if fraction else [])


def _year(number: int) -> list[str]:
    """Read a number of four digits as a year, which most are: nineteen oh five, but two thousand seven."""
    first, last = divmod(number, 100)
    if last == 0 or number // 10 == 200:
        return _whole(number)
    return [*_whole(first), *(["oh"] if last < 10 else []), *_whole(last)]


def _whole(number: int) -> list[str]:
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = _whole(number % size) if number % size else []
            return [*_whole(number // size), name, *rest]
    if number < len(_UNITS):
        return [_UNITS[number]]
    tens, unit = divmod(number, 10)
    return [_TENS[tens - 2], *([_UNITS[unit]] if unit else [])]
