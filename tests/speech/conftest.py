"""The packaged weights, prepared once per module."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.speech.weights import find_weights, ready_weights


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny(cache: Path) -> Path:
    """The packaged tiny.en, ready to load."""
    folder = ready_weights(find_weights("tiny.en", "faster-whisper"), cache)
    assert folder is not None
    return folder
