"""The database schema: one module per migration, applied in the order of their names. Reads and writes no rows.

Other people write SQL against these tables: a column's name and meaning never change once released, and a
migration is never edited after its release, only followed by another.
"""

from __future__ import annotations

import json
import sqlite3
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from sqlite_utils import Database, Migrations

from pipeline.archive.redact import without_paths, without_paths_within

migrations = Migrations("interview_archive")


def _statements(script: str) -> list[str]:
    """Split an SQL script at the semicolons that end statements, leaving trigger bodies whole.

    ``executescript`` would commit the migration's transaction first, so it cannot be used here.
    """
    found, buffer = [], ""
    for line in script.splitlines():
        buffer += line + "\n"
        if sqlite3.complete_statement(buffer):
            found.append(buffer.strip())
            buffer = ""
    return found


def _migration(module: ModuleType) -> None:
    """Register a module's SQL as a migration, named after the module."""

    def apply(db: Database) -> None:
        db.conn.create_function("without_paths", 1, without_paths)
        db.conn.create_function("without_paths_within", 1, _without_paths_within)
        for statement in _statements(module.SQL):
            db.conn.execute(statement)

    migrations(name=module.__name__.rpartition(".")[2])(apply)


def _without_paths_within(text: str) -> str:
    return json.dumps(without_paths_within(json.loads(text)))


for _name in sorted(found.name for found in iter_modules(__path__)):
    _migration(import_module(f"{__name__}.{_name}"))
