"""A transcript as windows: the runs of sentences in which a question may be asked. Knows no questions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.align.askings import Asking, Exchange, answered, askings, exchanges, host_of, hosts_of, unanswered
from pipeline.align.lexical import Spoken
from pipeline.align.meaning import Encode, Vectors, directions
from pipeline.align.units import Unit

LONGEST = 4  # sentences; a longer question is found by its best four
MOST_SECONDS = 45.0
MOST_WORDS = 90
ANSWER_SECONDS = 75.0  # of speech after an asking, which shows its subject
BEFORE_SECONDS = 60.0
LONGEST_TURN = 6  # sentences at the end of a host's turn: the question comes after a story

# Phrases with which hosts announce a question.
_ANNOUNCES = re.compile(
    r"""
    \b(?: (?:next|first|second|third|last|final|another|one\ more|other|new|following|(?:got|had|have)\ (?:a|one))
           \ (?:\w+\ ){0,2}? (?:question|one|thing)
        | question\ (?:from|is|was|here|about) | wan(?:t|ted)\ to\ ask | ask\ you | asks? | asking
        | mov(?:e|ing)\ on | let['’]s\ talk | turn(?:ing)?\ to | jump\ ahead
        | going\ back | back\ to | and\ finally | lastly | wondering | I\ wonder | curious
        | tell\ (?:us|me) | talk\ (?:us|me) | explain | describe ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Further ones in a sentence that leads to a question, but asks nothing itself.
_LEADS = re.compile(
    r"""
    \b(?: let(?:['’]s|\ me|\ us) | (?:start|begin|finish|end)\ (?:\w+\ )?(?:with|at|by|on)
        | come\ (?:to|on\ to|back\ to) | get\ (?:on\ to|back\ to)
        | (?:want|like|love|have|got)\ to\ (?:\w+\ ){0,2}(?:ask|talk|start|begin|finish|come|go|get|pick|turn|know)
        | should\ talk | last\ one | (?:final|last|next|first)\ one | question | if\ (?:we|I)\ (?:can|could|may) ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# The form of a question. Most sentences of this form are not questions, so it is used only without question marks.
_FORM = re.compile(
    r"""
    \b(?: (?:what|how|why|which|when|where|who)
           (?:['’](?:s|re|d)|\ (?:is|are|was|were|do|does|did|would|will|can|could|should|has|have))
        | (?:what|how|which)\ (?:\w+\ ){1,2}(?:do|did|are|is|have|would)\ you
        | (?:do|did|have|are|were|can|could|would|will|is|was)\ (?:you|your|there|this|that|it|they) ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
FEWEST_MARKED = 0.005  # of the sentences; a transcript with question marks has more of them than that


@dataclass(frozen=True)
class Windows:
    """All runs of one to ``LONGEST`` sentences, as arrays (lengths, sentences): length less one, and first sentence.

    Attributes:
        units: The sentences.
        spoken: Their words.
        sums: Their vectors, (sentences, 384); None without sentence vectors.
    """

    units: Sequence[Unit]
    spoken: Spoken
    sums: Vectors | None

    @classmethod
    def of(cls, units: Sequence[Unit], encode: Encode | None) -> Windows:
        """Make them from a transcript's sentences; without ``encode`` there are no vectors."""
        texts = [unit.text for unit in units]
        return cls(units, Spoken(texts), encode(texts) if encode and texts else None)

    @property
    def lengths(self) -> range:
        """The possible numbers of sentences in a window."""
        return range(1, min(LONGEST, len(self.units)) + 1)

    @cached_property
    def starts(self) -> NDArray[np.float64]:
        """The start of each sentence, in seconds."""
        return np.array([unit.start for unit in self.units])

    @cached_property
    def ends(self) -> NDArray[np.float64]:
        """The end of each sentence, in seconds."""
        return np.array([unit.end for unit in self.units])

    @cached_property
    def words(self) -> NDArray[np.int64]:
        """The number of words in each window."""
        return np.asarray(self._added(np.array([len(unit.text.split()) for unit in self.units])), np.int64)

    @cached_property
    def possible(self) -> NDArray[np.bool_]:
        """Which windows lie within the transcript and are not too long; single sentences always do."""
        count = len(self.units)
        last = np.arange(count) + np.array(self.lengths)[:, None] - 1
        seconds = self.ends[np.minimum(last, count - 1)] - self.starts
        fits = (last < count) & (seconds < MOST_SECONDS) & (self.words < MOST_WORDS)
        fits[0] = True
        return np.asarray(fits)

    @cached_property
    def announces(self) -> NDArray[np.bool_]:
        """Which sentences announce a question."""
        return np.array([_ANNOUNCES.search(unit.text) is not None for unit in self.units], bool)

    @cached_property
    def leads(self) -> NDArray[np.bool_]:
        """Which sentences may lead to a question in the next sentence."""
        led = [_LEADS.search(unit.text) is not None and "?" not in unit.text for unit in self.units]
        return np.asarray(self.announces | np.array(led, bool))

    @cached_property
    def asks(self) -> NDArray[np.bool_]:
        """Which sentences sound like a question, or announce one; only the hosts' if these are known."""
        marked = np.array(["?" in unit.text for unit in self.units], bool)
        if marked.sum() < FEWEST_MARKED * len(marked):
            marked = np.array([_FORM.search(unit.text) is not None for unit in self.units])
        by_host = np.array([not self.hosts or unit.speaker in self.hosts for unit in self.units], bool)
        return np.asarray((marked | self.announces) & by_host)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The speakers who ask; empty if speakers are not known."""
        return hosts_of(self.units, host_of(self.units, ()))

    @cached_property
    def askings(self) -> list[Asking]:
        """The hosts' askings that somebody else answers."""
        return askings(self.units, self.hosts)

    @cached_property
    def exchanges(self) -> list[Exchange]:
        """The hosts' turns that ask something, with all that others say until the next; none without speakers."""
        return exchanges(self.units, self.hosts, self.asks.tolist())

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Which sentences are part of one of ``askings``."""
        found = np.zeros(len(self.units), bool)
        for asking in self.askings:
            found[asking.first : asking.last + 1] = True
        return found

    @cached_property
    def unanswered(self) -> NDArray[np.bool_]:
        """Which sentences are in the host's introduction or closing, a teaser or a recap, where nobody answers."""
        return np.array(unanswered(self.units, self.hosts), bool)

    @cached_property
    def by_others(self) -> NDArray[np.bool_]:
        """Which sentences are said by guests, or others who are not hosts; not what an audience asks a guest."""
        found = np.array([bool(self.hosts) and unit.speaker not in {*self.hosts, None} for unit in self.units], bool)
        for one in answered(self.units):
            following = (unit.speaker for unit in self.units[one.last + 1 :])
            by = next((speaker for speaker in following if speaker != self.units[one.last].speaker), None)
            if by not in self.hosts:
                found[one.first : one.last + 1] = False
        return found

    @cached_property
    def holds_asking(self) -> NDArray[np.bool_]:
        """Which windows contain a sentence that asks."""
        return np.asarray(self._added(self.asks.astype(int)) > 0)

    @cached_property
    def directions(self) -> Vectors | None:
        """The unit vector of each window: (lengths, sentences, 384)."""
        return None if self.sums is None else directions(self._added(self.sums))

    @cached_property
    def around(self) -> tuple[Vectors, Vectors] | None:
        """The unit vectors of the speech before and after each sentence: two of (sentences, 384)."""
        if self.sums is None:
            return None
        until = np.concatenate(
            [np.zeros((1, self.sums.shape[1]), np.float32), np.cumsum(directions(self.sums), axis=0)]
        )
        here = np.arange(len(self.units))
        earliest = np.searchsorted(self.starts, self.starts - BEFORE_SECONDS)
        latest = np.maximum(np.searchsorted(self.starts, self.ends + ANSWER_SECONDS), here + 1)
        return directions(until[here] - until[earliest]), directions(until[latest] - until[here + 1])

    @cached_property
    def exchanged(self) -> tuple[Vectors, Vectors] | None:
        """The unit vectors of the end of each exchange's asking turn, and of its answer: two of (exchanges, 384)."""
        if self.sums is None or not self.exchanges:
            return None
        said, answers = [], []
        for one in self.exchanges:
            said.append(self.sums[max(one.first, one.last + 1 - LONGEST_TURN) : one.last + 1].sum(axis=0))
            latest = self.ends[one.last] + ANSWER_SECONDS
            soon = [n for n in one.answer if self.starts[n] < latest] or one.answer[:1]
            answers.append(directions(self.sums[list(soon)]).sum(axis=0))
        return directions(np.stack(said)), directions(np.stack(answers))

    def _added(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum over each window's sentences; windows that reach past the end are cut short."""
        count = len(values)
        until = np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), np.cumsum(values, axis=0)])
        last = np.minimum(np.arange(count) + np.array(self.lengths)[:, None], count)
        return np.asarray(until[last] - until[np.arange(count)])
