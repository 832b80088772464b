"""Quotations: each found wherever it is said, once, with its time, compared with a plain scan of the texts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.archive.database import reader
from pipeline.archive.search import search
from tests.support.building import add_feed, add_transcript, episode, new_archive, spoken
from tests.support.searching import quotable, saying


def finds(path: Path, said: Sequence[str], typed: str) -> list[int]:
    """The numbers of the segments that a search finds where these are said, one after the other."""
    with saying(path, *said) as connection:
        return sorted({said.index(hit.text) for hit in search(connection, typed).hits})


def six_word_quotes(path: Path, chance: random.Random, number: int) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """Quotes of six words, each with the episodes and times at which they are said, found without the index."""
    with reader(path) as connection:
        spoken_words = {
            transcript: [
                (word, start)
                for (words,) in connection.execute(
                    "select words from segments where transcript = ? order by n", [transcript]
                ).fetchall()
                for start, _, text, _ in json.loads(words)
                for word in quotable(text)
            ]
            for (transcript,) in connection.execute("select id from transcripts where preferred = 1").fetchall()
        }
        episodes = dict(connection.execute("select id, episode from transcripts").fetchall())
    for _ in range(number):
        said = chance.choice(list(spoken_words.values()))
        first = chance.randrange(len(said) - 5)
        quote = [word for word, _ in said[first : first + 6]]
        expected = [
            (episodes[transcript], words[n][1])
            for transcript, words in spoken_words.items()
            for n in range(len(words) - 5)
            if words[n][0] == quote[0] and [word for word, _ in words[n : n + 6]] == quote
        ]
        yield f'"{" ".join(quote)}"', expected


def test_two_thousand_six_word_quotes_of_a_real_transcript_are_each_found_once_at_their_second(demo_db: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - reproducible
    with reader(demo_db) as connection:
        for quote, expected in six_word_quotes(demo_db, chance, 2000):
            hits = search(connection, quote, size=100).hits
            near: list[tuple[str, Any]] = [(one, pytest.approx(second, abs=0.3)) for one, second in sorted(expected)]
            assert sorted((hit.episode, hit.start) for hit in hits) == near, quote


def test_six_word_quotes_of_a_long_transcript_are_all_found_once(tmp_path: Path) -> None:
    """Regardless of segment boundaries: recall 1.0, no duplicates, the time of the first word."""
    chance = random.Random(7)  # noqa: S311 - a reproducible text
    vocabulary = [f"{a}{b}" for a in ("lo", "mi", "ra", "tu", "ke", "so") for b in ("ban", "dor", "fin", "gul", "hem")]
    words = [chance.choice(vocabulary) for _ in range(3000)]
    texts, position = [], 0
    while position < len(words):
        length = chance.randint(3, 18)
        texts.append(" ".join(words[position : position + length]))
        position += length
    path = tmp_path / "c.db"
    with saying(path, *texts) as connection:
        for _ in range(150):
            first = chance.randrange(len(words) - 6)
            quote = words[first : first + 6]
            expected = [n for n in range(len(words) - 5) if words[n : n + 6] == quote]
            hits = search(connection, f'"{" ".join(quote)}"').hits
            assert [hit.start for hit in hits] == [pytest.approx(0.5 * n) for n in expected]


SEGMENTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "dog", "Dogs"]), min_size=1, max_size=4), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(SEGMENTS, st.lists(st.sampled_from(["a", "b", "c", "dog", "dogs"]), min_size=2, max_size=9))
@example([["a"], ["b"], ["a"], ["b"], ["a"]] * 12, ["a", "b", "a", "b"])
@example([["a", "a"]] * 30, ["a"] * 7)
def test_a_phrase_is_found_wherever_it_is_said_however_short_the_segments(
    tmp_path_factory: pytest.TempPathFactory, segments: list[list[str]], phrase: list[str]
) -> None:
    path = tmp_path_factory.mktemp("phrases") / "a.db"
    with new_archive(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*map(" ".join, segments)))
    said = [word.lower() for segment in segments for word in segment]
    expected = [n * 0.5 for n in range(len(said)) if said[n : n + len(phrase)] == phrase]
    with reader(path) as connection:
        hits = search(connection, f'"{" ".join(phrase)}"', size=500).hits
    assert [hit.start for hit in hits] == expected
    assert all(hit.end - hit.start == pytest.approx(0.5 * len(phrase) - 0.1) for hit in hits)
    marked = f"<mark>{' '.join(phrase)}</mark>"
    assert [hit.html.lower().count(marked) for hit in hits] == [1] * len(hits)


def test_two_plain_words_are_found_where_a_segment_ends_between_them(tmp_path: Path) -> None:
    with saying(tmp_path / "two.db", "We opened a front", "door for everybody.") as connection:
        (hit,) = search(connection, "front door").hits
        assert (hit.start, hit.html) == (1.5, "We opened a <mark>front door</mark> for everybody.")
        assert search(connection, "door front").total == 0


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("4000", [0, 1]),
        ("4,000", [0, 1]),
        ("1,250,000", [2]),
        ("1250000", [2]),
        ("400", []),
        ("children -4000", [2]),
        ("well-being", [3, 4]),
        ("wellbeing", [3, 4]),
        ("4,000 children", [0, 1]),
        ("4000?", [0, 1]),
        ("(4,000)", [0, 1]),
        ("£1250000", [2]),
        ("4000*", [1]),
        ("5 houses", [5, 6]),
        ("Five houses", [5, 6]),
        ("£2.6m", [7]),
        ("five NEAR/3 houses", [5, 6]),
        ('"some 4,000 children"', [1]),
        ("“There are 4000 children”", [0]),
        ('"there are five houses"', [6]),
        ('"came to £2.6m pounds"', [7]),
        ('"our neighbourhood programme"', [9]),
        ('"a neighborhood program" OR "5 houses"', [5, 6, 8]),
        ('children -"4000 children"', [2]),
        ("house NEAR/9 4,000", []),
        ("4000 NEAR/3 children", [0, 1]),
        ("organisation NEAR/3 recognised", [11]),
        ("2.6m?", [7]),
        ("neighbourhoods", [8, 9]),
        ("neighborhoods", [8, 9]),
        ("organisations", [10, 11]),
        ("recognised", [11]),
        ("programme", [8, 9]),
        ("analyse -neighbourhood", [10]),
    ],
)
def test_a_word_is_found_however_it_is_written(tmp_path: Path, typed: str, found: list[int]) -> None:
    said = (
        *("There are 4,000 children.", "Some 4000 children, they say.", "It cost 1,250,000 for children."),
        *("Their well-being comes first.", "Wellbeing comes first."),
        *("We have five houses.", "There are 5 houses.", "It came to 2.6 million pounds, for 6 of them."),
        *("A neighbourhood programme.", "Our neighborhood program.", "We analyze organizations."),
        "This organisation is recognized.",
    )
    with saying(tmp_path / "n.db", *said) as connection:
        assert sorted(said.index(hit.text) for hit in search(connection, typed).hits) == found
        assert all("<mark>" in hit.html for hit in search(connection, typed).hits)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ('"6 million pounds"', []),
        ('"2.6 million pounds"', [0, 1]),
        ("£6 million", []),
        ("6m", []),
        ("6", [7]),
        ("2.6", [0]),
        ("2.6 million", [0, 1, 2]),
        ("2.6m pounds", [0, 1, 2]),
        ("2.6 million -pounds", [2]),
        ('"400,000"', []),
        ("400000", []),
        ("1400000", [3]),
        ('"1"', []),
        ("20 per cent", [4, 5]),
        ("20 percent of schools", [4, 5]),
        ("20%", [4, 5]),
        ('"20% of"', [4, 5]),
        ('"20 per cent"', [4, 5]),
        ('"20 schools"', [6]),
        ('"20 of"', []),
        ("20", [4, 5, 6]),
        ("per cent", [4]),
        ("percent", [4]),
        ("24 homes", [7]),
        ("4", [15]),
        ("twenty", [4, 5, 6]),
        ("-6 homes", []),
        ('"on"', [8]),
        ('"one"', [9]),
        ('"use" OR "us"', [10, 11]),
        ('"us"', [10]),
        ('"one day"', [9]),
        ('"universe"', []),
        ('use NEAR/2 "services"', [11]),
        ("wellbeing", [12]),
        ("2020", [13]),
        ("cooperate", [14]),
    ],
)
def test_a_figure_and_a_quoted_word_are_found_whole(tmp_path: Path, typed: str, found: list[int]) -> None:
    said = (
        *("It cost 2.6 million pounds.", "That is £2.6m pounds.", "About £2.6mn.", "All 1,400,000 of them."),
        *(
            "It is 20 per cent of schools.",
            "Only 20% of schools.",
            "There are 20 schools.",
            "Twenty-four homes, 6 closed.",
        ),
        *("She is on time.", "At one day they came.", "They told us.", "We use services, and universities."),
        *(
            "Their well-being matters; as well, being there does.",
            "In the 2020s.",
            "They co-operated as well being told.",
            "Four-year-olds.",
        ),
    )
    assert finds(tmp_path / "a.db", said, typed) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("children's", [0, 1, 2]),
        ("children’s", [0, 1, 2]),
        ("childrens", [0, 1, 2]),
        ("children", [0, 1, 2]),
        ("(children’s)", [0, 1, 2]),
        ("(“children’s”)", [0]),
        ("CHILDREN'S homes", [0]),
        ("council's", [3, 4, 5]),
        ("councils’", [3, 4, 5]),
        ("neighbour’s", [4, 6]),
        ("council’s NEAR/1 view", [3]),
        ("children's NEAR/1 stayed", [1]),
        ("its NEAR/0 neighbour's", []),
        ("and NEAR/1 neighbour's", [4]),
        ("childrenʼs*", []),
        ("council -children’s", [3, 4, 5]),
        ("home -children's", []),
        ('"children\'s homes"', [0]),
        ("“childrens homes”", []),
        ('"council’s"', [3]),
        ("it's", [7]),
        ("that's", []),
        ("don’t", [8]),
    ],
)
def test_a_possessive_is_a_form_of_its_word_but_in_a_quotation(tmp_path: Path, typed: str, found: list[int]) -> None:
    said = (
        *("The children’s homes closed.", "Some children stayed.", "A childrens charity."),
        *("The council's view.", "A council and its neighbor.", "All councils agree.", "Her neighbour’s fence."),
        *("It's late.", "I don't mind it."),
    )
    with saying(tmp_path / "p.db", *said) as connection:
        hits = search(connection, typed).hits
    assert sorted(said.index(hit.text) for hit in hits) == found
    assert all("<mark>" in hit.html for hit in hits)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("4", [5, 6]),
        ("four", [5, 6, 12, 13]),  # that is what is said, if of another number
        ("4 children", [6]),
        ('"4 children"', [6]),
        ('"four children"', [6]),
        ('"four"', [5, 6, 12, 13]),
        ("7", [9]),
        ("6", [9]),
        ('"66 people"', [7]),
        ("2", []),
        ("24", [0, 8, 10]),
        ("24 children", [0, 8, 10]),
        ('"twenty four children"', [0, 8, 10]),
        ("twenty four found", [0]),
        ("twenty four", [0, 8, 10]),
        ("Twenty four, all", [8]),
        ('"found twenty"', []),
        ("5 million", []),
        ("3", []),
        ('"three"', []),
        ('"three point five million"', [11]),
        ("20", [2, 3]),
        ('"twenty"', [2]),
        ('"four hundred"', [12]),
        ("400", [12]),
        ("four hundred", [12]),
        ("four hundred homes", [12]),
        ('"400 homes"', [12]),
        ("homes four hundred", [12]),
        ("homes four AND hundred", [12]),
        ("children twenty AND four", []),
        ("four hundred thousand", [13]),
        ('"some four hundred"', []),
        ("5,000", [14]),
        ("5000 -schools", []),
        ("five thousand", [14]),
        ("5", []),
        ("500", [15]),
        ("250", []),
        ("two hundred and fifty", [16]),
        ("two hundred and fifty jobs", [16]),
        ("200", [15]),
        ("two hundred", [15]),
        ("fifty", []),
        ('"hundred and fifty"', [16]),
        ("hundred and fifty jobs", [16]),
        ("104", []),
    ],
)
def test_no_number_is_found_in_another(tmp_path: Path, typed: str, found: list[int]) -> None:
    said = (
        *("We found twenty-four children there.", "Several of the thirty-seven staff left."),
        *("There were twenty schools and twenty-two nurseries.", "In the twenties, a hundred and four children."),
        *("Since then twenty-six have come.", "Four went home.", "Some four children; all fours."),
        *("Since 66 people left, 2.6 million went.", "All of the twenty four children.", "At sixes and sevens."),
        *("Or 24 children.", "Three point five million.", "In four hundred homes.", "Some four hundred thousand left."),
        *("Of five thousand schools.", "Between two hundred and five hundred.", "Two hundred and fifty jobs."),
    )
    assert finds(tmp_path / "a.db", said, typed) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("5 million", [0]),
        ("five million", [0]),
        ("£5m", [0]),
        ('"£5m pounds"', [0]),
        ('"five million"', [0]),
        ("three million", [2]),
        ('"some three million people"', [2]),
        ("five per cent", [1]),
        ("5%", [1]),
        ("10%", [3]),
        ('"about 10% left"', [3]),
        ("£1m", [4, 5]),
        ("one million", [4, 5]),
        ("twenty four per cent", [6, 7]),
        ('"24% of"', [6, 7]),
        ("5 million NEAR/1 pounds", [0]),
        ("cost NEAR/2 5 million", [0]),
        ("24% NEAR/1 twenty four per cent", []),
        ("million -five million", [2, 5]),
        ("30%", [8]),
        ("30 per cent", [8]),
        ('"30% here"', [8]),
        ('"30 here"', []),
        ("nonprofit", [9]),
        ("non\u2011profit", [9]),
        ("million -1 million -£5m", [2]),
        ("4%", []),
        ("four per cent", []),
        ('"four per cent of"', []),
    ],
)
def test_a_number_with_a_unit_is_found_however_it_is_written(tmp_path: Path, typed: str, found: list[int]) -> None:
    said = (
        *(
            "It cost five million pounds.",
            "They had 5% fewer staff.",
            "Some 3 million people.",
            "About ten per cent left.",
        ),
        *("Not even £1m.", "That is one million.", "And twenty-four per cent of them.", "Or 24% of them."),
        *("Now 30\u00a0% here.", "A non\u2011profit."),
    )
    assert finds(tmp_path / "a.db", said, typed) == found


@pytest.mark.parametrize(
    "typed",
    [
        "our neighbors changed behavior and we organize the program for five children in 2 of 3 centers",
        "our neighbours changed behaviour and we organise the programme for 5 children in two of three centres",
        "our neighbours changed behavior and we organize the programme for five children in 2 of three centers",
    ],
)
@pytest.mark.parametrize("quotes", ['"{}"', "{}"])
def test_a_quotation_is_found_however_many_of_its_words_have_two_spellings(
    tmp_path: Path, typed: str, quotes: str
) -> None:
    parts = ("Our neighbors changed", "behavior and we organize the program for", "five children in 2 of 3 centers.")
    with saying(
        tmp_path / "n.db", "They came.", *parts, "We organize a program for five children.", *parts
    ) as connection:
        hits = search(connection, quotes.format(typed)).hits
        assert search(connection, quotes.format(f"{typed} there")).total == 0
    assert [hit.start for hit in hits] == [pytest.approx(1), pytest.approx(13)]
    assert all(hit.html == f"<mark>{' '.join(parts)[:-1]}</mark>." for hit in hits)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["5", "five", "of", "e-mail", "email"]), min_size=1, max_size=4), max_size=60),
    st.lists(st.sampled_from(["5", "five", "of", "email", "e-mail"]), min_size=2, max_size=9),
)
@example([["five", "of"], ["e-mail"], ["5"]] * 25, ["5", "of", "email", "five"] * 2)
@example([["e-mail"]] * 30, ["email", "e-mail"])
def test_a_phrase_in_any_spelling_is_found_wherever_it_is_said(
    tmp_path_factory: pytest.TempPathFactory, segments: list[list[str]], phrase: list[str]
) -> None:
    path = tmp_path_factory.mktemp("spellings") / "a.db"
    with new_archive(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*map(" ".join, segments)))
    said = [word.replace("5", "five").replace("-", "") for segment in segments for word in segment]
    wanted = [word.replace("5", "five").replace("-", "") for word in phrase]
    expected = [n * 0.5 for n in range(len(said)) if said[n : n + len(wanted)] == wanted]
    with reader(path) as connection:
        hits = search(connection, f'"{" ".join(phrase)}"', size=500).hits
    assert [hit.start for hit in hits] == expected
