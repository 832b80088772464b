"""Who says each word of a new transcript: voices, the published questions, the notes and the publisher put together."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple, TypeVar

import numpy as np

from pipeline.align import align
from pipeline.feeds.transcripts import PublishedTurn
from pipeline.model import Person, Question, Segment, Speaker, Word
from pipeline.speech.hearing import Hearing
from pipeline.speech.speakers.attribute import attribute
from pipeline.speech.speakers.listening import VoiceListener
from pipeline.speech.speakers.naming import VoicePrint, name_speakers
from pipeline.speech.speakers.turns import by_speaker
from pipeline.speech.speakers.voices import Voices
from pipeline.speech.wording import carry_speakers
from pipeline.text import ends_sentence

_log = logging.getLogger(__name__)

Who = TypeVar("Who", int, str)

# A publisher's name is that of a voice when it is on this share of the words that both have.
_AGREED = 0.8
_FEWEST_QUESTIONS = 2  # found of a published list, to say from them who asks
_FEWEST_QUESTION_MARKS = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an episode's speakers before anything is heard."""

    count: int | None = None
    hosts: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    questions: tuple[Question, ...] = ()
    voices: tuple[tuple[str, tuple[float, ...]], ...] = ()  # of the feed's hosts, one an episode
    published: tuple[PublishedTurn, ...] = ()


class Labelled(NamedTuple):
    """Segments with their speakers, and who those are."""

    segments: tuple[Segment, ...]
    speakers: tuple[Speaker, ...]


def label_or_say_why(hearing: Hearing, known: Known, listener: VoiceListener | None) -> tuple[Labelled, list[str]]:
    """Say who speaks as ``label_speakers`` does; or leave it open and give the reasons, in whatever way that fails."""
    try:
        labelled = label_speakers(hearing, known)
    except Exception as error:  # noqa: BLE001 - speaker labels never cost a transcript
        _log.debug("speakers", exc_info=error)
        return Labelled(hearing.segments, ()), [f"without speakers: {type(error).__name__}: {error}"]
    return labelled, [f"without speakers: {listener.problem}"] if listener and listener.problem else []


def label_speakers(hearing: Hearing, known: Known) -> Labelled:
    """Say who speaks in each segment; segments are cut where the speaker changes inside.

    Args:
        hearing: What was heard; without voices only a publisher's transcript can tell who speaks.
        known: See there.
    """
    words = [word for segment in hearing.segments for word in segment.words]
    names = carry_speakers(known.published, [word.text for word in words])
    voices = Voices.join(list(hearing.voices))
    if not len(voices):
        return _as_published(hearing.segments, words, names, known)
    found = attribute(words, voices, count=known.count)
    speakers = name_speakers(
        found.centroids,
        found.seconds,
        asks=_asks(hearing.segments, found.speakers, known.questions),
        prints=_prints(known.voices),
        hosts=known.hosts,
        people=known.people,
    )
    speakers = _renamed(speakers, names_of(found.speakers, names), known)
    speakers = tuple(
        replace(speaker, voice=tuple(float(value) for value in centroid))
        for speaker, centroid in zip(speakers, found.centroids, strict=True)
    )
    segments = by_speaker(hearing.segments, found.speakers, labels=[speaker.label for speaker in speakers])
    return Labelled(segments, speakers)


def _asks(
    segments: Sequence[Segment], speakers: Sequence[int | None], questions: Sequence[Question]
) -> Mapping[int, float]:
    """How much of the published questions each speaker asks, 0..1; without a list, of all questions."""
    words = [word for segment in segments for word in segment.words]
    matches = [match for match in align(questions, segments).matches if match.status in {"asked", "merged"}]
    askings = [
        [who for word, who in zip(words, speakers, strict=True) if match.start <= word.start < match.end]
        for match in matches
        if match.start is not None and match.end is not None
    ]
    if len(askings) < _FEWEST_QUESTIONS:
        marks = [who for word, who in zip(words, speakers, strict=True) if _asks_something(word)]
        askings = [[who] for who in marks] if len(marks) >= _FEWEST_QUESTION_MARKS else []
    askers = Counter(who for asking in askings for who, _ in Counter(asking).most_common(1) if who is not None)
    return {who: count / len(askings) for who, count in askers.items()}


def _asks_something(word: Word) -> bool:
    return ends_sentence(word.text) and "?" in word.text


def _prints(voices: Sequence[tuple[str, tuple[float, ...]]]) -> dict[str, VoicePrint]:
    """Each host's print: the mean over the episodes, of unit length as each of them is."""
    prints = {}
    for name, group in groupby(sorted(voices), key=lambda pair: pair[0]):
        vectors = np.array([voice for _, voice in group], dtype=np.float32)
        mean = vectors.mean(axis=0)
        prints[name] = VoicePrint(mean / np.linalg.norm(mean), len(vectors))
    return prints


def names_of(speakers: Sequence[Who | None], names: Sequence[str | None]) -> dict[Who, str]:
    """The publisher's name of each voice, where it is clear and no other voice has it.

    Args:
        speakers: The voice of each word.
        names: The publisher's name for each word.
    """
    pairs = Counter((who, name) for who, name in zip(speakers, names, strict=True) if who is not None and name)
    totals: Counter[Who] = Counter()
    for (who, _), count in pairs.items():
        totals[who] += count
    found = {who: name for (who, name), count in pairs.items() if count >= _AGREED * totals[who]}
    often = Counter(found.values())
    return {who: name for who, name in found.items() if often[name] == 1}


def _renamed(speakers: Sequence[Speaker], names: Mapping[int, str], known: Known) -> tuple[Speaker, ...]:
    """Speakers with the names that the publisher gives them: it was there."""
    given = set(names.values())
    renamed = []
    for number, speaker in enumerate(speakers):
        if number in names:
            name = names[number]
            role = "host" if name in known.hosts else speaker.role
            renamed.append(replace(speaker, label=name, name=name, role=role))
        elif speaker.name in given:  # that name is another voice's
            renamed.append(replace(speaker, label=f"Speaker {number + 1}", name=None))
        else:
            renamed.append(speaker)
    return tuple(renamed)


def _as_published(
    segments: tuple[Segment, ...], words: Sequence[Word], names: Sequence[str | None], known: Known
) -> Labelled:
    """Speakers by the publisher's transcript alone."""
    labels = list(dict.fromkeys(name for name in names if name))
    if not labels:
        return Labelled(segments, ())
    roles = {person.name: person.role for person in known.people} | dict.fromkeys(known.hosts, "host")
    speakers = tuple(
        Speaker(
            label,
            label,
            roles.get(label, "unknown"),
            round(sum(word.end - word.start for word, name in zip(words, names, strict=True) if name == label), 2),
        )
        for label in labels
    )
    numbers = [labels.index(name) if name else None for name in names]
    return Labelled(by_speaker(segments, numbers, labels=labels), speakers)
