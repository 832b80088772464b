"""Segments cut where the speaker changes inside them. It decides nobody's words, and changes none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from statistics import fmean

from pipeline.model import Segment, Word
from pipeline.text import sentences

Speakers = Sequence[int | None]


def by_speaker(segments: Sequence[Segment], speakers: Speakers, *, labels: Sequence[str] = ()) -> tuple[Segment, ...]:
    """Give segments their speakers.

    Args:
        segments: Segments in order; those without words stay as they are.
        speakers: The speaker of each word of all segments, counted from 0; None: not known.
        labels: What to call the speakers, by number. Without: ``Speaker 1``, ``Speaker 2``, and so on.

    Returns:
        The same words in the same order. A segment is cut where the speaker changes; what it has in flags stays on
        every part. Words of nobody known go along with their neighbours inside the same sentence, so long as they
        are not the most of it; else the segment's speaker is None.

    Raises:
        ValueError: There are more or fewer speakers than words.
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
    """The speaker of each word, after unknown words went along with their neighbours where they may."""
    settled: list[int | None] = []
    for sentence in sentences(words):
        own = list(speakers[len(settled) : len(settled) + len(sentence)])
        joined = _joined(sentence, own)
        for speaker, group in groupby(zip(joined, own, strict=True), key=lambda pair: pair[0]):
            known = [before is not None for _, before in group]
            settled += [speaker if 2 * sum(known) > len(known) else None] * len(known)
    return settled


def _joined(words: Sequence[Word], speakers: Speakers) -> Speakers:
    """Each unknown word given to the known one before or after it: where they differ, across the shorter pause."""
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
    """The parts of a segment in which the speaker stays the same."""
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
            confidence=round(fmean(word.probability for word in words), 4),
        )


def _texts(segment: Segment, bounds: Sequence[int]) -> list[str]:
    """The segment's text in parts: cut as it is written, since not every language puts spaces between words."""
    places = []
    at = 0
    for word in segment.words:
        found = segment.text.find(word.text, at)
        if found < 0:  # the text is not made of these words
            return [" ".join(word.text for word in segment.words[begin:end]) for begin, end in pairwise(bounds)]
        places.append(found)
        at = found + len(word.text)
    cuts = [0, *(places[place] for place in bounds[1:-1]), len(segment.text)]
    return [segment.text[begin:end].strip() for begin, end in pairwise(cuts)]
