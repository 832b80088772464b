"""Finding the candidates of a question: the best windows of sentences for it, each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.align.askings import Asking, Exchange, asks
from pipeline.align.evidence import Evidence
from pipeline.align.lexical import Presence, coverage, in_order
from pipeline.align.meaning import Vectors
from pipeline.align.units import Unit
from pipeline.align.windows import Windows
from pipeline.text import ends_sentence

Grid = NDArray[np.float64]  # (lengths, sentences), as in ``Windows``

CANDIDATES = 24
# The terms of the rough score that selects windows and their ends: every further sentence must add its cost.
NEARNESS_SHARE = 0.75
ASKS_SHARE = 0.25
SENTENCE_COST = 0.06
LEFT_OUT_COST = 0.35
MORE_SHARE = 0.25  # of a question's words; more than by chance
# A part that leaves out more is a common phrase at the end of a question; one that leaves out less is all of it.
MOST_LEFT_OUT, LEAST_LEFT_OUT = 1.5, 0.05
HARDLY_MORE = 1.5  # times the number of questions in the list
LEAD_WORDS, LONG_LEAD_WORDS, REACTION_WORDS = 8, 14, 4
SOON = 0.5  # seconds
MOST_OF_IT = 0.5
MORE_UNITS = 2
MORE_PAUSE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published question.

    Attributes:
        text: As published.
        vector: Its sentence vector, (384,), of unit length; None without sentence vectors.
        expected: Its expected position, from its place in the list, as a share of the episode.
        listed: The number of questions in the list.
        parts: The parts of it that may be asked by themselves, each as a question of its own.
        before: For a part, the text of the whole question that asks something before it.
    """

    text: str
    vector: Vectors | None
    expected: float
    listed: int
    parts: tuple[Wanted, ...] = ()
    before: str = ""


@dataclass(frozen=True, slots=True)
class Candidate(Asking):
    """A window that may be the asking of a question.

    Attributes:
        evidence: The evidence for and against it.
        wording: The text that it was compared with: the whole question, or a part.
        filled: The number of words of ``wording`` per word said there, at most 1: hosts merge questions.
        asks: Whether it has one speaker, and a sentence that sounds like a question of the host's or announces one.
    """

    evidence: Evidence
    wording: str
    filled: float
    asks: bool


def candidates(wanted: Wanted, windows: Windows) -> list[Candidate]:
    """Return the best windows for a question, by a rough score of how much of it, or of a part of it, they hold."""
    if not windows.units:
        return []
    whole, *parts = wordings = _Seen.all_of(wanted, windows)
    found = dict.fromkeys(_peaks(whole.rough), whole)
    of_whole = [at for at in found if _is_of_one_speaker(windows, at)]
    for at in {*found, *(at for part in parts for at in _peaks(part.rough))}:
        seen = _closest(wordings, at)
        # Where all of it is asked, its parts are asked too, which is no further evidence.
        if seen is not whole and not _is_within(windows, at, seen, of_whole, whole):
            found[at] = seen
    best = sorted(found, key=lambda at: (-found[at].rough[at], at))[:CANDIDATES]
    return [_candidate(windows, found[at], at) for at in best]


def candidate_at(wanted: Wanted, windows: Windows, start: float, end: float | None) -> Candidate:
    """Return the candidate of a question that is known to begin at ``start`` (and to end at ``end``), in seconds.

    It consists of sentences by one speaker. The transcript must not be empty.
    """
    wordings, units = _Seen.all_of(wanted, windows), windows.units
    # Editors set starts slightly early or late: take the sentence that is being said ``SOON`` seconds after it.
    first = max(0, int(np.searchsorted(windows.starts, start + SOON, side="right")) - 1)
    fits = [
        unit.speaker == units[first].speaker and (end is None or unit.start < end)
        for unit in units[first : first + len(windows.lengths)]
    ]
    longest = max(1, fits.index(False) if False in fits else len(fits))
    at = max(((length, first) for length in range(longest)), key=lambda one: _closest(wordings, one).rough[one])
    found = _candidate(windows, _closest(wordings, at), at)
    return replace(found, start=start, end=end if end is not None else max(start, found.end))


def best_between(wanted: Wanted, windows: Windows, begin: float, end: float) -> Candidate | None:
    """Return the best window that begins between two times, in seconds; None if nothing does."""
    within = (windows.starts >= begin) & (windows.starts <= end)
    if not within.any():
        return None
    seen, rough = max(
        ((seen, np.where(within, seen.rough, -np.inf)) for seen in _Seen.all_of(wanted, windows)),
        key=lambda one: float(one[1].max()),
    )
    return _candidate(windows, seen, divmod(int(rough.argmax()), len(windows.units)))


