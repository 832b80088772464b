"""feeds.yaml: reading and validating it. Does not look at the network, the database or the weights themselves."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.errors import ConfigError
from pipeline.whisper_models import LANGUAGES, MODELS, EngineName, check_model, is_at_path, whisper_language

DEFAULT_MODEL = "tiny.en"
DEFAULT_MAX_MB = 4000
# A host name without a port.
Host = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[^\s/:@]+$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_NO_VARIABLE = re.compile(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})")

# libyaml's where there is one: hundreds of shows then take a tenth of the time.
_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MENDS = {  # pydantic's names for what may be wrong with one value
    "missing": "is missing; add it",
    "list_type": "must be a list of shows, each beginning with “- slug:”",
    "tuple_type": "must be a list, such as [one, two]",
    "string_type": "must be text; put it in quotes",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "model_type": "must be a block of keys: slug, title, url and more",
}
_PATTERNS = {
    "page_hosts": "give host names only, such as media.example.org",
    "slug": "use small letters, digits and single hyphens only, such as “my-show”",
    "language": "use a language code, such as en, en-GB or cy",
    "user_agent": "use ASCII letters, digits and signs only",
}


class Feed(BaseModel):
    """One show of feeds.yaml.

    ``kind`` is ``page`` for a show with a web page instead of a feed; its audio may be on ``page_hosts`` as well.
    ``live`` is false for a show that has ended; ``skip`` lists guids or ids of episodes to leave out. ``limit`` keeps
    only that many of the newest episodes; None keeps all. ``questions_from`` tells where to look for a question list if
    the notes have none. ``max_mb`` limits the size of one episode's audio, in megabytes (10^6 bytes).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: Text
    url: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = "en"
    hosts: tuple[Text, ...] = ()
    vocabulary: tuple[Text, ...] = ()
    engine: EngineName = "faster-whisper"
    model: Annotated[str, Field(min_length=1, validate_default=True)] = DEFAULT_MODEL
    speakers: Annotated[int, Field(gt=0, le=8, strict=True)] | None = None
    kind: Literal["feed", "page"] = "feed"
    page_hosts: tuple[Host, ...] = ()
    enabled: bool = True
    live: bool = True
    skip: tuple[Text, ...] = ()
    allow_private: bool = False
    limit: Annotated[int, Field(gt=0, strict=True)] | None = None
    questions_from: Literal["notes", "page"] = "notes"
    user_agent: Annotated[Text, StringConstraints(pattern=r"^[ -~]+$")] | None = None
    skip_trackers: bool = False
    max_mb: Annotated[int, Field(gt=0, strict=True)] = DEFAULT_MAX_MB

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        return checked_address(url)

    @field_validator("language")
    @classmethod
    def _spoken(cls, language: str) -> str:
        if whisper_language(language) not in LANGUAGES:
            raise ValueError(f"Whisper does not know the language {language!r}: give a code such as en, cy or de")
        return language

    @field_validator("model")
    @classmethod
    def _model_fits(cls, model: str, info: ValidationInfo) -> str:
        if "engine" in info.data and "language" in info.data:  # else their own errors are told
            try:
                check_model(model, info.data["engine"], info.data["language"])
                _check_weights(model, info.data["engine"])
            except (ConfigError, OSError, RuntimeError) as error:  # a name too long, a home that there is not
                raise ValueError(str(error)) from error
        return model


class Config(BaseModel):
    """The whole file; relative paths in it are resolved against ``folder``, where it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feeds: list[Feed]
    folder: Path = Path()

    @model_validator(mode="after")
    def _slugs_differ(self) -> Config:
        if not self.feeds:
            raise ValueError("lists no shows; add one under it")
        slugs = [feed.slug for feed in self.feeds]
        for place, slug in enumerate(slugs):
            if slug in slugs[:place]:
                raise PydanticCustomError("same_slug", "another feed has it too; give each its own", {"place": place})
        return self


def checked_address(url: str) -> str:
    """Return a feed's address.

    Raises:
        ValueError: it is none; the message says what to do.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"is not a valid address ({error}); correct it") from error
    # One letter before the colon is a drive of Windows.
    if len(parts.scheme) > 1 and parts.scheme not in {"http", "https", "file"}:
        raise ValueError("give an http(s) address, an Apple Podcasts address, or the path of a local file")
    if parts.scheme in {"http", "https"} and not parts.hostname:
        raise ValueError("has no host name; give the whole address")
    if _NO_VARIABLE.search(url):
        raise ValueError(
            "has a ${…} that names no environment variable; use letters, digits and _, as in ${SHOW_TOKEN}"
        )
    return url


def _check_weights(model: str, engine: EngineName) -> None:
    """Raise if a path obviously holds no model."""
    if model in MODELS[engine]:
        return
    path = Path(model).expanduser()
    if (path / "model.bin").is_file():
        return
    if engine == "faster-whisper":
        raise ConfigError(f"{model} is not a model: faster-whisper needs a folder with model.bin in it")
    if path.suffix != ".pt" or not path.is_file():
        raise ConfigError(f"{model} is not a model: openai-whisper needs a .pt file, or a folder with model.bin in it")


