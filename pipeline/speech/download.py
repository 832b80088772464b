"""The engines' own downloads, kept from waiting for ever. It knows nothing of packages or local paths.

Both keep what they fetched in their usual places (the Hugging Face cache, ``~/.cache/whisper``), where other
programs' downloads are found too.
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

PATIENCE = 15.0  # seconds without an answer


def from_hub(model: str) -> Path:
    """Have faster-whisper download a model from the Hugging Face Hub, unless it has it already.

    Raises:
        WeightsError: It could not be downloaded.
    """
    with suppress(FileNotFoundError):  # the hub's way to say: not there
        folder = Path(download_model(model, local_files_only=True))
        if not lacking_in(folder):
            return folder
    try:
        # The hub's client asks for the list of files without any time limit: knock first.
        httpx.head(constants.ENDPOINT, timeout=PATIENCE)
        return Path(download_model(model))
    except Exception as error:  # the hub raises all sorts: all mean that there are no weights
        raise no_weights(model, "faster-whisper", error) from error


@contextmanager
def stall_limit() -> Iterator[None]:
    """Let sockets opened in this block give up: openai-whisper downloads without any time limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
