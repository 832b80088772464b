"""Adding local audio files to the archive. ``matching`` decides which episode a file belongs to."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
from sqlite_utils import Database

from pipeline.adopt.matching import Adoption, Owned, decide
from pipeline.archive.episodes import enclosure_of, known_episodes
from pipeline.archive.kept import kept_rendition
from pipeline.archive.publication import slugs
from pipeline.archive.reading import episode_named
from pipeline.audio.decode import CONTAINERS
from pipeline.audio.keep import keep
from pipeline.audio.tags import read_tags
from pipeline.errors import AudioError, ConfigError
from pipeline.files import as_text
from pipeline.stages.renditions import compare_with_current, damage, keep_beside

_ENDINGS = {ending for ending, _ in CONTAINERS.values()} | {".m4b", ".mp4", ".oga", ".opus", ".mka"}


def audio_files(paths: Iterable[Path]) -> tuple[list[Path], list[Adoption]]:
    """Return the given files, and all audio files below the given folders, sorted and without duplicates.

    Symbolic links keep their own names, which may be more telling than their targets'. Folders, and files in them, that
    may not be read are returned apart, as left.
    """
    found: set[Path] = set()
    left: list[Adoption] = []

    def leave(error: OSError) -> None:
        left.append(Adoption(Path(error.filename).absolute(), "left", None, f"cannot be read ({error.strerror})"))

    for path in paths:
        if not path.is_dir():
            if path.is_file():
                found.add(path.absolute())
            else:  # reading a pipe or a device might never end
                left.append(Adoption(path.absolute(), "left", None, "is not a file"))
            continue
        for where, _, names in os.walk(path, onerror=leave):
            for one in (Path(where, name).absolute() for name in names if Path(name).suffix.lower() in _ENDINGS):
                try:
                    found |= {one} if one.is_file() else set()
                except OSError as error:  # its folder lists it, but lets nobody in
                    leave(error)
    by_file: dict[Path, Path] = {}
    for one in sorted(found, key=lambda path: (path.is_symlink(), path)):
        by_file.setdefault(one.resolve(), one)  # of several names of a file, its own is preferred
    return sorted(by_file.values()), left


def matched(db: Database, data: Path, files: Iterable[Path], *, only: str | None) -> list[Adoption]:
    """Match files to episodes, of one feed (``only``) or of all.

    Raises:
        ConfigError: the archive has no such feed.
    """
    feeds = slugs(db.conn)
    if only not in {None, *feeds}:
        raise ConfigError(f"the archive has no feed “{only}”; it has {', '.join(feeds) or 'none: poll first'}")
    episodes = [episode for feed in feeds if only in {None, feed} for episode in known_episodes(db, feed)]
    kept = {episode.id for episode in episodes if kept_rendition(db, data, episode.id)}
    return decide([Owned(path, read_tags(path)) for path in files], episodes, kept=kept, alike=_alike)


def named(db: Database, file: Path, episode: str) -> Adoption:
    """Match a file to the episode that the user named.

    Raises:
        UnknownEpisodeError: the name matches no episode, or several.
    """
    return Adoption(file, "adopt", episode_named(db.conn, episode), "as named with --episode")


def adopt(db: Database, data: Path, one: Adoption, client: httpx.Client, *, now: str) -> Adoption:
    """Keep a file as if it had been fetched from the episode's enclosure; ``final_url`` records its true origin.

    It is copied and checked like a download; a file that cannot be kept gets the status ``left``, with the reason. If
    the episode has audio already, the two are compared, and the current one is chosen as for a download.
    """
    if one.status != "adopt" or one.episode is None:
        return one
    file = one.path.resolve()  # the target of a symbolic link; the link's name is kept as the origin
    try:
        audio = keep(file.as_uri(), client, data, name=one.episode, now=now, local_root=file.parent)
    except AudioError as error:
        return replace(one, status="left", why=str(error))
    if audio is None:  # cannot happen: a ``file:`` address is always copied
        return one
    current = kept_rendition(db, data, one.episode)
    if current and current.sha256 == audio.sha256:
        return replace(one, status="kept", why="its audio is already in the archive")
    origin = f"adopted:{as_text(one.path.name)}"
    audio = replace(audio, url=enclosure_of(db, one.episode) or origin, final_url=origin)
    comparison = compare_with_current(data, current, audio)
    beside = keep_beside(db, one.episode, audio, comparison)
    return replace(one, why="; ".join([one.why, *damage(audio), *([beside] if beside else [])]))


def _alike(paths: Sequence[Path]) -> bool:
    """Tell whether files are the same, byte for byte."""
    try:
        return all(filecmp.cmp(paths[0], other, shallow=False) for other in paths[1:])
    except OSError:
        return False
