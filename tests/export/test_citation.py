"""Citations to paste: what they contain, and that the quoted words are exact in every form."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.addresses import addresses
from pipeline.archive.quoting import Quotation, Wording
from pipeline.archive.reading import Provenance
from pipeline.archive.said import Line
from pipeline.export.citation import Citation, citation, times
from pipeline.model import Attribution, Check, Question, Rendition

SHA = "0123456789abcdef" * 4
SITE = addresses("https://archive.example/x/")
HEARD = Provenance("whisper", "faster-whisper", "tiny.en", "en", "2026-01-02T03:04:05Z", SHA)
ANN = Line("Good social work is “about” relationships.", "Ann Lee", "guest", "answer", 3)
BOB = Line("Is it?", None, None, "question", None)
WORDING = Wording(HEARD, (ANN,), 192.34, 195.2, (), (192.34, 195.2))
QUOTED = Quotation(
    audio=Rendition(SHA, "audio/01/x.mp3", 1, "audio/mpeg", 4000.0),
    episode="show/0badcafe",
    title="Northbridge council: ‘Nobody’",
    show="The Ofsted Interview",
    published="2026-05-05T06:00:00Z",
    wording=WORDING,
    questions=(Question(3, "What is it about?"),),
    are_detected=False,
    others=(),
    changed=False,
    other_speakers=False,
    linked=None,
    checks=(),
    checked=False,
    attributions=(),
    attributed=False,
    also_in=(),
    replaced_in={},
)
URL = f"https://archive.example/x/-/quote/0123456789ab/192340-195200?w={WORDING.fingerprint}"
SOURCE = "Transcript: Whisper tiny.en (en), run by faster-whisper, made on 2 January 2026."


def check(editor: str | None, made_at: str = "2026-05-06T07:08:09Z") -> Check:
    return Check(1, SHA, 0.0, 999.0, "", "", None, editor, made_at)


def told(editor: str, name: str = "Ann Lee") -> Attribution:
    return Attribution(1, SHA, 0.0, 999.0, name, "Speaker 2", False, None, editor, "2026-06-02T00:00:00Z")


ELSEWHERE = replace(told("Bob"), start=990.0, everywhere=True)


def cite(**changes: object) -> Citation:
    return citation(replace(QUOTED, **changes), SITE)  # type: ignore[arg-type]


def shown(markup: str) -> str:
    """The visible text of HTML, with its line breaks."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br ?/?>\s*", "\n", markup)))


def test_a_citation_names_all_that_is_needed_to_find_and_judge_it() -> None:
    assert cite().url == URL
    assert cite().text.splitlines() == [
        "Ann Lee (guest): “Good social work is “about” relationships.”",
        "The Ofsted Interview, “Northbridge council: ‘Nobody’”, 5 May 2026, 03:12–03:16",
        "Published question 3: “What is it about?”",
        URL,
        f"Machine transcript, not checked by a person. {SOURCE}",
        f"Audio SHA-256: {SHA}",
    ]


def test_all_forms_say_the_same() -> None:
    said = cite(wording=replace(WORDING, lines=(ANN, BOB)), checks=(check("ann_*x*"),))
    lines = said.text.splitlines()
    for markup in (said.html, MarkdownIt("commonmark").render(said.markdown)):
        assert [line for line in shown(markup).splitlines() if line] == lines
        assert f'href="{said.url}"' in markup
    assert f'<blockquote cite="{said.url}">' in said.html


def test_a_quotation_across_turns_is_in_lines_by_speaker() -> None:
    said = cite(wording=replace(WORDING, lines=(ANN, BOB, replace(ANN, text="It is."))))
    assert said.text.splitlines()[:3] == [
        "Ann Lee (guest): “Good social work is “about” relationships.”",
        "Speaker not identified: “Is it?”",
        "Ann Lee (guest): “It is.”",
    ]


