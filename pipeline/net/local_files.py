"""Addresses of files of this computer (``file:``), which only a feed that lies there itself may name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.net.urls import scheme


def local_path(file_url: str) -> Path:
    """Return the path that a ``file:`` address names."""
    return Path(unquote(urlsplit(file_url).path))


def local_folder(feed_url: str | None) -> Path | None:
    """Return the folder below which a feed may name files of this computer; None for feeds from the web."""
    return local_path(feed_url).parent if feed_url and scheme(feed_url) == "file" else None


def local_file(file_url: str, root: Path | None) -> Path:
    """Return the path of the file that a ``file:`` address names, if it lies below ``root``.

    Raises:
        OSError: it does not, is no file, or there is no ``root``; the message says which.
    """
    try:
        path = local_path(file_url).resolve()
        inside = root is not None and path.is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # a ring of links, or what no path can be
        raise OSError(f"{file_url}: this is no file that can be read") from error
    if not inside:
        raise PermissionError(
            f"{file_url}: a feed may name files on this computer only in the folder it lies in itself"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return path
