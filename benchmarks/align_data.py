"""Interviews with published questions and true times, as they are and made harder. Aligns nothing."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process

from pipeline.align.askings import askings, host_of, hosts_of
from pipeline.align.lexical import STOPWORDS
from pipeline.align.meaning import Encode, SentenceEncoder, directions
from pipeline.align.units import cut
from pipeline.model import Question, Segment
from pipeline.sample import DATA
from pipeline.stages.vector_cache import Remembered

FOLDER = Path("../shared/alignment")
_EDITED = Path(__file__).with_name("align_edited.json")  # as rewritten by an editor who has heard the interview
_PARAPHRASES = Path(__file__).with_name("align_paraphrases.json")  # with hardly a word of what is said
# Found by reading the supposedly wrong places that were found: the question is asked there, nearly word for word.
_ASKED_AGAIN = {
    ("optech_qa_cut", "2023-01-25", 7),
    ("optech_qa_cut", "2023-07-26", 2),
    ("optech_qa_cut", "2025-02-28", 10),
    ("seu_mech_cut", "EP-05-Alper", 2),
    ("seu_mech_cut", "EP-09-Charlie-Gerard", 2),
    ("seu_mech_cut", "EP-15-Peter-Pezaris", 10),
    ("seu_mech_cut", "EP-42-Karl-Hughes", 6),
}
_SCRIPTS = sorted(DATA.glob("*.truth.json"))
_SLACK, _LONGEST_ASKING = 2.0, 20.0  # seconds
_SEED = 1
_BESIDE = 8.0  # seconds that the times that publishers give are early or late
_COMMONER = 9000  # words, the most common ones
_SPELT_OTHERWISE = 70  # per cent; the similarity that two differently spelt words must be below
_ALIKE = 5  # the number of nearest spellings from which a misheard word is chosen


@dataclass(frozen=True, slots=True)
class Asked:
    """The ground truth of one published question.

    Attributes:
        question: As published.
        kind: ``published``, ``mech``, ``rephrased`` (published in other words than it is asked in), ``free`` (with
            hardly a word in common), ``skipped`` (not asked), ``distractor`` (of another episode), ``cut`` (its asking
            was cut out), ``asked again`` (its asking was cut out, but it is asked a second time in the rest) or
            ``removed`` (see ``with_two_removed``).
        span: The range of correct starts of its asking, in seconds; None if it is not asked.
        wordings: Other wordings of the question: ``syn`` (synonyms), ``heavy`` (a headline).
        answer_end: The end of its answer, if known.
    """

    question: Question
    kind: str
    span: tuple[float, float] | None
    wordings: Mapping[str, str]
    answer_end: float | None = None


@dataclass(frozen=True, slots=True)
class Interview:
    """One episode: its transcript, and its published questions in list order."""

    set: str
    name: str
    asked: tuple[Asked, ...]
    segments: tuple[Segment, ...]

    @property
    def questions(self) -> list[Question]:
        """The questions as published."""
        return [one.question for one in self.asked]

    @property
    def source(self) -> str:
        """The show that it is from."""
        return self.set.partition("_")[0]


def remembered() -> Encode:
    """Sentence vectors, cached for all runs."""
    return Remembered(SentenceEncoder().encode, Path(".cache/vectors"))


def interviews(folder: Path) -> list[Interview]:
    """Read all interviews of a folder, ordered by file name."""
    return [_read(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]


def sample_show() -> list[Interview]:
    """The bundled sample show, from its scripts."""
    return [_script(path.name.partition(".")[0], json.loads(path.read_text(encoding="utf-8"))) for path in _SCRIPTS]


def _script(name: str, facts: Mapping[str, Any]) -> Interview:
    asked = tuple(
        Asked(
            Question(one["number"], one["text"]),
            "published" if one["start"] is not None else "skipped",
            None if one["start"] is None else (one["start"], one["start"]),
            {},
            one["answer_end"],
        )
        for one in facts["questions"]
    )
    said = tuple(Segment(one["start"], one["end"], one["text"], speaker=one["speaker"]) for one in facts["utterances"])
    return Interview("sample", name, asked, said)


def _read(facts: Mapping[str, Any]) -> Interview:
    return Interview(
        facts["set"],
        facts["episode"],
        tuple(
            Asked(
                Question(one["number"], one["text"]),
                "asked again" if (facts["set"], facts["episode"], one["number"]) in _ASKED_AGAIN else one["kind"],
                None if one["start"] is None else (one["lo"], one["hi"]),
                {key: one[key] for key in ("syn", "heavy") if one.get(key)},
            )
            for one in facts["questions"]
        ),
        tuple(Segment(one["start"], one["end"], one["text"], speaker=one["speaker"]) for one in facts["segments"]),
    )


Change = Callable[[Interview], Interview]


def changes() -> dict[str, Change]:
    """Ways to make an interview harder, by name; all are deterministic."""
    rewritten: dict[str, Change] = {
        "a third edited": partial(a_third_rephrased, wordings=_EDITED),
        "all edited": partial(rephrased, wordings=_EDITED),
        "a third rephrased": partial(a_third_rephrased, wordings=_PARAPHRASES),
        "freely rephrased": partial(rephrased, wordings=_PARAPHRASES),
    }
    return {
        "as given": lambda interview: interview,
        "no speakers": without_speakers,
        "10 % of speakers wrong": partial(with_wrong_speakers, share=0.1),
        "10 % of words corrupted": partial(corrupted, share=0.1),
        "20 % of words corrupted": partial(corrupted, share=0.2),
        "no punctuation": without_punctuation,
        "20 % of words corrupted, no punctuation": _chained(partial(corrupted, share=0.2), without_punctuation),
        "synonyms": partial(worded, wording="syn"),
        "headlines": partial(worded, wording="heavy"),
        "words left out": with_words_left_out,
        "reworded": reworded,
        "a part not asked": partial(with_a_part_not_asked, form="{asked} {not_asked}"),
        "a part before it not asked": partial(with_a_part_not_asked, form="{not_asked} {asked}"),
        "a clause not asked": partial(with_a_part_not_asked, form="{asked} – {not_asked}"),
        **rewritten,
        "nothing else asked": with_nothing_else_asked,
        **{f"{name}, nothing else asked": _chained(with_nothing_else_asked, one) for name, one in rewritten.items()},
        "all edited, times beside": _chained(rewritten["all edited"], with_times),
        "freely rephrased, times beside": _chained(rewritten["freely rephrased"], with_times),
        "freely rephrased, times of other advertisements": _chained(
            rewritten["freely rephrased"], partial(with_times, advertisements=3)
        ),
        "two swapped": swapped,
        "two removed": with_two_removed,
    }


def _chained(first: Change, second: Change) -> Change:
    return lambda interview: second(first(interview))


def without_speakers(interview: Interview) -> Interview:
    """The speakers are unknown."""
    return replace(interview, segments=tuple(replace(segment, speaker=None) for segment in interview.segments))


def with_wrong_speakers(interview: Interview, *, share: float) -> Interview:
    """A share of the segments is attributed to another speaker."""
    chance = _chance(interview)
    names = sorted({segment.speaker for segment in interview.segments if segment.speaker})
    segments = [
        replace(segment, speaker=chance.choice([name for name in names if name != segment.speaker] or names))
        if names and chance.random() < share
        else segment
        for segment in interview.segments
    ]
    return replace(interview, segments=tuple(segments))


def corrupted(interview: Interview, *, share: float) -> Interview:
    """A share of the words is misheard: half as a similarly spelt word of the episode, a quarter as any, the rest lost.

    Punctuation is part of the words, so it appears where no sentence ends, or is missing where one does.
    """
    chance = _chance(interview)
    words = [word for segment in interview.segments for word in segment.text.split()]
    alike = _spelt_alike(sorted(set(words)))

    def misheard(word: str) -> str:
        what = chance.random()
        if what < 0.25:
            return ""
        return chance.choice(alike[word] if what < 0.75 else words)

    heard = []
    for segment in interview.segments:
        said = (misheard(word) if chance.random() < share else word for word in segment.text.split())
        heard.append(replace(segment, text=" ".join(word for word in said if word)))
    return replace(interview, segments=tuple(segment for segment in heard if segment.text))


def without_punctuation(interview: Interview) -> Interview:
    """Sentence ends and question marks are missing, and all is in lower case."""
    bare = [replace(one, text=re.sub(r"[.,;:?!]", "", one.text).lower()) for one in interview.segments]
    return replace(interview, segments=tuple(segment for segment in bare if segment.text.strip()))


def worded(interview: Interview, *, wording: str) -> Interview:
    """Questions are published in another wording, if there is one."""
    asked = [
        replace(one, question=replace(one.question, text=one.wordings.get(wording, one.question.text)))
        for one in interview.asked
    ]
    return replace(interview, asked=tuple(asked))


def with_words_left_out(interview: Interview, *, share: float = 0.35) -> Interview:
    """Questions are published without a share of their words."""
    chance = _chance(interview)
    asked = []
    for one in interview.asked:
        words = one.question.text.split()
        text = " ".join(word for word in words if chance.random() >= share)
        asked.append(replace(one, question=replace(one.question, text=text or one.question.text)))
    return replace(interview, asked=tuple(asked))


def reworded(interview: Interview, *, share: float = 0.6) -> Interview:
    """Most words of the questions are replaced by others of similar meaning and different spelling."""
    chance, other = _chance(interview), _words_alike_in_meaning()

    def said(word: re.Match[str]) -> str:
        return other.get(word.group().lower(), word.group()) if chance.random() < share else word.group()

    asked = [
        replace(one, question=replace(one.question, text=re.sub(r"[A-Za-z]{3,}", said, one.question.text)))
        for one in interview.asked
    ]
    return replace(interview, asked=tuple(asked))


def rephrased(interview: Interview, *, wordings: Path) -> Interview:
    """Questions are published as somebody else would put them: those in ``wordings``, rewritten by hand."""
    mine = json.loads(wordings.read_text(encoding="utf-8")).get(f"{interview.source}/{interview.name}", {})
    asked = [
        replace(
            one,
            kind="rephrased" if one.span else one.kind,
            question=replace(one.question, text=mine[str(one.question.number)]),
        )
        if str(one.question.number) in mine
        else one
        for one in interview.asked
    ]
    return replace(interview, asked=tuple(asked))


def a_third_rephrased(interview: Interview, *, wordings: Path) -> Interview:
    """Every third question is published as somebody else would put it, the others as they are."""
    others = rephrased(interview, wordings=wordings)
    places = [n for n, one in enumerate(others.asked) if one.question != interview.asked[n].question][1::3]
    asked = [others.asked[n] if n in places else one for n, one in enumerate(interview.asked)]
    return replace(interview, asked=tuple(asked))


def with_times(interview: Interview, *, advertisements: int = 0) -> Interview:
    """The publisher gives the time of each question that is asked, within ``_BESIDE`` seconds.

    The recording was published without so many ``advertisements`` of half a minute to a minute that are in it now.
    """
    chance = _chance(interview)
    begun = [one.span[0] for one in interview.asked if one.span]
    breaks = [(chance.uniform(0, max(begun, default=0)), chance.uniform(30, 60)) for _ in range(advertisements)]

    def stated(start: float) -> float:
        return max(0.0, start + chance.uniform(-_BESIDE, _BESIDE) - sum(long for at, long in breaks if at < start))

    asked = [
        replace(one, question=replace(one.question, stated=stated(one.span[0]))) if one.span else one
        for one in interview.asked
    ]
    return replace(interview, asked=tuple(asked))


def with_a_part_not_asked(interview: Interview, *, form: str) -> Interview:
    """Each question is published with a part that is not asked: an edited question of another interview."""
    others = [
        text
        for name, questions in sorted(json.loads(_EDITED.read_text(encoding="utf-8")).items())
        if name.startswith(f"{interview.source}/") and name != f"{interview.source}/{interview.name}"
        for text in questions.values()
    ]
    chance = _chance(interview)

    def changed(one: Asked) -> Asked:
        text = form.format(asked=one.question.text, not_asked=chance.choice(others)).replace("? –", " –")
        return replace(one, question=replace(one.question, text=text))

    asked = [changed(one) if others and one.kind != "distractor" else one for one in interview.asked]
    return replace(interview, asked=tuple(asked))


def with_nothing_else_asked(interview: Interview) -> Interview:
    """The host asks only what is on the list, as if all questions had been published; the rest is cut out."""
    units = cut(interview.segments)
    spoken = [asking.start for asking in askings(units, hosts_of(units, host_of(units, ())))]
    spans = [one.span for one in interview.asked if one.span]
    gone = [
        (start, following)
        for start, following in pairwise([*spoken, math.inf])
        if not any(low - _SLACK <= start <= high + _LONGEST_ASKING for low, high in spans)
        and not any(start - _SLACK <= high and low <= following - _LONGEST_ASKING for low, high in spans)
    ]
    segments = tuple(
        segment
        for segment in interview.segments
        if not any(start <= (segment.start + segment.end) / 2 < following for start, following in gone)
    )
    return replace(interview, segments=segments)


def swapped(interview: Interview) -> Interview:
    """Two questions that are asked are swapped in the list."""
    asked = list(interview.asked)
    places = [n for n, one in enumerate(asked) if one.span]
    if len(places) >= 2:
        one, other = sorted(_chance(interview).sample(places, 2))
        asked[one], asked[other] = asked[other], asked[one]
    return replace(interview, asked=tuple(asked))


def with_two_removed(interview: Interview) -> Interview:
    """Two questions are neither asked nor answered: the speech from their asking to the next is cut out."""
    starts = sorted(one.span[1] for one in interview.asked if one.span)
    gone = _chance(interview).sample(starts, min(2, len(starts) // 2))
    spans = [(start, next((other for other in starts if other > start), start + 120.0)) for start in gone]

    def stays(segment: Segment) -> bool:
        return not any(start - 15 <= segment.start < end - 15 for start, end in spans)

    asked = [
        replace(one, kind="removed", span=None) if one.span and one.span[1] in gone else one for one in interview.asked
    ]
    return replace(interview, asked=tuple(asked), segments=tuple(filter(stays, interview.segments)))


def _spelt_alike(vocabulary: Sequence[str]) -> dict[str, list[str]]:
    likeness = process.cdist(vocabulary, vocabulary, scorer=fuzz.ratio, dtype=np.uint8)
    np.fill_diagonal(likeness, 0)
    nearest = np.argsort(-likeness.astype(int), axis=1, kind="stable")[:, :_ALIKE]
    return {word: [vocabulary[n] for n in row] for word, row in zip(vocabulary, nearest, strict=True)}


@cache
def _words_alike_in_meaning() -> dict[str, str]:
    """For each word of the published questions, the nearest in meaning of the most common words of all interviews."""
    corpus = interviews(FOLDER)
    spoken = Counter(
        word.lower()
        for interview in corpus
        for segment in interview.segments
        for word in re.findall(r"[A-Za-z]{3,}", segment.text)
    )
    asked = {
        word.lower()
        for interview in corpus
        for one in interview.asked
        for word in re.findall(r"[A-Za-z]{3,}", one.question.text)
    }
    wanted = sorted(word for word in asked if word not in STOPWORDS)
    others = [word for word, _ in spoken.most_common(_COMMONER) if word not in STOPWORDS]
    encode = remembered()
    nearness = directions(encode(wanted)) @ directions(encode(others)).T
    return {
        word: next(
            other
            for other in (others[n] for n in np.argsort(-row, kind="stable"))
            if other[:4] != word[:4] and fuzz.ratio(other, word) < _SPELT_OTHERWISE
        )
        for word, row in zip(wanted, nearness, strict=True)
    }


def _chance(interview: Interview) -> random.Random:
    return random.Random(f"{_SEED} {interview.set} {interview.name}")  # noqa: S311 - the same every time
