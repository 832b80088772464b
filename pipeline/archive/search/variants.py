"""Spelling variants of a search word, and the owner in a possessive. Pure text; touches no database."""

from __future__ import annotations

import re

from pipeline.archive.money import SIGNS, amount
from pipeline.archive.numbers import NUMBER, NUMBERS, ONES, SCALES, TENS
from pipeline.archive.tokens import folded_words

_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_DIGITS = re.compile(r"[1-9][0-9]{3,14}")
_SCALES = {"million": ("million", "m", "mn"), "billion": ("billion", "bn"), "percent": ("per cent", "percent", "%")}
_SIGNED = ("m", "mn", "bn", "%")  # written without a space
_UNITS = {unit: scale for scale, units in _SCALES.items() for unit in units}
_IN_WORDS = {str(number): word for number, word in enumerate(NUMBERS, start=1)}
_IN_DIGITS = {word: number for number, word in _IN_WORDS.items()}
_ROUND = {"hundred": 100, "thousand": 1_000}
_ENDED = r"(?=[^\w%]*(?:\s|$))"
_FIGURE = r"[0-9]+(?:[.,][0-9]+)*"
# “2.6 million”, “£2.6m”, “five million”, “four hundred”, “400”, “20 per cent”, “20%”; and “per cent” without a number.
MEASURE = re.compile(
    rf"(?<!\S)[{SIGNS}]?(?:(?:(?P<figure>{_FIGURE})\s*|(?P<number>{NUMBER})\s+)"
    r"(?P<unit>hundred|thousand|million|billion|mn|bn|m|per\s+cent|percent|%)"
    rf"|(?P<round>[1-9]00|[1-9][0-9]?,?000)|(?P<alone>per\s+cent|percent)){_ENDED}",
    re.IGNORECASE,
)
# “twenty four”, which is twenty-four.
APART = re.compile(rf"(?<!\S)({'|'.join(TENS)})\s+({'|'.join(ONES)}){_ENDED}", re.IGNORECASE)
# “four hundred and six”, “hundred and six”, “400 thousand”: no part of it is a number by itself.
_SCALE = rf"(?:{'|'.join(SCALES)})(?:\s+(?:{'|'.join(SCALES)}))*"
_LONG = re.compile(
    rf"(?<!\S)[{SIGNS}]?(?:(?:{_FIGURE}|{NUMBER})\s+{_SCALE}|{_SCALE}(?=\s+and\s))"
    rf"(?:\s+(?:and\s+)?(?:{NUMBER})\s+{_SCALE})*(?:\s+(?:and\s+)?(?:{NUMBER}))?{_ENDED}",
    re.IGNORECASE,
)
_PLAIN = re.compile(rf"[{SIGNS}]?(?:{_FIGURE}|{NUMBER}){_ENDED}", re.IGNORECASE)
_OWNED = re.compile(r"([^\s'’‘ʼ]*[^\W_]{2})['’‘ʼ]s", re.IGNORECASE)
# After these it is “is”, “has” or “us”, and they are everywhere.
_CONTRACTED = """
    he here how it let no now one she so that there this what when where which who why
"""
_COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]{2,})+")

# Whisper mixes British and American, whoever speaks. These are beginnings of words; no pair is of two different words.
_PAIRS = """
    ageing/aging anaesth/anesth analogue/analog armour/armor behaviour/behavior calibre/caliber cancell/cancel
    catalogue/catalog centre/center channell/channel colour/color counsell/counsel defence/defense demeanour/demeanor
    dialogue/dialog endeavour/endeavor enrolm/enrollm favour/favor fibre/fiber flavour/flavor foetal/fetal
    foetus/fetus fuell/fuel fulfilm/fulfillm grey/gray harbour/harbor honour/honor humour/humor judgement/judgment
    labell/label labour/labor levell/level licence/license litre/liter manoeuvre/maneuver meagre/meager metre/meter
    modell/model mum/mom neighbour/neighbor odour/odor offence/offense orthopaedic/orthopedic paediatric/pediatric
    practise/practice pretence/pretense programme/program rigour/rigor rumour/rumor saviour/savior signall/signal
    skilful/skillful sombre/somber theatre/theater travell/travel tumour/tumor vigour/vigor wilful/willful
"""
_AMERICAN = dict(pair.split("/") for pair in _PAIRS.split())
_BRITISH = {american: british for british, american in _AMERICAN.items()}
# The other way round a hyphen is just left out.
_HYPHENS = """
    anti-social co-design co-exist co-operat co-opt co-ordinat co-produc e-mail inter-agency multi-agency
    multi-disciplin non-profit pre-school re-offend well-being
"""
_HYPHENED = {pair.replace("-", ""): pair for pair in _HYPHENS.split()}
_AS_HYPHENED = re.compile("|".join(_HYPHENED))
_AS_BRITISH = re.compile("|".join(_AMERICAN))
_AS_AMERICAN = re.compile("|".join(_BRITISH))
_ISE = re.compile(r"([a-z]{3,}i|[a-z]+aly)([sz])(e|es|ed|er|ers|ing|ations?|ational)")


