"""Finding the people mentioned in a text and their descriptions. Does not decide who is host or guest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.feeds.names import Name, names_in

MAX_DESCRIPTION_CHARS = 160

HOSTING = r"(?:co-)?hosts?|presenters?|interviewers?"
TITLE = r"(?:(?:Dr|Sir|Dame|Prof(?:essor)?|Cllr|Councillor|Mrs?|Ms|Lord|Lady|Baroness|Rev)\b\.?)"
_PRESS = re.compile(
    rf"\b(?:{HOSTING}|editors?|journalist|reporter|correspondent|broadcaster|columnist)\b", re.IGNORECASE
)
_OFFICE = re.compile(
    r"""\b(?:
    director|chief|head|lead|leader|manager|officer|professor|lecturer|researcher|inspector|minister|councillor|member|
    secretary|president|chair|co-chair|founder|co-founder|author|consultant|worker|nurse|teacher|headteacher|principal|
    commissioner|advis[eo]r|therapist|psychiatrist|doctor|GP|MP|S?HMI|HMCI|DCS|CEO|partner|fellow|
    executive|analyst|barrister|solicitor|judge|practitioner|expert|specialist|campaigner|activist|scientist|economist|
    historian|engineer|artist|carer|survivor|student|apprentice|deputy|co-?ordinator|superintendent|registrar|writer|
    producer|presenter|host|editor|journalist|reporter|correspondent|broadcaster|columnist|ombudsman|trustee|governor|
    academic|\w{3,}ologist|physicist|chemist|mathematician|philosopher|lawyer|coach|designer|developer|entrepreneur|
    novelist|musician|architect|farmer|senator|ambassador|clerk|mayor|dean|vicar|bishop|commander|constable|midwife|
    paediatrician|physician|surgeon|treasurer)s?\b""",
    re.VERBOSE | re.IGNORECASE,
)
_NO_OFFICE = re.compile(rf"(?:(?:our|the|your) )?(?:(?:special )?guests?|{HOSTING})", re.IGNORECASE)
_NO_DESCRIPTION = re.compile(r"(?:who|whose|which|as|in|about|on|to|after|and|but|with|where|when|talks|speaks)\b")
_ENDS_DESCRIPTION = re.compile(
    r"\s+(?:about|to (?:discuss|talk|explore)|who|whose|on (?:how|why|what)|joins?|(?:is|are|was) joined|talks|speaks|"
    r"chats|interviews|discusses|sits|welcomes|in conversation)\b"
)
_PREPOSITION = re.compile(r"\b(?:of|to|for|at|in|on|with|by|from)\b")
_BRACKETED = re.compile(r" \(([^()\n]{2,120})\)")
_FOLLOWING = re.compile(
    r"(?:,| [–—-]) (?:(?:(?:who )?(?:is|was)|who[’']s) )?(?:currently |now |then )?([^,.;:!?()\n]{2,160})"
)
# “, JD, RN, Ph.D.” between a name and its description; not an office such as “, CEO, ”.
_LETTERS = re.compile(r"(?:,? (?!(?:GP|MP|S?HMI|HMCI|DCS|C[A-Z]O)\b)(?:[A-Z][a-z]?\.?){2,6}(?=,)){0,8}")
_PRECEDING = re.compile(rf"(?:\A|[.!?,;:\n])\s*([^,.!?;:()\n]{{3,120}}), (?:{TITLE} )?\Z")
_ARTICLE = re.compile(r"^(?:(?:[Oo]ur|[Tt]he|[Mm]y|[Aa]n?|his|her|their|[Tt]oday’s)\s+)+")  # but not His Majesty’s
_AND_ANOTHER = re.compile(rf"\s+(?:and|&)(?:\s+by)?\s+(?:{TITLE}\s+)?$")
_LEAD = re.compile(rf"(?:{TITLE}|[^.!?:;()\n]){{0,100}}")
_ARTICLES = re.compile(rf"\b(?:our|my|the|an?|his|her|their|today’s|special|guests?|this week|today|{TITLE})(?=\W|$)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A person mentioned in a text; ``begin`` and ``end`` include a description that follows the name.

    ``is_press`` tells that they are described as a host or journalist.
    """

    begin: int
    end: int
    name: str
    description: str | None = None
    is_press: bool = False


