"""Whisper's encoder on ONNX Runtime, against PyTorch's with the same weights."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
import whisper
from numpy.typing import NDArray

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.errors import WeightsError
from pipeline.sample import DATA
from pipeline.speech.checkpoint import load_folder
from pipeline.speech.encoder import Encoder
from pipeline.speech.weights import find_weights, ready_weights

Mels = NDArray[np.float32]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = ready_weights(find_weights("tiny.en", "faster-whisper"), tmp_path_factory.mktemp("models"))
    assert found
    return found


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder(folder / "model.bin")


@pytest.fixture(scope="module")
def mels() -> Mels:
    audio = decode(DATA / "episode-1.mp3")[: 30 * SAMPLE_RATE]
    return np.asarray(whisper.log_mel_spectrogram(audio)[np.newaxis].numpy())


def test_it_comes_near_to_the_encoder_in_floating_point(
    folder: Path, encoder: Encoder, mels: Mels, tmp_path: Path
) -> None:
    model = load_folder(folder, tmp_path, name="tiny.en", identity="test")
    with torch.no_grad():
        exact = model.encoder(torch.from_numpy(mels)).numpy()
    found = encoder.encode(mels)
    assert found.shape == exact.shape == (1, 1500, 384)
    assert np.linalg.norm(found - exact) / np.linalg.norm(exact) < 0.07


def test_windows_do_not_change_each_other(encoder: Encoder, mels: Mels) -> None:
    quiet = np.full_like(mels, -0.5)
    together = encoder.encode(np.concatenate([quiet, mels]))
    np.testing.assert_array_equal(together[1:], encoder.encode(mels))


def test_threads_may_share_it(encoder: Encoder, mels: Mels) -> None:
    expected = encoder.encode(mels)
    found: list[NDArray[np.float32]] = []
    threads = [threading.Thread(target=lambda: found.append(encoder.encode(mels))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for one in found:
        np.testing.assert_array_equal(one, expected)


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"not weights at all")
    with pytest.raises(WeightsError, match=r"model\.bin"):
        Encoder(path)
