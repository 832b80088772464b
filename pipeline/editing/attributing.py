"""Applying editors' attributions of speakers to a transcript. Pure functions."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.editing.checking import clean
from pipeline.errors import CorrectionError
from pipeline.model import Attribution, Segment, Speaker

NAME_LENGTH = 200  # characters
_HALF = 0.499  # times are rounded
_NOBODY = re.compile(r"Speaker \d+")  # a diarisation label, not a name


def speaker_name(text: str) -> str:
    """Return a name as an editor wrote it, with single spaces and without characters that nobody can see.

    Raises:
        CorrectionError: it is too long, or a diarisation label such as ``Speaker 2``.
    """
    name = clean(text)
    if not is_name(name):
        raise CorrectionError(f"speaker: “{name}” is not a person’s name: write another one, or none")
    if len(name) > NAME_LENGTH:
        raise CorrectionError(f"speaker: is longer than {NAME_LENGTH} characters")
    return name


def is_name(label: str) -> bool:
    """Tell whether a speaker label is a name, not a diarisation label such as ``Speaker 2``."""
    return not _NOBODY.fullmatch(label)


def attributed(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> tuple[Segment, ...]:
    """Return the segments with attributed speakers, one for one; for the arguments see ``deciding``."""
    told = zip(segments, deciding(segments, attributions), strict=True)
    return tuple(replace(segment, speaker=one.name or None) if one else segment for segment, one in told)


def deciding(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> list[Attribution | None]:
    """Return for each segment the attribution that decides its speaker, or None if the diarisation does.

    The latest ``everywhere`` attribution of a voice applies to all of its segments, also where an earlier one was made.
    Within the stretch of any other attribution, the newest of those applies instead.

    Args:
        segments: as the machine heard them, in order of time.
        attributions: of the same recording, the oldest first.
    """
    placed = _placed(segments, attributions)
    voices = _voices(placed)
    found = [voices.get(one.speaker) if one.speaker else None for one in segments]
    for one in placed:
        for n in one.about:
            named = voices.get(one.voice) if one.voice and segments[n].speaker == one.voice else None
            found[n] = named or one.attribution
    return found


def concerning(
    segments: Sequence[Segment], attributions: Sequence[Attribution], first: int, last: int
) -> tuple[Attribution, ...]:
    """Return the attributions that concern any of the segments ``first`` to ``last``, or a voice in them."""
    labels = {one.speaker for one in segments[first : last + 1]}
    return tuple(
        one.attribution
        for one in _placed(segments, attributions)
        if one.voice in labels - {None} or any(first <= n <= last for n in one.about)
    )


def voice_in(segments: Iterable[Segment]) -> str | None:
    """Return the diarisation label with the most speaking time in the segments; None if they have none."""
    seconds = _seconds(segments)
    return max(seconds, key=lambda label: seconds[label]) if seconds else None


def speakers_in_force(
    speakers: Sequence[Speaker], machine: Sequence[Segment], attributions: Sequence[Attribution]
) -> tuple[Speaker, ...]:
    """Return the speakers of a transcript after applying attributions.

    A speaker who is known only from attributions has just a name.

    Args:
        speakers: as the machine told them apart.
        machine: the segments as the machine heard them.
        attributions: of the same recording, the oldest first.
    """
    voices = {label: one.name for label, one in _voices(_placed(machine, attributions)).items()}
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
            name = label if is_name(label) else None
            # Somebody may have the name that the machine gave to another voice: that one's role goes with its voice.
            known = own if own and own in voiced else replace(longest, label=label, name=name)
            found.append(replace(known, seconds=round(after[label], 2), voice=longest.voice))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An attribution, the numbers of the segments it is about, and the label of the voice that it names everywhere."""

    attribution: Attribution
    about: Sequence[int]
    voice: str | None


def _voices(placed: Iterable[_Placed]) -> dict[str, Attribution]:
    """The ``everywhere`` attribution in effect for each diarisation label that has one."""
    return {one.voice: one.attribution for one in placed if one.voice}


def _placed(segments: Sequence[Segment], attributions: Iterable[Attribution]) -> list[_Placed]:
    """Assign attributions to segments: a segment counts if at least half of it lies in the stretch."""
    middles = sorted(((one.start + one.end) / 2, n) for n, one in enumerate(segments))
    found = []
    for one in attributions:
        first, stop = bisect_left(middles, (one.start, 0)), bisect_right(middles, (one.end, len(segments)))
        there = sorted(n for _, n in middles[first:stop] if _inside(segments[n], one) >= _HALF * _length(segments[n]))
        about, voice = _about(segments, there, one)
        found.append(_Placed(one, about, voice if one.everywhere else None))
    return found


def _about(segments: Sequence[Segment], there: Sequence[int], attribution: Attribution) -> tuple[list[int], str | None]:
    """Return the segments that an attribution applies to, and the dominant voice's label.

    If it was made for a single voice, it applies to the dominant voice and not to others who speak simultaneously.
    Labels may differ between transcriptions, so the recorded label only breaks ties.
    """
    seconds: dict[str, float] = {}
    for n in there:
        label = segments[n].speaker
        if label:
            seconds[label] = seconds.get(label, 0.0) + _inside(segments[n], attribution)
    voice = max(seconds, key=lambda label: (round(seconds[label], 3), label == attribution.machine), default=None)
    if voice is None or attribution.machine is None:
        return list(there), voice
    own = [segments[n] for n in there if segments[n].speaker == voice]

    def is_beside(one: Segment) -> bool:
        return not any(other.start < (one.start + one.end) / 2 < other.end for other in own)

    return [n for n in there if segments[n].speaker == voice or is_beside(segments[n])], voice


def _inside(segment: Segment, attribution: Attribution) -> float:
    """For how many seconds a segment lies in the stretch of an attribution."""
    return min(segment.end, attribution.end) - max(segment.start, attribution.start)


def _length(segment: Segment) -> float:
    return segment.end - segment.start


def _seconds(segments: Iterable[Segment]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in segments:
        if one.speaker:
            found[one.speaker] = found.get(one.speaker, 0.0) + one.end - one.start
    return found
