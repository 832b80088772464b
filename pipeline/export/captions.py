"""Captions as WebVTT and SubRip, with speakers. ``cues`` decides where they break and when they show."""

from __future__ import annotations

from pipeline.addresses import Addresses
from pipeline.archive.publication import Publication
from pipeline.export.cues import Cue, cues
from pipeline.export.transcript import transcribed
from pipeline.export.webvtt import document, escaped, stamp

# SubRip has no escapes, and players interpret text in angle brackets as formatting.
_NO_TAGS = str.maketrans("<>", "‹›")


def vtt(publication: Publication, _: Addresses) -> str:
    """Write WebVTT with a voice span in each cue whose speaker is known (section 5.6).

    Raises:
        ExportError: the episode has no transcript.
    """
    return document((cue.start, cue.end, _voiced(cue)) for cue in _cues(publication, names=False))


def srt(publication: Publication, _: Addresses) -> str:
    """Write SubRip, with the speaker's name at each change of speaker.

    Raises:
        ExportError: the episode has no transcript.
    """
    blocks = []
    for number, cue in enumerate(_cues(publication, names=True), 1):
        text = "\n".join(cue.lines).translate(_NO_TAGS)
        blocks.append(f"{number}\n{stamp(cue.start, ',')} --> {stamp(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def _cues(publication: Publication, *, names: bool) -> tuple[Cue, ...]:
    audio = transcribed(publication)[0]
    return cues(publication.segments, duration=audio.duration, names=names)


def _voiced(cue: Cue) -> str:
    voice = f"<v {escaped(' '.join(cue.speaker.split()))}>" if cue.speaker else ""
    return voice + "\n".join(escaped(line) for line in cue.lines)
