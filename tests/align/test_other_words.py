"""Questions asked in quite different words: the evidence for them, and the resulting matches."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from pipeline.align import Alignment, align
from pipeline.align.askings import Exchange, exchanges
from pipeline.align.evidence import BY_MEANING
from pipeline.align.explain import explanation, table
from pipeline.align.for_fitting import left_open
from pipeline.align.meaning import DIMENSIONS, Vectors
from pipeline.align.units import cut
from pipeline.model import Correction, MatchStatus, Question, Segment

DOOR = "What did inspectors say of the front door?"
WORK = "Which measures brought caseloads down?"
VAGUE = "Which measures against too much overtime brought caseloads down somewhat?"
CARERS = "What does the therapeutic team do for foster carers?"
NEXT = "And finally, what’s next for the apprenticeship scheme?"
LIST = (DOOR, WORK, CARERS, NEXT)

TALK = (
    ("Ann", DOOR),
    ("Bo", "They liked that the telephone is answered. They sat there for two days. It made us proud."),
    ("Ann", "Every practitioner had thirty children, and there are sixteen now. Who made that happen?"),
    ("Bo", "Twenty more practitioners came. The children were shared out between them. It took a year."),
    ("Ann", "Did anybody object to that?"),
    ("Bo", "Some did, as always with change. It took them half a year to come round."),
    ("Ann", CARERS),
    ("Bo", "It is there at night, when things go wrong. They can ring whenever they want."),
    ("Ann", NEXT),
    ("Bo", "Twelve more will begin in autumn. Most of them stay, and so they should."),
    ("Ann", "Thank you very much."),
)
ASKED_AT = 24.0  # "Every practitioner had ..."
SENTENCE = 6.0  # seconds, including the pause after it

# Words that are similar in meaning but not in spelling.
TOPICS = {
    **dict.fromkeys(("caseloads", "children", "practitioner", "practitioners", "shared"), 0),
    **dict.fromkeys(("inspectors", "door", "telephone", "answered"), 1),
    **dict.fromkeys(("therapeutic", "foster", "carers", "night"), 2),
    **dict.fromkeys(("apprenticeship", "scheme", "begin"), 3),
}


def meaning(texts: Sequence[str]) -> Vectors:
    """Vectors that know these topics, and otherwise only compare words."""
    vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        for word in text.lower().replace(",", " ").replace(".", " ").replace("?", " ").split():
            topic = TOPICS.get(word)
            vector[4 + crc32(word.encode()) % (DIMENSIONS - 4) if topic is None else topic] += (
                0.3 if topic is None else 1
            )
    return vectors


def spoken(*turns: tuple[str | None, str]) -> tuple[Segment, ...]:
    """One segment per sentence."""
    said = [
        (who, sentence) for who, text in turns for sentence in text.replace("? ", "?|").replace(". ", ".|").split("|")
    ]
    return tuple(Segment(SENTENCE * n, SENTENCE * n + 5, text, speaker=who) for n, (who, text) in enumerate(said))


def aligned(
    listed: Sequence[str] = LIST,
    talk: Sequence[tuple[str | None, str]] = TALK,
    corrections: dict[int, Correction] | None = None,
) -> Alignment:
    return align(questions(listed), spoken(*talk), encode=meaning, corrections=corrections)


def questions(listed: Sequence[str]) -> list[Question]:
    return [Question(n, text) for n, text in enumerate(listed, 1)]


def without(*left_out: int) -> list[tuple[str, str]]:
    return [turn for n, turn in enumerate(TALK) if n not in left_out]


def test_it_is_found_by_what_the_host_says_and_what_is_answered() -> None:
    matches = aligned().matches
    assert [match.status for match in matches] == ["asked"] * 4
    assert matches[1].start == ASKED_AT
    assert matches[1].answer_end == 54.0  # the host asks something else
    assert 0.6 <= matches[1].confidence < 1


def test_where_it_is_not_asked_it_gets_no_time() -> None:
    _, work, *others = aligned(talk=without(2, 3)).matches
    assert (work.status, work.start) == ("not_asked", None)
    assert work.confidence > 0.9
    assert all(match.status == "asked" for match in others)
    # Nor if only the answer remains: what precedes it is about something else.
    _, work, *_ = aligned(talk=without(2)).matches
    assert work.start is None


def test_without_speakers_nothing_is_known_of_who_asks() -> None:
    _, work, *others = aligned(talk=[(None, text) for _, text in TALK]).matches
    assert work.status == "not_asked"
    assert all(match.status == "asked" for match in others)


def test_out_of_place_it_is_only_offered() -> None:
    (*_, last) = aligned((DOOR, CARERS, NEXT, VAGUE)).matches
    assert (last.status, last.start, last.runner_up) == ("not_asked", None, ASKED_AT)
    assert 0.02 < (last.runner_up_confidence or 0) < 0.5


def test_one_asking_is_given_to_the_surer_of_two_questions() -> None:
    for listed in ((DOOR, WORK, VAGUE, NEXT), (DOOR, VAGUE, WORK, NEXT)):
        work, vague = (aligned(listed).matches[listed.index(text)] for text in (WORK, VAGUE))
        assert (work.status, work.start) == ("asked", ASKED_AT)
        assert vague.status in {"uncertain", "not_asked"}
        assert vague.confidence < work.confidence or vague.start is None


def test_what_an_editor_says_stands_and_tells_where_the_others_lie() -> None:
    refused = aligned(corrections=said_by_editor(2, "not_asked"))
    assert refused.in_force[1].status == "not_asked"
    assert refused.matches[1].start == ASKED_AT  # what is found without the correction

    elsewhere = aligned(corrections=said_by_editor(2, "asked", 54.0))
    assert elsewhere.in_force[1].start == 54.0

    moved = aligned(corrections=said_by_editor(1, "asked", 60.0))  # so the second should be asked after that
    assert moved.matches[1].confidence < aligned().matches[1].confidence


def said_by_editor(number: int, status: MatchStatus, start: float | None = None) -> dict[int, Correction]:
    return {number: Correction(number, status, start, editor="ed", made_at="2026-01-01T00:00:00Z")}


def test_a_guess_gives_way_to_the_asking() -> None:
    talk = list(TALK)
    talk[3] = ("Bo", "The measures brought it down. The children were shared out. It took a year.")
    guess = aligned(talk=[(None, text) for _, text in talk]).matches[1]
    assert guess.status == "uncertain"  # as long as the speakers are unknown
    found = aligned(talk=talk).matches[1]
    assert (found.status, found.start) == ("asked", ASKED_AT)
    assert found.confidence > guess.confidence


def test_why_it_is_found_is_explained() -> None:
    alignment = aligned()
    explained = explanation(questions(LIST), alignment)
    found = explained[1]["places"][0]
    assert found["in_other_words"]
    assert set(found["evidence"]) == {"bias", "nearness", "turn", "answer", "in_place"}
    assert found["log_odds"] == pytest.approx(sum(one["log_odds"] for one in found["evidence"].values()), abs=0.05)
    assert not explained[0]["places"][0]["in_other_words"]
    lines = list(table(explained))
    assert any(line.strip() == "in other words" for line in lines)


def test_what_the_wording_leaves_open_is_what_is_learnt_from() -> None:
    search = left_open(questions(LIST), cut(spoken(*TALK)), meaning, BY_MEANING)
    assert search.missing == {1}
    assert search.sure == {0, 2, 3}
    askings = [search.windows.exchanges[n] for n in search.free]
    assert [search.windows.units[one.first].start for one in askings] == [ASKED_AT, 54.0]
    nearness, turn, answer, in_place = search.hints(1).T
    for alike in (nearness, turn, answer):
        assert alike[0] > alike[1] + 0.3
    assert in_place.tolist() == [1.0, 1.0]


def test_an_interview_is_cut_into_exchanges() -> None:
    said = cut(
        spoken(
            ("Bo", "This is about our work."),
            ("Ann", "Welcome. What do you do all day?"),
            ("Bo", "A great deal of what nobody sees."),
            ("Ann", "I see."),  # asks nothing: the answer goes on
            ("Bo", "And much of it at night."),
            ("Ann", "Why?"),
            ("Bo", "Well."),  # answers nothing
        )
    )
    asks = ["?" in unit.text for unit in said]
    assert exchanges(said, {"Ann"}, asks) == [Exchange(1, 2, (3, 5))]
    assert exchanges(said, (), asks) == []
    assert exchanges((), {"Ann"}, []) == []
