"""Finding the speakers named in an episode's title and notes. Never guesses: a wrong name is worse than none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Literal, TypeAlias

from pipeline.feeds.mentions import HOSTING, TITLE, Mention, description, is_press, leads_to_name, mentions_in
from pipeline.feeds.names import UPPER
from pipeline.feeds.transcripts import without_transcript
from pipeline.model import Person

MAX_NOTES_CHARS = 20_000

_Role: TypeAlias = Literal["host", "guest"]
_Claims: TypeAlias = Iterator[tuple[Mention, _Role]]

_TALKING = re.compile(
    r"\b(?:(?:talks?|talked|speaks?|spoke|chats?|chatted|(?:is|are) (?:talking|speaking|chatting))"
    r"(?P<about> about [^.;:!?\n]{1,60}?)? (?:to|with)|"
    r"in conversation with|(?:sits|sat) down with|catches up with)\b(?P<us> (?:us|me)\b)?"
)
_ASKING = re.compile(
    r"\b(?:interviews|interviewed(?! by)|welcomes|hears from|host(?:s|ed) a (?:discussion|conversation|panel) with|"
    r"(?<!being )(?:(?:is|are|was|were) |['’](?:m|re|s) )?(?<!being )joined(?: \w+){0,2}? by)\b"
)
_INSTEAD = re.compile(
    r"\b(?:(?:sits?|stands?|steps?|fills?|sat|stood|stepped|filled|sitting|standing|stepping|filling) in for|"
    r"deputi[sz](?:es|ed|ing) for|in (?:the )?place of)\b"
)
_WE_ASK = re.compile(
    r"\b(?:I|[Ww]e)(?: also| then)? (?:(?:talk|speak|spoke|talked|chat|chatted)(?: to| with)|interview|hear from|"
    r"(?:sit|sat) down with|(?:catch|caught) up with|meet(?: with)?|"
    r"ha(?:ve|d) (?:an?|the) (?:[\w-]+ ){0,2}(?:chat|conversation) with|"
    r"ha(?:ve|d) the (?:great )?(?:pleasure|chance|opportunity|privilege|honou?r) (?:of|to) "
    r"(?:speak|talk|chat)(?:ing)? (?:to|with))\b|"
    r"\b(?:I|[Ww]e)(?:['’](?:m|re)| am| are) interviewing\b"
)
_ASKS = re.compile(r"\basks\b")
_TELLS = re.compile(r"\b(?:tells|told)\b")
_ASKED_BY = re.compile(
    r"\b(?:posed|asked|put|hosted|presented|moderated|interview(?:ed|,? conducted)?)(?: to (?:him|her|them))? by\b",
    re.IGNORECASE,
)
_HOST = re.compile(rf"\b(?:{HOSTING})\b(?:(?: (?:as usual|as always|today|this week))? (?:is|are)\b)?:?", re.IGNORECASE)
_GUEST = re.compile(
    rf"\b(?:(?:guests?(?: bio(?:graphy)?s?)?(?! (?:{HOSTING})\b)|interviewees?)"
    r"(?:(?: (?:this week|today))? (?:is|are|was|were)\b)?[:,]?|"
    r"questions (?:put|posed) to|featur(?:ing|es):?|feat\.|ft\.|"
    r"(?<!his )(?<!her )(?<!their )(?<!earlier )(?:interview|(?<!in )(?<!in a )conversation|q&a) with)",
    re.IGNORECASE,
)
# After these only a person with a description, or next to one who has it, is reliably a guest.
_PERHAPS = re.compile(
    r"(?:(?:\A|(?<=\n)|(?<=[.!?] ))With\b|\b[Aa]nswered by\b|"
    r"\bJoining (?:us|me|[^.,;:!?\n]{3,60}?)(?: today| this week)? (?:is|are)\b|"
    r"(?:\A|(?<=\n))(?:Speakers?|Panel(?:lists?)?|Contributors?):)"
)
_IS_GUEST = re.compile(rf"(?:, | is )(?:our|my|today[’']s|this week[’']s) guest\b(?! (?:{HOSTING})\b)")
_JOINING = re.compile(r"\bjoins?(?= (?:us|me|the (?:podcast|show|programme)|[A-Z]))")
_ENDS = re.compile(r"\s*(?:\Z|[.!;\n]|,? (?:to|about|on|in)\b)")  # but not “with Ines Marlow, head of care, gone”
_DISCUSSING = re.compile(
    r"\b(?:discuss(?:es)?|talks? about|speaks? about|(?:explains?|shows?) (?:how|why|what)|reflects? on|tells? us|"
    r"shares? (?:how|why|what|(?:his|her|their) \w+)|"
    r"answers? (?:\w+ ){0,2}questions)\b"
)
_TITLE_WITH = re.compile(r"(?<!conversation )\bwith\b(?=[^:|–—(]*(?:$|[:|–—(]))")

_LINK = re.compile(r"\[([^\[\]\n]{1,100})\]\([^()\s]{1,300}(?: \"[^\"\n]{0,100}\")?\)")  # Markdown

# Sentences about other episodes say nothing about this one.
_ELSEWHERE = re.compile(
    r"\b(?:(?:last|next|previous|earlier|recent|other|another|coming) "
    r"(?:week|month|year|time|episodes?|series|interviews?)|"
    r"previously|coming up|listen (?:back|again)|you (?:might|may) also|in case you missed)\b",
    re.IGNORECASE,
)

# Patterns for the text between a phrase and the first name after it, between two names of a list, and between a name
# and the phrase after it.
_BEGINNING = re.compile(r"\s*(?:• |- |\d+\) )?")
_AND = re.compile(r"(?:(?:, [^,.;:!?()\n]{2,60})?,?\n+(?:• |- |\d+\) )?|,? and |,? & |, |; )(?:also )?")
_FIRST_NAME = re.compile(rf"(?:\A|(?<=[\s(]))(?!(?:He|She|They|It|Who|You)\b)([{UPPER}][^\W\d_]+) \Z")
_AND_TITLED = rf",? (?:and|&) (?:{TITLE} )?"
_COMMA_TITLED = rf"(?:,? and |,? & |, )(?:{TITLE} )?"
_BESIDE = rf"(?: of [{UPPER}]\w+)?(?:, [^,.;:!?()\n]{{2,80}})?,? *"


def find_people(
    title: str, notes: str, *, hosts: Sequence[str] = (), named: Sequence[Person] = ()
) -> tuple[Person, ...]:
    """Return the people whom an episode's title and notes (plain text) name as its speakers, hosts first.

    Args:
        title: the episode's title.
        notes: its show notes; a transcript in them is not searched.
        hosts: the feed's configured hosts. They are never guests, and are returned as hosts if none is named.
        named: people whom the feed names in elements of their own; their roles count more than what is said in prose.

    Only explicit statements are used: who asks, interviews, talks to whom, is joined by whom, is a guest. Whoever is
    named as both host and guest is left out.
    """
    known = {_key(host): host for host in hosts}
    roles = {_key(person.name): person.role for person in named} | dict.fromkeys(known, "host")
    texts = (_LINK.sub(r"\1", without_transcript(notes)[:MAX_NOTES_CHARS]), title[:MAX_NOTES_CHARS])
    mentions = [list(mentions_in(text)) for text in texts]
    press = {_key(mention.name) for mention in (*mentions[0], *mentions[1]) if mention.is_press}
    described = {_key(mention.name) for mention in mentions[0] if mention.description}
    body, heading = (_Finder(text, own, press | known.keys()) for text, own in zip(texts, mentions, strict=True))
    absent = body.absent() | heading.absent()
    said: dict[str, list[Person]] = {}
    for mention, role in (*body.claims(), *heading.claims(), *heading.claims_of_title(described)):
        key = _key(mention.name)
        person = Person(known.get(key, mention.name), roles.get(key, role), mention.description)
        said.setdefault(key, []).append(person)
    for person in named:
        key = _key(person.name)
        said.setdefault(key, []).append(replace(person, name=known.get(key, person.name), role=roles[key]))
    people = [
        next((person for person in same if person.description), same[0])
        for key, same in said.items()
        if key not in absent and len({person.role for person in same}) == 1
    ]
    if not any(person.role == "host" for person in people):
        people += [Person(host, "host") for host in hosts if _key(host) not in absent]
    return tuple(sorted(people, key=lambda person: person.role != "host"))


def _key(name: str) -> str:
    return " ".join(name.replace("’", "'").casefold().split())


class _Finder:
    """Searches one text for phrases that name hosts and guests."""

    def __init__(self, text: str, mentions: Sequence[Mention], asking: Set[str]) -> None:
        """``asking`` are the keys of the people known to be hosts or journalists."""
        self._text = text
        self._mentions = mentions
        self._asking_people = asking

    def claims(self) -> _Claims:
        readers: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], _Claims]]] = (
            (_TALKING, self._talking),
            (_ASKING, self._asking),
            (_WE_ASK, self._guests),
            (_ASKS, self._asks_whom),
            (_TELLS, self._telling),
            (_ASKED_BY, self._asked_by),
            (_HOST, self._host),
            (_GUEST, self._guests),
            (_PERHAPS, self._described_guests),
            (_IS_GUEST, self._named_guest),
            (_JOINING, self._joining),
            (_DISCUSSING, self._joining),
            (_INSTEAD, self._standing_in),
        )
        for pattern, reader in readers:
            for found in pattern.finditer(self._text):
                if not _ELSEWHERE.search(self._sentence(found)):
                    yield from reader(found)

    def claims_of_title(self, described: Set[str]) -> _Claims:
        """``… with X`` in a title: only people with a description, for a title may be “Life with Cerebral Palsy”."""
        for found in _TITLE_WITH.finditer(self._text):
            yield from (
                claim for claim in self._guests(found) if claim[0].description or _key(claim[0].name) in described
            )

    def absent(self) -> Set[str]:
        """Return the keys of those for whom somebody else stands in."""
        return {_key(mention.name) for found in _INSTEAD.finditer(self._text) for mention in self._after(found)}

    def _standing_in(self, found: re.Match[str]) -> _Claims:
        if self._after(found):
            yield from ((mention, "host") for mention in self._before(found, between=r"(?:who )?"))

    def _talking(self, found: re.Match[str]) -> _Claims:
        """``X talks to Y``: the one known or described as a host or journalist asks; if neither is, X does.

        If only X is described, and not as such, X is the guest: ``X, director of …, talks to`` a newspaper or its
        people. ``X in conversation with Y`` alone does not say who asks, and ``talks about life with Y`` may not name a
        person.
        """
        subjects, objects = self._before(found), self._after(found)
        if not subjects:
            if self._first_name_asks(found) and objects and objects[0].description:
                yield from ((mention, "guest") for mention in objects if not self._asks(mention))
            return
        if not found["us"] and self._has_only_an_office(subjects[-1], objects):
            return
        sure = not found["about"] and not found[0].startswith("in conv")
        asking = any(self._asks(subject) for subject in subjects)
        if not asking and any(self._asks(mention) for mention in objects):
            yield from ((mention, "guest") for mention in subjects)
            yield from ((mention, "host") for mention in objects)
        elif not asking and (found["us"] or self._only_subject_described(subjects[-1], objects, found)):
            yield from ((mention, "guest") for mention in subjects)
        elif objects and (asking or objects[0].description or sure):
            yield from ((mention, "host") for mention in subjects)
            yield from ((mention, "guest") for mention in objects)

    def _only_subject_described(self, subject: Mention, objects: list[Mention], found: re.Match[str]) -> bool:
        somebody_named = re.match(r" [A-Z]", self._text[found.end() :][:2]) is not None
        return subject.description is not None and somebody_named and not any(one.description for one in objects)

    def _first_name_asks(self, found: re.Match[str]) -> bool:
        """Tell whether the subject is only a first name: a host’s, unless the text names somebody in full with it."""
        name = _FIRST_NAME.search(self._text, max(0, found.start() - 40), found.start())
        return name is not None and not any(name[1] in mention.name.split() for mention in self._mentions)

    def _has_only_an_office(self, subject: Mention, objects: Sequence[Mention]) -> bool:
        """Tell whether an office precedes the subject, and nothing describes the object: either of them may ask."""
        before = re.split(r"[.,;:!?\n]", self._text[max(0, subject.begin - 80) : subject.begin])[-1]
        office = description(before)
        known = subject.description or any(one.description for one in objects) or any(map(self._asks, objects))
        return office is not None and not is_press(before) and not known and not self._asks(subject)

    def _named_guest(self, found: re.Match[str]) -> _Claims:
        for mention in self._before(found):
            if found[0].startswith(" is") or found.start() - mention.begin == len(mention.name):
                yield mention, "guest"

    def _asking(self, found: re.Match[str]) -> _Claims:
        subjects, objects = self._before(found), self._after(found)
        if objects:
            yield from ((mention, "host") for mention in subjects)
        yield from ((mention, "guest") for mention in objects)

    def _asks_whom(self, found: re.Match[str]) -> _Claims:
        """``X asks Y``: only if X is known to ask, or Y is described and X is not, since anybody may ask something."""
        subjects, objects = self._before(found), self._after(found)
        plain = not any(mention.description for mention in subjects)
        if any(map(self._asks, subjects)) or (plain and any(mention.description for mention in objects)):
            yield from self._asking(found)

    def _telling(self, found: re.Match[str]) -> _Claims:
        """``X tells Y``: only if Y is known or described as a host or journalist, and X is not."""
        subjects, objects = self._before(found), self._after(found)
        if any(self._asks(mention) for mention in objects) and not any(self._asks(mention) for mention in subjects):
            yield from ((mention, "guest") for mention in subjects)
            yield from ((mention, "host") for mention in objects)

    def _asked_by(self, found: re.Match[str]) -> _Claims:
        objects = self._after(found)
        yield from ((mention, "host") for mention in objects)
        if objects and found[0].startswith("interviewed"):
            yield from ((mention, "guest") for mention in self._before(found, between=r"(?:is|was|are|were) "))

    def _host(self, found: re.Match[str]) -> _Claims:
        if not self._before(found):  # `X hosts Y` is ambiguous
            yield from ((mention, "host") for mention in self._after(found, led=False))

    def _guests(self, found: re.Match[str]) -> _Claims:
        thing_too = found[0].lower().startswith("featur")  # “featuring” also takes things, such as Black History Month
        yield from ((mention, "guest") for mention in self._after(found) if mention.description or not thing_too)

    def _described_guests(self, found: re.Match[str]) -> _Claims:
        objects = self._after(found)
        if any(mention.description for mention in objects) and _ENDS.match(self._text, objects[-1].end):
            yield from ((mention, "guest") for mention in objects if not self._asks(mention))

    def _joining(self, found: re.Match[str]) -> _Claims:
        for subject in self._before(found):
            if not self._asks(subject) and (found[0].startswith("join") or subject.description):
                yield subject, "guest"

    def _asks(self, mention: Mention) -> bool:
        return mention.is_press or _key(mention.name) in self._asking_people

    def _before(self, found: re.Match[str], *, between: str = "") -> list[Mention]:
        """The subjects of a phrase, named directly before it, with or without descriptions: ``A``, ``A, B and C``."""
        subjects: list[Mention] = []
        for mention in reversed(self._mentions):
            if mention.end > found.start():
                continue
            gap = self._text[mention.end : subjects[0].begin if subjects else found.start()]
            beside = (_BESIDE + between, _AND_TITLED, _COMMA_TITLED)[min(len(subjects), 2)]
            if not re.fullmatch(beside, gap):
                break
            subjects.insert(0, mention)
        return subjects

    def _after(self, found: re.Match[str], *, led: bool = True) -> list[Mention]:
        """The people named directly after a phrase: ``A, B and C``, or a list; if ``led``, also ``our editor A``."""
        chain: list[Mention] = []
        place = found.end()
        for mention in self._mentions:
            if mention.begin < place:
                continue
            gap = self._text[place : mention.begin]
            joined = (_AND if chain else _BEGINNING).match(gap)
            lead = gap[joined.end() :] if joined else ""
            if joined is None or (lead and not led) or not leads_to_name(lead):
                break
            said = mention.description or description(lead)
            chain.append(replace(mention, description=said, is_press=mention.is_press or is_press(lead)))
            place = mention.end
        return chain

    def _sentence(self, found: re.Match[str]) -> str:
        before = re.split(r"[.!?]\s|\n", self._text[max(0, found.start() - 300) : found.start()])[-1]
        after = re.split(r"[.!?]\s|\n", self._text[found.start() : found.end() + 300])[0]
        return before + after