def test_what_the_machine_was_not_sure_of_is_said_unless_somebody_heard_it() -> None:
    unsure = replace(WORDING, flags=("low_confidence", "too_fast"))
    said = (
        "not checked by a person. The machine itself was not sure of it: the words are uncertain; "
        f"more words than can be said in that time. {SOURCE}"
    )
    found = cite(wording=unsure)
    assert said in found.text
    assert said in shown(found.html)
    assert "not sure of it" not in cite(wording=unsure, checks=(check("Ann"),), checked=True).text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"checks": (check("Ann"),), "checked": True}, "Checked by Ann on 6 May 2026, except for who speaks. "),
        (
            {"checks": (check("Ann"), check("Ann")), "checked": True, "wording": replace(WORDING, lines=(BOB,))},
            "Checked by Ann on 6 May 2026. ",  # no speaker is given
        ),
        (
            {"checks": (check("Ann"),), "checked": True, "attributions": (told("Bob"),), "attributed": True},
            "Checked by Ann on 6 May 2026; the speaker is named by Bob on 2 June 2026. ",
        ),
        (
            {"attributions": (told("Bob"),)},
            "Machine transcript, not checked by a person; the speaker is named in part by Bob on 2 June 2026. ",
        ),
        (
            {"checks": (check("Ann"),), "checked": True, "attributions": (told("Bob", ""),), "attributed": True},
            "Checked by Ann on 6 May 2026; the speaker is left unnamed by Bob on 2 June 2026. ",
        ),
        (
            {"attributions": (told("Bob"), told("Ann", "")), "attributed": True},
            (
                "Machine transcript, not checked by a person; the speaker is named in part by Bob on 2 June 2026; "
                "the speaker is left unnamed in part by Ann on 2 June 2026. "
            ),
        ),
        (
            {"checks": (check("Ann"), check("Bob", "2026-06-01T00:00:00Z")), "checked": True},
            "Checked by Ann on 6 May 2026 and by Bob on 1 June 2026, except for who speaks. ",
        ),
        (
            {"checks": (check("Ann"),), "checked": True, "attributions": (ELSEWHERE,)},
            (
                "Checked by Ann on 6 May 2026, except for who speaks; "
                "a voice was named elsewhere in the recording by Bob on 2 June 2026. "
            ),
        ),
        (
            {"attributions": (told("Ann"), ELSEWHERE)},
            (
                "Machine transcript, not checked by a person; the speaker is named in part by Ann on 2 June 2026; "
                "a voice was named elsewhere in the recording by Bob on 2 June 2026. "
            ),
        ),
        ({"checks": (check(None),)}, "Machine transcript, checked only in part by an editor on 6 May 2026. "),
        (
            {"wording": replace(WORDING, provenance=replace(HEARD, source="publisher"))},
            "Transcript supplied by the publisher, not checked by a person. Transcript: the publisher’s",
        ),
    ],
)
def test_who_has_checked_the_words_is_said_as_it_is(changes: dict[str, object], said: str) -> None:
    assert f"\n{said}" in cite(**changes).text


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [(0.0, 0.4, "00:00–00:01"), (59.9, 60.0, "00:59–01:00"), (3599.0, 3600.5, "59:59–1:00:01")],
)
def test_times_hold_what_is_said(start: float, end: float, said: str) -> None:
    assert times(replace(WORDING, start=start, end=end)) == said


def test_without_a_date_none_is_named() -> None:
    assert "\nThe Ofsted Interview, “Northbridge council: ‘Nobody’”, 03:12–03:16\n" in cite(published=None).text


def test_where_the_transcript_has_no_words_left_those_that_were_linked_are_cited() -> None:
    gone = replace(WORDING, lines=())
    assert cite(wording=gone, changed=True, linked=WORDING).text == cite().text


# Everything that HTML can represent: no control characters other than line breaks.
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))) | st.text(
    "\\`*_[]()<>&~|{}#!$:@-+.=1 \n\"'"
)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip)


@given(words, names)
def test_words_come_out_of_every_form_as_they_were_said(text: str, name: str) -> None:
    flat = " ".join(name.split())
    said = cite(wording=replace(WORDING, lines=(replace(ANN, text=text, speaker=name),)), show=name, title=name)
    expected = f"{flat} (guest): “{text}”"
    assert said.text.startswith(f"{expected}\n")
    for markup in (said.html, MarkdownIt("commonmark").enable("table").render(said.markdown)):
        quoted = re.search(r"<blockquote[^>]*>\n?<p>(.*?)</p>\n?</blockquote>", markup, re.DOTALL)
        assert quoted is not None
        assert shown(quoted[1]) == expected
        assert f"\n{flat}, “{flat}”, 5 May" in shown(markup)