def load(path: Path) -> Config:
    """Read and validate feeds.yaml.

    Raises:
        ConfigError: naming the file, the key with its line, and the mend.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file. List your shows in it, or name another with --feeds (of make: FEEDS=…)."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}). It must be a UTF-8 text file.") from error
    return parsed(text, path)


def parsed(text: str, path: Path) -> Config:
    """Validate ``text`` as the (future) content of feeds.yaml at ``path``.

    Raises:
        ConfigError: see ``load``.
    """
    try:
        root, data = _read_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}, line {line}: is not YAML ({error.problem}); check indents and quotes") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that there is not
        what = " ".join(str(error).split())
        raise ConfigError(f"{path}: is not YAML ({what}); check values that are not in quotes") from error
    if not isinstance(data, dict) or "feeds" not in data:
        raise ConfigError(f"{path}: has no key “feeds”. It must begin with “feeds:” and a list of shows under it.")
    unknown = [key for key in data if key != "feeds"]
    if unknown:
        raise ConfigError(f"{path}, line {_line(root, (unknown[0],))}: key “{unknown[0]}”: unknown; use only “feeds”.")
    if twice := _keys_given_twice(root):
        raise ConfigError(
            "\n".join(f"{path}, line {line}: key “{key}”: is given twice; keep one" for line, key in twice)
        )
    folder = path.resolve().parent
    _anchor_models(data["feeds"], folder)
    try:
        return Config.model_validate({"feeds": data["feeds"], "folder": folder})
    except ValidationError as error:
        lines = [_explain(detail, data, root) for detail in error.errors()]
        raise ConfigError("\n".join(f"{path}{line}" for line in lines)) from error


def _read_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """Return the one document of a text, as nodes that know their lines and as data."""
    try:
        return _loaded(_FastLoader(text))
    except yaml.YAMLError:
        return _loaded(yaml.SafeLoader(text))  # it says better what is wrong


def _loaded(loader: Any) -> tuple[yaml.Node | None, Any]:
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def _keys_given_twice(root: yaml.Node | None) -> list[tuple[int, str]]:
    """The line and name of each duplicate key; YAML would silently use the last one."""
    found: list[tuple[int, str]] = []
    seen: set[int] = set()  # an anchored node may be met often, and may hold itself
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            known: set[tuple[str, str]] = set()
            for key in keys:
                if (key.tag, key.value) in known:
                    found.append((key.start_mark.line + 1, key.value))
                known.add((key.tag, key.value))
            nodes += [value for _, value in node.value]
    return sorted(found)


def _anchor_models(feeds: Any, folder: Path) -> None:
    """Resolve model paths against the folder of feeds.yaml, not the working directory."""
    for feed in feeds if isinstance(feeds, list) else []:
        model = feed.get("model") if isinstance(feed, dict) else None
        if not isinstance(model, str) or not model or not is_at_path(model):
            continue
        try:
            path = folder / Path(model).expanduser()
            if path.exists() or Path(model).exists():  # not what has that name where the program was started
                feed["model"] = str(path)
        except (OSError, RuntimeError):  # no path at all; the validator tells it
            continue


def _explain(detail: Mapping[str, Any], data: Any, root: yaml.Node | None) -> str:
    """One pydantic error as ``, line 4: feed “x”, key “limit”: what is wrong; what to do``."""
    location: tuple[int | str, ...] = detail["loc"]
    if detail["type"] == "same_slug":
        location = ("feeds", detail["ctx"]["place"], "slug")
    where = f", line {_line(root, location)}: "
    if len(location) < 2:
        return f"{where}key “feeds”: {_mend(detail, 'feeds')}"
    feed = data["feeds"][location[1]]
    name = feed.get("slug") if isinstance(feed, dict) else None
    where += f"feed “{name}”" if name else f"feed {int(location[1]) + 1}"
    if len(location) == 2:
        return f"{where}: {_mend(detail, '')}"
    return f"{where}, key “{location[2]}”: {_mend(detail, str(location[2]))}"


def _mend(detail: Mapping[str, Any], key: str) -> str:
    kind, was = detail["type"], detail["input"]
    if kind in {"extra_forbidden", "invalid_key"}:
        close = difflib.get_close_matches(key, Feed.model_fields, n=1)
        known = ", ".join(Feed.model_fields)
        return f"unknown; did you mean “{close[0]}”?" if close else f"unknown; the keys are {known}."
    if kind == "string_pattern_mismatch":
        return f"{_PATTERNS[key]}; it is {was!r}."
    if kind in _MENDS:
        empty = kind in {"missing", "string_too_short"} or was is None
        return _MENDS[kind] + ("." if empty else f"; it is {was!r}.")
    return str(detail["msg"]).removeprefix("Value error, ").replace("Input should", "must")


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) of the innermost existing key of ``location``."""
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
