"""Sentence vectors, with real weights."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.align.meaning import DIMENSIONS, SentenceEncoder, Vectors, directions
from pipeline.stages.vector_cache import Remembered


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def test_what_means_the_same_is_nearer_than_what_has_the_same_words(encoder: SentenceEncoder) -> None:
    question, otherwise_worded, same_words = directions(
        encoder.encode(
            [
                "How did you manage to recruit more social workers?",
                "What did it take to get people to come and work for you in child protection?",
                "How did you manage to more or less enjoy that?",
            ]
        )
    )
    assert question @ otherwise_worded > question @ same_words + 0.1


def test_a_vector_does_not_depend_on_what_is_encoded_beside_it(encoder: SentenceEncoder) -> None:
    texts = ["What comes next?", "", "Caseloads fell by a third in two years, and that shows. " * 40, "Next."]
    together = encoder.encode(texts)
    assert together.shape == (4, DIMENSIONS)
    for text, vector in zip(texts, together, strict=True):
        (alone,) = encoder.encode([text])
        assert directions(alone) @ directions(vector) == pytest.approx(1, abs=1e-4)
        assert np.linalg.norm(alone) == pytest.approx(np.linalg.norm(vector), rel=1e-3)


def test_sentences_add_up_to_nearly_the_passage_they_make(encoder: SentenceEncoder) -> None:
    sentences = [
        "Inspectors described a calm front door.",
        "How does the team decide which calls need a social worker?",
    ]
    apart, whole = encoder.encode(sentences).sum(axis=0), encoder.encode([" ".join(sentences)])[0]
    assert directions(apart) @ directions(whole) > 0.9


def test_of_no_texts_there_are_no_vectors(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)


def test_vectors_are_worked_out_once_and_again_when_the_file_is_no_use(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []

    def encode(texts: Sequence[str]) -> Vectors:
        asked.append(texts)
        return np.full((len(texts), DIMENSIONS), len(asked), np.float32)

    remembered = Remembered(encode, tmp_path / "vectors")
    first = remembered(["One.", "Two."])
    assert (remembered(["One.", "Two."]) == first).all()
    assert len(asked) == 1
    remembered(["One."])
    assert len(asked) == 2
    for n, useless in enumerate((b"", b"PK\3\4 no archive", npy(np.full((2, DIMENSIONS), np.nan))), 3):
        for file in (tmp_path / "vectors").iterdir():
            file.write_bytes(useless)
        assert (remembered(["One.", "Two."]) == n).all()
        assert (remembered(["One.", "Two."]) == n).all()


def test_where_nothing_can_be_kept_vectors_are_worked_out_each_time(tmp_path: Path, encoder: SentenceEncoder) -> None:
    (tmp_path / "vectors").write_text("a file where the folder should be", encoding="utf-8")
    assert Remembered(encoder.encode, tmp_path / "vectors")(["One."]).shape == (1, DIMENSIONS)


def npy(values: NDArray[np.float64]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()
