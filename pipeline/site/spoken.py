"""The words of a passage as a page carries them: where each stands, when it is said, if it is doubtful. Pure.

A browser counts characters in units of UTF-16, as JavaScript and ranges of a document do; ``archiveWords`` in
``static/archive.js`` is what reads these words.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.archive.reading import Passage

# A word with less than an even chance. In tiny.en's meetings (AMI) every second one of these is wrong, and they are
# two fifths of all wrong words; of the clearly spoken sample show 2 % are below it.
UNSURE = 0.5


def timing(passage: Passage) -> str:
    """Return the words' places and times for an attribute, in as few characters as will do.

    Three whole numbers a word: the units of UTF-16 from where the word before begins, the hundredths of a second from
    where it ends, and how many hundredths this one lasts. Before the first word both are 0.
    """
    numbers: list[int] = []
    place = ended = 0
    for word in passage.words:
        at = _units(passage.text[: word.offset])
        start, end = round(word.start * 100), round(word.end * 100)
        numbers += (at - place, start - ended, end - start)
        place, ended = at, end
    return " ".join(map(str, numbers))


def pieces(passage: Passage) -> Iterator[tuple[str, float | None]]:
    """Cut the text at its doubtful words: each piece with the probability of the doubtful word that it is, else None.

    Joined again, the pieces are the text.
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
