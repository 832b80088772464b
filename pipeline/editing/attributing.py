"""Who speaks as a person heard it, in the place of whom a machine did. Pure functions: knows no archive and no page."""

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
_NOBODY = re.compile(r"Speaker \d+")  # tells voices apart, and is no name


def speaker_name(text: str) -> str:
    """Return a name as an editor wrote it, with single spaces and without characters that nobody can see.

    Raises:
        CorrectionError: it is too long, or a label that another transcript may have for somebody else.
    """
    name = clean(text)
    if not is_name(name):
        raise CorrectionError(f"speaker: “{name}” is nobody’s name: write another one, or none")
    if len(name) > NAME_LENGTH:
        raise CorrectionError(f"speaker: is longer than {NAME_LENGTH} characters")
    return name


def is_name(label: str) -> bool:
    """Tell whether a speaker's label is a name, and does not only tell voices apart."""
    return not _NOBODY.fullmatch(label)


def attributed(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> tuple[Segment, ...]:
    """Return a transcript with the speakers whom people named, one segment for one; arguments as of ``deciding``."""
    told = zip(segments, deciding(segments, attributions), strict=True)
    return tuple(replace(segment, speaker=one.name or None) if one else segment for segment, one in told)


def deciding(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> list[Attribution | None]:
    """Return for each segment the attribution that says who speaks in it; None where the machine does.

    A voice that was named everywhere is everywhere that of whom it was named last, also where an earlier one was made.
    Besides, of each stretch the newest attribution counts.

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
    """Return the attributions that are about some of the segments ``first`` to ``last``, or a voice heard in them."""
    labels = {one.speaker for one in segments[first : last + 1]}
    return tuple(
        one.attribution
        for one in _placed(segments, attributions)
        if one.voice in labels - {None} or any(first <= n <= last for n in one.about)
    )


def voices_named(segments: Sequence[Segment], attributions: Sequence[Attribution]) -> dict[str, Attribution]:
    """Return for each of the machine's labels of which the voice was named everywhere, what says whose it is."""
    return _voices(_placed(segments, attributions))


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
    return {one.voice: one.attribution for one in placed if one.voice}


def _placed(segments: Sequence[Segment], attributions: Iterable[Attribution]) -> list[_Placed]:
    """Attributions where they belong: with the segments of which at least half lies in the stretch.

    Of a longer one nobody has said who speaks in it.
    """
    middles = sorted(((one.start + one.end) / 2, n) for n, one in enumerate(segments))
    found = []
    for one in attributions:
        first, stop = bisect_left(middles, (one.start, 0)), bisect_right(middles, (one.end, len(segments)))
        there = sorted(n for _, n in middles[first:stop] if _inside(segments[n], one) >= _HALF * _length(segments[n]))
        about, voice = _about(segments, there, one)
        found.append(_Placed(one, about, voice if one.everywhere else None))
    return found


def _about(segments: Sequence[Segment], there: Sequence[int], attribution: Attribution) -> tuple[list[int], str | None]:
    """Which of the segments in its stretch an attribution is about, and the label of the voice heard longest there.

    If the machine had one voice there, it is about that one, and about nobody who speaks at the same time. Another
    transcription may give the same label to somebody else: it tells only which of two is meant that are heard equally.
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