def asking_in(wanted: Wanted, windows: Windows, exchange: Exchange) -> Candidate:
    """Return the window in the host's turn of an exchange that is most like a question."""
    whole = _Seen.of(wanted, windows.spoken.presence(wanted.text), 0.0, windows)
    inside = [
        (length, first)
        for first in range(exchange.first, exchange.last + 1)
        for length in range(min(len(windows.lengths), exchange.last + 1 - first))
        if windows.possible[length, first] and windows.holds_asking[length, first]
    ]
    nearness = whole.rough if whole.near is None else whole.near
    return _candidate(windows, whole, max(inside, key=lambda at: nearness[at]))


@dataclass(frozen=True, slots=True)
class _Seen:
    """How much of a question, or of a part, each window holds: by words, by meaning, and as a rough total score."""

    wanted: Wanted
    left_out: float  # as in ``Evidence``
    shares: Grid
    near: Grid | None
    rough: Grid

    @classmethod
    def all_of(cls, wanted: Wanted, windows: Windows) -> list[_Seen]:
        """Score all windows for the whole question, and for its parts that leave out enough, but not too much."""
        presence = windows.spoken.presence(wanted.text)
        left_out = [_left_out(part, presence) for part in wanted.parts]
        return [
            cls.of(wanted, presence, 0.0, windows),
            *(
                cls.of(part, presence.of(part.text), share, windows)
                for part, share in zip(wanted.parts, left_out, strict=True)
                if LEAST_LEFT_OUT <= share <= MOST_LEFT_OUT
            ),
        ]

    @classmethod
    def of(cls, wanted: Wanted, presence: Presence, left_out: float, windows: Windows) -> _Seen:
        shares = coverage(presence, longest=len(windows.lengths))
        rough = shares - SENTENCE_COST * np.arange(len(shares))[:, None] + ASKS_SHARE * windows.holds_asking
        near = None
        if wanted.vector is not None and windows.directions is not None:
            near = np.asarray(windows.directions @ wanted.vector, float)
            rough = rough + NEARNESS_SHARE * near
        rough = rough - LEFT_OUT_COST * left_out
        return cls(wanted, left_out, shares, near, np.where(windows.possible, rough, -np.inf))


def _closest(wordings: Sequence[_Seen], at: tuple[int, int]) -> _Seen:
    """The wording with the highest score for a window; the whole question if no part is better."""
    return max(wordings, key=lambda seen: seen.rough[at])


def _is_within(
    windows: Windows, at: tuple[int, int], part: _Seen, of_whole: Sequence[tuple[int, int]], whole: _Seen
) -> bool:
    """Tell whether a part's window overlaps one that fits the whole question better, or holds clearly more of it.

    It also counts as overlapping if it follows that window directly, by the same speaker.
    """
    length, first = at
    units = windows.units
    return any(
        (whole.rough[long, start] >= part.rough[at] or whole.shares[long, start] >= whole.shares[at] + MORE_SHARE)
        and start <= first + length
        and (first <= start + long or (first == start + long + 1 and units[first].speaker == units[start].speaker))
        for long, start in of_whole
    )


def _left_out(part: Wanted, of_whole: Presence) -> float:
    """The weighted share of a question's words that a part leaves out; what asks before the part counts twice."""
    held = of_whole.weight(part.text)
    return (1 - held) + (of_whole.weight(f"{part.before} {part.text}") - held)


def _candidate(windows: Windows, seen: _Seen, at: tuple[int, int]) -> Candidate:
    length, first = at
    last = first + length
    first = _asked_from(windows, first, last)
    return Candidate(
        first,
        last,
        windows.units[_begun_at(windows, first)].sentence_start,
        windows.units[_asked_until(windows.units, last)].end,
        _evidence(windows, seen, at),
        seen.wanted.text,
        min(1.0, len(seen.wanted.text.split()) / max(1, int(windows.words[at]))),
        bool(windows.holds_asking[at]) and _is_of_one_speaker(windows, at),
    )


def _is_of_one_speaker(windows: Windows, at: tuple[int, int]) -> bool:
    length, first = at
    return len({unit.speaker for unit in windows.units[first : first + length + 1]}) == 1


