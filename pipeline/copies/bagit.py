"""BagIt 1.0 (RFC 8493): folders of files with manifests of their hashes. Independent of archives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import BagError
from pipeline.files import sha256_of, write_file
from pipeline.progress import Begin, unseen

PAYLOAD = "data"
_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_MANIFEST, _TAG_MANIFEST, _INFO = "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt"
_OXUM = "Payload-Oxum"  # number of octets and of files, RFC 8493, section 2.2.2
# RFC 8493, section 2.1.3: only these are encoded in a manifest.
_ENCODED = {"%": "%25", "\n": "%0A", "\r": "%0D"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a bag: its relative path with forward slashes, its SHA-256 and its size."""

    path: str
    sha256: str
    bytes: int


def entries(folder: Path, paths: Sequence[str], *, workers: int, progress: Begin = unseen) -> tuple[Entry, ...]:
    """Hash files of a bag, several at a time, and return them in the order given.

    Args:
        folder: the bag, or the folder that is to become one.
        paths: the files, relative to it.
        workers: how many to read at a time.
        progress: called with the number of files; returns a function that is called with the number read so far.

    Raises:
        OSError: a file cannot be read.
    """

    def read(path: str) -> Entry:
        return Entry(path, sha256_of(folder / path), (folder / path).stat().st_size)

    told, found = progress(len(paths)), []
    with ThreadPoolExecutor(workers) as pool:
        for entry in pool.map(read, paths):
            found.append(entry)
            told(len(found))
    return tuple(found)


def write_tags(folder: Path, payload: Iterable[Entry], info: Mapping[str, str]) -> None:
    """Write the tag files that make a folder with a payload in ``data`` a bag.

    Args:
        folder: the bag.
        payload: every file in ``data``.
        info: the fields of ``bag-info.txt`` besides Payload-Oxum; no value contains line breaks.
    """
    payload = sorted(payload, key=lambda entry: entry.path)
    oxum = f"{sum(entry.bytes for entry in payload)}.{len(payload)}"
    write_file(folder / "bagit.txt", _DECLARATION.encode())
    fields = "".join(f"{name}: {value}\n" for name, value in {**info, _OXUM: oxum}.items())
    write_file(folder / _INFO, fields.encode())
    write_file(folder / _MANIFEST, _manifest(payload))
    tags = entries(folder, sorted(["bagit.txt", _INFO, _MANIFEST]), workers=1)
    write_file(folder / _TAG_MANIFEST, _manifest(tags))


def validated(folder: Path, *, workers: int, progress: Begin = unseen) -> tuple[tuple[Entry, ...], Mapping[str, str]]:
    """Return a bag's payload and the fields of ``bag-info.txt``, after proving it complete and valid.

    Args:
        folder: the bag.
        workers: how many files to read at a time.
        progress: as for ``entries``.

    Raises:
        BagError: it is not valid (RFC 8493, section 3); the message names the file.
    """
    if not (folder / "bagit.txt").exists():
        what = "is not a bag: it has no bagit.txt" if folder.is_dir() else "no such folder"
        raise BagError(f"{folder}: {what}. Name the folder that `export --bag` wrote.")
    if _text(folder / "bagit.txt") != _DECLARATION:
        raise BagError(f"{folder / 'bagit.txt'}: does not belong to a BagIt 1.0 bag")
    if (folder / "fetch.txt").exists():
        raise BagError(f"{folder / 'fetch.txt'}: names files that are elsewhere; fetch them into the bag first")
    info = _info(folder / _INFO)
    _check(folder, _read_manifest(folder / _TAG_MANIFEST), workers, unseen)
    listed = _read_manifest(folder / _MANIFEST)
    there = set(_files(folder))
    for path in sorted(there ^ listed.keys()):
        where = "is there, but not in the manifest" if path in there else "is in the manifest, but missing"
        raise BagError(f"{folder / path}: {where}")
    payload = _check(folder, listed, workers, progress)
    oxum = f"{sum(entry.bytes for entry in payload)}.{len(payload)}"
    if info.get(_OXUM, oxum) != oxum:
        raise BagError(f"{folder / _INFO}: says {_OXUM} {info[_OXUM]}, but it is {oxum}")
    return payload, info


def _check(folder: Path, listed: Mapping[str, str], workers: int, progress: Begin) -> tuple[Entry, ...]:
    try:
        found = entries(folder, list(listed), workers=workers, progress=progress)
    except OSError as error:
        raise BagError(f"{error.filename}: cannot be read ({error.strerror or error})") from error
    for entry in found:
        if entry.sha256 != listed[entry.path]:
            raise BagError(f"{folder / entry.path}: is damaged, its SHA-256 is {entry.sha256}")
    return found


def _files(folder: Path) -> Iterable[str]:
    """The paths of all payload files. A link may point out of the bag, and is refused."""
    for where, below, names in os.walk(folder / PAYLOAD):
        for name in (*below, *names):
            path = Path(where, name)
            if path.is_symlink():
                raise BagError(f"{path}: is a link")
            if name in names:
                yield path.relative_to(folder).as_posix()


def _manifest(listed: Iterable[Entry]) -> bytes:
    encode = str.maketrans(_ENCODED)
    return "".join(f"{entry.sha256}  {entry.path.translate(encode)}\n" for entry in listed).encode()


def _read_manifest(path: Path) -> dict[str, str]:
    found = {}
    for line in _text(path).splitlines():
        digest, _, name = line.partition(" ")
        name = name.lstrip(" *")
        for character, encoded in reversed(_ENCODED.items()):
            name = name.replace(encoded, character).replace(encoded.lower(), character)
        parts = PurePosixPath(name).parts
        if len(digest) != 64 or not name or ".." in parts or PurePosixPath(name).is_absolute():
            raise BagError(f"{path}: has a line that does not belong in a manifest: {line!r}")
        found[name] = digest.lower()
    return found


def _info(path: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in _text(path).splitlines() if not line.startswith((" ", "\t")))
    return {name.strip(): value.strip() for name, _, value in lines}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BagError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
