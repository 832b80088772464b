"""Parsing captions, WebVTT and SubRip (SRT) alike: the formats differ less than the files that claim to be in them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from pipeline.feeds.names import LABEL, as_speaker, is_label
from pipeline.feeds.transcripts.turns import PublishedTurn, clock_seconds, passages
from pipeline.text import PAUSE_SECONDS

_TIME = r"(?:\d{1,3}:)?\d{1,3}:\d{1,2}(?:[.,]\d{1,9})?"
_TIMING = re.compile(rf"(?m)^[ \t]*({_TIME})[ \t]*-->[ \t]*({_TIME})(?:[ \t][^\n]*)?$", re.ASCII)
_NO_CUE = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:[ \t\n]|$)")
_VOICE = re.compile(r"<v(?:\.[^\s<>]{1,100})?[ \t\n]+([^<>]{1,200})>|(</v>)")
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]{0,200}>|<>|\{\\[^{}\n]{0,50}\}")  # the latter are positions, such as {\an8}
_CHANGE = re.compile(r"^(?:>>+|[-–—](?=[ ]?\w))[ ]?")  # marks a change of speaker
_PREFIX = re.compile(rf"^({LABEL})(?: \([^()\n]{{1,40}}\))?:[ ]+(?=\S)")
_SOUND = re.compile(r"[\[(♪][^\])]*[\])♪]\.?")  # [music]

# Rolling captions show each line two or three times. A file is rolling if this share of its cues begins with the end of
# the previous one, with at least two words.
_ROLLING_SHARE = 0.4
_ROLLING_WORDS = 2
_MAX_OVERLAP_WORDS = 60
_EACH_NAMED_SHARE = 0.8
_NAMED_AGAIN_SHARE = 0.1
_FIRST_NAME_WITHIN = 5  # captions: the file may begin with a jingle


@dataclass(frozen=True, slots=True)
class _Cue:
    start: float
    end: float
    text: str


def looks_like_captions(text: str) -> bool:
    """Tell whether a text contains a caption timing line, or has the WebVTT header."""
    return text.startswith("WEBVTT") or _TIMING.search(text) is not None


def read_captions(text: str) -> tuple[PublishedTurn, ...]:
    """Parse captions into passages; ``text`` has normalised line ends. Empty if there are none.

    Speakers are named by ``<v Name>`` or an initial ``Name:``, and continue until another one is named, or a dash or
    ``>>`` marks a change. If the file repeats the names of continuing speakers, a caption without a name has none.
    """
    cues = sorted(_cues(text), key=lambda cue: cue.start)
    pieces = [piece for cue in _unrolled(cues) for piece in _voices(cue)]
    changes = [_CHANGE.match(piece.text) is not None for piece in pieces]
    named = list(_prefixes_read(pieces))
    return passages(_carried(named, changes, each=_names_each(named, voices=any(piece.speaker for piece in pieces))))


def _cues(text: str) -> Iterator[_Cue]:
    times = list(_TIMING.finditer(text))
    for time, following in zip_longest(times, times[1:]):
        end = following.start() if following else len(text)
        start, stop = clock_seconds(time[1]), clock_seconds(time[2])
        if start is not None:
            yield _Cue(start, max(start, stop or start), _payload(text[time.end() : end], last=following is None))


def _payload(between: str, *, last: bool) -> str:
    """The text of a cue: everything up to the next timing line, without that cue's identifier, comments and styles."""
    blocks = re.split(r"\n[ \t]*\n", between.removeprefix("\n").rstrip())
    if not last:
        *lines, identifier = blocks[-1].split("\n")
        if len(blocks) > 1 and not lines:  # a single line before the next timing line is that cue's identifier
            blocks.pop()
        elif lines and identifier.strip().isdecimal():
            blocks[-1] = "\n".join(lines)
    return "\n".join(block for block in blocks if not _NO_CUE.match(block))


