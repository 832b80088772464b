"""Recognising personal names by their spelling. Does not know whether such a person exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

UPPER = "".join(chr(code) for code in (*range(0x41, 0x250), *range(0x1E00, 0x1F00)) if chr(code).isupper())  # Latin
_PARTICLE = r"(?:de|da|dos|del|della|di|du|van|von|der|den|ter|ten|la|le|el|al|bin|ibn|ap|ab|af|av|zu)"
_GAP = rf"[ ](?:{_PARTICLE}[ ]){{0,2}}"

# One word of a name: Judy, O’Brien, Smith-Jones, McArdle. Every repetition is bounded, since the text is untrusted.
_WORD = rf"(?:d['’])?[{UPPER}][^\W\d_]{{0,24}}(?:['’\-‐‑][^\W\d_]{{1,24}}){{0,3}}"
_TITLE = r"(?:Dr|Mr|Mrs|Ms|Prof|Rev|Revd|St|Cllr|Hon)\."
_RUN = re.compile(rf"(?<![\w'’-])(?:{_TITLE}|{_WORD})(?:{_GAP}(?:{_TITLE}|[{UPPER}]\.|{_WORD})){{0,11}}")

# The label of a turn in a transcript: a name or part of one, initials, “Speaker 1”, “Dr. Hale”.
_LABEL_WORD = rf"(?:{_TITLE}|[{UPPER}]\.|{_WORD})"
_NUMBERED = r"(?:Speaker|Voice|Male|Female|Interviewe(?:r|e)|Participant|Audience|Guest|Host|Caller)[ ]\d{1,2}"
_UNKNOWN = r"[Uu]n(?:known|identified)[ ][Ss]peaker(?:[ ]\d{1,2})?"
_DIARIZED = r"SPEAKER_\d{1,3}"  # as pyannote and WhisperX write it
LABEL = rf"(?:{_NUMBERED}|{_DIARIZED}|{_UNKNOWN}|{_LABEL_WORD}(?:{_GAP}{_LABEL_WORD}){{0,4}})"
_MAX_LABEL_CHARS = 60
_GENERIC = re.compile(
    rf"{_NUMBERED}|{_UNKNOWN}|(?:speaker|spk|s|voice)[ _-]?\d{{1,3}}|"
    r"(?:the )?(?:co-)?(?:host|guest|interviewe[re]|presenter|moderator|narrator|announcer|speaker|caller|audience|"
    r"question|answer|man|woman|male|female|voice ?over|various|all|both)s?",
    re.IGNORECASE,
)


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NO_SPEAKERS = _listed(
    """
    a address answer blog book buy chapter chapters contact credits date disclaimer download email e-mail episode
    facebook follow further follow-up homepage important info information instagram learn link linkedin links listen
    mastodon more music n.b nb news note notes number p.s part phone photo picture podcast ps q question questions
    reading read recorded reference references resource resources rss season section sign source sources sponsor
    sponsors step subscribe summary support tel telephone threads tiktok time timestamps tip title topic topics
    transcript twitter update url warning watch web website www x youtube
    """
)
_NOBODY = frozenset({"unknown", "unknown speaker", "unidentified", "unidentified speaker", "no speaker"})

# Capitalised words that are not part of a personal name; a name begins after the last of them.
_NO_NAMES = _listed(
    """
    dr mr mrs ms miss mx prof professor sir dame lord lady baroness baron rev revd reverend cllr councillor judge
    justice hon rt st major mayor minister chief executive inspector director deputy assistant associate head editor
    officer lead leader principal senior national regional general manager president chair co-chair founder author
    secretary commissioner adviser advisor headteacher coach pastor rabbi senator ambassador host co-host hosts
    guest guests presenter producer hmi hmci journalist reporter columnist correspondent broadcaster writer novelist
    historian economist scientist researcher psychologist philosopher activist lawyer filmmaker entrepreneur
    his her majesty majesty's majesty’s the this these that our my your their its a an in on at of for from with and
    but as if so when what where why how who which today tonight now here join joining meet meeting listen hear
    featuring feat ft episode part series season special bonus new latest podcast show interview interviews talks
    live weekly daily news times post gazette guardian telegraph observer magazine journal press radio media digital
    council councils city county borough district town parish community communities care services service social
    work workers children children's children’s child family families health education school schools academy college
    university trust foundation charity association society institute centre center department office agency group
    team network board committee commission partnership alliance company ltd limited plc inc union church hospital
    nhs ofsted england wales scotland ireland britain british english welsh scottish irish european european-union
    london north south east west northern southern eastern western great united kingdom street road house hall park
    bank act bill report review inspection framework programme project strategy plan policy government parliament
    public local youth justice early years help front door january february march april june july august september
    october november december monday tuesday wednesday thursday friday saturday sunday christmas easter apple google
    spotify youtube twitter facebook instagram acast itunes hosted produced presented edited recorded music thanks
    welcome hello hi also plus practice therapeutic workforce leadership development research
    after before since during while despite journalist reporter correspondent broadcaster columnist writer novelist
    poet comedian researcher historian economist scientist psychologist psychiatrist therapist philosopher physicist
    meteorologist lecturer teacher solicitor barrister consultant engineer artist activist campaigner analyst
    entrepreneur editor-in-chief question questions answer answers spotlight forum developer lab labs laboratory
    studio studios ventures capital consulting technologies
    """
)
_THING = (
    r"council|councils|school|schools|academy|hospital|university|college|trust|podcast|show|series|report|review|team|"
    r"area|region|city|county|borough|district|director|leader|chief|head|deputy|editor|mayor|based|magazine|charity"
)
_POST = r"writer|reporter|journalist|columnist|correspondent|president|founder|author|host|presenter|producer|analyst"
# “Milton Keynes council”, “Brook Vale’s”, “Labour Notes writer Bo Lind”
_SOMETHINGS = re.compile(rf"(?:[’']s?\b|[- ](?:{_THING})\b|[ ](?:{_POST})[ ][{UPPER}])")
_WORDS_OF_NAME = range(2, 5)
_DEGREE_GOES_ON = re.compile(rf"\.?[{UPPER}]")  # after the “Ph” of “Ph.D.” or the “M.” of “M.D.”


class Name(NamedTuple):
    """A personal name and its offsets in the text."""

    begin: int
    end: int
    text: str


def names_in(text: str) -> Iterator[Name]:
    """Find what looks like full personal names, without titles: two to four capitalised words.

    Words typical of titles, organisations or sentences, and words with a possessive ending, are not part of a name; a
    name that continues as that of an organisation or thing is skipped.
    """
    for run in _RUN.finditer(text):
        part: list[re.Match[str]] = []
        for word in re.finditer(r"\S+", run[0]):
            part = [] if _ends_other_thing(word[0]) else [*part, word]
        while part and (_is_letters(part[-1][0]) or _DEGREE_GOES_ON.match(text, run.start() + part[-1].end())):
            part.pop()
        if not part:
            continue
        begin, end = run.start() + part[0].start(), run.start() + part[-1].end()
        words = [word[0] for word in part if not re.fullmatch(_PARTICLE, word[0])]
        if len(words) in _WORDS_OF_NAME and _is_spelt_as_name(words) and not _SOMETHINGS.match(text, end):
            yield Name(begin, end, text[begin:end])


def _is_letters(word: str) -> bool:
    """Tell whether this is what follows a name, such as OBE or MP."""
    return word.isupper() and len(word) > 1


def _ends_other_thing(word: str) -> bool:
    return word.rstrip(".").casefold() in _NO_NAMES or word.endswith(("'s", "’s", "s’"))


def _is_spelt_as_name(words: list[str]) -> bool:
    first, last = words[0], words[-1]
    return first[0].isupper() and not last.endswith(".") and any(c.islower() for c in first + last) and len(last) > 1


def is_label(text: str) -> bool:
    """Tell whether this may be a speaker's label at the beginning of a turn: not “Twitter”, not “Question 3”."""
    first = text.split(" ", maxsplit=1)[0].rstrip(".").casefold()
    return re.fullmatch(LABEL, text) is not None and first not in _NO_SPEAKERS


def is_generic(label: str) -> bool:
    """Tell whether a speaker's label is no name: “Speaker 1”, “SPEAKER_00”, “Host”, “Interviewer”."""
    return _GENERIC.fullmatch(label) is not None


def as_known(label: str, names: Iterable[str]) -> str:
    """Return the known name that a label stands for (in capitals, a first or last name, initials), else the label."""
    bare = label.casefold().replace(".", "")
    names = list(dict.fromkeys(names))
    for form in (_whole, _first, _last, _initials):
        fits = [name for name in names if form(name.casefold()) == bare]
        if len(fits) == 1:
            return fits[0]
    return label


def _whole(name: str) -> str:
    return name.replace(".", "")


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0]


def _last(name: str) -> str:
    return name.rsplit(maxsplit=1)[-1]


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split())


def as_speaker(label: object) -> str | None:
    """Return a published speaker label in the form to show; None if it names nobody, is too long or is not text."""
    if not isinstance(label, str):
        return None
    name = " ".join(label.split()).rstrip(": ")
    return name if name and name.casefold() not in _NOBODY and len(name) <= _MAX_LABEL_CHARS else None
