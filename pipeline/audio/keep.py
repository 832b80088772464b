"""Fetching audio and storing it content-addressed. A file gets its final name only when complete and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from pipeline.audio.decode import check
from pipeline.audio.in_processes import Check
from pipeline.audio.partial import Partial, sweep
from pipeline.audio.transfer import Limits, Received, transfer
from pipeline.data_folder import AUDIO, recording_path
from pipeline.errors import DiskFullError, DownloadError, PassingError, is_full
from pipeline.model import KeptAudio, Validators
from pipeline.net.local_files import local_file
from pipeline.net.urls import scheme, shown

_CHUNK = 1 << 18


def keep(  # noqa: PLR0913 - all that reaches outside is handed in, by name
    url: str,
    client: httpx.Client,
    data: Path,
    *,
    name: str,
    now: str,
    local_root: Path | None,
    known: Validators = Validators(),  # noqa: B008 - frozen
    check: Check = check,
    limits: Limits = Limits(),  # noqa: B008 - as above
) -> KeptAudio | None:
    """Fetch ``url``, check it, and keep it as ``<data>/audio/<2 hex>/<sha256>.<ending>``.

    An interrupted download is resumed, also by a later run, if the host confirms that the file is unchanged.

    Args:
        url: an http(s) address; a ``file:`` address only below ``local_root``.
        client: makes the requests.
        data: the data folder, that is, the folder of the database.
        name: identifies the unfinished file while it is fetched; one per episode.
        now: the current time, UTC ISO 8601.
        local_root: the folder of a local feed, or None for feeds from the web.
        known: the validators of the file kept already, for a conditional request.
        check: decodes the file and returns its facts.
        limits: the limits of size, time and attempts.

    Returns:
        The kept file; None if the host says that the ``known`` file is unchanged.

    Raises:
        DownloadError: it could not be fetched completely, or not be stored.
        NotAudioError: it is complete but not audio. In both cases nothing is kept.
        DiskFullError: there is no room for it.
    """
    with _disk_errors_told(), _unfinished(_folder(data), name, url) as part:
        if scheme(url) == "file":
            received: Received | None = _copied(url, local_root, part, limits)
        else:
            received = transfer(url, client, part, known=known, limits=limits)
        if received is None:
            return None
        sha256 = part.finish()
        facts = check(part.path)
        path = recording_path(sha256, facts.ending)
        part.move_to(data / path)
    return KeptAudio(
        sha256=sha256,
        path=path,
        bytes=part.size,
        content_type=facts.content_type,
        duration=facts.duration,
        url=shown(url),
        final_url=received.final_url,
        fetched_at=now,
        redirects=received.redirects,
        etag=received.validators.etag,
        last_modified=received.validators.last_modified,
        lost=facts.lost,
    )


def clear_unfinished(data: Path, names: Iterable[str]) -> None:
    """Remove the unfinished files of these names; others may belong to another archive in the same folder."""
    sweep(_folder(data), names)


def _folder(data: Path) -> Path:
    return data / AUDIO / ".partial"


@contextmanager
def _disk_errors_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"the audio cannot be kept: {error.strerror or error}"
        if is_full(error):
            raise DiskFullError(f"{why}. Free some space and run again") from error
        raise DownloadError(why) from error


@contextmanager
def _unfinished(folder: Path, name: str, url: str) -> Iterator[Partial]:
    """A file to be finished in the block; after a failure it is left only if it may be resumed."""
    part = Partial(folder, name, url)
    try:
        yield part
    except (PassingError, KeyboardInterrupt):
        part.leave()
        raise
    except BaseException:
        part.discard()
        raise
    else:
        part.discard()  # published, or not needed


def _copied(url: str, local_root: Path | None, part: Partial, limits: Limits) -> Received:
    """Copy a file that a local feed refers to, if it is in the feed's folder or below."""
    try:
        path = local_file(url, local_root)
    except OSError as error:
        raise DownloadError(str(error)) from error
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise DownloadError(f"{path} is larger than {limits.max_bytes / 1e6:g} MB (`max_mb` in feeds.yaml)")
    part.ask_room(size)
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            part.write(chunk)
    if part.size == 0:
        raise DownloadError(f"{path} is empty")
    return Received(url)
