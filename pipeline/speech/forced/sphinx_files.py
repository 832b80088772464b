"""Reading the files of PocketSphinx's English model: its ``en-us``, phonetically tied mixtures (BSD licence).

The layouts are those of PocketSphinx 5's ``s3file.c``, ``bin_mdef.c`` and ``ptm_mgau.c``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx
from numpy.typing import DTypeLike, NDArray

from pipeline.errors import WeightsError

FOLDER = Path(pocketsphinx.get_model_path()) / "en-us"
SILENCE = "SIL"
NO_SPEECH = (SILENCE, "+NSN+", "+SPN+")  # the last two: noises of things and of people
STATES = 3  # of each phone

_MODEL = FOLDER / "en-us"
_BYTE_ORDER = 0x11223344
_WEIGHT_STEP = 1024 * np.log(1.0001)  # the quantisation step of log mixture weights
# The position of a phone in its word, as numbered in the triphone tree.
_INSIDE, _FIRST, _LAST, _ALONE = range(4)


class _File:
    """Reads values from a file of the model, one after the other.

    Raises:
        WeightsError: The file ends too early, or does not have the expected layout.
    """

    def __init__(self, name: str) -> None:
        self._path = _MODEL / name
        self._content = self._path.read_bytes()
        self._at = 0

    def numbers(self, count: int) -> tuple[int, ...]:
        return tuple(map(int, self.array("<i4", count)))

    def raw(self, count: int) -> bytes:
        return self.array("u1", count).tobytes()

    def array(self, dtype: DTypeLike, *shape: int) -> NDArray[Any]:
        try:
            found = np.frombuffer(self._content, dtype, math.prod(shape), self._at)
        except ValueError as error:
            raise self.error("it ends too early") from error
        self._at += found.nbytes
        return found.reshape(shape)

    def text(self) -> str:
        """Read up to the next zero byte."""
        end = self._content.find(b"\0", self._at)
        found = self.raw(end - self._at).decode()
        self._at += 1
        return found

    def skip(self, end: bytes) -> None:
        """Continue after the next occurrence of these bytes."""
        self._at = self._content.index(end, self._at) + len(end)

    def must_be(self, found: object, wanted: object) -> None:
        if found != wanted:
            raise self.error(f"{found} is found where {wanted} should be")

    def error(self, what: str) -> WeightsError:
        return WeightsError(f"{self._path} does not belong to PocketSphinx 5's English model: {what}")


def gaussians() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The means and variances of all densities, (phones, streams, densities, dimensions)."""
    return _densities("means"), _densities("variances")


def mixture_weights() -> NDArray[np.float32]:
    """The weight of each density of its phone in a senone, (streams, senones, densities)."""
    file = _File("sendump")
    fields: dict[str, str] = {}
    while length := file.numbers(1)[0]:
        name, _, value = file.raw(length)[:-1].decode().partition(" ")
        fields[name] = value
    file.must_be(fields.get("cluster_count"), "0")
    densities, senones = file.numbers(2)
    steps = file.array("u1", int(fields["feature_count"]), densities, senones)
    return np.asarray(np.exp(-_WEIGHT_STEP * steps.transpose(0, 2, 1)), np.float32)


def transitions() -> NDArray[np.float32]:
    """The transition probabilities of phones' states, (phones, states, states and the exit)."""
    file = _after_header("transition_matrices")
    phones, states, following, _ = file.numbers(4)
    file.must_be(states, STATES)
    counts = file.array("<f4", phones, states, following)
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True), np.float32)


def pronunciations() -> dict[str, str]:
    """The first pronunciation of each lower-case word: its phones, separated by spaces."""
    lines = (FOLDER / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)  # further pronunciations have a number after the word


class Phones:
    """The phones by name, and the senones of each in context.

    Attributes:
        numbers: The number of each phone, by name: the index of its densities and of its transitions.
        of_senones: The number of the phone that each senone belongs to.
    """

    def __init__(self) -> None:
        file = _File("mdef")
        file.must_be(file.raw(4), b"BMDF")
        _, described = file.numbers(2)
        file.raw(described)
        phones, all_phones, states, _, senones, _, sequences, _, nodes, _ = file.numbers(10)
        file.must_be(states, STATES)
        names = [file.text() for _ in range(phones)]
        file.raw(-sum(len(name) + 1 for name in names) % 4)  # padding
        self.numbers = {name: number for number, name in enumerate(names)}
        self._tree = file.array([("phone", "<i2"), ("below", "<i2"), ("next", "<i4")], nodes)
        # A triphone has a position in the word, its phone's number and those of the neighbours.
        fields = [("sequence", "<i4"), ("transitions", "<i4"), ("place", "i1"), ("phone", "i1"), ("around", "i1", 2)]
        kinds = file.array(fields, all_phones)
        file.must_be(file.numbers(1), (sequences * states,))
        self._senones = file.array("<i2", sequences, states)[kinds["sequence"]]
        self.of_senones = np.zeros(senones, int)
        self.of_senones[self._senones] = np.append(np.arange(phones), kinds["phone"][phones:])[:, np.newaxis]
        self._known: dict[tuple[int, int, int, int], NDArray[np.int16]] = {}

    def senones(self, word: Sequence[str], before: str, after: str) -> list[NDArray[np.int16]]:
        """The senones, one per state, of each phone of a word that is said between two other phones."""
        around = [self.numbers[name] for name in (before, *word, after)]
        found = []
        for n, phone in enumerate(around[1:-1]):
            first, last = n == 0, n == len(word) - 1
            place = _ALONE if first and last else _FIRST if first else _LAST if last else _INSIDE
            found.append(self._of((place, phone, around[n], around[n + 2])))
        return found

    def alone(self, name: str) -> NDArray[np.int16]:
        """The senones of a phone regardless of its neighbours."""
        return np.asarray(self._senones[self.numbers[name]])

    def _of(self, context: tuple[int, int, int, int]) -> NDArray[np.int16]:
        if context not in self._known:
            self._known[context] = self._senones[self._triphone(context)]
        return self._known[context]

    def _triphone(self, context: tuple[int, int, int, int]) -> int:
        """Look up a triphone in the tree; one that is not in the model is replaced by the phone without context."""
        first, count = 0, 4
        for wanted in context:
            below = self._tree[first : first + count]
            places = np.flatnonzero(below["phone"] == wanted)
            if not places.size:
                break
            node = below[places[0]]
            first, count = int(node["next"]), int(node["below"])
            if count == 0:
                return first if first >= 0 else context[1]
        return context[1]


def _densities(name: str) -> NDArray[np.float32]:
    file = _after_header(name)
    phones, streams, densities = file.numbers(3)
    dimensions = file.numbers(streams)
    file.must_be(len(set(dimensions)), 1)
    file.numbers(1)  # the number of values that follow
    return file.array("<f4", phones, streams, densities, dimensions[0])


def _after_header(name: str) -> _File:
    file = _File(name)
    file.skip(b"endhdr\n")
    file.must_be(file.numbers(1)[0], _BYTE_ORDER)
    return file
