"""Sending pages compressed: neither Datasette nor uvicorn does. Knows no page.

Only what nobody had to sign in for: where a page holds something that others must not know – the token of an editor's
form, a transcript that is not public – its compressed length would tell who guesses parts of it (the attack called
BREACH).
"""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import Any

from datasette import Request, Response

LEAST_BYTES = 500  # of a body; what is shorter fits into one packet anyway
LEVEL = 6
_TEXT = re.compile(r"text/|application/(json|xml|[a-z]+\+(json|xml))")
_REFUSED = re.compile(r"\s*;\s*q=0(\.0*)?\s*$", re.IGNORECASE)


async def compressed(request: Request, response: Any) -> Any:
    """Return a response with its text compressed, where the browser takes that; else as it is."""
    if not isinstance(response, Response) or not _TEXT.match(response.content_type):
        return response
    response.headers["Vary"] = "Accept, Accept-Encoding"  # Datasette adds what its own answers depend on
    body = response.body if isinstance(response.body, bytes) else response.body.encode()
    if request.actor is None and len(body) >= LEAST_BYTES and _takes_gzip(request.headers.get("accept-encoding", "")):
        response.body = await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    return response


def _takes_gzip(accepted: str) -> bool:
    """Tell whether the header ``Accept-Encoding`` names gzip, and not in order to refuse it (RFC 9110, 12.5.3)."""
    return any(
        part.partition(";")[0].strip().lower() in {"gzip", "x-gzip"} and not _REFUSED.search(part)
        for part in accepted.split(",")
    )
