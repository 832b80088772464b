"""Matching local audio files to episodes. Has no side effects; ambiguous files are left to the user."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from pipeline.audio.tags import Tags
from pipeline.feeds.identity import Known

SAME_LENGTH = 2.0  # seconds up to which the declared and the file's duration agree
_OTHER_LENGTH = 180.0  # seconds beyond which they contradict; advertisements make less of a difference
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?(0[1-9]|1[0-2])[-_. ]?(0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True, slots=True)
class Owned:
    """A file and its tags."""

    path: Path
    tags: Tags


@dataclass(frozen=True, slots=True)
class Adoption:
    """The decision on a file, with its reason; ``episode`` is the matched one, if any."""

    path: Path
    status: Literal["adopt", "kept", "left"]
    episode: str | None
    why: str


def decide(
    files: Sequence[Owned],
    episodes: Sequence[Known],
    *,
    kept: Container[str] = (),
    alike: Callable[[Sequence[Path]], bool] = lambda _paths: False,
) -> list[Adoption]:
    """Match files to episodes, of which those in ``kept`` have their audio; the result is in the order of ``files``.

    A file matches an episode if its guid tag is one of the episode's guids; else if two of title, file name, date and
    length agree, neither date nor length contradicts, and this is true of no other episode. Files that match the same
    episode are all left, unless they are ``alike``: then any of them will do.
    """
    names = Counter(map(_file_name, episodes))
    found = [_decide(file, episodes, names, kept) for file in files]
    claims: defaultdict[str, list[Path]] = defaultdict(list)
    for one in found:
        if one.episode is not None and one.status == "adopt":
            claims[one.episode].append(one.path)
    return [
        Adoption(one.path, "left", None, f"{len(claims[one.episode])} files fit {one.episode}: choose with --episode")
        if one.episode is not None and len(claims[one.episode]) > 1 and not alike(claims[one.episode])
        else one
        for one in found
    ]


def _decide(file: Owned, episodes: Sequence[Known], names: Counter[str], kept: Container[str]) -> Adoption:
    agreeing = [(one.id, _agreement(file, one, names)) for one in episodes]
    by_guid = [(one.id, ["guid"]) for one in episodes if file.tags.guid in one.guids]
    fits = by_guid if len(by_guid) == 1 else [(one, signs) for one, signs in agreeing if len(signs) > 1]
    if len(fits) == 1:
        ((episode, signs),) = fits
        if episode in kept:
            return Adoption(file.path, "kept", episode, "its audio is already in the archive")
        return Adoption(file.path, "adopt", episode, f"by {' and '.join(signs)}")
    if fits:
        several = ", ".join(one for one, _ in fits[:3]) + (" …" if len(fits) > 3 else "")
        return Adoption(file.path, "left", None, f"fits {len(fits)} episodes: {several}")
    near = [f"{one} by {signs[0]} alone" for one, signs in agreeing if signs and signs != ["length"]]
    why = "fits no episode" + (f"; it resembles {', '.join(near[:3])}" if near else "")
    return Adoption(file.path, "left", None, why)


def _agreement(file: Owned, episode: Known, names: Counter[str]) -> list[str]:
    """The signs that agree; none if the date or the length contradicts."""
    title, stem = _words(episode.title), _words(file.path.stem)
    dates = {"-".join(found) for found in _DATE.findall(f"{file.path.stem} {file.tags.date or ''}")}
    published = (episode.published or "")[:10]
    lengths = (file.tags.duration, episode.declared_duration)
    apart = abs(lengths[0] - lengths[1]) if lengths[0] and lengths[1] else None
    if (dates and published and published not in dates) or (apart is not None and apart > _OTHER_LENGTH):
        return []
    name = _file_name(episode)
    found = {
        "title": bool(title) and _words(file.tags.title or "") == title,
        "file name": (bool(name) and name == stem and names[name] == 1)
        or (len(title) > 7 and f" {title} " in f" {stem} "),
        "date": published in dates,
        "length": apart is not None and apart <= SAME_LENGTH,
    }
    return [sign for sign, agrees in found.items() if agrees]


def _file_name(episode: Known) -> str:
    """The normalised stem of the file name in the episode's enclosure URL."""
    try:
        return _words(PurePosixPath(unquote(urlsplit(episode.enclosure_url or "").path)).stem)
    except ValueError:
        return ""


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))
