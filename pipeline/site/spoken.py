"""Encoding the words of a passage for its page: their offsets and times, and which are uncertain. Pure functions.

Offsets count UTF-16 code units, as JavaScript and DOM ranges do; ``archiveWords`` in ``static/archive.js`` decodes
them.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.archive.reading import Passage

# A word with a probability below one half. In the AMI meetings transcribed by tiny.en every second such word is wrong,
# and they are two fifths of all wrong words; of the clearly spoken sample show 2 % are below it.
UNSURE = 0.5


def timing(passage: Passage) -> str:
    """Return the words' offsets and times for an attribute, compactly.

    Three numbers per word: the distance from the beginning of the previous word in UTF-16 code units, and, in
    hundredths of a second, with a decimal for the milliseconds if there are any, the distance from the end of the
    previous word and the word's duration. Both distances start from 0.
    """
    numbers: list[float] = []
    place = ended = 0
    for word in passage.words:
        at = _units(passage.text[: word.offset])
        start, end = round(word.start * 1000), round(word.end * 1000)
        numbers += (at - place, (start - ended) / 10, (end - start) / 10)
        place, ended = at, end
    return " ".join(str(number).removesuffix(".0") for number in numbers)


def pieces(passage: Passage) -> Iterator[tuple[str, float | None]]:
    """Split the text at uncertain words: each piece with its probability if it is such a word, else None.

    Joined, the pieces give the text.
    """
    position = 0
    for word in passage.words:
        if word.probability >= UNSURE:
            continue
        end = word.offset + word.length
        if word.offset > position:
            yield passage.text[position : word.offset], None
        yield passage.text[word.offset : end], word.probability
        position = end
    if position < len(passage.text):
        yield passage.text[position:], None


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
