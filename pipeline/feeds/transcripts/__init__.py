"""Parsing publishers' transcripts into turns: WebVTT, SRT, JSON, HTML, plain text and show notes. Fetches nothing."""

from __future__ import annotations

import re

from pipeline.errors import NotATranscriptError
from pipeline.feeds.transcripts.captions import looks_like_captions, read_captions
from pipeline.feeds.transcripts.markup import html_to_text, looks_like_html, read_html
from pipeline.feeds.transcripts.podcast_json import read_json
from pipeline.feeds.transcripts.prose import find_transcript, read_text, without_transcript
from pipeline.feeds.transcripts.turns import UNSHOWABLE, PublishedTurn, checked

__all__ = ["MAX_TRANSCRIPT_BYTES", "PublishedTurn", "find_transcript", "read_transcript", "without_transcript"]

MAX_TRANSCRIPT_BYTES = 20_000_000
MIN_UNNAMED_WORDS = 100  # fewer, without speakers and times, are more likely a message than a transcript

_UNSHOWABLE_SHARE = 0.001  # more, and the content is not text
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_DAMAGED_SHARE = 0.2  # of the non-ASCII characters: more, and it is another encoding
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def read_transcript(content: bytes, *, declared: str | None = None) -> tuple[PublishedTurn, ...]:
    """Parse a publisher's transcript in any of the known formats.

    Args:
        content: the file as received.
        declared: the MIME type given by the feed or server. The format is detected from the content; the type only
            tells an HTML message (“not found”) from an HTML transcript, and broken JSON from plain text.

    Raises:
        NotATranscriptError: it is too large, is not text, or contains no speech; the message says which.
    """
    if len(content) > MAX_TRANSCRIPT_BYTES:
        raise NotATranscriptError(f"it is larger than {MAX_TRANSCRIPT_BYTES // 1_000_000} MB: no transcript is")
    text = _decoded(content).strip()
    kind = (declared or "").lower()
    if looks_like_captions(text):
        return checked(read_captions(text))
    if re.match(r"\{|\[\s*[{\]]", text) or ("json" in kind and not looks_like_html(text)):
        return checked(read_json(text))
    if looks_like_html(text):
        return checked(read_html(text) or _page(html_to_text(text), expected="html" in kind or not kind))
    return checked(_long_enough(read_text(text)))


def _page(text: str, *, expected: bool) -> tuple[PublishedTurn, ...]:
    """An HTML page without the namespace's tags: a transcript if declared as one, or if it is plainly one."""
    return _long_enough(read_text(text)) if expected else find_transcript(text)


def _long_enough(turns: tuple[PublishedTurn, ...]) -> tuple[PublishedTurn, ...]:
    words = sum(len(turn.text.split()) for turn in turns)
    unnamed = all(turn.speaker is None and turn.start is None for turn in turns)
    if turns and unnamed and words < MIN_UNNAMED_WORDS:
        raise NotATranscriptError(f"it has {words} words, and neither speakers nor times")
    return turns


def _decoded(content: bytes) -> str:
    """Decode with normalised line ends: by byte order mark, as UTF-8, or else as Windows-1252."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    text = content.decode(encoding, errors="replace")
    if text.count("\ufffd") > _DAMAGED_SHARE * sum(map(len, _BEYOND_ASCII.findall(text))):
        text = content.decode("cp1252", errors="replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    shown, unshowable = UNSHOWABLE.subn("", text)
    if unshowable > _UNSHOWABLE_SHARE * len(text) or text.count("\ufffd") > _UNSHOWABLE_SHARE * len(text):
        raise NotATranscriptError("it is not text")
    return shown
