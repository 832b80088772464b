"""Aligning published questions to a transcript. Independent of audio, SQLite and HTTP."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.align.answers import with_answers
from pipeline.align.candidates import Candidate, Wanted, candidate_at, candidates
from pipeline.align.corrected import corrected_matches
from pipeline.align.decide import Decision, Place, decide
from pipeline.align.evidence import BY_MEANING, BY_WORDS, OTHER_WORDS, HintWeights, Weights
from pipeline.align.meaning import Encode, directions
from pipeline.align.other_words import Search, in_other_words
from pipeline.align.parts import parts_of
from pipeline.align.read_out import with_read_out
from pipeline.align.stated import with_stated
from pipeline.align.units import Unit, cut
from pipeline.align.windows import Windows
from pipeline.model import Correction, FollowUp, Match, Question, Segment

# Increment this when a change may move a match: every episode is then aligned again from its stored transcript.
ALIGNER_VERSION = 14
ASKED_PROBABILITY = 0.5
WORTH_NAMING = 0.35  # the probability from which a place is named, as uncertain
# The same where the host asks something similar: most questions on a list were asked, if in other words.
ASKING_WORTH_NAMING = 0.1
ALIKE_IN_MEANING = 0.45  # nearness; the likeliest place of a question from another interview reaches it one time in ten
# The least probability of a match in other words: if an asking was cut out, something similar is asked elsewhere.
LIKELY_IN_OTHER_WORDS = 0.67
# A place's confidence is this power of its probability. The weights are learnt from lists of which every third question
# was cut out of the recording, too, and make places less likely than they are: where nothing was cut out, those with
# 0.35 to 0.5 are right in 0.75 of the cases, and those with 0.5 to 0.7 in 0.86 (``benchmarks/README.md``).
SURER = 0.6
# The introduction, in which hosts name their topics before they ask.
INTRO_SECONDS, INTRO_SHARE = 90.0, 0.08  # of the speech, if that is shorter
HARDLY_LESS = 2.7  # a factor: one unit of log-odds
# The highest confidence in ``not_asked`` if only wording was compared: it may have been asked in other words.
MAX_NOT_ASKED_BY_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Alignment:
    """The result of aligning one transcript.

    Attributes:
        matches: One for each published question, in list order, as found by the aligner.
        in_force: The same with editors' corrections applied.
        follow_ups: The host's other questions, in chronological order.
        decisions: The decisions that the matches were made from, in the same order, for explanations.
        units: The sentences that the decisions refer to by number.
        weights: The weights of the evidence.
        hint_weights: The weights of the hints for questions asked in other words.
    """

    matches: tuple[Match, ...]
    in_force: tuple[Match, ...]
    follow_ups: tuple[FollowUp, ...]
    decisions: tuple[Decision, ...]
    units: tuple[Unit, ...]
    weights: Weights
    hint_weights: HintWeights


def align(
    questions: Sequence[Question],
    segments: Sequence[Segment],
    *,
    encode: Encode | None = None,
    corrections: Mapping[int, Correction] | None = None,
) -> Alignment:
    """Find when each published question is asked, with a calibrated confidence.

    Args:
        questions: The list in published order.
        segments: The transcript in chronological order; word times improve the result, speakers are optional.
        encode: Computes sentence vectors; without it only wording is compared.
        corrections: Editors' corrections by question number; the other questions are decided given these.

    Returns:
        The alignment. Of its matches, ``asked`` and ``merged`` are meant to be right, ``uncertain`` has the best place,
        ``not_asked`` has none. A confidence of 0.8 is meant to be right eight times in ten.
    """
    known = dict(corrections or {})
    units = cut(segments)
    windows = Windows.of(units, encode)
    wanted = wanted_of(questions, encode)
    weights, most_sure = (BY_WORDS, MAX_NOT_ASKED_BY_WORDS) if encode is None else (BY_MEANING, 1.0)
    task = _Task(questions, wanted, windows, places(wanted, windows), weights, most_sure)
    decisions = task.decide(known)
    given, follow_ups = task.match(decisions, known)
    matches = list(given)
    for n, question in enumerate(questions):
        if question.number in known:
            # The match without its own correction, which takes effect again if the correction is undone.
            others = {number: one for number, one in known.items() if number != question.number}
            alone = task.decide(others)
            decisions[n], matches[n] = alone[n], task.match(alone, others)[0][n]
    counting, _ = corrected_matches(matches, follow_ups, known, segments)
    return Alignment(tuple(matches), counting, follow_ups, tuple(decisions), units, weights, OTHER_WORDS)


@dataclass(frozen=True, slots=True)
class _Task:
    """One list and one transcript.

    ``options`` are the places of each question, ``most_sure`` is the highest confidence in ``not_asked``.
    """

    questions: Sequence[Question]
    wanted: Sequence[Wanted]
    windows: Windows
    options: Sequence[Sequence[Candidate]]
    weights: Weights
    most_sure: float

    def decide(self, corrections: Mapping[int, Correction]) -> list[Decision]:
        """Decide all questions at once, given these corrections."""
        certain = {n: corrections[one.number] for n, one in enumerate(self.questions) if one.number in corrections}
        given = [
            found if n not in certain else _places_given(certain[n], self.wanted[n], self.windows)
            for n, found in enumerate(self.options)
        ]
        search = by_wording(self.wanted, self.windows, given, self.weights, certain=certain)
        told = with_stated(self.questions, search.decisions, given, self.wanted, self.windows, certain=certain)
        if told:
            search = by_wording(self.wanted, self.windows, told, self.weights, certain=certain)
        return in_other_words(search, OTHER_WORDS, likely=LIKELY_IN_OTHER_WORDS)

    def match(
        self, decisions: Sequence[Decision], certain: Collection[int]
    ) -> tuple[tuple[Match, ...], tuple[FollowUp, ...]]:
        """Return the matches with the ends of their answers, and the follow-ups; corrected are those ``certain``."""
        units = self.windows.units
        found = [_found(*one, self.most_sure, _intro(units)) for one in zip(self.questions, decisions, strict=True)]
        taken = {
            match.number: decision.places[0].candidate
            for match, decision in zip(found, decisions, strict=True)
            if match.start is not None
        }
        return with_answers(found, taken, units, certain=certain)


def places(wanted: Sequence[Wanted], windows: Windows) -> list[list[Candidate]]:
    """Return the candidates of all questions, with the evidence that needs all of them (``with_read_out``)."""
    return with_read_out([candidates(one, windows) for one in wanted], windows.units)


def wanted_of(questions: Sequence[Question], encode: Encode | None, *, in_parts: bool = True) -> list[Wanted]:
    """Return what is looked for of each question; without ``in_parts``, only as a whole."""
    parts = [parts_of(question.text) if in_parts else () for question in questions]
    texts = [
        text for one, some in zip(questions, parts, strict=True) for text in (one.text, *(part.text for part in some))
    ]
    vectors = iter(directions(encode(texts)) if encode and texts else [None] * len(texts))
    count = len(questions)
    wanted = []
    for n, (question, some) in enumerate(zip(questions, parts, strict=True)):
        whole = Wanted(question.text, next(vectors), expected=(n + 0.5) / count, listed=count)
        alone = (replace(whole, text=part.text, vector=next(vectors), before=part.before) for part in some)
        wanted.append(replace(whole, parts=tuple(alone)))
    return wanted


def _places_given(correction: Correction, wanted: Wanted, windows: Windows) -> list[Candidate]:
    """The one candidate that an editor's correction leaves, or none."""
    if correction.start is None or not windows.units:
        return []
    return [candidate_at(wanted, windows, correction.start, correction.end)]


