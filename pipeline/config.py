"""feeds.yaml: reading and validating it. Does not look at the network, the database or the weights themselves."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pipeline.errors import ConfigError
from pipeline.speech.names import EngineName, check_model

DEFAULT_MODEL = "tiny.en"
Text = Annotated[str, Field(min_length=1)]


class Feed(BaseModel):
    """One show of feeds.yaml. ``limit`` keeps only the newest so many episodes; None keeps all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: Text
    url: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = "en"
    hosts: tuple[Text, ...] = ()
    vocabulary: tuple[Text, ...] = ()
    engine: EngineName = "faster-whisper"
    model: Annotated[str, Field(min_length=1, validate_default=True)] = DEFAULT_MODEL
    enabled: bool = True
    allow_private: bool = False
    limit: Annotated[int, Field(gt=0)] | None = None

    @field_validator("url")
    @classmethod
    def _scheme(cls, url: str) -> str:
        scheme = re.match(r"^([a-zA-Z][a-zA-Z0-9+.-]+):", url)
        if scheme and scheme[1].lower() not in {"http", "https", "file"}:
            raise ValueError("give an http(s) address, an Apple Podcasts address, or the path of a local file")
        return url

    @field_validator("model")
    @classmethod
    def _model_fits(cls, model: str, info: ValidationInfo) -> str:
        if "engine" in info.data and "language" in info.data:  # else their own errors are told
            try:
                check_model(model, info.data["engine"], info.data["language"])
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return model


class Config(BaseModel):
    """The whole file; ``folder`` is where it lies: relative paths in it start there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feeds: list[Feed]
    folder: Path = Path()

    @model_validator(mode="after")
    def _slugs_differ(self) -> Config:
        if not self.feeds:
            raise ValueError("names no show; add one under it")
        slugs = [feed.slug for feed in self.feeds]
        for slug in slugs:
            if slugs.count(slug) > 1:
                raise ValueError(f"two feeds have the slug “{slug}”: give each its own")
        return self


def load(path: Path) -> Config:
    """Read and validate feeds.yaml.

    Raises:
        ConfigError: naming the file, the key with its line, and the mend.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file. Name your shows in it, or give its place: FEEDS=…") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}). It must be a UTF-8 text file.") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or "feeds" not in data:
        raise ConfigError(f"{path}: has no key “feeds”. It must begin with “feeds:” and a list of shows under it.")
    unknown = [key for key in data if key != "feeds"]
    if unknown:
        raise ConfigError(f"{path}, line {_line(root, (unknown[0],))}: key “{unknown[0]}”: unknown; only “feeds” is.")
    try:
        return Config.model_validate({"feeds": data["feeds"], "folder": path.resolve().parent})
    except ValidationError as error:
        lines = [_explain(detail, data, root) for detail in error.errors()]
        raise ConfigError("\n".join(f"{path}{line}" for line in lines)) from error


def _explain(detail: Mapping[str, Any], data: Any, root: yaml.Node | None) -> str:
    """One pydantic error as ``, line 4: feed “x”, key “limit”: what is wrong; what to do``."""
    location: tuple[int | str, ...] = detail["loc"]
    where = f", line {_line(root, location)}: "
    if len(location) > 1 and isinstance(location[1], int):
        feed = data["feeds"][location[1]]
        name = feed.get("slug") if isinstance(feed, dict) else None
        where += f"feed “{name}”, " if name else f"feed {location[1] + 1}, "
    key = location[2] if len(location) > 2 else location[0] if location else "feeds"
    return f"{where}key “{key}”: {_mend(detail, str(key))}"


def _mend(detail: Mapping[str, Any], key: str) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, Feed.model_fields, n=1)
        known = ", ".join(Feed.model_fields)
        return f"unknown; did you mean “{close[0]}”?" if close else f"unknown; the keys are {known}."
    if detail["type"] == "missing":
        return "is missing; add it."
    if key == "slug" and detail["type"] == "string_pattern_mismatch":
        return "use small letters, digits and single hyphens only, such as “my-show”."
    if detail["type"] == "model_type":
        return "each show is a block of keys: slug, title, url and more."
    if detail["type"].endswith(("_type", "_parsing")):
        message = message.removeprefix("Input should be ").split(",")[0]
        return f"must be {message}; it is {detail['input']!r}."
    return message.replace("Input should", "must")


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) on which the innermost key of ``location`` that exists stands."""
    line = node.start_mark.line + 1 if node else 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == step]
            if not pairs:
                return line
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line
