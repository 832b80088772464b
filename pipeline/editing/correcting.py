"""Parsing corrections from form fields and from CSV or YAML files. Independent of the archive."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from pipeline.editing.checking import clean
from pipeline.errors import CorrectionError
from pipeline.model import Correction, MatchStatus, Signature
from pipeline.times import exactly, seconds

NOTE_LENGTH = 1000  # characters
EDITOR_LENGTH = 200
COLUMNS = ("episode", "question", "start", "end", "answer_end", "status", "note", "editor")
_TIMES = ("start", "end", "answer_end")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: ``fields`` are some of ``COLUMNS``, as written, without those left empty."""

    line: int
    fields: Mapping[str, str]


def correction(fields: Mapping[str, str | None], number: int, *, editor: str, now: str) -> Correction:
    """Build a correction from the fields ``start``, ``end``, ``answer_end``, ``status`` and ``note``; empty means None.

    Raises:
        CorrectionError: names the malformed field. Plausibility in the recording is not checked here.
    """
    return Correction(
        number,
        cast("MatchStatus", fields.get("status") or "asked"),  # any other is refused when it is recorded
        second("start", fields),
        second("end", fields),
        second("answer_end", fields),
        note=note(fields),
        editor=editor,
        made_at=now,
    )


def signature(fields: Mapping[str, str | None], *, editor: str, now: str) -> Signature:
    """Return the signature of an edit that is given as fields, with the field ``note``.

    Raises:
        CorrectionError: the note is too long.
    """
    return Signature(editor, now, note(fields))


def note(fields: Mapping[str, str | None]) -> str | None:
    """Return the field ``note`` without invisible characters; None if empty.

    Raises:
        CorrectionError: it is too long.
    """
    text = fields.get("note") or ""
    if len(text) > NOTE_LENGTH:
        raise CorrectionError(f"note: is longer than {NOTE_LENGTH:,} characters")
    return clean(text) or None


def editor(name: str) -> str:
    """Return an editor's name on one line, without invisible characters.

    Raises:
        CorrectionError: it is too long, or nothing is left of it.
    """
    cleaned = clean(name)
    if not cleaned or len(cleaned) > EDITOR_LENGTH:
        raise CorrectionError(f"editor: is {f'longer than {EDITOR_LENGTH} characters' if cleaned else 'missing'}")
    return cleaned


def number(name: str, fields: Mapping[str, str | None]) -> int:
    """Read the number in a field.

    Raises:
        CorrectionError: it is not a number.
    """
    text = fields.get(name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise CorrectionError(f"{name}: “{text}” is not a number")
    return int(text)


def second(name: str, fields: Mapping[str, str | None]) -> float | None:
    """Read the time in a field, in seconds; None where it is empty.

    Raises:
        CorrectionError: it is not a time.
    """
    text = (fields.get(name) or "").strip()
    if not text:
        return None
    found = seconds(text)
    if found is None:
        raise CorrectionError(f"{name}: “{text}” is not a time such as 3:12, 1:03:12.5 or 192.4")
    return found


def stretch(fields: Mapping[str, str | None]) -> tuple[float, float | None]:
    """Return the seconds ``at`` and ``to``, of which the second may be missing.

    Raises:
        CorrectionError: one of them is not a time, the first is missing, or the second lies before it.
    """
    start, end = second("at", fields), second("to", fields)
    if start is None:
        raise CorrectionError("at: is missing")
    if end is not None and end < start:
        raise CorrectionError(f"to: {exactly(end)} is before --at, {exactly(start)}")
    return start, end


def read_rows(path: Path) -> list[Row]:
    """Read a file of corrections, as YAML if its name ends in ``.yaml`` or ``.yml``, else as CSV.

    Raises:
        CorrectionError: naming the file, the line and what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CorrectionError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise CorrectionError(f"{path}: is not UTF-8 text; save it as “CSV UTF-8”") from error
    read = _yaml_rows if path.suffix.lower() in {".yaml", ".yml"} else _csv_rows
    rows = list(read(text, path))
    if not rows:
        raise CorrectionError(f"{path}: holds no corrections")
    for row in rows:
        where = f"{path}, line {row.line}"
        for name in row.fields:
            if name not in COLUMNS:
                raise CorrectionError(f"{where}: “{name}” is not one of {', '.join(COLUMNS)}")
        for name in ("episode", "question"):
            if name not in row.fields:
                raise CorrectionError(f"{where}: {name}: is missing")
        if not row.fields.keys() & {"start", "status"}:
            raise CorrectionError(f"{where}: start: is missing; to confirm the current time, give the status")
    return rows


def _csv_rows(text: str, path: Path) -> Iterator[Row]:
    """The rows below the one with the columns' names; a row of nothing but commas is skipped.

    Where a comma is the decimal sign, spreadsheets put a semicolon between the fields; copied from one, there are tabs.
    R and pandas number the rows, in a first column without a name, and R writes NA for what is missing.
    """
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if any(names.count(name) > 1 for name in names if name):
            raise CorrectionError(f"{path}, line 1: names a column twice")
        if strange := next((name for name in names if name and name not in COLUMNS), None):
            raise CorrectionError(f"{path}, line 1: “{strange}” is not one of {', '.join(COLUMNS)}")
        for values in reader:
            if len(values) > len(names):
                raise CorrectionError(f"{path}, line {reader.line_num}: has more fields than the first line has names")
            fields = list(zip(names, (value.strip() for value in values), strict=False))
            said = {name: value for name, value in fields[names[:1] == [""] :] if value not in {"", "NA"}}
            if delimiter != ",":
                said.update({name: said[name].replace(",", ".") for name in _TIMES if name in said})
            if said:
                yield Row(reader.line_num, said)
    except csv.Error as error:
        raise CorrectionError(f"{path}, line {reader.line_num}: is not CSV ({error})") from error


def _yaml_rows(text: str, path: Path) -> Iterator[Row]:
    """The mappings of a list. Values are taken as they are written, since YAML reads ``3:12`` as the number 192."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CorrectionError(f"{path}, line {line}: is not YAML ({error.problem})") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise CorrectionError(f"{path}: is not YAML ({' '.join(str(error).split())})") from error
    if root is not None and not isinstance(root, yaml.SequenceNode):
        raise CorrectionError(f"{path}, line {root.start_mark.line + 1}: must be a list of corrections")
    for node in root.value if root else ():
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            raise CorrectionError(f"{path}, line {line}: must be fields such as “episode: …”")
        fields: dict[str, str] = {}
        for key, value in node.value:
            place = f"{path}, line {key.start_mark.line + 1}"
            if not (isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)):
                raise CorrectionError(f"{place}: must be a name and a plain value")
            if key.value in fields:
                raise CorrectionError(f"{place}: {key.value}: is given twice")
            if value.tag != "tag:yaml.org,2002:null":
                fields[key.value] = value.value.strip()
        yield Row(line, {name: value for name, value in fields.items() if value})
