"""Cutting segments where the speaker changes inside them. Does not attribute words, and changes none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from pipeline.model import Segment, Word
from pipeline.text import confidence, sentences

Speakers = Sequence[int | None]


def by_speaker(segments: Sequence[Segment], speakers: Speakers, *, labels: Sequence[str] = ()) -> tuple[Segment, ...]:
    """Assign speakers to segments.

    Args:
        segments: Segments in order; those without words are unchanged.
        speakers: The speaker of each word of all segments, numbered from 0; None if unknown.
        labels: The names of the speakers, by number; else ``Speaker 1``, ``Speaker 2``, and so on.

    Returns:
        The same words in the same order. A segment is cut where the speaker changes; every part keeps its flags. Words
        of an unknown speaker are assigned to their neighbours' in the same sentence, if less than half of the words so
        assigned to that speaker are unknown; else the speaker is None.

    Raises:
        ValueError: The numbers of speakers and words differ.
    """
    if len(speakers) != sum(len(segment.words) for segment in segments):
        raise ValueError("there has to be one speaker, or None, for each word")
    found: list[Segment] = []
    at = 0
    for segment in segments:
        settled = _settled(segment.words, speakers[at : at + len(segment.words)])
        at += len(segment.words)
        found += _cut(segment, [None if one is None else _label(one, labels) for one in settled])
    return tuple(found)


def _label(speaker: int, labels: Sequence[str]) -> str:
    return labels[speaker] if speaker < len(labels) else f"Speaker {speaker + 1}"


def _settled(words: Sequence[Word], speakers: Speakers) -> list[int | None]:
    """The speaker of each word, with unknown words assigned to their neighbours' if allowed."""
    settled: list[int | None] = []
    for sentence in sentences(words):
        own = list(speakers[len(settled) : len(settled) + len(sentence)])
        joined = _joined(sentence, own)
        for speaker, group in groupby(zip(joined, own, strict=True), key=lambda pair: pair[0]):
            known = [before is not None for _, before in group]
            settled += [speaker if 2 * sum(known) > len(known) else None] * len(known)
    return settled


def _joined(words: Sequence[Word], speakers: Speakers) -> Speakers:
    """Assign unknown words to the known speaker before or after them; if these differ, divided at the longest pause."""
    known = [place for place, speaker in enumerate(speakers) if speaker is not None]
    if not known:
        return speakers
    joined = [speakers[known[0]]] * known[0]
    for before, after in pairwise([*known, len(words)]):
        cut = after
        if after < len(words) and speakers[before] != speakers[after]:
            pauses = [words[place].start - words[place - 1].end for place in range(before + 1, after + 1)]
            cut = before + 1 + pauses.index(max(pauses))
        joined += [speakers[before]] * (cut - before)
        joined += [speakers[after]] * (after - cut) if after < len(words) else []
    return joined


def _cut(segment: Segment, labels: Sequence[str | None]) -> Iterator[Segment]:
    """The parts of a segment with a single speaker."""
    bounds = [0, *(place for place in range(1, len(labels)) if labels[place] != labels[place - 1]), len(labels)]
    if len(bounds) <= 2:
        yield replace(segment, speaker=labels[0] if labels else segment.speaker)
        return
    texts = _texts(segment, bounds)
    for (begin, end), text in zip(pairwise(bounds), texts, strict=True):
        words = segment.words[begin:end]
        yield replace(
            segment,
            start=words[0].start if begin else segment.start,
            end=words[-1].end if end < len(labels) else segment.end,
            text=text,
            words=words,
            speaker=labels[begin],
            confidence=confidence(words),
        )


def _texts(segment: Segment, bounds: Sequence[int]) -> list[str]:
    """The text of each part, cut out of the segment's text, since not every language has spaces between words."""
    places = []
    at = 0
    for word in segment.words:
        found = segment.text.find(word.text, at)
        if found < 0:  # the text does not consist of these words
            return [" ".join(word.text for word in segment.words[begin:end]) for begin, end in pairwise(bounds)]
        places.append(found)
        at = found + len(word.text)
    cuts = [0, *(places[place] for place in bounds[1:-1]), len(segment.text)]
    return [segment.text[begin:end].strip() for begin, end in pairwise(cuts)]
