"""Local files, named by ``file:`` addresses, which only a local feed may refer to."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from pipeline.net.urls import scheme


def local_path(file_url: str) -> Path:
    """Return the path of a ``file:`` address."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(file_url).path)))  # not every file name is UTF-8


def local_folder(feed_url: str | None) -> Path | None:
    """Return the folder below which a local feed may refer to files; None for feeds from the web."""
    return local_path(feed_url).parent if feed_url and scheme(feed_url) == "file" else None


def local_file(file_url: str, root: Path | None) -> Path:
    """Return the resolved path of a ``file:`` address, which must be a file below ``root``.

    Raises:
        OSError: it is not below ``root``, is not a file, or there is no ``root``; the message says what is wrong.
    """
    try:
        path = local_path(file_url).resolve()
        inside = root is not None and path.is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # a loop of symbolic links, or an invalid path
        raise OSError(f"{file_url}: this is not a file that can be read") from error
    if not inside:
        raise PermissionError(
            f"{file_url}: a feed may refer to files on this computer only in the folder that it is in"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return path
