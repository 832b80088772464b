"""Names for speakers that were told apart: from who asks, kept voice prints, and the notes. It never guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Person, Speaker

# The cosine of two voice prints. On LibriSpeech (six voices, 4419 pairs of different people and 882 of the same,
# from different recordings): no two people reached 0.84, nobody fell below 0.93 with the same microphone, and 22 %
# of the same people were below 0.86 where microphone and coding differed: those are not named by their voice.
_SAME = 0.86
_AHEAD = 0.05  # of the next likest in the same recording
_OTHER = 0.78  # below this it is somebody else: the same people were never below 0.81

_ASKER = 0.5  # of the wording of the published questions
_GUEST_SHARE = 0.05  # of the talk: less may be a clip or a caller


@dataclass(frozen=True, slots=True, eq=False)
class VoicePrint:
    """How somebody sounds: the mean vector over so many episodes."""

    vector: NDArray[np.float32]
    episodes: int = 1


def name_speakers(
    centroids: NDArray[np.float32],
    seconds: Sequence[float],
    *,
    asks: Mapping[int, float] | None = None,
    prints: Mapping[str, VoicePrint] | None = None,
    hosts: Sequence[str] = (),
    people: Sequence[Person] = (),
) -> tuple[Speaker, ...]:
    """Say who the speakers are, as far as that is known.

    A host is who asks the published questions, or sounds like the kept print of one. Two signs that contradict each
    other name nobody. A name goes to the one speaker it can mean, or to none.

    Args:
        centroids: Each speaker's mean vector, (speakers, dimensions).
        seconds: How long each speaks.
        asks: How much of the published questions' wording each says, 0..1.
        prints: The voices of this feed's hosts.
        hosts: The hosts' names, as configured for the feed.
        people: Who else is known to take part, and hosts where none is configured.
    """
    prints = prints or {}
    known_hosts = _unique([*hosts] or [person.name for person in people if person.role == "host"])
    guest_names = [
        name for name in _unique([one.name for one in people if one.role == "guest"]) if name not in known_hosts
    ]
    # Who hosts other episodes may be the guest of this one.
    names = {one: name for one, name in _recognised(centroids, prints).items() if name not in guest_names}
    asker = _asker(asks or {})
    if asker is not None and names and asker not in names and len(known_hosts) < 2:
        # One host only, and the voice says another than the questions: a voice kept from several episodes is right.
        asker = None
        names = {one: name for one, name in names.items() if prints[name].episodes > 1}
    found = set(names) | ({asker} if asker is not None else set())
    missing = [name for name in known_hosts if name not in names.values()]
    nameless = [one for one in found if one not in names]
    if len(missing) == 1 == len(nameless) and _may_be(centroids[nameless[0]], prints.get(missing[0])):
        names[nameless[0]] = missing[0]
    guests = _guests(seconds, found, expected_hosts=len(known_hosts))
    if len(guests) == 1 == len(guest_names):
        names[guests[0]] = guest_names[0]
    roles: dict[int, Literal["host", "guest"]] = {**dict.fromkeys(guests, "guest"), **dict.fromkeys(found, "host")}
    return tuple(
        Speaker(names.get(one, f"Speaker {one + 1}"), names.get(one), roles.get(one, "unknown"), seconds[one])
        for one in range(len(seconds))
    )


def _recognised(centroids: NDArray[np.float32], prints: Mapping[str, VoicePrint]) -> dict[int, str]:
    """Speakers who sound like one print, and nobody else in the recording nearly so."""
    found: dict[int, str] = {}
    contested: set[int] = set()
    for name, voice in prints.items():
        likeness = np.array([_likeness(centroid, voice.vector) for centroid in centroids])
        order = likeness.argsort()[::-1]
        if not len(order) or likeness[order[0]] < _SAME:
            continue
        if len(order) > 1 and likeness[order[0]] - likeness[order[1]] < _AHEAD:
            continue
        best = int(order[0])
        if best in found:
            contested.add(best)
        found[best] = name
    return {one: name for one, name in found.items() if one not in contested}


def _asker(asks: Mapping[int, float]) -> int | None:
    """Who says most of the questions, and at least twice as much of them as anybody else."""
    order = sorted(asks, key=lambda one: asks[one], reverse=True)
    if not order or asks[order[0]] < _ASKER:
        return None
    return order[0] if len(order) < 2 or asks[order[0]] >= 2 * asks[order[1]] else None


def _may_be(centroid: NDArray[np.float32], voice: VoicePrint | None) -> bool:
    """Whether what is known of a host's voice does not speak against it: hosts have stand-ins."""
    return voice is None or _likeness(centroid, voice.vector) >= _OTHER


def _guests(seconds: Sequence[float], hosts: set[int], *, expected_hosts: int) -> list[int]:
    """Everybody else who speaks for long; nobody while a host may still be among them."""
    if not hosts or len(hosts) < expected_hosts:
        return []
    return [one for one, spoken in enumerate(seconds) if one not in hosts and spoken >= _GUEST_SHARE * sum(seconds)]


def _likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def _unique(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
