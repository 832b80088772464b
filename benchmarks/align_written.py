"""Interviews written by us, to measure what the real ones lack: hosts who ask a list as people do, from memory.

Each is a published list and a transcript in which every asking is marked, with the kind of its wording: nearly as
published (`near`), recognisable by several words (`edited`), or free, with hardly a word in common (`free`). Their
author had not seen the aligner, and nothing was fitted on them. All people and places are fictitious.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.align_data import Asked, Interview
from pipeline.model import Question, Segment, Word
from pipeline.text import ends_sentence

FOLDER = Path(__file__).parent / "align_written"
# The timing of speech: seconds per word and per letter, and the pauses after a sentence, after a comma, between turns.
_WORD, _LETTER, _SENTENCE_PAUSE, _COMMA_PAUSE, _TURN_PAUSE = 0.12, 0.045, 0.35, 0.1, 0.5
_KINDS = {"near": "published", "edited": "rephrased", "free": "free"}
_LISTED = re.compile(r"\d+\) (.+)")
_TURN = re.compile(r"([A-Z]+(?: \d)?): (.+)")
_PIECE = re.compile(r"\[Q(?P<begins>\d+) (?:merged-)?(?P<kind>\w+)\]|\[/Q(?P<ends>\d+)\]|(?P<word>[^\s\[]+)")


def written() -> list[Interview]:
    """Read all of them, ordered by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.txt"))]


def _read(path: Path) -> Interview:
    published, transcript = path.read_text(encoding="utf-8").split("# transcript\n")
    now = 0.0
    segments: list[Segment] = []
    begun: dict[int, tuple[str, float]] = {}
    spans: dict[int, tuple[str, float, float]] = {}
    for speaker, text in _TURN.findall(transcript):
        now += _TURN_PAUSE
        words: list[Word] = []
        for piece in _PIECE.finditer(text):
            if piece["begins"]:
                begun[int(piece["begins"])] = piece["kind"], now
            elif piece["ends"]:
                kind, start = begun.pop(int(piece["ends"]))
                spans[int(piece["ends"])] = kind, start, words[-1].end if words else segments[-1].end
            else:
                words.append(Word(now, now + _WORD + _LETTER * len(piece["word"]), piece["word"], 1.0))
                ends, pauses = ends_sentence(piece["word"]), piece["word"][-1] in ",;:"
                now = words[-1].end + (_SENTENCE_PAUSE if ends else _COMMA_PAUSE if pauses else 0.0)
                if ends:
                    segments.append(_segment(words, speaker))
                    words = []
        if words:
            segments.append(_segment(words, speaker))
    return Interview(
        "written",
        path.stem,
        tuple(_asked(n, text, spans.get(n)) for n, text in enumerate(_LISTED.findall(published), 1)),
        tuple(segments),
    )


def _segment(words: list[Word], speaker: str) -> Segment:
    return Segment(words[0].start, words[-1].end, " ".join(word.text for word in words), tuple(words), speaker)


def _asked(number: int, text: str, found: tuple[str, float, float] | None) -> Asked:
    if found is None:
        return Asked(Question(number, text), "skipped", None, {})
    kind, start, end = found
    return Asked(Question(number, text), _KINDS[kind], (start, end), {})
