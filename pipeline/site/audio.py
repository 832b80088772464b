"""Serving the kept audio: looked up by its hash, never by a path from the request, and sent in chunks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from datasette import Request

from pipeline.archive import reading
from pipeline.model import Rendition
from pipeline.site.access import Archive
from pipeline.site.ranges import RangeAnswer, answer
from pipeline.site.respond import Refusal

CHUNK = 64 * 1024  # bytes read and sent at a time
# A browser's player requests the whole file, closes the connection as soon as it knows the length, and requests the
# part from which it is to play. Whatever was sent by then is wasted: megabytes, on a fast line. So a player gets its
# first bytes at once, and the rest at this rate per second, or at four times the recording's bit rate if that is
# higher.
PLAYER_AT_ONCE = 2 * CHUNK
PLAYER_RATE = 500_000  # bytes
PLAYER_SPEED = 4
_MEDIA_TYPE = re.compile(r"(audio|video)/[a-z0-9.+-]+", re.IGNORECASE)

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class AudioResponse:
    """Sends part of a file in constant memory, and stops when the client disconnects.

    ``rate`` limits the bytes per second after the first ``PLAYER_AT_ONCE`` bytes; None for no limit.
    """

    path: Path
    answer: RangeAnswer
    headers: dict[str, str]
    method: str
    receive: Receive
    rate: float | None

    async def asgi_send(self, send: Send) -> None:
        """Send the headers and the body."""
        headers = [[name.lower().encode(), value.encode()] for name, value in self.headers.items()]
        if self.method == "HEAD" or not self.answer.length:
            await send({"type": "http.response.start", "status": self.answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        # Opened before the headers are sent, so that an unreadable file becomes an error page instead of a truncated
        # answer.
        file = await asyncio.to_thread(self.path.open, "rb")
        try:
            await send({"type": "http.response.start", "status": self.answer.status, "headers": headers})
            async with _watching(self.receive) as gone:
                await self._send_bytes(file, send, gone)
        finally:
            await asyncio.to_thread(file.close)

    async def _send_bytes(self, file: BinaryIO, send: Send, gone: asyncio.Task[None]) -> None:
        await asyncio.to_thread(file.seek, self.answer.first)
        left = self.answer.length
        while left and not gone.done():
            chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
            if self.rate and self.answer.length - left >= PLAYER_AT_ONCE:
                await asyncio.sleep(len(chunk) / self.rate)
            left -= len(chunk)
            # If the file has become shorter meanwhile, the answer ends early, and the server closes the connection.
            await send({"type": "http.response.body", "body": chunk, "more_body": bool(left and chunk)})
            if not chunk:
                return

    def set_cookie(self, *_arguments: object, **_options: object) -> None:
        """Ignore the cookie that Datasette sets for its messages."""


async def audio(request: Request, archive: Archive) -> Any:
    """``/-/audio/<sha256>``: the kept file, whole or the requested range."""
    sha256 = request.url_vars["sha256"]
    kept = await archive.read(lambda connection: reading.rendition(connection, sha256))
    if kept is None:
        raise Refusal("This archive has no audio of that name.", status=404)
    path = await asyncio.to_thread(archive.audio_file, kept)
    if path is None:
        message = "This audio was kept, but its file is missing from the audio folder or has changed."
        raise Refusal(message, status=404)
    etag = f'"{kept.sha256}"'
    decided = answer(request.method, request.headers, size=kept.bytes, etag=etag)
    headers = {
        "Content-Type": media_type(kept),
        "Content-Length": str(decided.length),
        "Accept-Ranges": "bytes",
        "ETag": etag,
        # The bytes never change, but permissions may: browsers may cache them, shared caches may not.
        "Cache-Control": "private, max-age=86400",
        "X-Content-Type-Options": "nosniff",
    }
    content_range = decided.content_range(kept.bytes)
    if content_range:
        headers["Content-Range"] = content_range
    if decided.status == 304:
        del headers["Content-Length"]
    is_player = request.headers.get("sec-fetch-dest") in {"audio", "video"}
    rate = max(PLAYER_RATE, PLAYER_SPEED * kept.bytes / max(kept.duration, 1.0)) if is_player else None
    return AudioResponse(path, decided, headers, request.method, request.receive, rate)


def media_type(kept: Rendition) -> str:
    """Return the Content-Type of a kept file; never one that a browser would execute."""
    return kept.content_type if _MEDIA_TYPE.fullmatch(kept.content_type) else "application/octet-stream"


@asynccontextmanager
async def _watching(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """Yield a task that is done once the client has disconnected."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(wait())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
