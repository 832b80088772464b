"""Spelling variants of a search word, and the owner in a possessive. Pure text; touches no database."""

from __future__ import annotations

import re

_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_DIGITS = re.compile(r"[1-9][0-9]{3,14}")
_AMOUNT = re.compile(r"([0-9]+(?:[.,][0-9]+)*)(m|mn|bn)")
_SCALES = {"m": "million", "mn": "million", "bn": "billion"}
_OWNED = re.compile(r"([^\s'’‘ʼ]*[^\W_]{2})['’‘ʼ]s", re.IGNORECASE)
# After these it is “is”, “has” or “us”, and they are everywhere.
_CONTRACTED = """
    he here how it let no now one she so that there this what when where which who why
"""
_COMPOUND = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]{2,})+")
# Small numbers are written in either way, but “one” nearly always as a word.
_WORDS = """
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty
"""
_IN_WORDS = {str(number): word for number, word in enumerate(_WORDS.split(), start=2)}
_IN_DIGITS = {word: number for number, word in _IN_WORDS.items()}

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
_AS_BRITISH = re.compile("|".join(_AMERICAN))
_AS_AMERICAN = re.compile("|".join(_BRITISH))
_ISE = re.compile(r"([a-z]{3,}i|[a-z]+aly)([sz])(e|es|ed|er|ers|ing|ations?|ational)")


def otherwise_written(word: str) -> str | None:
    """Return another spelling of a word, if it has one.

    That is 4000 for 4,000, five for 5, and neighbor for neighbour, each also the other way round; 2.6 million for
    2.6m; wellbeing for well-being. It need not be a word that there is.
    """
    lower = word.lower()
    if number := _IN_WORDS.get(word) or _IN_DIGITS.get(lower):
        return number
    if amount := _AMOUNT.fullmatch(word):
        return f"{amount[1]} {_SCALES[amount[2]]}"
    if _THOUSANDS.fullmatch(word):
        return word.replace(",", "")
    if _DIGITS.fullmatch(word):
        return f"{int(word):,}"
    if _COMPOUND.fullmatch(word):
        return word.replace("-", "")
    return _across_the_sea(lower)


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
