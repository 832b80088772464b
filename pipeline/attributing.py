"""Who speaks as a person heard it, in the place of whom a machine did. Pure functions: knows no archive and no page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.checking import clean
from pipeline.errors import CorrectionError
from pipeline.model import Attribution, Segment, Speaker

NAME_LENGTH = 200  # characters
_NOBODY = re.compile(r"Speaker \d+")  # tells voices apart, and is no name


def speaker_name(text: str) -> str:
    """Return a name as an editor wrote it, with single spaces and without characters that nobody can see.

    Raises:
        CorrectionError: it is too long.
    """
    name = clean(text)
    if len(name) > NAME_LENGTH:
        raise CorrectionError(f"speaker: is longer than {NAME_LENGTH} characters")
    return name


def attributed(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> tuple[Segment, ...]:
    """Return a transcript with the speakers whom people named, one segment for one; arguments as of ``deciding``."""
    told = zip(segments, deciding(segments, attributions), strict=True)
    return tuple(replace(segment, speaker=one.name or None) if one else segment for segment, one in told)


def deciding(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> list[Attribution | None]:
    """Return for each segment the attribution that says who speaks in it; None where the machine does.

    A voice that was named everywhere is everywhere that of whom it was named last. Besides, of each stretch the newest
    attribution counts.

    Args:
        segments: as the machine heard them, in order of time.
        attributions: of the same recording, the oldest first.
    """
    voices = voices_named(segments, attributions)
    found = [voices.get(one.speaker) if one.speaker else None for one in segments]
    for attribution in attributions:
        for n in _about(segments, attribution):
            found[n] = attribution
    return found


def voices_named(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> dict[str, Attribution]:
    """Return for each of the machine's labels of which the voice was named everywhere, what says whose it is."""
    named = ((voice_in([segments[n] for n in _about(segments, one)]), one) for one in attributions if one.everywhere)
    return {voice: one for voice, one in named if voice}


def voice_in(segments: Iterable[Segment]) -> str | None:
    """Return the label of whom the machine hears longest in some segments; None where it tells nobody apart."""
    seconds = _seconds(segments)
    return max(seconds, key=lambda label: seconds[label]) if seconds else None


def speakers_in_force(
    speakers: Sequence[Speaker], machine: Sequence[Segment], attributions: Sequence[Attribution]
) -> tuple[Speaker, ...]:
    """Return who speaks in a transcript with attributions.

    Of one who is heard only where people say so, no more is known than the name.

    Args:
        speakers: as the machine told them apart.
        machine: the segments as the machine heard them.
        attributions: of the same recording, the oldest first.
    """
    voices = {label: one.name for label, one in voices_named(machine, attributions).items()}
    before, after = _seconds(machine), _seconds(attributed(machine, attributions))
    labels = [*(voices.get(one.label, one.label) for one in speakers), *(one.name for one in attributions)]
    found = []
    for label in dict.fromkeys(labels):
        own = next((one for one in speakers if one.label == label), None)
        voiced = [one for one in speakers if voices.get(one.label, one.label) == label]
        if own and voiced == [own] and before.get(label) == after.get(label):
            found.append(own)
        elif label in after:
            longest = max(voiced, key=lambda one: one.seconds, default=Speaker(label, None, "unknown", 0.0))
            name = None if _NOBODY.fullmatch(label) else label
            known = own or replace(longest, label=label, name=name)
            found.append(replace(known, seconds=round(after[label], 2), voice=longest.voice))
    return tuple(found)


def _about(segments: Sequence[Segment], attribution: Attribution) -> list[int]:
    """The numbers of the segments that an attribution is about: those that have their middle in its stretch.

    If the one whom the machine had there is among the voices of these, it is about that one: somebody else may speak at
    the same time.
    """
    there = [n for n, one in enumerate(segments) if attribution.start <= (one.start + one.end) / 2 <= attribution.end]
    own = [n for n in there if segments[n].speaker == attribution.machine]
    return own if own and attribution.machine else there


def _seconds(segments: Iterable[Segment]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in segments:
        if one.speaker:
            found[one.speaker] = found.get(one.speaker, 0.0) + one.end - one.start
    return found
