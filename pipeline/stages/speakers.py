"""Who says each word of a new transcript: voices, the published questions, the notes and the publisher put together."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from pipeline.align import align
from pipeline.feeds.names import as_known, is_generic
from pipeline.feeds.transcripts import PublishedTurn
from pipeline.model import ASKED, Person, Question, Segment, Speaker, Word
from pipeline.speech.hearing import Hearing
from pipeline.speech.speakers.attribute import attribute
from pipeline.speech.speakers.listening import VoiceListener
from pipeline.speech.speakers.naming import VoicePrint, asker, name_speakers
from pipeline.speech.speakers.turns import by_speaker
from pipeline.speech.speakers.voices import Voices
from pipeline.speech.wording import carry_speakers
from pipeline.text import ends_sentence

_log = logging.getLogger(__name__)

Who = TypeVar("Who", int, str)

# A voice gets a publisher's name if that is on this share of those of its words that the publisher has a name for.
_AGREED = 0.8
_COVERED = 0.5  # of all words of a voice: one caption with a name does not name it
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

    @property
    def roles(self) -> Mapping[str, Literal["host", "guest"]]:
        """Return the role of everybody who is known by name."""
        return {person.name: person.role for person in self.people} | dict.fromkeys(self.hosts, "host")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of everybody who is known."""
        return tuple(self.roles)


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
    carried = carry_speakers(known.published, [word.text for word in words])
    # Before names are compared: two labels may stand for one person.
    names = [as_known(name, known.names) if name else None for name in carried]
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
    speakers = renamed(speakers, names_of(found.speakers, names), known)
    speakers = tuple(
        replace(speaker, voice=tuple(float(value) for value in centroid))
        for speaker, centroid in zip(speakers, found.centroids, strict=True)
    )
    segments = by_speaker(hearing.segments, found.speakers, labels=[speaker.label for speaker in speakers])
    return Labelled(segments, speakers)


def _asks(
    segments: Sequence[Segment], speakers: Sequence[int | None], questions: Sequence[Question]
) -> Mapping[int, float]:
    """The share of the published questions that each speaker asks, 0..1; without a list, of all questions.

    Empty if the list and the question marks point to different speakers.
    """
    spoken = list(zip((word for segment in segments for word in segment.words), speakers, strict=True))
    matches = [match for match in align(questions, segments).matches if match.status in ASKED]
    listed = [
        _asking([(word, who) for word, who in spoken if match.start <= word.start < match.end])
        for match in matches
        if match.start is not None and match.end is not None
    ]
    marked = [[who] for word, who in spoken if ends_sentence(word.text) and "?" in word.text]
    by_list = _shares(listed) if len(listed) >= _FEWEST_QUESTIONS else {}
    by_marks = _shares(marked) if len(marked) >= _FEWEST_QUESTION_MARKS else {}
    askers = {one for one in (asker(by_list), asker(by_marks)) if one is not None}
    if len(askers) > 1:
        return {}
    return by_list or by_marks


def _asking(spoken: Sequence[tuple[Word, int | None]]) -> list[int | None]:
    """The speakers of the words of a match that ask: without speakers it may include a part of an answer."""
    asking, sentence = list[int | None](), list[int | None]()
    for word, who in spoken:
        sentence.append(who)
        if ends_sentence(word.text):
            asking += sentence if "?" in word.text else []
            sentence = []
    return asking or [who for _, who in spoken]


def _shares(askings: Sequence[Sequence[int | None]]) -> dict[int, float]:
    """Of these askings, the share that each speaker says most of."""
    askers = Counter(who for asking in askings for who, _ in Counter(asking).most_common(1) if who is not None)
    return {who: count / len(askings) for who, count in askers.items()}


def _prints(voices: Sequence[tuple[str, tuple[float, ...]]]) -> dict[str, VoicePrint]:
    """Each host's print: the mean over the episodes, of unit length as each of them is."""
    prints = {}
    for name, group in groupby(sorted(voices), key=lambda pair: pair[0]):
        vectors = np.array([voice for _, voice in group], dtype=np.float32)
        mean = vectors.mean(axis=0)
        prints[name] = VoicePrint(mean / np.linalg.norm(mean), len(vectors))
    return prints


def names_of(speakers: Sequence[Who | None], names: Sequence[str | None]) -> dict[Who, str]:
    """The publisher's name of each voice, where it is clear, a name at all, and no other voice has it.

    Args:
        speakers: The voice of each word.
        names: The publisher's name for each word.
    """
    pairs = Counter((who, name) for who, name in zip(speakers, names, strict=True) if who is not None and name)
    totals = Counter(who for who, name in zip(speakers, names, strict=True) if who is not None and name)
    words = Counter(who for who in speakers if who is not None)
    found = {
        who: name
        for (who, name), count in pairs.items()
        if count >= _AGREED * totals[who] and count >= _COVERED * words[who] and not is_generic(name)
    }
    often = Counter(found.values())
    return {who: name for who, name in found.items() if often[name] == 1}


def renamed(speakers: Sequence[Speaker], names: Mapping[int, str], known: Known) -> tuple[Speaker, ...]:
    """Return speakers with the names that the publisher gives them, and the roles that are known by name.

    Args:
        speakers: As they were told apart by their voices.
        names: The publisher's name of each of these, by its place among them.
        known: See there.
    """
    given = set(names.values())
    now = []
    for number, speaker in enumerate(speakers):
        if number in names:
            name = names[number]
            now.append(replace(speaker, label=name, name=name, role=known.roles.get(name, speaker.role)))
        elif speaker.name in given:  # that name is another voice's
            now.append(replace(speaker, label=f"Speaker {number + 1}", name=None))
        else:
            now.append(speaker)
    if not any(number in names and one.role == "host" for number, one in enumerate(now)):
        return tuple(now)
    # Where the publisher names a host, nobody else is one just for asking.
    return tuple(
        replace(one, role="unknown") if one.role == "host" and known.roles.get(one.name or "") != "host" else one
        for one in now
    )


def _as_published(
    segments: tuple[Segment, ...], words: Sequence[Word], names: Sequence[str | None], known: Known
) -> Labelled:
    """Speakers by the publisher's transcript alone."""
    labels = list(dict.fromkeys(name for name in names if name))
    if not labels:
        return Labelled(segments, ())
    speakers = tuple(
        Speaker(
            label,
            None if is_generic(label) else label,
            known.roles.get(label, "unknown"),
            round(sum(word.end - word.start for word, name in zip(words, names, strict=True) if name == label), 2),
        )
        for label in labels
    )
    numbers = [labels.index(name) if name else None for name in names]
    return Labelled(by_speaker(segments, numbers, labels=labels), speakers)
