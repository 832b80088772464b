"""The frozen value types that are passed between stages.

Times inside a recording are seconds (float) from the start of the kept file. Moments are
ISO 8601 text in UTC, ending in ``Z``; only ``published`` has the publisher's own offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

MatchStatus = Literal["asked", "merged", "uncertain", "not_asked"]
ASKED: Final[frozenset[str | None]] = frozenset({"asked", "merged"})
Role = Literal["question", "answer", "other"]
Verdict = Literal["same", "spliced", "changed", "other"]
StageName = Literal["poll", "download", "transcribe", "align"]
STAGES: tuple[StageName, ...] = get_args(StageName)


@dataclass(frozen=True, slots=True)
class Question:
    """One item of an episode's published question list; ``number`` counts from 1 in list order.

    ``stated`` is when it is asked according to the publisher, in seconds of the recording that was published.
    """

    number: int
    text: str
    stated: float | None = None


@dataclass(frozen=True, slots=True)
class Validators:
    """A response's validators for conditional requests (RFC 9110, section 8.8), sent back verbatim."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that make a request conditional."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        # One that is not ASCII could not be sent back verbatim, so it is not sent at all.
        return {name: value for name, value in pairs.items() if value and value.isascii()}

    def or_else(self, earlier: Validators) -> Validators:
        """Return these validators, with missing ones taken from ``earlier``."""
        return Validators(self.etag or earlier.etag, self.last_modified or earlier.last_modified)


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """The link to a publisher's transcript in a feed; ``type`` is the declared MIME type, which may be wrong."""

    url: str
    type: str | None = None
    language: str | None = None
    rel: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker named in an episode's notes; ``description`` is, for example, their office."""

    name: str
    role: Literal["host", "guest"]
    description: str | None = None


UNTITLED = "(untitled)"  # the title of an item that its feed gives none


@dataclass(frozen=True, slots=True)
class FeedEpisode:
    """One item of a feed, as published and as far as it could be understood.

    ``guid`` is never empty: if the feed has none, one is derived from the audio's address (``guid_made``). Several
    items of a feed may share one. ``declared_duration`` is in seconds, ``enclosure_length`` in bytes; both are
    unreliable. ``notes_html`` is sanitised. ``transcripts`` are the publisher's own; ``people`` have elements of their
    own.
    """

    guid: str
    title: str
    published: str | None
    link: str | None
    enclosure_url: str | None
    enclosure_type: str | None
    declared_duration: float | None
    notes_html: str
    notes_text: str
    questions: tuple[Question, ...] = ()
    guid_made: bool = False
    transcripts: tuple[TranscriptLink, ...] = ()
    enclosure_length: int | None = None
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed, or one page of it; ``warnings`` are sentences for the run report.

    ``podcast_guid`` is the show's own; ``new_feed_url`` is where it says that it moved, ``next_url`` its next page.
    """

    title: str
    episodes: tuple[FeedEpisode, ...]
    warnings: tuple[str, ...] = ()
    podcast_guid: str | None = None
    new_feed_url: str | None = None
    next_url: str | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """An archived episode, as the stages need it; what its feed declares as in ``FeedEpisode``."""

    id: str
    feed: str
    title: str
    enclosure_url: str | None
    published: str | None = None
    enclosure_length: int | None = None
    declared_duration: float | None = None


@dataclass(frozen=True, slots=True)
class KeptAudio:
    """A file in the audio folder: ``path`` relative to the data folder, ``duration`` in decoded seconds.

    ``redirects`` are the addresses of the redirects followed, in order; the last is ``final_url``. No address contains
    credentials. ``etag`` and ``last_modified`` are the host's, verbatim. ``lost`` is about how many seconds
    cannot be decoded.
    """

    sha256: str
    path: str
    bytes: int
    content_type: str
    duration: float
    url: str
    final_url: str
    fetched_at: str
    redirects: tuple[str, ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    lost: float = 0.0


@dataclass(frozen=True, slots=True)
class Fetch:
    """A rendition as fetched; ``offer`` is the key of the feed's offer, None if an older version fetched it.

    ``url``, ``etag`` and ``last_modified`` as in ``KeptAudio``.
    """

    sha256: str
    offer: str | None
    url: str
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Rendition:
    """A kept file as the archive has it; ``path`` and ``duration`` as in ``KeptAudio``."""

    sha256: str
    path: str
    bytes: int
    content_type: str
    duration: float


class Piece(NamedTuple):
    """A stretch of an earlier recording that is found in a later one from ``new_start`` on; in seconds."""

    old_start: float
    old_end: float
    new_start: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two recordings of one episode have in common, each named by its sha256.

    ``same``: the same sound, re-encoded. ``spliced``: all of the old one is in the new one, split up or with material
    added. ``changed``: part of the old one is missing. ``other``: they have hardly anything in common.
    ``pieces`` are in order in both; ``gone`` are the stretches of the old one with sound that is not in the new one,
    ``added`` those of the new one that are not in the old one, each from and to a second.
    """

    old: str
    new: str
    verdict: Verdict
    pieces: tuple[Piece, ...]
    gone: tuple[tuple[float, float], ...] = ()
    added: tuple[tuple[float, float], ...] = ()


