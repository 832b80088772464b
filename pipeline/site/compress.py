"""Compressing pages with gzip, which neither Datasette nor uvicorn does. Independent of the pages.

Only for requests without a login: on a page with secrets – the CSRF token of an editor's form, a transcript that is not
public – the compressed length would help an attacker to guess them (the BREACH attack).
"""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import Any

from datasette import Request, Response

LEAST_BYTES = 500  # minimum size of a body; shorter ones fit into one packet anyway
LEVEL = 6
_TEXT = re.compile(r"text/|application/(json|xml|[a-z]+\+(json|xml))")
_REFUSED = re.compile(r"\s*;\s*q=0(\.0*)?\s*$", re.IGNORECASE)


async def compressed(request: Request, response: Any) -> Any:
    """Return a response with its text compressed, if the browser accepts that; otherwise unchanged."""
    if not isinstance(response, Response) or not _TEXT.match(response.content_type):
        return response
    response.headers["Vary"] = "Accept, Accept-Encoding"  # Datasette adds its own values, such as Cookie
    body = response.body if isinstance(response.body, bytes) else response.body.encode()
    if request.actor is None and len(body) >= LEAST_BYTES and _takes_gzip(request.headers.get("accept-encoding", "")):
        response.body = await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    return response


def _takes_gzip(accepted: str) -> bool:
    """Tell whether an ``Accept-Encoding`` header accepts gzip, without a weight of 0 (RFC 9110, section 12.5.3)."""
    return any(
        part.partition(";")[0].strip().lower() in {"gzip", "x-gzip"} and not _REFUSED.search(part)
        for part in accepted.split(",")
    )
