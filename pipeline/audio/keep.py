"""Fetching audio and keeping it, content-addressed. A file gets its final name only when complete and checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from pipeline.audio.decode import check
from pipeline.errors import DownloadError
from pipeline.model import KeptAudio
from pipeline.web import in_time, local_file, reason, scheme

MAX_AUDIO_BYTES = 4_000_000_000
MAX_SECONDS = 2 * 3600.0  # for one file, however steadily it drips
_CHUNK = 1 << 18


def keep(url: str, client: httpx.Client, data: Path, *, name: str, now: str, local_root: Path | None) -> KeptAudio:
    """Fetch ``url`` whole, check it, and keep it as ``<data>/audio/<2 hex>/<sha256>.<ending>``.

    Args:
        url: an http(s) address; a ``file:`` address only below ``local_root``.
        client: does the requests.
        data: the data folder, that is, the folder of the database.
        name: what the unfinished file is called while it is fetched; one per episode.
        now: the moment, UTC ISO 8601.
        local_root: the folder of a local feed, or None for feeds from the web.

    Raises:
        DownloadError: it could not be fetched whole.
        NotAudioError: it is whole but not audio. In both cases nothing is kept.
    """
    part = data / "audio" / ".partial" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.part"
    with _disk_errors_told():
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            if scheme(url) == "file":
                final_url, sha256 = url, _copy_local(url, local_root, part)
            else:
                final_url, sha256 = _download(url, client, part)
            facts = check(part)
            path = f"audio/{sha256[:2]}/{sha256}{facts.ending}"
            size = part.stat().st_size
            _publish(part, data / path)
        finally:
            part.unlink(missing_ok=True)
    return KeptAudio(sha256, path, size, facts.content_type, facts.duration, url, final_url, now)


@contextmanager
def _disk_errors_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DownloadError(f"the audio cannot be kept: {error.strerror or error}") from error


def _download(url: str, client: httpx.Client, part: Path) -> tuple[str, str]:
    """Stream the body into ``part`` and return (final address, sha256)."""
    try:
        # Without identity encoding a host may compress the audio, and its length then says nothing.
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code != httpx.codes.OK:  # no part was asked for either (206)
                raise DownloadError(f"{response.url} answered HTTP {response.status_code}")
            packing = response.headers.get("Content-Encoding", "identity").lower()
            if packing != "identity":
                raise DownloadError(f"{response.url} is packed as {packing!r}, which was not asked for")
            sha256, size = _write(in_time(response.iter_raw(), MAX_SECONDS), part)
            declared = response.headers.get("Content-Length", "")
            if declared.isdigit() and int(declared) != size:
                raise DownloadError(f"{response.url} was cut short: {size} of {declared} bytes came")
            if size == 0:
                raise DownloadError(f"{response.url} sent an empty file")
            return str(response.url), sha256
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(f"{url} could not be fetched whole: {reason(error)}") from error


def _copy_local(url: str, local_root: Path | None, part: Path) -> str:
    """Copy a file that a local feed names, if it lies beside or below that feed."""
    try:
        path = local_file(url, local_root)
    except OSError as error:
        raise DownloadError(str(error)) from error
    with path.open("rb") as source:
        sha256, size = _write(iter(lambda: source.read(_CHUNK), b""), part)
    if size == 0:
        raise DownloadError(f"{path} is empty")
    return sha256


def _write(chunks: Iterator[bytes], part: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if size > MAX_AUDIO_BYTES:
                raise DownloadError(f"the audio is larger than {MAX_AUDIO_BYTES // 10**9} GB")
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _publish(part: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
