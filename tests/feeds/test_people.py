"""Finding an episode's speakers in its title and notes.

To test notes that were read wrongly, add them to tests/data/people: the title in the first line, then the notes, and
beside them the feed's hosts and the expected result.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.notes import to_text
from pipeline.feeds.people import find_people
from pipeline.model import Person

DATA = Path(__file__).parents[1] / "data/people"
NOTES = sorted(DATA.glob("*.txt"))


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_people_are_found_as_written_down(path: Path) -> None:
    title, _, notes = path.read_text(encoding="utf-8").partition("\n\n")
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    people = find_people(title, to_text(notes), hosts=expected["hosts"])
    assert [[person.name, person.role, person.description] for person in people] == expected["people"]


def test_every_golden_note_has_its_expectation() -> None:
    assert {path.stem for path in DATA.glob("*.json")} == {path.stem for path in NOTES}


@pytest.mark.parametrize(
    "name",
    [
        "Ines Marlow",
        "Siân O’Rourke",
        "Jean-Luc d'Arcy",
        "Zoë van der Berg",
        "Tom J. Hale",
        "Ana de la Cruz Ruiz",
        "Åsa Öberg",
    ],
)
@pytest.mark.parametrize("title", ["", "Dr ", "Dr. ", "Sir ", "Dame ", "Cllr ", "Professor ", "Chief Inspector "])
def test_names_are_told_from_titles(name: str, title: str) -> None:
    (person,) = find_people("", f"Our guest today is {title}{name}, director of Quiet Rooms.")
    assert (person.name, person.role) == (name, "guest")


@pytest.mark.parametrize(
    "words",
    [
        "Leeds City Council", "Community Care", "Children’s Services", "Ofsted", "Family Services Gazette", "BBC News",
        "the Department for Education", "Brook Vale council", "Milton Keynes director", "Northbridge", "Ines",
        "INES MARLOW", "Ines Marlow’s book", "ines marlow", "North Yorkshire", "Quiet Rooms Ltd", "Monday Morning",
        "University College", "the head of Quiet Rooms", "somebody who knew Ines Marlow",
    ],
)  # fmt: skip
@pytest.mark.parametrize("phrase", ["Our guest is {}.", "Hosted by {}.", "We are joined by {}.", "Alma interviews {}."])
def test_what_is_no_persons_name_is_nobody(words: str, phrase: str) -> None:
    assert find_people(words, phrase.format(words)) == ()


SCRAPS = st.sampled_from(
    [
        "Ines Marlow", "Alma Reed", "Dr. ", "Sir ", ", director of care", " (editor)", " talks to ", " is joined by ",
        ", ", " and ", "Guests: ", "\n• ", "\n", " interviews ", "posed by ", " in conversation with ", "Host ", ". ",
        "Ofsted", " joins us", " discusses ", "’s ", "with ", "our ", "(", ")", "O’", "-", "É", "\ud800",
    ]
)  # fmt: skip


@given(
    title=st.lists(SCRAPS, max_size=6).map("".join),
    notes=st.lists(st.one_of(SCRAPS, st.text(max_size=6)), max_size=30).map("".join),
    hosts=st.lists(st.sampled_from(["Alma Reed", "Tom Hale"]), unique=True),
)
def test_whatever_is_written_people_have_one_part(title: str, notes: str, hosts: list[str]) -> None:
    people = find_people(title, to_text(notes), hosts=hosts)
    assert len({person.name for person in people}) == len(people)
    assert not any(person.name in hosts and person.role == "guest" for person in people)
    for person in people:
        assert 2 <= len(person.name.split()) <= 8
        assert person.description is None or person.description.strip()


@pytest.mark.parametrize(
    "hostile", ["Aa Bb ", "A", "Aa-", "Aa, director ", "talks to Aa Bb, ", "Guests: Aa Bb\n", "(Aa Bb "]
)
def test_hostile_notes_take_a_bounded_time(hostile: str) -> None:
    began = time.process_time()  # CPU time of this process alone
    find_people(hostile * 1000, hostile * 20_000)
    assert time.process_time() - began < 10


def test_whom_the_feed_names_in_elements_of_their_own_has_that_part() -> None:
    named = (Person("Wren Adeyemi", "host"), Person("Oona Marsh", "guest"), Person("Idris Vale", "host"))
    notes = "Oona Marsh, head of care at Brook Vale, interviews Pim Oakley. Wren Adeyemi sits in for Idris Vale."
    assert find_people("", notes, named=named) == (
        Person("Wren Adeyemi", "host"),
        Person("Oona Marsh", "guest", "head of care at Brook Vale"),
        Person("Pim Oakley", "guest"),
    )
    assert find_people("", "", hosts=["Oona Marsh"], named=named)[1] == Person("Oona Marsh", "host")