def mentions_in(text: str) -> Iterator[Mention]:
    """Find the people in a text, in order; names within another person's description are skipped."""
    names = list(names_in(text))
    end = 0
    for place, name in enumerate(names):
        if name.begin >= end:
            found = _mention(text, name, names[place + 1 :], after=end)
            end = found.end
            yield found


def leads_to_name(words: str) -> bool:
    """Tell whether the words before a name only describe the person.

    “the head of care, Dr ”, “Chief Inspector ” and “our guest ” do; “the head of ” does not: a place follows, not a
    person.
    """
    if _LEAD.fullmatch(words) is None or _ENDS_DESCRIPTION.search(words) or _NO_DESCRIPTION.match(words):
        return False
    plain = _ARTICLES.sub("", words).rstrip()
    if not plain.strip(" ,."):
        return True
    offices = list(_OFFICE.finditer(plain))
    return bool(offices) and (plain.endswith(",") or offices[-1].end() == len(plain))


def is_press(words: str) -> bool:
    """Tell whether a text describes somebody as a host or journalist."""
    return _PRESS.search(words) is not None


def description(words: str) -> str | None:
    """Return a description without article and title; None unless it names an office or trade, unlike “our guest”."""
    plain = re.sub(rf"[\s,]+{TITLE}$", "", " ".join(words.split()).rstrip(" ,"))
    plain = _ARTICLE.sub("", plain.rstrip(" ,"))
    cut = plain.count("“") != plain.count("”")  # as in author of “Who cares?”
    if not _OFFICE.search(plain) or _NO_OFFICE.fullmatch(plain) or cut or len(plain) > MAX_DESCRIPTION_CHARS:
        return None
    return plain


def _mention(text: str, name: Name, later: list[Name], *, after: int) -> Mention:
    """The name with its description: in brackets after it, after a comma or dash, or before a comma.

    ``after`` is where the mention before it ends, whose description is not this one's.
    """
    letters = _LETTERS.match(text, name.end)
    end = letters.end() if letters else name.end
    alone = Mention(name.begin, end, name.text)
    if bracketed := _BRACKETED.match(text, name.end):
        return _described(alone, bracketed[1], end=bracketed.end())
    following = _FOLLOWING.match(text, end)
    if following and not _NO_DESCRIPTION.match(following[1]):
        words = _shortened(following[1], following.start(1), later)
        another = _is_of_another(words, following.start(1), later)
        if not another and (description(words) or _NO_OFFICE.fullmatch(words)):
            return _described(alone, words, end=following.start(1) + len(words))
    preceding = _PRECEDING.search(text, max(after, name.begin - 160), name.begin)
    if preceding and text[name.end : name.end + 1] == "," and not any(names_in(preceding[1])):
        return _described(alone, re.split(r"\b(?:to|with|by) ", preceding[1])[-1], end=name.end)
    return alone


def _described(mention: Mention, words: str, *, end: int) -> Mention:
    return replace(mention, end=end, description=description(words), is_press=is_press(words))


def _is_of_another(words: str, place: int, later: list[Name]) -> bool:
    """Tell whether the words after a comma are the next person of a list: “Bo Lind of …”, “Weekly writer Bo Lind”."""
    leads = (words[: name.begin - place] for name in later if name.begin < place + len(words))
    return any(not lead or (leads_to_name(lead) and not _PREPOSITION.search(lead)) for lead in leads)


def _shortened(phrase: str, place: int, later: list[Name]) -> str:
    """Cut the phrase before “and” with another person, or where the description ends."""
    ends = [len(phrase)]
    if verb := _ENDS_DESCRIPTION.search(phrase):
        ends.append(verb.start())
    for name in later:
        if name.begin >= place + len(phrase):
            break
        if another := _AND_ANOTHER.search(phrase[: name.begin - place]):
            ends.append(another.start())
    return phrase[: min(ends)].rstrip()
