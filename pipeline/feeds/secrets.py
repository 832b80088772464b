"""Secrets of private feeds, taken out of whatever is kept or said of them.

``feeds.yaml`` names variables of the environment, which the client fills in while it visits. A server may still say a
value back, such as in the address of a redirect.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from pipeline.urls import shown, variables


def conceal(text: str, url: str, environ: Mapping[str, str]) -> str:
    """Return a text without the values of the variables that ``url`` names, and without ``user:password@``."""
    forms = {}
    for name in variables(url):
        value = environ.get(name)
        if value:
            forms.update(dict.fromkeys((value, quote(value), quote(value, safe=""), quote_plus(value)), name))
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, f"${{{forms[form]}}}")
    return shown(text)
