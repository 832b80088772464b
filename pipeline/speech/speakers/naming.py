"""Naming speakers, by who asks the questions, stored voice prints, and the show notes. Never guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Person, Speaker

# The cosine similarity of two voice prints. On LibriSpeech (six voices, 4419 pairs of different people and 882 of the
# same, from different recordings): different people did not reach 0.84, the same person did not fall below 0.93 with
# the same microphone, and 22 % of the same people were below 0.86 with different microphones and codecs: those are not
# named by their voice.
_SAME = 0.86
_AHEAD = 0.05  # the least lead over the next most similar speaker in the recording
_OTHER = 0.78  # below this it is somebody else: the same people were never below 0.81

_ASKER = 0.5  # of the questions
_GUEST_SHARE = 0.05  # of the speaking time; less may be a clip or a caller


@dataclass(frozen=True, slots=True, eq=False)
class VoicePrint:
    """A voice print: the mean embedding over so many episodes."""

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
    """Name the speakers and find their roles, as far as these are known.

    A host is the speaker who asks the published questions, or whose voice matches the stored print of a host. Signs
    that contradict each other name nobody. A name is given only if exactly one speaker can have it.

    Args:
        centroids: Each speaker's mean embedding, (speakers, dimensions).
        seconds: The speaking time of each.
        asks: The share of the questions that each asks, 0..1.
        prints: The voice prints of this feed's hosts.
        hosts: The hosts' names, as configured for the feed; they count if ``people`` has no host.
        people: The people known to take part in this episode.
    """
    prints = prints or {}
    # The notes know who stands in for the configured host, and which of several hosts it is this time.
    known_hosts = _unique([person.name for person in people if person.role == "host"] or [*hosts])
    guest_names = [
        name for name in _unique([one.name for one in people if one.role == "guest"]) if name not in known_hosts
    ]
    # The host of other episodes may be the guest of this one.
    names = {one: name for one, name in _recognised(centroids, prints).items() if name not in guest_names}
    # If only one voice was found, everything is attributed to it, also what others say.
    asking = asker(asks or {}) if len(seconds) > 1 else None
    if asking is not None and names and asking not in names and len(known_hosts) < 2:
        # There is one host, but voice and questions disagree: a voice print from several episodes takes precedence.
        asking = None
        names = {one: name for one, name in names.items() if prints[name].episodes > 1}
    found = set(names) | ({asking} if asking is not None else set())
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
    """The speakers who match one voice print, clearly better than anybody else in the recording."""
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


def asker(asks: Mapping[int, float]) -> int | None:
    """Return the speaker who asks at least half of the questions, and twice as many as anybody else, if there is one.

    Args:
        asks: The share of the questions that each asks, 0..1.
    """
    order = sorted(asks, key=lambda one: asks[one], reverse=True)
    if not order or asks[order[0]] < _ASKER:
        return None
    return order[0] if len(order) < 2 or asks[order[0]] >= 2 * asks[order[1]] else None


def _may_be(centroid: NDArray[np.float32], voice: VoicePrint | None) -> bool:
    """Tell whether a voice may be the host's, as far as it is known: hosts have stand-ins."""
    return voice is None or _likeness(centroid, voice.vector) >= _OTHER


def _guests(seconds: Sequence[float], hosts: set[int], *, expected_hosts: int) -> list[int]:
    """The other speakers with enough speaking time; empty while a host may still be among them."""
    if not hosts or len(hosts) < expected_hosts:
        return []
    return [one for one, spoken in enumerate(seconds) if one not in hosts and spoken >= _GUEST_SHARE * sum(seconds)]


def _likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def _unique(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