def otherwise_written(word: str) -> str | None:
    """Return another spelling of a word, if it has one.

    That is 4000 for 4,000, twenty-four for 24, neighbor for neighbour, and wellbeing for well-being, each also the
    other way round. It need not be a word that exists.
    """
    lower = word.lower()
    # Small numbers are written in either way, but “one” nearly always as a word.
    if word != "1" and lower != "one" and (number := _IN_WORDS.get(word) or _IN_DIGITS.get(lower)):
        return number
    if _THOUSANDS.fullmatch(word):
        return word.replace(",", "")
    if _DIGITS.fullmatch(word):
        return f"{int(word):,}"
    if _COMPOUND.fullmatch(word):
        return word.replace("-", "")
    if hyphened := _AS_HYPHENED.match(lower):
        return _HYPHENED[hyphened[0]] + lower[hyphened.end() :]
    return _across_the_sea(lower)


def hyphenless(word: str) -> tuple[str, ...]:
    """Return how a word that has a spelling with a hyphen begins in each: “as well being” is not “wellbeing”."""
    found = _AS_HYPHENED.match(word.lower())
    return (found[0], _HYPHENED[found[0]]) if found else ()


def whole(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return what a pattern finds at the beginning of a text if it is all of it, but for punctuation."""
    found = pattern.match(text)
    return found if found and not folded_words(text[found.end() :]) else None


def is_number(text: str) -> bool:
    """Tell whether a text is one number of several words or with a unit: five million, twenty four, 5 pounds."""
    number = amount(text)
    kinds = (MEASURE, APART, _LONG) if number == text else (MEASURE, APART, _LONG, _PLAIN)
    return any(whole(pattern, number) for pattern in kinds)


def measures(found: re.Match[str]) -> tuple[str, ...]:
    """Return all ways to write what ``MEASURE`` found: 2.6 million, 2.6m; 5%, five per cent; 400, four hundred."""
    if found["alone"]:
        return _SCALES["percent"][:2]
    if digits := found["round"]:
        unit = "hundred" if len(digits) == len("400") else "thousand"
        figure = str(int(digits.replace(",", "")) // _ROUND[unit])
    else:
        unit = " ".join(found["unit"].lower().split())
        figure = found["figure"] or _IN_DIGITS["-".join(re.split(r"[-\s]", found["number"].lower()))]
    units = (unit,) if unit in _ROUND else _SCALES[_UNITS[unit]]
    ways = [f"{figure}{'' if unit in _SIGNED else ' '}{unit}" for unit in units]
    if number := _IN_WORDS.get(figure) or ("one" if figure == "1" else None):
        ways += [f"{number} {unit}" for unit in units if unit not in _SIGNED]
        ways += [f"{int(figure) * _ROUND[unit]:{form}}" for form in (",", "") if unit in _ROUND]
    return tuple(dict.fromkeys(ways))


def owner(word: str) -> str | None:
    """Return whose something is: council for council’s, None for it’s and for words without an apostrophe and s."""
    owned = _OWNED.fullmatch(word)
    return owned[1] if owned and owned[1].lower() not in _CONTRACTED.split() else None


def _across_the_sea(word: str) -> str | None:
    """The American spelling of a British word, and the other way round."""
    if ise := _ISE.fullmatch(word):
        return f"{ise[1]}{'z' if ise[2] == 's' else 's'}{ise[3]}"
    if british := _AS_BRITISH.match(word):
        return _AMERICAN[british[0]] + word[british.end() :]
    if american := _AS_AMERICAN.match(word):
        return _BRITISH[american[0]] + word[american.end() :]
    return None
