"""What there is to say of what was heard besides its words: what may have been missed, and what is in doubt."""

from __future__ import annotations

import math

from pipeline.speech.channels import Channels
from pipeline.speech.hearing import Hearing
from pipeline.times import clock
from pipeline.whisper_models import whisper_language

QUIET = 0.03  # -30 dBFS: below that much of what is said is under the level from which speech is taken for such


def remarks(hearing: Hearing, channels: Channels, *, language: str) -> list[str]:
    """Return what a reader of the words has to know, one sentence each.

    Args:
        hearing: What was heard.
        channels: The recording that it was heard in, which is read again if one of its channels is much quieter.
        language: What is spoken, as configured.
    """
    said = []
    total = sum(hearing.languages.values())
    for code, seconds in hearing.languages.items():
        if code != whisper_language(language) and seconds > 0.1 * total:
            said.append(f"{seconds / total:.0%} of it is spoken in {code!r}, not in {language!r}")
    if hearing.decisions:
        dropped = sum(bool(decision.dropped) for decision in hearing.decisions)
        again = len(hearing.decisions) - dropped
        said += [f"{again} of {hearing.windows} windows decoded again"] if again else []
        said += [f"{dropped} without speech dropped"] if dropped else []
    if hearing.peak is not None and hearing.peak < QUIET:
        level = f"its peak is {20 * math.log10(hearing.peak):.0f} dB" if hearing.peak else "it is silent"
        said.append(f"it is so quiet that speech may have been missed: {level}")
    if not hearing.segments:
        missed = any("missing_words" in decision.flags for decision in hearing.decisions)
        said.append("no word of the speech in it was heard" if missed else "no speech was found in it")
    flagged = sum(bool(segment.flags) for segment in hearing.segments)
    said += [f"{flagged} passages need listening"] if flagged else []
    return said + _unheard(channels, hearing)


def _unheard(channels: Channels, hearing: Hearing) -> list[str]:
    """Say where somebody speaks on a channel that is much quieter than the other, and was not heard."""
    found = channels.unheard(hearing.speech)
    if found is None:
        return []
    what = f"{clock(found.seconds)} of speech on the {found.channel} channel"
    return [f"{what} was not heard: it is {found.decibels:.0f} dB quieter than the other"]
