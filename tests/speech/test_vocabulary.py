"""Known terms: collecting them, finding where something similar was heard, and that only they are ever changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Word
from pipeline.speech.decoder import Heard
from pipeline.speech.vocabulary import (
    DOUBTFUL,
    MAX_PROMPT_CHARS,
    MAX_TERMS,
    Suspect,
    adopt,
    find_suspects,
    known_terms,
    listen_for,
)

# --- collecting terms


def test_the_shows_own_terms_come_first_and_each_once() -> None:
    terms = known_terms(["Ofsted", " Alice Waterman ", "Ofsted"], notes="Today we hear Alice Waterman ask about SEND.")
    assert terms == ("Ofsted", "Alice Waterman", "SEND")


def test_acronyms_are_terms_wherever_they_stand() -> None:
    assert known_terms([], notes="CAMHS and the LADO. SEND2 too.") == ("CAMHS", "LADO", "SEND2")


def test_a_name_inside_a_sentence_is_a_term() -> None:
    assert known_terms([], notes="Then we met Ofsted, and later (in June) Ines Marlow of Northbridge.") == (
        "Ofsted",
        "June",
        "Ines Marlow of Northbridge",
    )


@pytest.mark.parametrize("notes", ["Yesterday it rained.", "It rained. Yesterday too.", "It rained.\nYesterday too."])
def test_the_first_word_of_a_sentence_is_no_name(notes: str) -> None:
    assert known_terms([], notes=notes) == ()


def test_only_the_questions_lend_their_rarer_words() -> None:
    question = "How are safeguarding partners held to account?"
    assert known_terms([], questions=[question]) == ("safeguarding",)
    assert known_terms([], notes=question.lower()) == ()


@pytest.mark.parametrize("short", ["", "  ", "MP", "a", "?!", "-A-"])
def test_what_has_too_few_letters_to_be_known_by_is_no_term(short: str) -> None:
    assert known_terms([short], notes=short, questions=[short]) == ()


def test_there_is_an_end_to_the_terms() -> None:
    terms = known_terms(["Ofsted"], notes=", ".join(f"AC{n}" for n in range(1000, 1500)))
    assert len(terms) == MAX_TERMS
    assert terms[0] == "Ofsted"


# --- where something similar was heard


def said(text: str, *, start: float = 0.0, probability: float = 0.5) -> tuple[Word, ...]:
    """Words of half a second each, as a decoder returns them."""
    return tuple(
        Word(start + 0.5 * n, start + 0.5 * n + 0.4, f" {word}", probability) for n, word in enumerate(text.split())
    )


def heard(words: Sequence[Word]) -> Heard:
    return Heard(tuple(words), -0.3, 0.01, "en")


@pytest.mark.parametrize(
    ("text", "term", "first", "last"),
    [
        ("they call off stead in", "Ofsted", 2, 4),
        ("they call offstead in", "Ofsted", 2, 3),
        ("and innes marlow, who", "Ines Marlow", 1, 3),
        ("and inesmarlo who", "Ines Marlow", 1, 2),
        ("the cam's waiting list", "CAMHS", 1, 2),
    ],
)
def test_what_looks_like_a_term_is_found(text: str, term: str, first: int, last: int) -> None:
    assert find_suspects(said(text), [term]) == [Suspect(first, last, term)]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("they call Ofsted in", "Ofsted"),
        ("they call OFSTED, in", "Ofsted"),
        ("Ofsted came, and offstead again", "Ofsted"),  # heard correctly once: the other is something else
        ("they call the doctor in", "Ofsted"),
        ("", "Ofsted"),
        ("and Ines Marlow, who", "Ines Marlow"),
    ],
)
def test_what_is_the_term_or_nothing_like_it_is_not(text: str, term: str) -> None:
    assert find_suspects(said(text), [term]) == []


@pytest.mark.parametrize(
    ("text", "probability", "suspected"),
    [
        ("they call often in", DOUBTFUL - 0.01, True),
        ("they call often in", DOUBTFUL, False),  # merely similar
        ("they call offstead in", 1.0, True),  # even if Whisper is sure: it may not know the spelling of a name
    ],
)
def test_what_is_surely_heard_is_a_suspect_only_if_very_alike(text: str, probability: float, suspected: bool) -> None:
    assert find_suspects(said(text, probability=probability), ["Ofsted"]) == [Suspect(2, 3, "Ofsted")] * suspected


def test_a_doubtful_word_beside_a_sure_one_makes_no_suspect_of_both() -> None:
    words = [*said("they call often", probability=0.95), *said("x", start=1.5, probability=0.2)]
    assert find_suspects(words, ["Ofsted"]) == []


def test_of_overlapping_suspects_the_likest_counts() -> None:
    terms = ["Offstage", "Ofsted"]
    assert find_suspects(said("they call offsted in"), terms) == [Suspect(2, 3, "Ofsted")]


TERMS = ["Ofsted", "Ines Marlow", "safeguarding", "CAMHS"]
WORDS = ["offstead", "off", "stead", "innes", "marlow", "safe", "guarding", "cams", "the", "Ofsted", "—", "é"]


@given(st.lists(st.sampled_from(WORDS), max_size=14), st.lists(st.sampled_from(TERMS), unique=True))
def test_suspects_are_in_order_inside_the_words_and_apart(texts: list[str], terms: list[str]) -> None:
    suspects = find_suspects(said(" ".join(texts)), terms)
    edges = [edge for suspect in suspects for edge in (suspect.first, suspect.last)]
    assert edges == sorted(edges)
    assert all(0 <= suspect.first < suspect.last <= len(texts) for suspect in suspects)


# --- what is adopted from another decoding


def decoder(text: str, prompts: list[str], *, start: float = 0.0) -> Callable[[str], Heard]:
    """Decodes everything as this text, and records the prompts."""

    def decode(prompt: str) -> Heard:
        prompts.append(prompt)
        return heard(said(text, start=start, probability=0.8))

    return decode


def test_without_a_suspect_nothing_is_decoded() -> None:
    prompts: list[str] = []
    before = heard(said("they call the doctor in"))
    assert listen_for(before, ["Ofsted"], decoder("they call Ofsted in", prompts)) == (before, ())
    assert listen_for(before, [], decoder("they call Ofsted in", prompts)) == (before, ())
    assert prompts == []


def test_only_the_terms_words_change() -> None:
    prompts: list[str] = []
    before = heard(said("THEY call offstead in"))
    after, adopted = listen_for(before, ["CAMHS", "Ofsted"], decoder("we asked Ofsted again", prompts))
    assert prompts == ["Ofsted."]
    assert adopted == ("Ofsted",)
    assert after.words == (*before.words[:2], Word(1.0, 1.4, " Ofsted", 0.8), *before.words[3:])
    assert (after.avg_logprob, after.no_speech_prob, after.language) == (-0.3, 0.01, "en")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("they call offstead, in", "they call Ofsted in", "they call Ofsted, in"),
        ("they call offstead?", "they call Ofsted.", "they call Ofsted?"),
        ("they call offstead in", "they call Ofsted. in", "they call Ofsted in"),
        ("and innes marlow, who", "and Ines Marlow who", "and Ines Marlow, who"),
    ],
)
def test_punctuation_stays_as_it_was(first: str, second: str, expected: str) -> None:
    after, _ = listen_for(heard(said(first)), ["Ofsted", "Ines Marlow"], decoder(second, []))
    assert after.text == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("they call off stead in", "they call Ofsted in"),  # two words become one
        ("and inesmarlo was there", "and Ines Marlow was there"),  # one becomes two
    ],
)
def test_the_time_of_what_is_replaced_is_filled(first: str, second: str) -> None:
    before = heard(said(first))
    (suspect,) = find_suspects(before.words, TERMS)
    after, adopted = listen_for(before, TERMS, decoder(second, []))
    assert after.text == second
    assert adopted == (suspect.term,)
    new = after.words[suspect.first : suspect.first + len(suspect.term.split())]
    assert new[0].start == pytest.approx(before.words[suspect.first].start)
    assert new[-1].end == pytest.approx(before.words[suspect.last - 1].end)
    times = [time for word in after.words for time in (word.start, word.end)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("second", "start"),
    [
        ("they call offstead in", 0.0),  # unchanged
        ("nobody said anything of the kind", 0.0),
        ("", 0.0),
        ("they call Ofsted in", 2.0),  # at another time
        ("they call in Ofsted's", 0.0),  # another form
    ],
)
def test_another_decoding_without_the_term_changes_nothing(second: str, start: float) -> None:
    before = heard(said("they call offstead in"))
    assert listen_for(before, ["Ofsted"], decoder(second, [], start=start)) == (before, ())


def test_of_several_suspects_each_is_judged_by_itself() -> None:
    prompts: list[str] = []
    before = heard(said("the cam's list and innes marlow of offstead said so"))
    after, adopted = listen_for(before, TERMS, decoder("the CAMHS list and Innes Marlow of Ofsted said so", prompts))
    assert after.text == "the CAMHS list and innes marlow of Ofsted said so"
    assert adopted == ("CAMHS", "Ofsted")
    assert prompts == ["CAMHS, Ines Marlow, Ofsted."]


def test_the_prompt_does_not_grow_without_end() -> None:
    prompts: list[str] = []
    names = [f"{'abcdefghij'[n // 10] * 4}{'klmnopqrst'[n % 10] * 4}" for n in range(100)]
    before = heard(said(" ".join(f"{name}x" for name in names)))
    listen_for(before, names, decoder("", prompts))
    assert len(prompts[0]) == MAX_PROMPT_CHARS


@given(st.lists(st.sampled_from(WORDS), max_size=10), st.lists(st.sampled_from([*WORDS, *TERMS]), max_size=10))
def test_whatever_is_decoded_words_stay_in_order_and_their_fellows_as_they_were(
    first: list[str], second: list[str]
) -> None:
    before = heard(said(" ".join(first)))
    suspects = find_suspects(before.words, TERMS)
    after, adopted = adopt(before, suspects, said(" ".join(second)))
    taken = {place for suspect in suspects for place in range(suspect.first, suspect.last)}
    assert [word for place, word in enumerate(before.words) if place not in taken] == [
        word for word in after.words if word in {one for n, one in enumerate(before.words) if n not in taken}
    ]
    times = [time for word in after.words for time in (word.start, word.end)]
    assert times == pytest.approx(sorted(times))
    if not adopted:
        assert after == before


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("When Ofsted visits, who answers?", ("Ofsted",)),
        ("Does the Care Review matter?", ("Care Review",)),
        ("Ask Ines Marlow and Alma Reed.", ("Ask Ines Marlow and Alma Reed", "Ask Ines Marlow", "Alma Reed")),
        ("Then we met Ines Marlow and Alma Reed.", ("Ines Marlow and Alma Reed", "Ines Marlow", "Alma Reed")),
    ],
)
def test_names_are_taken_without_what_stands_before_and_between_them(text: str, terms: tuple[str, ...]) -> None:
    assert known_terms([], notes=text) == terms
