"""The names of Whisper's models and languages, to validate a configuration without importing an engine."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from pipeline.errors import ConfigError, UnknownModelError

EngineName = Literal["faster-whisper", "openai-whisper"]

_WHISPER = (
    "tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium",
    "large-v1", "large-v2", "large-v3", "large", "large-v3-turbo", "turbo",
)  # fmt: skip
_DISTILLED = (
    "distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3", "distil-large-v3.5",
)  # fmt: skip

# Written down, because asking whisper for its list imports torch: two seconds at every command.
# tests/speech/test_weights.py holds both lists and the languages against the engines' own.
MODELS: dict[EngineName, tuple[str, ...]] = {
    "faster-whisper": _WHISPER + _DISTILLED,
    "openai-whisper": _WHISPER,
}
_CODES = """
    en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg
    lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so
    af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue
"""
LANGUAGES = tuple(_CODES.split())  # in Whisper's order: each model knows a prefix of this list


def whisper_language(language: str) -> str:
    """Whisper's code for a language tag: ``en-GB`` is ``en`` to it."""
    return language.replace("_", "-").partition("-")[0].lower()


def is_at_path(model: str) -> bool:
    """Tell whether a model is named by the path of its weights."""
    return not any(model in known for known in MODELS.values())


def model_name(model: str) -> str:
    """Return the name under which a model is recorded; for a path its last part, since folders may be moved.

    ``Engine.options["weights"]`` distinguishes models of the same name.
    """
    return Path(model).name or model if is_at_path(model) else model


def check_model(model: str, engine: str, language: str) -> None:
    """Validate model, engine and language by their names alone.

    A known name is always that model; a folder of the same name is meant by ``./base``. Everything else
    has to be a path that exists. Whether a model at a path knows the language shows when it is loaded.

    Args:
        model: A model's name, or the path of its weights.
        engine: ``faster-whisper`` or ``openai-whisper``.
        language: A language tag such as ``en`` or ``en-GB``.

    Raises:
        UnknownModelError: There is no such model, or it does not know the language.
        ConfigError: There is no such engine.
    """
    known = _models_of(engine)
    spoken = whisper_language(language)
    if model not in known and not Path(model).expanduser().exists():
        raise UnknownModelError(_no_such_model(model, engine, known))
    if spoken not in LANGUAGES:
        raise UnknownModelError(
            f"Whisper does not know the language {language!r}: give it as a code such as 'en', 'cy' or 'de'"
        )
    if model in known and spoken != "en" and _knows_only_english(model):
        mend = model.removesuffix(".en").removeprefix("distil-")
        raise UnknownModelError(
            f"the model {model!r} knows only English, but the language is {language!r}: "
            f"use the multilingual model {mend if mend in known else 'large-v3-turbo'!r}"
        )


def _models_of(engine: str) -> tuple[str, ...]:
    for name, models in MODELS.items():
        if name == engine:
            return models
    raise ConfigError(f"there is no engine {engine!r}: choose one of {', '.join(MODELS)}")


def _knows_only_english(model: str) -> bool:
    # The distilled large models kept the multilingual vocabulary but were trained on English alone.
    return model.endswith(".en") or model.startswith("distil-")


def _no_such_model(model: str, engine: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(model, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    if model in _DISTILLED:
        hint = " The distilled models run on faster-whisper only."
    return (
        f"{engine} has no model {model!r}, and there is no file or folder of that name.{hint} "
        f"Its models are: {', '.join(known)}"
    )
