"""Parsing transcripts in running text: plain text files and show notes. Independent of markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.feeds.names import LABEL, as_speaker, is_label, names_in
from pipeline.feeds.transcripts.turns import PublishedTurn, clock_seconds, showable

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{1,3})?"
_BRACKETED = rf"[\[(]?(?P<time>{_TIME})[\])]?"
_ASIDE = r"(?:[ ]\([^()\n]{1,40}\))?"  # Alma Reed (host):
# `Alma Reed 0:03 text`, `Alma Reed [00:00:03]: text`: also within a line, since notes may be one paragraph.
_NAME_TIME = re.compile(rf"(?<![\w.’'-])(?P<name>{LABEL}){_ASIDE}[ ]{{0,3}}[-–—|,]?[ ]?{_BRACKETED}[ ]?[:–—-]?(?=\s|$)")
# `[00:00:03] Alma Reed: text`, `0:03 Alma Reed: text`
_TIME_NAME = re.compile(rf"(?m)^{_BRACKETED}[ ]?[-–—|]?[ ]?(?P<name>{LABEL}){_ASIDE}:(?=\s|$)")
# `Alma Reed: text`
_NAME_ALONE = re.compile(rf"(?m)^(?P<name>{LABEL}){_ASIDE}:(?=\s|$)")
# `Alma Reed` on a line of its own, with the text below
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

# Show notes are taken for a transcript only if they cannot be anything else.
MIN_TURNS = 4
MIN_WORDS = 150
MIN_WORDS_A_TURN = 6.0
MIN_SPEAKERS = 2

# If this share of the lines that begin like a turn has a recurring name, the other labels are names too.
NAMED_SHARE = 0.8

# A file that names its speakers does so from the beginning; a word before a colon further on is not a name.
PREAMBLE_CHARS = 300
PREAMBLE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of a turn: the name, the time if there is one, and the offsets of both in the text."""

    begin: int
    end: int
    name: str
    time: float | None


def find_transcript(notes: str) -> tuple[PublishedTurn, ...]:
    """Return the transcript in show notes (plain text), without the text before it; empty if there is none.

    At least two names must recur, over at least 150 words: lists of chapters, links, guests or questions do not
    qualify.
    """
    return showable(_find(_tidy(notes))[1])


def without_transcript(notes: str) -> str:
    """Return the part of show notes (plain text) before the transcript; all of them if there is none.

    A heading “Transcript” also begins one, whatever format follows.
    """
    text = _tidy(notes)
    heading = _HEADING.search(text)
    return text[: min(_find(text)[0], heading.start() if heading else len(text))]


def _find(text: str) -> tuple[int, tuple[PublishedTurn, ...]]:
    """The offset at which the transcript begins, and its turns."""
    for heads in _readings(text):
        if _is_conversation(turns := _turns(text, heads)):
            return heads[0].begin, turns
    return len(text), ()


def read_text(text: str) -> tuple[PublishedTurn, ...]:
    """Parse a plain text that is known to be a transcript: by speaker if it names them, else by paragraph."""
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
    """The turn heads as found by each of five styles, the most reliable first."""
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
    """Cut words that are not part of the name: in “… on Quiet Talks Alma Reed 0:03” only the end of it recurs."""
    whole = Counter(head.name for head in heads)
    settled = []
    for head in heads:
        words = head.name.split(" ")
        ends = (" ".join(words[place:]) for place in range(len(words) - 1))
        name = next((end for end in ends if whole[end] > 1), head.name)
        begins_line = head.begin == 0 or text[head.begin - 1] == "\n"  # then it is all name: “Sir Tom Hale 1:05”
        begin = head.begin if begins_line else head.begin + len(head.name) - len(name)
        settled.append(replace(head, begin=begin, name=name))
    return settled


def _between_sentences(text: str, heads: Sequence[_Head]) -> list[_Head]:
    """Drop names within a sentence unless they recur: a speaker may interrupt another, but rarely always does."""
    often = Counter(head.name for head in heads)
    return [
        head
        for head in heads
        if often[head.name] > 1 or _SENTENCE_BEFORE.search(text, max(0, head.begin - 3), head.begin)
    ]


def _recurring(heads: Sequence[_Head], *, on_lines: bool = True) -> list[_Head]:
    """Drop single-word names that occur only once, without a time, and are not short for another name.

    They are words before a colon, unless nearly all lines begin with a name: then they belong to somebody who speaks
    once, and dropping them would attribute their words to another speaker.
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
    """The text after the last head, up to the first later paragraph with links or credits."""
    first, *others = re.split(r"(\n+)", text.strip())
    for place, part in enumerate(others):
        if _CREDITS.search(part):
            return first + "".join(others[:place])
    return first + "".join(others)


def _named_in_full(turns: Sequence[PublishedTurn]) -> tuple[PublishedTurn, ...]:
    """Replace initials and first names by the full name, if the same transcript has it elsewhere.

    ``AR: Alma Reed`` explains initials and is not a turn; ``Alma Reed:`` also explains later turns headed ``Alma:``.
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
    """The short forms of a full name within a transcript: its initials, and the first name."""
    return {_initials(name), name.split(" ", maxsplit=1)[0]}


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word[0].isupper())


def _is_conversation(turns: Sequence[PublishedTurn]) -> bool:
    distinct = {(turn.speaker, turn.text) for turn in turns}  # many feeds publish the same notes twice
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
