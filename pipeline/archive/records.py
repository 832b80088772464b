"""Adding and undoing editors' checks, attributions and corrections, and sealing what the editors were shown.

Rows are only ever added. They belong to a recording (by its sha256), not to a transcript of it, so they outlive every
new transcription and alignment. What they say, and which of them count, is not known here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from sqlite_utils import Database

from pipeline.errors import CorrectionError
from pipeline.model import Signature

Table: TypeAlias = Literal["checks", "attributions", "corrections"]
_CALLED: Mapping[Table, str] = {"checks": "check", "attributions": "name", "corrections": "correction"}


@dataclass(frozen=True, slots=True)
class Together:
    """Consecutive passages that an editor works on; ``first`` and ``last`` number them in the transcript."""

    episode: str
    rendition: str
    first: int
    last: int
    start: float
    end: float

    @property
    def seal(self) -> str:
        """Return a digest of all fields, to notice whether something has changed since they were shown."""
        return seal(self)


def append(db: Database, table: Table, row: Mapping[str, object]) -> None:
    """Add a row, by column."""
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    db.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def undo(
    db: Database,
    table: Table,
    undone: int,
    signature: Signature,
    *,
    among: Container[int],
    of: Mapping[str, object],
) -> None:
    """Undo the row with an id.

    Args:
        db: the database.
        table: the row's.
        undone: its id.
        signature: of who undoes it.
        among: the ids of the rows in force at the place that was displayed.
        of: the columns that say what the row is about.

    Raises:
        CorrectionError: it is not, or no longer, one of them.
    """
    if undone not in among:
        raise CorrectionError(f"undo: that {_CALLED[table]} is no longer in force there; look at it again")
    append(db, table, {**of, "undoes": undone, **asdict(signature)})


def seal(seen: object) -> str:
    """Return a digest of a dataclass or of JSON, to detect concurrent changes (as an ETag does)."""
    return hashlib.sha256(json.dumps(seen, default=asdict).encode()).hexdigest()[:16]
