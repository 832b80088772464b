"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import click

from pipeline.errors import ConfigError

DEFAULT_DB = Path("db/archive.db")

FilePath = click.Path(path_type=Path)
db_option = click.option("--db", type=FilePath, default=DEFAULT_DB, show_default=True, help="The archive's database.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
editor_option = click.option("--editor", help="Who says so.  [default: your user name]")


def editor_name(given: str | None) -> str:
    """Return the name that was given, else that of the user.

    Raises:
        ConfigError: the system has no name for the user.
    """
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # nobody of this number is known to the system, as in some containers
        raise ConfigError("say who you are: --editor NAME") from None


def print_json(content: object) -> None:
    """Print data for programs."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))
