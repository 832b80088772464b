"""The frozen value types that travel between stages. They know nothing of where they come from or go to.

Times inside a recording are seconds (float) from the start of the kept file. Moments are UTC, as
ISO 8601 text ending in ``Z``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

MatchStatus = Literal["asked", "merged", "uncertain", "not_asked"]
Role = Literal["question", "answer", "other"]
Verdict = Literal["same", "spliced", "changed", "other"]
StageName = Literal["poll", "download", "transcribe", "align"]
STAGES: tuple[StageName, ...] = get_args(StageName)


@dataclass(frozen=True, slots=True)
class Question:
    """One item of an episode's published question list; ``number`` counts from 1 in list order."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said to recognise an unchanged body by (RFC 9110, section 8.8), sent back verbatim."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that make a request conditional."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        # One that is not ASCII could not be sent back verbatim, so it is not sent at all.
        return {name: value for name, value in pairs.items() if value and value.isascii()}

    def or_else(self, earlier: Validators) -> Validators:
        """Return these, and for each that is missing the earlier one."""
        return Validators(self.etag or earlier.etag, self.last_modified or earlier.last_modified)


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """Where a publisher's own transcript lies, as the feed says; ``type`` is a MIME type, and may be wrong."""

    url: str
    type: str | None = None
    language: str | None = None
    rel: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who speaks in an episode, as its notes say; ``description`` is what they are said to be."""

    name: str
    role: Literal["host", "guest"]
    description: str | None = None


UNTITLED = "(untitled)"  # the title of an item that its feed gives none


@dataclass(frozen=True, slots=True)
class FeedEpisode:
    """One item of a feed, as published and as far as it could be understood.

    ``guid`` is never empty: where the feed has none, one is made (``guid_made``) from the audio's address. Several
    items of a feed may have the same. ``declared_duration`` is in seconds, ``enclosure_length`` in bytes, and both are
    but hints. ``notes_html`` is sanitised. ``transcripts`` are the publisher's own.
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

    ``redirects`` are the addresses that the host sent on to, in order: the last of them is ``final_url``. No address
    has credentials in it. ``etag`` and ``last_modified`` are the host's, verbatim.
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


@dataclass(frozen=True, slots=True)
class Fetch:
    """A rendition as it was fetched: ``offer`` is the key of what the feed offered, None where an older version did.

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
    """A stretch of an earlier recording of which a later one has the same sound, from ``new_start`` on; in seconds."""

    old_start: float
    old_end: float
    new_start: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two recordings of one episode have in common, each named by its sha256.

    ``same``: the sound of the old one is the new one's, encoded anew. ``spliced``: all of it is in the new one, not all
    in one piece, or with more around it. ``changed``: some of it is gone. ``other``: hardly any of it is there.
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
    """Who speaks in a transcript; ``label`` is the name where it is known, else ``Speaker N``.

    ``seconds`` is for how long, ``voice`` the mean of their voice's vectors: a print to know them by elsewhere.
    """

    label: str
    name: str | None
    role: Literal["host", "guest", "unknown"]
    seconds: float
    voice: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one engine heard in one file, or its publisher wrote of it.

    ``options`` is everything that could change the words, and the account of what was done about doubtful ones.
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
    ``confidence`` 0..1 is the probability that ``status`` and ``start`` are right; ``runner_up`` is when it would be
    asked if not at ``start``, with the probability of that.
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
    """What the host asked besides the list; ``after`` is the number of the published question that it follows.

    Times are those of a ``Match``; ``text`` is as it was heard.
    """

    after: int
    start: float
    end: float
    answer_end: float
    text: str


class Label(NamedTuple):
    """What is done in a segment, and the numbers of the published questions that it is about, in order."""

    role: Role
    questions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """What an editor says of when a question is asked: ``asked`` or ``not_asked``, and of one recording only.

    ``start`` and ``end`` bound the asking, ``answer_end`` the answer; None is what the editor did not say. ``editor``
    is who, ``made_at`` the moment.
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
    """Who speaks in a stretch of one recording, as somebody heard it; ``start`` and ``end`` in seconds.

    ``name`` is empty where nobody is to be named; ``machine`` is the one speaker whom the machine had there at that
    moment, ``made_at``. ``everywhere`` tells that it is of that voice, wherever it is heard in the recording.
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
    """What became of one stage of one episode, or of one feed where ``episode`` is None."""

    stage: str
    feed: str
    episode: str | None
    status: Literal["ok", "skipped", "failed"]
    reason: str | None = None
    seconds: float = 0.0