def _peaks(rough: Grid) -> list[tuple[int, int]]:
    """The best windows whose score no sentence more or less at either end improves, as (length - 1, first)."""
    lengths, count = rough.shape
    outside = np.full((lengths + 2, count + 2), -np.inf)
    outside[1:-1, 1:-1] = rough
    shorter_or_longer = [outside[:-2, 2:], outside[:-2, 1:-1], outside[2:, :-2], outside[2:, 1:-1]]
    peaks = (rough >= np.maximum.reduce(shorter_or_longer)) & np.isfinite(rough)
    best = np.argsort(-np.where(peaks, rough, -np.inf), axis=None, kind="stable")[: min(CANDIDATES, int(peaks.sum()))]
    return [divmod(int(place), count) for place in best]


def _evidence(windows: Windows, seen: _Seen, at: tuple[int, int]) -> Evidence:
    wanted, (length, first) = seen.wanted, at
    last, units = first + length, windows.units
    is_asked = bool(windows.asks[max(0, first - 1) : last + 1].any())
    asking = int(windows.asks.sum())
    found = Evidence(
        coverage=float(seen.shares[at]),
        in_order=in_order(wanted.text, " ".join(unit.text for unit in units[first : last + 1])),
        common=math.log(1 + (asking if is_asked else len(units) - asking)),
        misplaced=abs(units[first].start / units[-1].end - wanted.expected) if units[-1].end else 0.0,
        scarce=float(_is_scarce(wanted, windows, first, last)),
        unlike_long=abs(math.log(max(1, len(wanted.text.split())) / max(1, int(windows.words[at])))),
        left_out=seen.left_out,
        unanswered=float(windows.unanswered[first : last + 1].all()),
        by_others=_by_others(windows, at),
    )
    near = seen.near
    if near is None or windows.around is None or wanted.vector is None:
        return found
    before, after = windows.around
    return found._replace(
        nearness=float(near[at]),
        stands_out=float((near[at] - near[length].mean()) / (near[length].std() + 1e-6)),
        answered=float(after[last] @ wanted.vector - before[first] @ wanted.vector),
    )


def _by_others(windows: Windows, at: tuple[int, int]) -> float:
    """The share of a window's words that are said by people who do not ask; 0 if it is not most of them."""
    length, first = at
    words = windows.words[0, first : first + length + 1]
    share = float(words[windows.by_others[first : first + length + 1]].sum() / max(1, words.sum()))
    return share if share > MOST_OF_IT else 0.0


def _is_scarce(wanted: Wanted, windows: Windows, first: int, last: int) -> bool:
    """Tell whether the window has an answered asking and only hosts' sentences, and the hosts ask few questions."""
    return (
        len(windows.askings) <= HARDLY_MORE * wanted.listed
        and bool(windows.answered[first : last + 1].any())
        and all(unit.speaker in windows.hosts for unit in windows.units[first : last + 1])
    )


def _asked_from(windows: Windows, first: int, last: int) -> int:
    """The first unit of a window, without what a guest tells before a host who asks there."""
    if not windows.hosts or not windows.asks[first : last + 1].any():
        return first
    for n in range(first, last + 1):
        unit = windows.units[n]
        # A sentence that the host ends is the host's, whoever seems to begin it.
        if unit.speaker in {*windows.hosts, None} or asks(unit) or not ends_sentence(unit.text):
            return n
    return first


def _begun_at(windows: Windows, first: int) -> int:
    """The first unit of the asking, including a short lead-in such as "Turning to your staff".

    A longer lead-in is included only at the beginning of a turn: elsewhere it may conclude the previous topic.
    """
    if first == 0:
        return first
    before, unit = windows.units[first - 1], windows.units[first]
    words = len(before.text.split())
    leads = (
        bool(windows.leads[first - 1])
        and before.speaker == unit.speaker
        and unit.start - before.end < MORE_PAUSE_SECONDS
        and (words <= LEAD_WORDS or (words <= LONG_LEAD_WORDS and _begins_turn(windows, first - 1)))
    )
    return first - 1 if leads else first


def _begins_turn(windows: Windows, at: int) -> bool:
    """Tell whether a sentence begins its speaker's turn, apart from reactions such as "Thank you" before it."""
    units = windows.units
    if units[at].speaker is None:
        return False
    while at > 0 and units[at - 1].speaker == units[at].speaker:
        at -= 1
        if len(units[at].text.split()) > REACTION_WORDS:
            return False
    return True


def _asked_until(units: Sequence[Unit], last: int) -> int:
    """The last unit of the asking, including questions that directly follow, whether they were published or not."""
    for unit, following in pairwise(units[last : last + 1 + MORE_UNITS]):
        goes_on = following.text.endswith("?") and following.speaker == unit.speaker
        if not goes_on or following.start - unit.end > MORE_PAUSE_SECONDS:
            break
        last += 1
    return last