def _unrolled(cues: Sequence[_Cue]) -> Iterator[_Cue]:
    """Remove the repetitions of rolling captions; other captions may repeat words that were said twice."""
    words = [_TAG.sub("", cue.text).split() if "<v" not in cue.text else cue.text.split() for cue in cues]
    # Rolling is continuous: a "Yes." repeated a minute later was said again.
    overlaps = (
        _overlap(before, after) if cue.start - last.end < PAUSE_SECONDS else 0
        for (last, before), (cue, after) in pairwise(zip(cues, words, strict=True))
    )
    repeated = [0, *overlaps][: len(cues)]
    rolling = sum(number >= _ROLLING_WORDS for number in repeated) > _ROLLING_SHARE * len(cues)
    for cue, spoken, number in zip(cues, words, repeated, strict=True):
        yield replace(cue, text=" ".join(spoken[number:])) if rolling else cue


def _overlap(before: Sequence[str], after: Sequence[str]) -> int:
    """The number of words at the end of ``before`` that ``after`` begins with."""
    longest = min(len(before), len(after), _MAX_OVERLAP_WORDS)
    numbers = (number for number in range(longest, 0, -1) if before[-number] == after[0])
    return next((number for number in numbers if before[-number:] == after[:number]), 0)


def _voices(cue: _Cue) -> Iterator[PublishedTurn]:
    """The cue's text by voice; all pieces of a cue have its time."""
    speaker, place = None, 0
    for voice in _VOICE.finditer(cue.text):
        yield _piece(cue, speaker, cue.text[place : voice.start()])
        speaker, place = as_speaker(html.unescape(voice[1])) if voice[1] else None, voice.end()
    yield _piece(cue, speaker, cue.text[place:])


def _piece(cue: _Cue, speaker: str | None, text: str) -> PublishedTurn:
    plain = html.unescape(_TAG.sub("", text)).replace("\u200e", "").replace("\u200f", "")
    return PublishedTurn(cue.start, cue.end, speaker, " ".join(plain.split()))


def _prefixes_read(pieces: Sequence[PublishedTurn]) -> Iterator[PublishedTurn]:
    """Treat ``Name: text`` as naming the speaker, in files that begin so and have no voice tags.

    In other files a word before a colon is just a word.
    """
    bare = [replace(piece, text=_CHANGE.sub("", piece.text)) for piece in pieces]
    found = [_prefix(piece.text) for piece in bare]
    named = sum(match is not None for match in found) > 1 and not any(piece.speaker for piece in pieces)
    if not named or not any(found[:_FIRST_NAME_WITHIN]):
        yield from bare
        return
    for piece, match in zip(bare, found, strict=True):
        yield replace(piece, speaker=as_speaker(match[1]), text=piece.text[match.end() :]) if match else piece


def _prefix(text: str) -> re.Match[str] | None:
    found = _PREFIX.match(text)
    return found if found and is_label(found[1]) else None


def _names_each(pieces: Sequence[PublishedTurn], *, voices: bool) -> bool:
    """Tell whether captions name the speaker every time, rather than only at changes.

    In the WebVTT specification a voice always ends with its cue, but many files name one only at changes.
    """
    named = [piece.speaker for piece in pieces if piece.speaker]
    again = sum(one == other for one, other in pairwise(named))
    return len(named) > _EACH_NAMED_SHARE * len(pieces) or (voices and again > _NAMED_AGAIN_SHARE * len(named))


def _carried(pieces: Sequence[PublishedTurn], changes: Sequence[bool], *, each: bool) -> Iterator[PublishedTurn]:
    """Carry speakers forward until another one is named or a change is marked, unless each caption names its own."""
    speaker = None
    for piece, is_change in zip(pieces, changes, strict=True):
        speaker = piece.speaker or (None if is_change else speaker)
        yield piece if each or _SOUND.fullmatch(piece.text) else replace(piece, speaker=speaker)
