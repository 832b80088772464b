"""Reading transcripts in running text: plain files and show notes. Knows no markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.feeds.names import LABEL, as_speaker, is_label, names_in
from pipeline.feeds.transcripts.turns import PublishedTurn, clock_seconds

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{1,3})?"
_BRACKETED = rf"[\[(]?(?P<time>{_TIME})[\])]?"
_ASIDE = r"(?:[ ]\([^()\n]{1,40}\))?"  # Alma Reed (host):
# `Alma Reed 0:03 text`, `Alma Reed [00:00:03]: text`: also where no line begins, as notes may be one paragraph.
_NAME_TIME = re.compile(rf"(?<![\w.’'-])(?P<name>{LABEL}){_ASIDE}[ ]{{0,3}}[-–—|,]?[ ]?{_BRACKETED}[ ]?[:–—-]?(?=\s|$)")
# `[00:00:03] Alma Reed: text`, `0:03 Alma Reed: text`
_TIME_NAME = re.compile(rf"(?m)^{_BRACKETED}[ ]?[-–—|]?[ ]?(?P<name>{LABEL}){_ASIDE}:(?=\s|$)")
# `Alma Reed: text`
_NAME_ALONE = re.compile(rf"(?m)^(?P<name>{LABEL}){_ASIDE}:(?=\s|$)")
# `Alma Reed` on a line of its own, the text below it
_NAME_LINE = re.compile(rf"(?m)^(?P<name>{LABEL}){_ASIDE}$(?=\n+\S)")
# `… the end. Alma Reed: text`, in one paragraph
_NAME_INLINE = re.compile(rf"(?<![\w.’'-])(?P<name>{LABEL}){_ASIDE}:(?=\s)")
_SENTENCE_BEFORE = re.compile(r"(?:\A|[.?!…”\"’')\]\n]\s*)\Z")

_HEADING = re.compile(r"(?im)^(?:(?:full|episode|podcast) )*transcript(?:ion)?:?$")
_INITIALS = re.compile(r"[A-Z]{2,4}")
_CREDITS = re.compile(
    r"https?://|www\.|^(?:transcribed|transcript|produced|edited|hosted|recorded|music)(?: is)? (?:by|on)\b",
    re.IGNORECASE,
)

# Show notes are a transcript only where nothing else can be meant.
MIN_TURNS = 4
MIN_WORDS = 150
MIN_WORDS_A_TURN = 6.0
MIN_SPEAKERS = 2

# Where so many of the lines that begin as a turn does have a name that recurs, the others have names too.
NAMED_SHARE = 0.8

# A file that names its speakers does so from the beginning; a word before a colon later on is no name.
PREAMBLE_CHARS = 300
PREAMBLE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Head:
    """The name, and the time where there is one, before a turn; and where in the text it stands."""

    begin: int
    end: int
    name: str
    time: float | None


def find_transcript(notes: str) -> tuple[PublishedTurn, ...]:
    """Return the transcript in show notes (plain text), without what stands before it; empty when there is none.

    Two names have to recur before a few hundred words: lists of chapters, links, guests or questions are none.
    """
    return _find(_tidy(notes))[1]


def without_transcript(notes: str) -> str:
    """Return what stands in show notes (plain text) before the transcript, or all of them where there is none.

    A heading “Transcript” begins one too, whatever form it has.
    """
    text = _tidy(notes)
    heading = _HEADING.search(text)
    return text[: min(_find(text)[0], heading.start() if heading else len(text))]


def _find(text: str) -> tuple[int, tuple[PublishedTurn, ...]]:
    """Where the transcript begins, and its turns."""
    for heads in _readings(text):
        if _is_conversation(turns := _turns(text, heads)):
            return heads[0].begin, turns
    return len(text), ()


def read_text(text: str) -> tuple[PublishedTurn, ...]:
    """Return a plain text that is known to be a transcript: by speaker where it names them, else by paragraph."""
    text = _tidy(text)
    beginning = max(PREAMBLE_CHARS, PREAMBLE_SHARE * len(text))
    for heads in _readings(text):
        if len(heads) > 1 and heads[0].begin <= beginning and (turns := _turns(text, heads)):
            return turns
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\n+", text))
    return tuple(PublishedTurn(None, None, None, paragraph) for paragraph in paragraphs if paragraph)


def _tidy(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())


def _readings(text: str) -> Iterator[list[_Head]]:
    """The heads of the turns as each of five styles has them; the surest first."""
    yield _recurring(_settled(text, _heads(_NAME_TIME, text)))
    for pattern in (_TIME_NAME, _NAME_ALONE, _NAME_LINE):
        yield _recurring(_heads(pattern, text))
    yield _recurring(_between_sentences(text, _settled(text, _heads(_NAME_INLINE, text))), on_lines=False)


def _heads(pattern: re.Pattern[str], text: str) -> list[_Head]:
    timed = "time" in pattern.groupindex
    return [
        _Head(found.start(), found.end(), found["name"], clock_seconds(found["time"]) if timed else None)
        for found in pattern.finditer(text)
        if is_label(found["name"])
    ]


def _settled(text: str, heads: Sequence[_Head]) -> list[_Head]:
    """Cut what is no part of the name: in “… on Quiet Talks Alma Reed 0:03” only the end of it recurs."""
    whole = Counter(head.name for head in heads)
    settled = []
    for head in heads:
        words = head.name.split(" ")
        ends = (" ".join(words[place:]) for place in range(len(words) - 1))
        name = next((end for end in ends if whole[end] > 1), head.name)
        begins_line = head.begin == 0 or text[head.begin - 1] == "\n"  # then all of it is the head: “Sir Tom Hale 1:05”
        begin = head.begin if begins_line else head.begin + len(head.name) - len(name)
        settled.append(replace(head, begin=begin, name=name))
    return settled


def _between_sentences(text: str, heads: Sequence[_Head]) -> list[_Head]:
    """Leave out names within a sentence, unless they recur: somebody may be interrupted, but few are always."""
    often = Counter(head.name for head in heads)
    return [
        head
        for head in heads
        if often[head.name] > 1 or _SENTENCE_BEFORE.search(text, max(0, head.begin - 3), head.begin)
    ]


def _recurring(heads: Sequence[_Head], *, on_lines: bool = True) -> list[_Head]:
    """Leave out names of one word that stand only once, without a time, and are short for no other name.

    They are words before a colon, unless nearly all lines begin with a name: then they are somebody who speaks once,
    and leaving them out would put their words into another's mouth.
    """
    often = Counter(head.name for head in heads)
    short = {word for name in often if " " in name for word in _short_for(name)}
    kept = [
        head
        for head in heads
        if often[head.name] > 1 or " " in head.name or head.time is not None or head.name in short
    ]
    return list(heads) if on_lines and len(kept) >= NAMED_SHARE * len(heads) else kept


def _turns(text: str, heads: Sequence[_Head]) -> tuple[PublishedTurn, ...]:
    turns = []
    for place, head in enumerate(heads):
        last = place == len(heads) - 1
        said = _without_credits(text[head.end :]) if last else text[head.end : heads[place + 1].begin]
        if line := " ".join(said.split()):
            turns.append(PublishedTurn(head.time, None, as_speaker(head.name), line))
    return _named_in_full(turns)


def _without_credits(text: str) -> str:
    """What follows the last head, up to the first paragraph after it that gives links and thanks."""
    first, *others = re.split(r"(\n+)", text.strip())
    for place, part in enumerate(others):
        if _CREDITS.search(part):
            return first + "".join(others[:place])
    return first + "".join(others)


def _named_in_full(turns: Sequence[PublishedTurn]) -> tuple[PublishedTurn, ...]:
    """Put a full name where the same transcript has it elsewhere and only part of it here: initials, or a first name.

    ``AR: Alma Reed`` is such a place, and no turn; so is ``Alma Reed:`` before turns that are headed ``Alma:``.
    """
    legend = {(turn.speaker, turn.text) for turn in turns if _is_initials(turn.speaker) and _is_name(turn.text)}
    legend = {(label, name) for label, name in legend if _initials(name)[:1] == (label or "")[:1]}
    full = {name for _, name in legend} | {turn.speaker for turn in turns if turn.speaker and " " in turn.speaker}
    explained: dict[str | None, str] = {label: name for label, name in legend if label}
    for label in {turn.speaker for turn in turns} - full - explained.keys():
        fitting = [name for name in full if label in _short_for(name)]
        if len(fitting) == 1:
            explained[label] = fitting[0]
    return tuple(
        replace(turn, speaker=explained.get(turn.speaker, turn.speaker))
        for turn in turns
        if (turn.speaker, turn.text) not in legend
    )


def _is_initials(label: str | None) -> bool:
    return _INITIALS.fullmatch(label or "") is not None


def _is_name(text: str) -> bool:
    return any(name.text == text for name in names_in(text[:100]))


def _short_for(name: str) -> set[str]:
    """What may stand for a full name in the same transcript: its initials, or the first name."""
    return {_initials(name), name.split(" ", maxsplit=1)[0]}


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word[0].isupper())


def _is_conversation(turns: Sequence[PublishedTurn]) -> bool:
    distinct = {(turn.speaker, turn.text) for turn in turns}  # many feeds publish the whole notes twice
    often = Counter(speaker for speaker, _ in distinct)
    words = sum(_words(text) for _, text in distinct)
    return (
        len(distinct) >= MIN_TURNS
        and sum(number > 1 for number in often.values()) >= MIN_SPEAKERS
        and words >= max(MIN_WORDS, MIN_WORDS_A_TURN * len(distinct))
        and _goes_forward([turn.start for turn in turns if turn.start is not None])
    )


def _words(text: str) -> int:
    return len(text.split())


def _goes_forward(times: Sequence[float]) -> bool:
    backward = sum(later < earlier for earlier, later in pairwise(times))
    return backward * 10 <= len(times)
