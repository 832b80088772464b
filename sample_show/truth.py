"""The true times of an episode: when each sentence, question and follow-up is heard. Pure; it reads no sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from script import Episode, Sentence

Span = tuple[float, float]  # start and end, seconds in the decoded MP3


@dataclass(frozen=True, slots=True)
class _Asking:
    """The host's sentences that ask one thing; ``asks`` is empty for a follow-up that is on no list."""

    asks: tuple[int, ...]
    start: float
    end: float
    answer_end: float


def true_times(episode: Episode, spans: Sequence[Span]) -> dict[str, Any]:
    """Say what is heard when; ``spans`` has one entry for each of the episode's sentences.

    A question's ``start`` and ``end`` bound its asking with the lead-in that belongs to it; ``answer_end`` is where the
    host asks the next thing, listed or not, or says goodbye.
    """
    askings = _askings(episode.sentences, spans)
    return {
        "utterances": [
            {"speaker": s.speaker, "start": start, "end": end, "text": s.text, "questions": list(s.asks)}
            for s, (start, end) in zip(episode.sentences, spans, strict=True)
        ],
        "questions": [_question(n, text, askings) for n, text in enumerate(episode.questions, start=1)],
        "follow_ups": [
            {"after": max(before.asks), "start": asking.start, "end": asking.end}
            for before, asking in pairwise(askings)
            if not asking.asks
        ],
    }


def _askings(sentences: Sequence[Sentence], spans: Sequence[Span]) -> list[_Asking]:
    bounds: list[tuple[tuple[int, ...], float, float]] = []
    heard = list(zip(sentences, spans, strict=True))
    for (asks, follow_up), group in groupby(heard, key=lambda pair: (pair[0].asks, pair[0].follow_up)):
        if asks or follow_up:
            times = [span for _, span in group]
            bounds.append((asks, times[0][0], times[-1][1]))
    last_end = bounds[-1][2]
    goodbye = next(start for s, (start, _) in heard if s.speaker == "host" and start > last_end)
    answer_ends = [*(start for _, start, _ in bounds[1:]), goodbye]
    return [_Asking(*bound, answer_end) for bound, answer_end in zip(bounds, answer_ends, strict=True)]


def _question(number: int, text: str, askings: Sequence[_Asking]) -> dict[str, Any]:
    asking = next((a for a in askings if number in a.asks), None)
    if asking is None:
        where: dict[str, Any] = dict.fromkeys(["start", "end", "answer_end", "merged_with"])
        return {"number": number, "text": text, "status": "not_asked", **where}
    others = [n for n in asking.asks if n != number]
    return {
        "number": number,
        "text": text,
        "status": "merged" if others else "asked",
        "start": asking.start,
        "end": asking.end,
        "answer_end": asking.answer_end,
        "merged_with": others[0] if others else None,
    }
