"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_DB = Path("db/archive.db")

FilePath = click.Path(path_type=Path)
db_option = click.option("--db", type=FilePath, default=DEFAULT_DB, show_default=True, help="The archive's database.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
