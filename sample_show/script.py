"""The text of the sample show, as read from script.yaml. It voices nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Sentence:
    """What one speaker says in one go; ``asks`` are the published questions that it is (part of) the asking of."""

    speaker: str
    turn: int
    text: str
    asks: tuple[int, ...] = ()
    follow_up: bool = False


@dataclass(frozen=True, slots=True)
class Episode:
    """One interview: what the feed publishes about it, and every sentence said in it."""

    number: int
    title: str
    guid: str
    published: datetime
    guest: str
    notes: tuple[str, ...]
    questions: tuple[str, ...]
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Show:
    """The show; ``label`` is the line that says in every episode's notes that it is made up."""

    title: str
    publisher: str
    host: str
    link: str
    guid: str
    description: str
    label: str
    episodes: tuple[Episode, ...]


def read_script(path: Path) -> Show:
    """Read the show.

    Raises:
        KeyError, TypeError: The script lacks something, or has something that is not known.
        ValueError: A sentence asks a question that is not on its episode's list.
    """
    script = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Show(**script["show"], episodes=tuple(_episode(**entry) for entry in script["episodes"]))


def _episode(
    *, dialogue: Sequence[Mapping[str, Any]], notes: list[str], questions: list[str], published: datetime, **rest: Any
) -> Episode:
    sentences = tuple(
        _sentence(said, speaker=speaker, turn=turn)
        for turn, entry in enumerate(dialogue)
        for speaker, saying in entry.items()
        for said in saying
    )
    if unknown := {n for s in sentences for n in s.asks} - set(range(1, len(questions) + 1)):
        raise ValueError(f"episode {rest['number']}: no published question has number {sorted(unknown)}")
    return Episode(
        **rest,
        published=published.astimezone(UTC),
        notes=tuple(notes),
        questions=tuple(questions),
        sentences=sentences,
    )


def _sentence(said: str | Mapping[str, Any], *, speaker: str, turn: int) -> Sentence:
    if isinstance(said, str):
        return Sentence(speaker, turn, said)
    return Sentence(speaker, turn, said["text"], tuple(said.get("asks", ())), said.get("follow_up", False))
