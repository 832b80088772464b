"""Adding shows to feeds.yaml: new entries are appended, existing ones are never changed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from stat import S_IMODE

import yaml

from pipeline import config
from pipeline.errors import ConfigError
from pipeline.feeds.opml import Outline
from pipeline.files import new_file
from pipeline.net.urls import variables

_LONGEST_SLUG = 60


def entries(shows: Iterable[Outline], known: Iterable[config.Feed]) -> list[dict[str, str]]:
    """Return an entry for each show that feeds.yaml does not have yet, with a unique slug made from its title.

    A show whose address contains ``${NAME}`` is skipped: it would send the value of an environment variable to whoever
    wrote the list.
    """
    known = list(known)
    slugs, urls = {feed.slug for feed in known}, {feed.url for feed in known}
    made = []
    for show in shows:
        if show.url in urls or variables(show.url):
            continue
        slug = _free_slug(show.title, slugs)
        slugs.add(slug)
        urls.add(show.url)
        made.append({"slug": slug, "title": " ".join(show.title.split()), "url": show.url})
    return made


def as_yaml(made: list[dict[str, str]], *, indent: int = 2) -> str:
    """Format entries as in feeds.yaml, indented by ``indent`` spaces."""
    blocks = [yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=1_000) for entry in made]
    lines = "\n".join(blocks).splitlines()
    return "".join(f"{' ' * indent}{line}".rstrip() + "\n" for line in lines)


def append(path: Path, made: list[dict[str, str]]) -> None:
    """Append entries to feeds.yaml, creating it if it does not exist.

    Raises:
        ConfigError: its list is in flow style (brackets) and cannot be appended to, or the result would be invalid; the
            file is left unchanged.
    """
    if not path.exists():
        begun = f"feeds:\n{as_yaml(made)}"
        config.parsed(begun, path)
        with new_file(path) as file:
            file.write(begun.encode())
        return
    before = path.read_bytes().decode()
    text = before.replace("\r\n", "\n")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    shows = next((value for key, value in (root.value if root else []) if key.value == "feeds"), None)
    if shows is None or shows.flow_style:
        raise ConfigError(f"{path}: its list of shows is written in brackets; write it with “- slug:” lines, then add")
    added = text.rstrip("\n") + "\n\n" + as_yaml(made, indent=shows.start_mark.column)
    config.parsed(added, path)
    with new_file(path) as file:
        os.fchmod(file.fileno(), S_IMODE(path.stat().st_mode))  # keep the mode: addresses may contain passwords
        file.write((added.replace("\n", "\r\n") if text != before else added).encode())


def _free_slug(title: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))[: _LONGEST_SLUG - 4].strip("-") or "show"
    number = 1
    while (free := f"{slug}-{number}" if number > 1 else slug) in taken:
        number += 1
    return free
