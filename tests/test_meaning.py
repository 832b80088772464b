"""Sentence vectors: real weights."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.align.meaning import DIMENSIONS, SentenceEncoder


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def test_what_means_the_same_is_nearer_than_what_has_the_same_words(encoder: SentenceEncoder) -> None:
    question, otherwise_worded, same_words = encoder.encode(
        [
            "How did you manage to recruit more social workers?",
            "What did it take to get people to come and work for you in child protection?",
            "How did you manage to more or less enjoy that?",
        ]
    )
    assert question @ otherwise_worded > question @ same_words + 0.1


def test_a_vector_does_not_depend_on_what_is_encoded_beside_it(encoder: SentenceEncoder) -> None:
    texts = ["What comes next?", "", "Caseloads fell by a third in two years, and that shows. " * 40, "Next."]
    together = encoder.encode(texts)
    assert together.shape == (4, DIMENSIONS)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert encoder.encode([text])[0] @ vector == pytest.approx(1, abs=1e-4)


def test_of_no_texts_there_are_no_vectors(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)