class Word(NamedTuple):
    """One spoken word; a plain tuple, so that it is also its own JSON."""

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech. ``text`` is the words joined; ``confidence`` 0..1 is their mean probability."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    confidence: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks in a transcript; ``label``, which its segments have too, is the name where that is known.

    ``seconds`` is their total speaking time, ``voice`` their mean voice vector, to recognise them in other episodes.
    """

    label: str
    name: str | None
    role: Literal["host", "guest", "unknown"]
    seconds: float
    voice: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one engine heard in one file, or its publisher wrote of it.

    ``options`` holds all settings that affect the words, and the quality gate's report.
    """

    audio_sha256: str
    duration: float
    engine: str
    model: str
    language: str
    created: str
    segments: tuple[Segment, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    speakers: tuple[Speaker, ...] = ()
    source: Literal["whisper", "publisher"] = "whisper"


@dataclass(frozen=True, slots=True)
class Match:
    """Where a published question is asked.

    ``start`` and ``end`` bound the asking, ``answer_end`` the answer; all are None when it is not asked.
    ``confidence`` 0..1 is the probability that ``status`` and ``start`` are right; ``runner_up`` is the start of the
    next likeliest place, ``runner_up_confidence`` its probability.
    """

    number: int
    status: MatchStatus
    start: float | None = None
    end: float | None = None
    answer_end: float | None = None
    confidence: float = 0.0
    merged_with: int | None = None
    runner_up: float | None = None
    runner_up_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that is not on the list; ``after`` is the number of the published question that it follows.

    Times are as in ``Match``; ``text`` is the transcript's.
    """

    after: int
    start: float
    end: float
    answer_end: float
    text: str


class Label(NamedTuple):
    """A segment's role, and the sorted numbers of the published questions it asks or answers."""

    role: Role
    questions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """An editor's correction of a question's times in one recording; ``status`` is ``asked`` or ``not_asked``.

    ``start`` and ``end`` bound the asking, ``answer_end`` the answer; None if the editor gave none. ``made_at`` is when
    it was made, UTC, ISO 8601.
    """

    number: int
    status: MatchStatus
    start: float | None = None
    end: float | None = None
    answer_end: float | None = None
    note: str | None = None
    editor: str | None = field(kw_only=True)
    made_at: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who records or undoes something by hand, at which moment (UTC ISO 8601), and why."""

    editor: str
    made_at: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A passage of one recording that somebody listened to; ``start`` and ``end`` in seconds.

    ``text`` are the words as ``editor`` heard them, empty where nothing is said; ``machine`` are those that the machine
    had there at that moment, ``made_at``.
    """

    id: int
    rendition: str
    start: float
    end: float
    text: str
    machine: str
    note: str | None
    editor: str | None
    made_at: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """An editor's statement of who speaks in a stretch of one recording; ``start`` and ``end`` in seconds.

    ``name`` is empty if nobody is to be named. ``machine`` is the diarised speaker there when it was made, None if
    there was not exactly one. ``everywhere`` applies it to that voice in the whole recording.
    """

    id: int
    rendition: str
    start: float
    end: float
    name: str
    machine: str | None
    everywhere: bool
    note: str | None
    editor: str | None
    made_at: str


@dataclass(frozen=True, slots=True)
class RunItem:
    """The outcome of one stage of one episode, or of a whole feed if ``episode`` is None."""

    stage: str
    feed: str
    episode: str | None
    status: Literal["ok", "skipped", "failed"]
    reason: str | None = None
    seconds: float = 0.0