def _teaser_second(places: tuple[Place, ...], intro: float) -> tuple[Place, ...]:
    """The places, likeliest first; one in the introduction is swapped with a later one that is hardly less likely."""
    if len(places) > 1 and places[0].candidate.start < intro <= places[1].candidate.start:
        teaser, later, *others = places
        if later.probability * HARDLY_LESS >= teaser.probability:
            return (later, teaser, *others)
    return places


def by_wording(
    wanted: Sequence[Wanted],
    windows: Windows,
    options: Sequence[Sequence[Candidate]],
    weights: Weights,
    *,
    certain: Collection[int] = (),
) -> Search:
    """Decide by wording; the search has the questions that got no time, or one less likely than not."""
    intro = _intro(windows.units)
    decisions = [
        replace(one, places=_teaser_second(one.places, intro)) for one in decide(options, weights, certain=certain)
    ]
    sure = {n for n, one in enumerate(decisions) if one.places and one.places[0].probability >= ASKED_PROBABILITY}
    named = {n for n, one in enumerate(decisions) if _is_named(one, intro)}
    return Search.of(
        wanted,
        windows,
        decisions,
        guessed=frozenset(named - sure).difference(certain),
        missing=frozenset(range(len(decisions))) - named - set(certain),
        sure=frozenset(sure),
    )


def _intro(units: Sequence[Unit]) -> float:
    """The end of the introduction, in which hosts name their topics, in seconds."""
    return min(INTRO_SECONDS, INTRO_SHARE * units[-1].end) if units else 0.0


def _found(question: Question, decision: Decision, most_sure: float, intro: float) -> Match:
    """The match without what depends on other questions: the end of the answer, and merging."""
    places = decision.places
    best, runner_up = (places[0] if places else None), (places[1] if len(places) > 1 else None)
    if best is None or not _is_named(decision, intro):
        found = Match(question.number, "not_asked", confidence=round(min(decision.not_asked, most_sure), 3))
        runner_up = best
    else:
        found = Match(
            number=question.number,
            status="asked" if best.probability >= ASKED_PROBABILITY else "uncertain",
            start=round(best.candidate.start, 3),
            end=round(best.candidate.end, 3),
            confidence=round(_calibrated(best), 3),
        )
    if runner_up is None:
        return found
    start, likely = round(runner_up.candidate.start, 3), round(runner_up.probability, 3)
    return replace(found, runner_up=start, runner_up_confidence=likely)


def _calibrated(place: Place) -> float:
    """The probability that a place that is named is right; see ``SURER``."""
    return place.probability if place.hints is not None else place.probability**SURER


def _is_named(decision: Decision, intro: float) -> bool:
    if not decision.places:
        return False
    best = decision.places[0]
    if best.hints is not None:
        return best.probability >= LIKELY_IN_OTHER_WORDS
    return _is_worth_naming(best, intro) or best.probability > decision.not_asked


def _is_worth_naming(place: Place, intro: float) -> bool:
    found = place.candidate
    in_other_words = found.asks and found.start >= intro and found.evidence.nearness >= ALIKE_IN_MEANING
    return place.probability >= (ASKING_WORTH_NAMING if in_other_words else WORTH_NAMING)
