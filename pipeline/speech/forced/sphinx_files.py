"""The files of PocketSphinx's English model, as arrays: its ``en-us``, phonetically tied mixtures (BSD licence).

The layouts are those of PocketSphinx 5's ``s3file.c``, ``bin_mdef.c`` and ``ptm_mgau.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

FOLDER = Path(pocketsphinx.get_model_path()) / "en-us"
SILENCE = "SIL"
NO_SPEECH = (SILENCE, "+NSN+", "+SPN+")  # the last two: noise of things and of people

_MODEL = FOLDER / "en-us"
_WEIGHT_STEP = 1024 * np.log(1.0001)  # the steps of a mixture weight's logarithm
# Where a phone is in its word, in the order of the triphones' tree.
_INSIDE, _FIRST, _LAST, _ALONE = range(4)


def gaussians() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The means and variances of all densities, (codebooks, streams, densities, dimensions)."""
    return _densities("means"), _densities("variances")


def mixture_weights() -> NDArray[np.float32]:
    """How much of each density of its codebook a senone has, (streams, senones, densities)."""
    content = (_MODEL / "sendump").read_bytes()
    at = 0
    fields: dict[str, int] = {}
    while length := struct.unpack_from("<i", content, at)[0]:
        text = content[at + 4 : at + 3 + length].decode()
        at += 4 + length
        if text.endswith(tuple("0123456789")) and text.count(" ") == 1:
            name, value = text.split()
            fields[name] = int(value)
    densities, senones = struct.unpack_from("<2i", content, at + 4)
    shape = (fields["feature_count"], densities, senones)
    steps = np.frombuffer(content, np.uint8, count=int(np.prod(shape)), offset=at + 12).reshape(shape)
    return np.asarray(np.exp(-_WEIGHT_STEP * steps.transpose(0, 2, 1)), np.float32)


def transitions() -> NDArray[np.float32]:
    """How likely a phone's state is followed by which, (phones, states, states and what follows the phone)."""
    content, at = _after_header("transition_matrices")
    phones, states, following, _ = struct.unpack_from("<4i", content, at)
    counts = np.frombuffer(content, "<f4", phones * states * following, at + 16).reshape(phones, states, following)
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True), np.float32)


class Phones:
    """The phones by name, and the senones of each between its neighbours.

    Attributes:
        numbers: A phone's number, which is that of its densities and of its transitions.
        of_senones: The number of the phone that each senone is a part of.
    """

    def __init__(self) -> None:
        content = (_MODEL / "mdef").read_bytes()
        (described,) = struct.unpack_from("<i", content, 8)
        at = 12 + described
        phones, all_phones, states, _, _, _, _, _, nodes, _ = struct.unpack_from("<10i", content, at)
        at += 40
        names = content[at:].split(b"\0", phones)[:phones]
        self.numbers = {name.decode(): number for number, name in enumerate(names)}
        length = sum(len(name) + 1 for name in names)
        at += length + -length % 4
        self._tree = np.frombuffer(content, [("phone", "<i2"), ("below", "<i2"), ("next", "<i4")], nodes, at)
        at += self._tree.nbytes
        # A phone between neighbours has its place in the word, its own number and the neighbours'.
        fields = [("sequence", "<i4"), ("transitions", "<i4"), ("place", "i1"), ("phone", "i1"), ("around", "i1", 2)]
        kinds = np.frombuffer(content, fields, all_phones, at)
        at += kinds.nbytes + 4
        sequences = np.frombuffer(content, "<i2", offset=at).reshape(-1, states)
        self._senones = sequences[kinds["sequence"]]
        self.of_senones = np.empty(self._senones.max() + 1, int)
        self.of_senones[self._senones] = np.append(np.arange(phones), kinds["phone"][phones:])[:, np.newaxis]
        self._known: dict[tuple[int, int, int, int], NDArray[np.int16]] = {}

    def senones(self, word: Sequence[str], before: str, after: str) -> list[NDArray[np.int16]]:
        """The senones of each phone of a word that is said between two phones, three states each."""
        around = [self.numbers[name] for name in (before, *word, after)]
        found = []
        for n, phone in enumerate(around[1:-1]):
            first, last = n == 0, n == len(word) - 1
            place = _ALONE if first and last else _FIRST if first else _LAST if last else _INSIDE
            found.append(self._of((place, phone, around[n], around[n + 2])))
        return found

    def alone(self, phone: int) -> NDArray[np.int16]:
        """The senones of a phone, whatever its neighbours are."""
        return np.asarray(self._senones[phone])

    def _of(self, context: tuple[int, int, int, int]) -> NDArray[np.int16]:
        if context not in self._known:
            self._known[context] = self._senones[self._triphone(context)]
        return self._known[context]

    def _triphone(self, context: tuple[int, int, int, int]) -> int:
        """Go down the tree; what was never seen between these neighbours is the phone as it is anywhere."""
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


def pronunciations() -> dict[str, str]:
    """The phones of each word in small letters, joined by spaces: the first of the ways to say it."""
    lines = (FOLDER / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)  # the other ways have their number behind the word


def _densities(name: str) -> NDArray[np.float32]:
    content, at = _after_header(name)
    codebooks, streams, densities = struct.unpack_from("<3i", content, at)
    dimensions, *_ = struct.unpack_from(f"<{streams}i", content, at + 12)
    shape = (codebooks, streams, densities, dimensions)
    return np.frombuffer(content, "<f4", int(np.prod(shape)), at + 16 + 4 * streams).reshape(shape)


def _after_header(name: str) -> tuple[bytes, int]:
    content = (_MODEL / name).read_bytes()
    at = content.index(b"endhdr\n") + len(b"endhdr\n")
    return content, at + 4  # behind the mark of the byte order: the package's files have the small end first
