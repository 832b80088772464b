"""The engines' own downloads, with timeouts. Knows nothing of packages or local paths.

Both engines store downloads in their usual places (the Hugging Face cache, ``~/.cache/whisper``), where they also find
those of other programs.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from faster_whisper import download_model
from huggingface_hub import constants

from pipeline.speech.weights import lacking_in, no_weights

PATIENCE = 15.0  # seconds without a response


def from_hub(model: str) -> Path:
    """Return faster-whisper's folder of a model, downloading it from the Hugging Face Hub if necessary.

    Raises:
        WeightsError: It could not be downloaded.
    """
    with suppress(FileNotFoundError):  # it is not in the cache
        folder = Path(download_model(model, local_files_only=True))
        if not lacking_in(folder):
            return folder
    try:
        # The hub's client requests the list of files without a timeout: check first that the hub responds.
        httpx.head(constants.ENDPOINT, timeout=PATIENCE)
        return Path(download_model(model))
    except Exception as error:  # the hub raises errors of many types: all mean that there are no weights
        raise no_weights(model, "faster-whisper", error) from error


@contextmanager
def stall_limit() -> Iterator[None]:
    """Set a timeout for sockets opened in this block: openai-whisper downloads without any."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
