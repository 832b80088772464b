"""Inverting the Porter stemmer (1980) of FTS5, to find prefixes in an index of stems.

A prefix is looked up among stems, and the stem of a matching word may be shorter than the prefix or end differently:
“inspecti” is a prefix of “inspection”, whose stem is “inspect”, and “pay” of “pays”, whose stem is “pai”. Moreover,
FTS5 stems the search term itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_SHORTEST = 2  # letters of a stem
_LONGEST_ENDING = 10  # letters of a beginning that are no part of the stem: “characterisations”
_INFLECTIONS = ("ed", "ing", "ings")
_WITH_E = ("es", "eds", "eful", "eness", "ely", *_INFLECTIONS)
_AFTER_E = ("ful", "ness", "ativ")
# Beginnings of what is taken off stems in which consonants follow on vowels more than once.
_MORE_ENDINGS = (
    *(*_WITH_E, *_AFTER_E, "abil", "able", "ably", "al", "anc", "ant", "ate", "ati", "ato", "eabil", "eable", "eal"),
    *("eati", "ee", "ement", "enc", "ent", "eou", "er", "ibil", "ible", "ibly", "ic", "ies", "ilit", "ion", "ism"),
    *("iti", "ity", "ive", "ivi", "iz", "ly", "ment", "or", "ou", "y"),
)


def word_with_stem(stem: str) -> str:
    """Return a word that the stemmer reduces to exactly this stem, so that the stem can be searched for.

    There is none for some stems: see ``is_cut``.
    """
    letters = _plain(stem)
    measure = _measure(letters)
    if not measure:  # nothing is taken off
        return stem
    if letters[-1] == "e":
        return f"{stem}e"  # the last e is taken off
    return f"{stem}ness" if measure == 1 else f"{stem}able"  # as these are, after which nothing else is


def is_cut(stem: str) -> bool:
    """Tell whether no word has exactly this stem; ``word_with_stem`` then gives a word with one letter less."""
    letters = _plain(stem)
    return (letters.endswith("ll") and _measure(letters) > 1) or (letters.endswith("s") and "v" not in _kinds(letters))


def shorter_stems(beginning: str) -> Iterator[str]:
    """Yield stems that words with this prefix may have and that do not have the prefix themselves."""
    letters = _plain(beginning)
    for length in range(max(_SHORTEST, len(letters) - _LONGEST_ENDING), len(letters)):
        stem, rest = beginning[:length], letters[length:]
        if _is_taken_off(letters[:length], rest):
            yield stem
        if rest[0] == "y" and (rest[1:] in {"", "s"} or _begins(rest[1:], _INFLECTIONS)):
            yield f"{stem}i"  # happy, happi
        if "ings".startswith(rest) and _keeps_e(letters[:length]):
            yield f"{stem}e"  # hoping, hope
        if letters[length - 1] == "b" and rest.startswith("ilit"[: len(rest)]):
            yield f"{stem}l"  # possibility, possibl


def _is_taken_off(stem: str, rest: str) -> bool:
    """Tell whether ``rest`` may be the beginning of a suffix that the stemmer removes from this stem."""
    kinds = _kinds(stem)
    if rest == "s" or "v" not in kinds:
        return rest == "s"
    short = len(stem) == _SHORTEST  # of these there are common words that little is put to
    doubled = rest[0] == stem[-1] and (not short or rest != "n")
    after_e = stem[-1] == "e" and rest in {"d", "l", "ly"}
    after_i = stem[-1] == "i" and rest in {"e", "es"}
    if after_e or after_i or (doubled and (rest[1:] == "s" or _begins(rest[1:], _INFLECTIONS))):
        return True  # hoped, nicely, ties; stopping, stop
    measure = _measure(stem)
    if measure > 1:
        return _begins(rest.removeprefix("l") if stem[-1] == "l" else rest, _MORE_ENDINGS)
    if not _keeps_e(stem) and _begins(rest, _WITH_E if measure else _INFLECTIONS):
        return True
    return measure == 1 and (rest.startswith(_AFTER_E) if short else _begins(rest, _AFTER_E))


def _keeps_e(stem: str) -> bool:
    """Tell whether the stem of a word that begins so ends in an e, or in two consonants: hoping, hopping."""
    return _measure(stem) == 1 and _kinds(stem).endswith("cvc") and stem[-1] not in "wxy"


def _begins(rest: str, endings: tuple[str, ...]) -> bool:
    """Tell whether ``rest`` is a prefix of one of the endings, or has one as its prefix."""
    return any(ending.startswith(rest) or rest.startswith(ending) for ending in endings)


def _plain(word: str) -> str:
    """A word's letters, small and without accents, as many as it has."""
    return "".join(unicodedata.normalize("NFD", letter.lower())[0] for letter in word)


def ends_otherwise(beginning: str) -> bool:
    """Tell whether a word without this prefix may have exactly this stem, because stemming changed its last letter.

    Examples: happy (happi), hoping (hope), possibility (possibl).
    """
    return _plain(beginning)[-1] in "eil"


def _measure(word: str) -> int:
    """Porter's measure m: the number of vowel-consonant sequences."""
    return _kinds(word).count("vc")


def _kinds(word: str) -> str:
    """A word's letters as vowels (v) and consonants (c); y is a vowel after a consonant."""
    kinds = ""
    for letter in word:
        kinds += "v" if letter in "aeiou" or (letter == "y" and kinds.endswith("c")) else "c"
    return kinds
