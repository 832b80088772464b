"""The pages of feeds, people and questions, and their paging."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.archive.checks import check, place
from pipeline.archive.database import writer
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.questions.groups import save_groups
from pipeline.model import Match, Signature
from pipeline.site import people, questions, shows
from tests.support.archive_fixture import EVIL, Kept, Serve, kept, serve
from tests.support.building import NOW, add_feed, episode
from tests.support.pages_fixture import GUEST, HOST, Held, held
from tests.support.reading import Tags, text_of

__all__ = ["held", "kept", "serve"]  # fixtures

PERSON = f"/-/speaker/{quote(GUEST, safe='')}"
PAGES = [
    "/",
    "/-/status",
    "/-/feed/show",
    "/-/feed/evil",
    "/-/speakers",
    PERSON,
    "/-/questions",
    f"/-/questions?q={EVIL}",
]


def items(page: str, tag: str) -> list[str]:
    """The visible text of each element with a tag."""
    found = re.findall(rf"<{tag}[ >].*?</{tag}>", page.partition("<main")[2], re.DOTALL)
    return [text_of(type("Page", (), {"text": f"<main>{one}<footer"})) for one in found]


def test_home_counts_hours_episodes_and_people(serve: Serve, held: Held) -> None:
    page = serve(held.path).ask("/")
    said = text_of(page)
    for fact in ("Shows 3", "Episodes 4", "Audio 2 min", "Speakers 3"):
        assert fact in said
    assert "3 questions : 1 asked, 1 uncertain, 1 not asked" in said.replace("questions:", "questions :")
    for link in ("/-/feed/show", "/-/questions", "/-/speakers"):
        assert f'href="{link}"' in page.text


def test_a_feeds_page_lists_its_episodes_newest_first(serve: Serve, held: Held) -> None:
    page = serve(held.path).ask("/-/feed/show")
    said = text_of(page)
    assert said.index("New <script>") < said.index("Old") < said.index("Waiting")
    assert "Elsewhere" not in said
    for fact in ("3 episodes", "2 transcribed", "not transcribed yet", "1 March 2026"):
        assert fact in said
    assert '<input type="hidden" name="feed" value="show">' in page.text
    assert page.text.count('<svg class="strip"') == 2  # only episodes that have questions with times


def test_pages_of_episodes_follow_each_other_without_gap_or_repetition(
    serve: Serve, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(held.path) as db:
        undated = [episode(str(n), title=f"E{n}", published="2025-10-01T00:00:00Z") for n in range(5)]
        add_feed(db, "show", *undated)
        db.execute("update episodes set published = null where guid in ('3', '4')")
        db.conn.commit()
    monkeypatch.setattr(shows, "EPISODES", 3)
    site, address, seen = serve(held.path), "/-/feed/show", []
    for _ in range(5):
        page = site.ask(address).text
        seen += re.findall(r'<a class="title" href="/-/episode/([^"]+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        address = following[1]
    assert len(seen) == len(set(seen)) == 8
    assert seen[:3] == [held.episodes[0], held.episodes[1], held.episodes[3]]
    assert "Newest episodes" in page
    assert text_of(site.ask("/-/feed/show?before=show/nothing")).count("Old") == 1  # starts again


def test_everybody_known_by_name_has_a_page(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    said = text_of(site.ask("/-/speakers"))
    assert [name in said for name in (GUEST, HOST, "Dora", "Speaker 3")] == [True, True, True, False]
    assert f"{HOST} host of 2 episodes" in said
    assert f'href="{PERSON}"' in site.ask("/-/speakers").text
    assert site.ask("/-/speaker/Speaker%203").status_code == 404
    assert site.ask("/-/speaker/Nobody").status_code == 404


def test_many_people_have_pages(serve: Serve, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PEOPLE", 2)
    site = serve(held.path)
    first = site.ask("/-/speakers").text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert "Dora" not in first
    assert "Dora" in site.ask(following).text
    assert 'rel="next"' not in site.ask(following).text


def test_a_persons_page_has_all_that_they_said_with_links_to_the_second(serve: Serve, held: Held) -> None:
    response = serve(held.path).ask(PERSON)
    said = text_of(response)
    assert "guest in 1 episode" in said
    assert "Sixteen, on a good day. It was twenty-four." in said
    assert "More of the same, I hope." in said
    assert "How many cases" not in said  # the host asked it
    assert f'href="/-/episode/{held.episodes[0]}?t=10.0"' in response.text
    assert f'On <a href="/-/episode/{held.episodes[0]}#q1">question 1</a>' in response.text
    assert 'title="Listen before quoting: the words are uncertain"' in response.text
    assert 'name="speaker" value="Ann/Bee &lt;script&gt;' in response.text


def test_a_persons_page_marks_what_was_checked(serve: Serve, held: Held) -> None:
    tick = '<span class="tick" role="img" aria-label="checked by a person">✓</span>'
    assert tick not in serve(held.path).ask(PERSON).text
    with writer(held.path) as db:
        here = place(db.conn, held.episodes[0], 2, 2)
        check(db, held.episodes[0], (2, 2), None, Signature("ann", NOW), seen=here.seal)
    page = serve(held.path).ask(PERSON).text
    assert page.count(tick) == 1
    assert f"It was twenty-four. {tick}" in page


def test_who_speaks_leads_to_their_page_where_they_are_known_by_name(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    headings = re.findall("<h3.*?</h3>", site.ask(f"/-/episode/{held.episodes[0]}").text, re.DOTALL)
    assert [f'href="{PERSON}"' in one for one in headings] == [False, True, False, True, False]
    assert "Speaker 3" in headings[-1]
    assert "<a" not in headings[-1]
    hits = site.ask("/-/search?q=sixteen+OR+somebody").text
    assert f'<a class="speaker" href="{PERSON}">' in hits
    assert '<span class="speaker">Speaker 3</span>' in hits


def test_a_hosts_episodes_have_pages_newest_first(serve: Serve, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "EPISODES", 1)
    site = serve(held.path)
    first = site.ask("/-/speaker/Carla%20Host").text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = site.ask(following).text
    heading = r'<h2 id="e1"><a class="title" href="/-/episode/([^"]+)"'
    assert re.findall(heading, first) + re.findall(heading, second) == list(held.episodes[:2])
    assert 'rel="next"' not in second
    assert "host of 2 episodes" in text_of(site.ask(following))


def test_where_a_person_heard_nothing_said_there_is_nothing_to_show(serve: Serve, held: Held) -> None:
    with writer(held.path) as db:
        db.execute("update segments set text = '' where text like 'Sixteen%'")
        db.conn.commit()
    site = serve(held.path)
    assert "?t=10.0" not in site.ask(PERSON).text
    assert f"{GUEST} 0:12 It was twenty-four." in text_of(site.ask("/-/questions"))


def test_like_questions_stand_side_by_side_with_how_the_answers_begin(serve: Serve, held: Held) -> None:
    response = serve(held.path).ask("/-/questions")
    sections = items(response.text, "article")
    assert len(sections) == 5
    first = sections[0]
    assert "Asked in 2 episodes" in first
    assert first.index("How high are caseloads") < first.index("How many cases has each")  # newest first
    assert f"{GUEST} 0:10 Sixteen, on a good day. It was twenty-four." in first
    assert "0:00 to 0:30" in first
    assert "6 questions, 5 after grouping similar ones" in text_of(response)
    alone = " ".join(sections[1:])
    assert "uncertain" in alone
    assert "not asked" in alone
    assert "uncertain low confidence (0.40)" in alone
    assert "More of the same" not in alone  # what follows an uncertain question is not shown as its answer
    assert f'href="/-/episode/{held.episodes[0]}#q1"' in response.text


def test_an_answer_says_that_it_was_checked_or_why_it_is_doubtful(serve: Serve, held: Held) -> None:
    with writer(held.path) as db:
        db.execute("update segments set flags = '[\"too_fast\"]' where n = 2")
        db.conn.commit()
    doubted = "listen before quoting: more words than can be said in that time"
    (first, *_) = items(serve(held.path).ask("/-/questions").text, "article")
    assert first.count(doubted) == 2
    with writer(held.path) as db:
        for n in (1, 2):
            here = place(db.conn, held.episodes[0], n, n)
            check(db, held.episodes[0], (n, n), None, Signature("ann", NOW), seen=here.seal)
    (first, *_) = items(serve(held.path).ask("/-/questions").text, "article")
    assert (first.count(doubted), first.count("words checked by a person")) == (1, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=caseloads", 2),  # with the similar one
        ("q=CASES+worker", 2),
        ("q=caseloads+worker", 0),
        ("q=“caseload*”", 2),
        ("q=%25", 0),
        ("status=uncertain", 2),
        ("status=not_asked", 2),
        ("status=merged", 0),
        ("feed=show", 6),
        ("feed=other", 0),
        ("feed=show&status=asked&q=caseloads", 2),
        ("page=2", 0),
    ],
)
def test_questions_can_be_narrowed_down(serve: Serve, held: Held, query: str, found: int) -> None:
    response = serve(held.path).ask(f"/-/questions?{query}")
    assert response.status_code == 200
    assert response.text.count('<p class="asked">') == found


@pytest.mark.parametrize("query", ["status=wrong", "feed=zz", "q=" + "x" * 1001, "page=nonsense", "page=0"])
def test_what_makes_no_sense_about_questions_is_said(serve: Serve, held: Held, query: str) -> None:
    assert serve(held.path).ask(f"/-/questions?{query}").status_code == 400


def test_questions_and_large_groups_have_pages(serve: Serve, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "SIDE_BY_SIDE", 1)
    monkeypatch.setattr(questions, "GROUPS", 2)
    monkeypatch.setattr(questions, "ALL", 1)
    site = serve(held.path)
    page = site.ask("/-/questions").text
    assert page.count('<p class="asked">') == 2
    (more,) = re.findall(r'href="(/-/questions\?like=[^"]+)">All 2<', page)
    alone = site.ask(more).text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', alone)
    assert "How high" in alone
    assert "How many cases" in site.ask(following.replace("&amp;", "&")).text
    (last,) = re.findall(r'rel="next" href="([^"]+)"', site.ask("/-/questions?page=2").text)
    assert site.ask(last).text.count('<p class="asked">') == 1
    assert "not that many pages" in site.ask("/-/questions?page=9").text


def test_a_search_shows_when_it_is_said_and_can_be_followed(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    page = site.ask("/-/search?q=sixteen").text
    assert "Said in 2 episodes from January 2026 to March 2026</figcaption>" in page  # no single highest month
    bars = re.findall(r'<a href="([^"]+)"><title>([^<]+)', page)
    assert [title for _, title in bars] == ["January 2026: 1 episode", "March 2026: 1 episode"]
    narrowed = site.ask(bars[1][0].replace("&amp;", "&"))
    assert narrowed.text.count('class="hit"') == 1
    assert 'class="chart"' not in narrowed.text  # a single month is not a chart
    assert '<a href="/-/atom?q=sixteen">Follow this search</a>' in page
    assert "Follow this search" not in site.ask("/-/search").text


def test_without_groups_every_question_is_alone(serve: Serve, held: Held) -> None:
    with writer(held.path) as db:
        save_groups(db, {})
    assert "Asked in" not in serve(held.path).ask("/-/questions").text


def test_a_questions_group_goes_with_it(held: Held) -> None:
    with writer(held.path) as db:
        add_feed(db, "show", episode("new", questions=["Something quite different?"]))
        left = {row[0] for row in db.execute("select question from question_groups")}
        assert left == {row[0] for row in db.execute("select id from questions where episode = ?", [held.episodes[1]])}


def test_an_episode_shows_itself_on_a_line_of_time(serve: Serve, held: Held) -> None:
    response = serve(held.path).ask(f"/-/episode/{held.episodes[0]}")
    (figure,) = re.findall(r"<figure class=\"timeline\".*?</figure>", response.text, re.DOTALL)
    assert f'href="/-/episode/{held.episodes[0]}?t=0.0" data-t="0.0" class="asked"' in figure
    assert 'class="uncertain"' in figure
    assert f'href="{PERSON}"' in figure  # named speakers have a page
    assert "Speaker 3</span>" in figure
    assert 'aria-label="1 passage"' in figure
    assert "How high are caseloads &lt;script&gt;" in figure
    assert "<figure" not in serve(held.path).ask(f"/-/episode/{held.episodes[3]}").text


def test_nothing_from_outside_becomes_markup(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    for path in [*PAGES, f"/-/episode/{held.episodes[0]}", "/-/feed/nothing", f"/-/speaker/{quote(EVIL, safe='')}"]:
        page = site.ask(path).text
        tags = Tags(page).found
        names = {name for _, attributes in tags for name in attributes}
        assert not [name for name in names if name.startswith("on") or name in {"style", "srcdoc"}]
        scripts = [attributes for tag, attributes in tags if tag == "script"]
        assert scripts
        assert all(list(script) == ["src", "defer"] for script in scripts), path
    assert EVIL in text_of(site.ask(PERSON))  # present, as text


def test_every_link_holds_under_another_base(serve: Serve, held: Held) -> None:
    site = serve(held.path, settings={"base_url": "/x/"})
    for path in PAGES:
        page = site.ask(path).text
        links = re.findall(r'(?:href|src|action|data-src)="([^"]*)"', page)
        assert [link for link in links if not re.match(r"/x/(?!x/)|#|https://", link)] == []
        for link in dict.fromkeys(links):
            if link.startswith("/x/-/") and "/static" not in link:
                assert site.ask(link.removeprefix("/x").partition("#")[0].replace("&amp;", "&")).status_code == 200, (
                    link
                )


@pytest.mark.parametrize(
    "metadata", [{"allow": {"id": "ann"}}, {"databases": {"held": {"tables": {"speakers": {"allow": {"id": "ann"}}}}}}]
)
def test_only_those_who_may_see_the_archive_get_these_pages(serve: Serve, held: Held, metadata: dict[str, Any]) -> None:
    site = serve(held.path, metadata=metadata)
    for path in [*PAGES, "/-/atom", "/-/atom?q=cases", "/llms.txt"]:
        assert site.ask(path).status_code == 403
        assert site.ask(path, actor="ann").status_code == 200


def test_an_empty_archive_has_these_pages_too(serve: Serve, kept: Kept) -> None:
    with writer(kept.path.parent / "empty.db"):
        pass
    site = serve(kept.path.parent / "empty.db")
    for path, said in {
        "/": "Nothing is archived",
        "/-/speakers": "Nobody",
        "/-/questions": "was published yet",
    }.items():
        assert said in text_of(site.ask(path))


def test_what_is_asked_together_is_answered_together(serve: Serve, held: Held) -> None:
    with writer(held.path) as db:
        transcript = preferred_transcript(db.conn, held.episodes[0])
        assert transcript
        together = [Match(n, "merged", 0.0, 4.0, 30.0, 0.9, 3 - n) for n in (1, 2)]
        save_matches(db, held.episodes[0], transcript.id, together, key="k", now=NOW)
    site = serve(held.path)
    (section,) = (one for one in items(site.ask("/-/questions").text, "article") if "What is next?" in one)
    assert "asked together with question 1" in section
    assert "Sixteen" in section
    for page in (PERSON, f"/-/episode/{held.episodes[0]}"):  # each links to where it is asked
        assert re.search(r'#q1">question 1</a> and <a href="[^"]*#q2">question 2</a>', site.ask(page).text)


def test_another_transcript_does_not_speak_for_the_archive(serve: Serve, held: Held) -> None:
    with writer(held.path) as db:
        db.execute("update transcripts set preferred = 0 where episode = ?", [held.episodes[0]])
        db.conn.commit()
    site = serve(held.path)
    assert site.ask(PERSON).status_code == 404
    assert "Speakers 2" in text_of(site.ask("/"))
