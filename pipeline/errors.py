"""The exception hierarchy. Imports nothing of the project but the exit codes.

ArchiveError
├── ConfigError            feeds.yaml or the command line is wrong (exit 2)
│   ├── UnknownModelError  the Whisper model has no such name, or does not fit the language
│   └── UnknownEpisodeError  no episode is called that, or several are
├── LockedError            another run holds the database
├── DatabaseError          the database cannot be read or is newer than this program
├── FeedError              one feed could not be read; the others go on
│   ├── FeedUnreachableError
│   ├── FeedGoneError      404 or 410
│   ├── NotAFeedError      HTML, empty, not well-formed, too large
│   └── NotATranscriptError  a publisher's transcript that cannot be read as one
├── AudioError             one episode's audio could not be had or is not sound audio
│   ├── DownloadError
│   │   └── PassingError   it may well succeed a little later
│   └── NotAudioError
├── DiskFullError          there is no room left: the whole run stops
├── SpeechError            transcription failed
│   └── WeightsError       a model's weights could not be had
├── AlignmentError         an episode has nothing that could be aligned
├── ExportError            an episode or feed has nothing of what an export is made from
├── RepairError            something that is wrong with an archive and cannot be mended
├── BagError               a folder is no bag that an archive can be restored from
├── QueryError             a search that cannot be answered
├── QuotationError         an address of a quotation that makes no sense
│   └── NothingQuotedError  no recording has that name, or nothing is said there
└── CorrectionError        a correction that makes no sense, or of what is not there (exit 2)
"""

import errno
import sqlite3

from pipeline.exits import Exit


class ArchiveError(Exception):
    """Base of all errors shown to the user, as one sentence: what is wrong, and what to do."""

    exit_code = Exit.STOPPED


class ConfigError(ArchiveError):
    """Configuration or usage is wrong; the message names the key and the remedy."""

    exit_code = Exit.MISUSED


class UnknownModelError(ConfigError):
    """The Whisper model is unknown, or does not support the feed's language."""


class UnknownEpisodeError(ConfigError):
    """A name matches no episode, or several; the message then lists them."""


class LockedError(ArchiveError):
    """Another run is writing to the same database."""


class DatabaseError(ArchiveError):
    """The database is missing, damaged, or was made by a newer version."""


class FeedError(ArchiveError):
    """One feed could not be read."""


class FeedUnreachableError(FeedError):
    """The feed's server did not answer, or its address is forbidden; ``retry_after`` is the server's header."""

    def __init__(self, message: str, *, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FeedGoneError(FeedError):
    """The feed does not exist: HTTP 404, or 410, which is ``for_good``."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


class NotAFeedError(FeedError):
    """What came back is not a feed: HTML, empty, not well-formed, or too large."""


class NotATranscriptError(FeedError):
    """A publisher's transcript is unreadable: a different kind of file, empty, or too large."""


class AudioError(ArchiveError):
    """One episode's audio could not be kept."""


class DownloadError(AudioError):
    """The audio could not be fetched whole."""


class PassingError(DownloadError):
    """A temporary failure, such as a busy server or a broken connection; retry after ``wait`` seconds."""

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class NotAudioError(AudioError):
    """The bytes are not audio that can be decoded."""


class DiskFullError(ArchiveError):
    """The disk is full; the whole run stops, since no other episode would fit either."""


class SpeechError(ArchiveError):
    """Transcription failed."""


class WeightsError(SpeechError):
    """A model's weights could not be had; the message names the three ways there are."""


class AlignmentError(ArchiveError):
    """There is no transcript, or no question, to align; the message says what is missing."""


class ExportError(ArchiveError):
    """An export that cannot be made; the message names the episode or feed and what to do."""


class RepairError(ArchiveError):
    """Something that is wrong with an archive cannot be mended; the message says why."""


class BagError(ArchiveError):
    """A folder is no complete and valid bag, or holds no archive; the message names the file."""


class QueryError(ArchiveError):
    """A search that cannot be answered."""

    exit_code = Exit.MISUSED


class QuotationError(ArchiveError):
    """The address of a quotation makes no sense: its times, or a name that fits several recordings."""

    exit_code = Exit.MISUSED


class NothingQuotedError(QuotationError):
    """There is nothing to quote: no recording has that name, it is not transcribed, or nothing is said there."""


class CorrectionError(ArchiveError):
    """A correction that cannot be recorded; the message names the field and says what is wrong with it."""

    exit_code = Exit.MISUSED


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error or any of its causes is a full disk or an exhausted quota."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__
    return False
