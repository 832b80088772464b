"""Finding the published question list in show notes or on a page. Pure text; independent of the audio.

Prefers no list to a wrong one: links, topics, chapters, guests, sponsors and questions to the listener are rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from pipeline.feeds.lists import MAX_MARKS, Item, Kind, Listing, asks, before_in, lines_in, lists_in
from pipeline.feeds.transcripts import without_transcript
from pipeline.model import Question

_ANNOUNCED = re.compile(r"\b(?:questions?|ask(?:s|ed|ing)?|q\s?&\s?a)\b|\w answers:$", re.IGNORECASE)
_CALLED_ASK = re.compile(r"\b(?<!We )(?<!I )Ask(?: [A-Z][\w’']*)+")  # a show, such as “Ask Ines Marlow”
_INTERVIEW = re.compile(r"(?:#+ *)?(?:the )?interview(?: with .{2,80})?:?", re.IGNORECASE)  # a heading
_BELOW = re.compile(
    r"\bquestions (?:covered|asked|answered|discussed) in (?:this|today['’]s) (?:episode|interview|podcast|show)\b",
    re.IGNORECASE,
)
# Announcements so explicit that items without a question mark are questions too: “Tell us about …”.
_PLAINLY = re.compile(
    r"\bquestions\b[^.?!]*:$|\b(?:we|i|she|he|they) (?:\w+ )?ask(?:s|ed)?\b[^.?!]*:$|\bquestions (?:we|i) asked\b",
    re.IGNORECASE,
)
# Questions that are not asked in this recording, or not in any.
_TO_OTHERS = re.compile(
    r"""\b(?:(?:discussion|reflecti(?:on|ve)|study|essay|journal(?:l?ing)?|quiz|trivia|security|survey|practise|sample|
    research)[ ](?:[\w-]+[ ])?questions|common[ ]interview[ ]questions|questions[ ]about[ ](?:the|this)[ ]episode|
    as[ ]a[ ]group|(?<!\w[ ])answer[ ](?:these|the[ ]following)[ ]questions|
    questions[ ](?:to|for)[ ](?:(?:help[ ])?you\b|consider|ponder|think|reflect|discuss|ask[ ]yourself|listeners|
    (?:further[ ])?(?:discussion|reflection|study))|
    ask(?:ed)?[ ](?:your(?:self|selves)|ourselves)|ask[ ]your[ ]\w+|
    (?:any|have|got|(?<!answer[ ])(?<!answers[ ])your)[ ](?:you[ ])?
    (?:an?[ ]|any[ ]|other[ ])?questions?|frequently[ ]asked|faqs?|ask(?:ed)?[ ](?:us|me)|without[ ]asking|
    contact[ ]us|e-?mail|get[ ]in[ ]touch|submit|coming[ ]up|(?:next|coming)[ ](?:week|time|month)(?!['’]s)|
    (?:next|coming|last|previous|other|another|earlier)[ ](?:episode|interview|show)s?(?!['’]))\b""",
    re.VERBOSE | re.IGNORECASE,
)
_NO_QUESTIONS = re.compile(
    r"""\b(?:topics?|themes?|chapters?|time[ -]?(?:stamps?|codes?|line)|contents|agenda|outline|segments?|takeaways?|
    highlights?|key[ ]points?|links?|resources?|references?|sources?|reading|read[ ]more|mentioned|related|books?|
    articles?|sponsors?|sponsored|supported|brought[ ]to[ ]you|thanks|credits?|guests?|speakers?|panel(?:lists?)?|
    about[ ]the|subscribe|follow|find[ ]us|responses?|comments?|repl(?:y|ies)|reviews?|
    (?:you(?:['’]ll|[ ]will)?[ ])?(?:learn|discover|find[ ]out|hear)|discuss(?:e[sd]|ing|ion)?|cover(?:s|ed|ing)?|
    explor(?:es?|ed|ing)|talk(?:s|ed|ing)?[ ]about|in[ ]this[ ]episode|this[ ]week|steps?|rules?|tips?)\b|
    (?:^|:[ ])read\b""",
    re.VERBOSE | re.IGNORECASE,
)
# Between two lists this means that the second one has other questions, addressed to the reader.
_TO_READER = re.compile(
    r"""\b(?:you(?:r|rs|rself|rselves)?|listeners?|readers?|reflect\w*|consider|ponder|think|homework|quiz|trivia|
    riddles?|polls?|vote|feedback|answers?)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_BREAK = re.compile(r"(?<=[a-z]{3}[.!])\s+|(?<=[?])\s+|(?<=[.!?][”\"’)])\s+")
_HEADING_WORDS = 8
_GREETING = re.compile(r"(?:introductions?|intro|welcome|conclusion|closing|outro)[.:!]?", re.IGNORECASE)
_LABEL = re.compile(r"^Q(?:uestion)?\s?:\s*", re.IGNORECASE)
_WHO_ASKS = re.compile(r"(?<=\?)\s+[-–—]\s+[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)?$")

# For questions within a sentence, “We ask: what has changed; who pays; and what comes next?”: the lead, a piece, and
# how a question begins.
_COLON = re.compile(r":[ ]+(?=\S)")
_PIECE = re.compile(r"[ ]*(?P<text>(?:[^;?？؟.!\n]|[.](?=\S)){3,400}(?P<end>[?？؟][”\"’')]*;?|[;.!]|(?=\n|\Z)))")
_AND = re.compile(r"^(?:and|or)\s+")
_BEGINS_QUESTION = re.compile(
    r"""(?:and[ ]|or[ ]|then[ ]|finally,?[ ])*(?:in[ ]what|to[ ]what|what|wh(?:y|en|ere|ether|ich|om?|ose)|how|if|
    is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must)\b""",
    re.VERBOSE | re.IGNORECASE,
)

MAX_QUESTION_CHARS = 1200
_SECTION_CHARS = 5000
MAX_PIECES = 100  # per sentence


def find_questions(notes: str) -> tuple[Question, ...]:
    """Return the question list in ``notes`` (plain text), in published order; empty if there is none.

    A list qualifies if the text before it announces questions and at least half of its items have a question mark; a
    numbered or lettered list with at least two questions also without an announcement, unless the text before it
    announces something else.

    Announced lists take precedence, and among them the most reliable kind, whose lists are joined in order; otherwise
    the longest list is taken. Repetitions of a list are dropped, and parts with only a few words between them are
    joined. Times before or after the questions are those that the publisher states; who asks them is removed. A
    transcript in the notes is not searched.
    """
    notes = without_transcript(notes)
    marked, unmarked = list(lists_in(notes)), list(lines_in(notes))
    lists = [found for found in _whole(marked, notes) if _is_question_list(found, notes)]
    lists += [found for found in unmarked if _is_headed(_lead(found.before))]
    lists += _spoken_lists(notes)
    if not lists:
        return ()
    announced = [found for found in lists if _is_announced(_lead(found.before)) or _is_of_interview(found)]
    if announced:
        kind = max(found.kind for found in announced)
        items = _joined(found.items for found in sorted(announced, key=lambda one: one.begin) if found.kind is kind)
    else:
        items = list(max(lists, key=lambda found: (len(found.items), found.kind)).items)
    # The times may be beside the same questions in another list, such as one of chapters.
    times = {item.text: item.time for found in (*marked, *unmarked) for item in found.items if item.time is not None}
    items = _bare([item if item.time is not None else item._replace(time=times.get(item.text)) for item in items])
    return tuple(
        Question(number, item.text[:MAX_QUESTION_CHARS].rstrip(), item.time)
        for number, item in enumerate(items, start=1)
    )


def _bare(items: list[Item]) -> list[Item]:
    """The questions without greetings at both ends; and without labels and who asks, if half of them have these."""
    for place in (0, -1):
        if len(items) > 1 and _GREETING.fullmatch(items[place].text):
            items = [item for item in items if item is not items[place]]
    for pattern in (_LABEL, _WHO_ASKS):
        if sum(pattern.search(item.text) is not None for item in items) * 2 >= len(items):
            items = [item._replace(text=pattern.sub("", item.text) or item.text) for item in items]
    return items


def _whole(lists: Iterable[Listing], notes: str) -> Iterator[Listing]:
    """The lists, with those joined that continue after a heading or a few words (“Part two”, “And then”)."""
    parts: dict[Kind, Listing] = {}
    for found in sorted(lists, key=lambda one: one.begin):
        earlier = parts.pop(found.kind, None)
        if earlier and _goes_on(earlier, found, notes):
            items = tuple(_joined([earlier.items, found.items]))
            parts[found.kind] = replace(earlier, end=found.end, items=items)
            continue
        if earlier:
            yield earlier
        parts[found.kind] = found
    yield from parts.values()


def _goes_on(earlier: Listing, later: Listing, notes: str) -> bool:
    """Tell whether two lists are parts of one: all items are questions, and nothing between them starts a new topic."""
    between = notes[earlier.end : later.begin].strip()
    return (
        later.begin >= earlier.end
        and later.is_timed == earlier.is_timed
        and all(asks(item.text) for item in (*earlier.items, *later.items))
        and "\n" not in between
        and len(between.split()) <= _HEADING_WORDS
        and not between.endswith((".", "!", "?"))
        and not any(pattern.search(between) for pattern in (_ANNOUNCED, _TO_OTHERS, _NO_QUESTIONS, _TO_READER))
    )


def _is_question_list(found: Listing, notes: str) -> bool:
    lead = _lead(found.before)
    mostly = found.asking * 2 >= len(found.items)
    if _TO_OTHERS.search(lead):
        return False
    if _is_announced(lead):
        return mostly or (found.kind >= Kind.LETTER and _PLAINLY.search(lead) is not None)
    if _is_of_interview(found) or _is_announced_above(found, notes):
        return True
    if _TO_OTHERS.search(_heading_of_questions(notes[max(0, found.begin - _SECTION_CHARS) : found.begin])):
        return False
    if found.kind >= Kind.ASKED:
        return mostly
    of_something_else = found.is_timed or (not lead.endswith((".", "!", "?")) and _NO_QUESTIONS.search(lead))
    return found.kind >= Kind.LETTER and mostly and found.asking > 1 and not of_something_else


def _is_of_interview(found: Listing) -> bool:
    """Tell whether this is the outline of an interview, below that heading: questions, with hardly anything else."""
    mostly = found.asking > 2 and found.asking * 4 >= len(found.items) * 3
    return mostly and _INTERVIEW.fullmatch(_lead(found.before)) is not None


def _is_announced_above(found: Listing, notes: str) -> bool:
    """Tell whether “below are the questions covered in this episode” stands above these bullets, which all ask."""
    return (
        found.kind is Kind.BULLET
        and len(found.items) > 2
        and found.asking == len(found.items)
        and not _NO_QUESTIONS.search(_lead(found.before))
        and _BELOW.search(before_in(notes, found.begin)) is not None
    )


def _heading_of_questions(before: str) -> str:
    """The last heading before a list that speaks of questions; empty if there is none."""
    lines = (line.strip() for line in reversed(before.split("\n")))
    return next((line for line in lines if _is_heading(line) and _ANNOUNCED.search(line)), "")


def _is_heading(line: str) -> bool:
    return len(line.split()) <= _HEADING_WORDS and not line.endswith((".", "!", "?"))


def _lead(before: str) -> str:
    """The sentence that introduces a list: the last one before it."""
    line = before.rsplit("\n", 1)[-1].strip()
    return _SENTENCE_BREAK.split(line)[-1]


def _is_announced(lead: str) -> bool:
    return _ANNOUNCED.search(_CALLED_ASK.sub("", lead)) is not None and not _TO_OTHERS.search(lead)


def _is_headed(lead: str) -> bool:
    """Tell whether this announces questions as a heading, or with a colon at the end."""
    return _is_announced(lead) and (lead.endswith(":") or _is_heading(lead))


def _joined(lists: Iterable[Sequence[Item]]) -> list[Item]:
    """Concatenate lists. Those with the same first item are one list published twice, of which the longest is used."""
    different: dict[str, Sequence[Item]] = {}
    for found in lists:
        first = found[0].text.casefold()
        different[first] = max(different.get(first, ()), found, key=len)
    return [item for found in different.values() for item in found]


def _spoken_lists(notes: str) -> Iterator[Listing]:
    """Lists within a sentence: at least two questions separated by semicolons, or three with question marks."""
    for found in islice(_COLON.finditer(notes), MAX_MARKS):
        before = before_in(notes, found.end())
        if not _is_announced(_lead(before)):
            continue
        pieces = list(takewhile(_is_piece, islice(_pieces(notes, found.end()), MAX_PIECES)))
        semicolons = any(piece["end"].endswith(";") for piece in pieces)
        if len(pieces) >= (2 if semicolons else 3):
            items = tuple(Item(_AND.sub("", " ".join(piece["text"].rstrip(";").split()))) for piece in pieces)
            yield Listing(Kind.LINE, found.end(), pieces[-1].end(), before, items)


def _pieces(notes: str, place: int) -> Iterator[re.Match[str]]:
    """The pieces of a sentence, and of those after it while they end with a question mark or semicolon."""
    while piece := _PIECE.match(notes, place):
        yield piece
        place = piece.end()
        if piece["end"] in {".", "!", ""}:
            return


def _is_piece(piece: re.Match[str]) -> bool:
    return piece["end"][:1] in {"?", "？", "؟"} or _BEGINS_QUESTION.match(piece["text"].strip()) is not None
