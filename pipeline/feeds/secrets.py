"""Secrets in the addresses of private feeds: put in when visiting, taken out of whatever is kept or said.

``feeds.yaml`` names a variable of the environment, ``https://example.org/feed?auth=${SHOW_TOKEN}``; its value never
reaches the database or the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from pipeline.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def secrets_of(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a text of feeds.yaml names, with their values.

    Raises:
        ConfigError: one of them is not set; it is named.
    """
    names = _VARIABLE.findall(text)
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise ConfigError(f"the address in feeds.yaml needs the environment variable {missing[0]}, which is not set")
    return {name: environ[name] for name in names}


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Put the values in for ``${NAME}``; what is in a value is not looked at again.

    Raises:
        ConfigError: a variable is not set; it is named.
    """
    values = secrets_of(text, environ)
    return _VARIABLE.sub(lambda found: values[found[1]], text)


def conceal(text: str, secrets: Mapping[str, str]) -> str:
    """Put ``${NAME}`` in for each value, also where it is written as addresses write it."""
    forms = {form: name for name, value in secrets.items() for form in (value, quote(value), quote_plus(value))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, f"${{{forms[form]}}}")
    return text


def names_a_variable(text: str) -> bool:
    """Tell whether a text would be changed by ``expand``: what a feed says must never be."""
    return _VARIABLE.search(text) is not None
