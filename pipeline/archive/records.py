"""Adding editors' checks, attributions and corrections as rows, and sealing what the editors were shown.

What the rows say, and which of them count, is not known here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal, TypeAlias

from sqlite_utils import Database

Table: TypeAlias = Literal["checks", "attributions", "corrections"]


def append(db: Database, table: Table, row: Mapping[str, object]) -> None:
    """Add a row, by column."""
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    db.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def seal(seen: object) -> str:
    """Return a digest of a dataclass or of JSON, to detect concurrent changes (as an ETag does)."""
    return hashlib.sha256(json.dumps(seen, default=asdict).encode()).hexdigest()[:16]
