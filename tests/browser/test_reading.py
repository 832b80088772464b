"""Reading and listening in a real browser: highlighting spoken words, links to a range, the keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from pipeline.archive.database import reader
from tests.support.browsing import (
    DESKTOP,
    PHONE,
    another,
    browser,
    chromium,
    current_time,
    go_to,
    open_northbridge,
    site,
    wait_for,
    watched,
)

__all__ = ["browser", "chromium", "site"]  # fixtures

pytestmark = pytest.mark.browser

PLAYER = "document.getElementById('player')"
# The highlighted word, and the word of the passage at the player's time.
SPOKEN = "[...(CSS.highlights.get('spoken') ?? [])].map(String).join()"
EXPECTED = f"""(() => {{
    const passage = document.querySelector(".passage[aria-current]");
    const word = passage && archiveWords(passage).findLast(({{ start }}) => start <= {PLAYER}.currentTime);
    return word ? passage.querySelector(".text").textContent.slice(word.offset, word.offset + word.length) : null;
}})()"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched(browser, viewport=DESKTOP) as page:
        yield page


def test_the_word_that_is_spoken_is_highlighted(page: Page, site: str) -> None:
    open_northbridge(page, site)
    page.mouse.move(900, 300)  # away from the list of questions, which would otherwise not scroll
    go_to(page, 192.5)
    page.evaluate(f"{PLAYER}.play()")
    wait_for(page, f"{PLAYER}.currentTime > 193.2")
    heard = set()
    for _ in range(12):
        page.wait_for_timeout(100)
        heard.add(page.evaluate(SPOKEN))
    assert len(heard) > 2
    assert heard <= {"Foster", "families", "are", "hard", "to", "find", "everywhere."}
    page.evaluate(f"{PLAYER}.pause()")
    go_to(page, 200.0)
    wait_for(page, f"{SPOKEN} === {EXPECTED}")
    assert page.locator(".passage[aria-current]").count() == 1
    expect(page.locator(".questions li[aria-current]")).to_have_id("question-8")
    expect(page.locator("#question-8")).to_be_in_viewport()
    go_to(page, 1.0)
    expect(page.locator(".questions li[aria-current]")).to_have_count(0)


def test_the_page_has_every_word_with_its_times(page: Page, site: str, demo_db: Path) -> None:
    open_northbridge(page, site)
    read = page.evaluate(
        """[...document.querySelectorAll(".passage")].flatMap((passage) => archiveWords(passage).map((word) => [
            passage.querySelector(".text").textContent.slice(word.offset, word.offset + word.length),
            word.start,
            word.end,
        ]))"""
    )
    with reader(demo_db) as connection:
        rows = connection.execute(
            "select words from segments where episode = ? order by id", [page.url.partition("/-/episode/")[2]]
        )
        stored = [[text, round(start, 3), round(end, 3)] for row in rows for start, end, text, _ in json.loads(row[0])]
    assert read == stored


def test_where_words_cannot_be_highlighted_the_passage_is(page: Page, site: str) -> None:
    page.add_init_script("delete window.Highlight")
    open_northbridge(page, site)
    go_to(page, 192.5)
    page.evaluate(f"{PLAYER}.play()")
    expect(page.locator(".passage[aria-current]")).to_contain_text("Foster families")


def test_a_click_on_a_word_plays_it_also_after_a_doubtful_one(page: Page, site: str) -> None:
    open_northbridge(page, site)
    doubtful = page.locator(".passage:has(u)").first
    expect(doubtful.locator("u").first).to_have_attribute("title", re.compile(r"unsure: 0\.\d\d"))
    expect(page.locator(".provenance")).to_contain_text("more likely wrong than right")
    box, start = doubtful.evaluate(
        """(passage) => {
            const word = archiveWords(passage).at(-1);
            const text = passage.querySelector(".text");
            const last = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
            while (last.nextNode());
            last.currentNode.parentElement.scrollIntoView({ block: "center" });
            const range = document.createRange();
            range.setStart(last.currentNode, last.currentNode.length - 2);
            range.setEnd(last.currentNode, last.currentNode.length - 1);
            const { x, y, width, height } = range.getBoundingClientRect();
            return [[x + width / 2, y + height / 2], word.start];
        }"""
    )
    page.mouse.click(*box)
    wait_for(page, f"{PLAYER}.currentTime >= {start} && !{PLAYER}.paused")
    assert current_time(page) < start + 2


@pytest.mark.parametrize("address", ["#t=3:12.5,3:15.5", "?t=192.5,195.5"])
def test_a_stretch_is_marked_and_stops_at_its_end(page: Page, site: str, address: str) -> None:
    open_northbridge(page, site)
    episode = page.url
    page.goto("about:blank")
    page.goto(episode + address)
    expect(page.locator(".passage.marked .text")).to_have_text([re.compile("^Foster families")])
    wait_for(page, f"Math.abs({PLAYER}.currentTime - 192.5) < 0.1")
    go_to(page, 194.5)
    page.evaluate(f"{PLAYER}.play()")
    told = page.get_by_role("status")
    expect(told).to_have_text("Stopped at 3:15.5, where the marked passage ends.")
    assert 195.4 < current_time(page) < 196
    page.get_by_role("button", name="Play on").click()
    wait_for(page, f"{PLAYER}.currentTime > 196.5")
    expect(told).to_be_empty()
    expect(page.get_by_role("button", name="Play on")).to_have_count(0)


def test_who_goes_elsewhere_is_not_stopped(page: Page, site: str) -> None:
    open_northbridge(page, site)
    page.goto(page.url + "#t=192.5,195")
    wait_for(page, f"Math.abs({PLAYER}.currentTime - 192.5) < 0.1")
    go_to(page, 100)
    go_to(page, 194.5)
    page.evaluate(f"{PLAYER}.play()")
    wait_for(page, f"{PLAYER}.currentTime > 196")


def at_rest(page: Page) -> float:
    """The scroll position of the page, once it is loaded and no longer moves."""
    page.wait_for_load_state()
    page.wait_for_timeout(500)
    return float(page.evaluate("scrollY"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("address", ["#q8", "?t=192.2#q8"])
def test_a_question_in_the_address_opens_where_it_is_asked(
    browser: Browser, site: str, size: ViewportSize, address: str
) -> None:
    with watched(browser, viewport=size) as page:
        open_northbridge(page, site)
        episode = page.url
        page.goto("about:blank")
        page.goto(episode + address)
        marked = page.locator(".passage.marked .text")
        scrolled = at_rest(page)
        expect(marked).to_have_text([re.compile("^Foster families")])
        expect(marked).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.querySelector('.passage.marked').getBoundingClientRect().top") > 100
        wait_for(page, f"Math.abs({PLAYER}.currentTime - 192.26) < 0.1")
        for _ in range(2):
            page.reload()
            assert at_rest(page) == scrolled
            expect(marked).to_be_in_viewport(ratio=1)


def test_a_question_that_the_transcript_names_leads_to_where_it_is_asked(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Greenhaven")).first.click()
    link = page.locator(".turn h3", has_text="follows up on").get_by_role("link", name="question 3")
    marked = page.locator(".passage.marked")
    for _ in range(2):  # also if that is the URL already
        link.click()
        at_rest(page)
        expect(marked).to_contain_text(["Let me jump ahead"])
        expect(marked).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.querySelectorAll('.passage > :target').length") == 1
    expect(page.locator("#question-3")).to_be_in_viewport()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_a_question_that_is_not_asked_is_shown_in_the_list(
    browser: Browser, site: str, size: ViewportSize, scripts: bool
) -> None:
    with watched(browser, viewport=size, java_script_enabled=scripts) as page:
        page.goto(site)
        page.get_by_role("link", name=re.compile("Greenhaven")).first.click()
        page.goto(page.url + "#q6")
        item, places = page.locator("#question-6"), []
        for _ in range(3):
            page.wait_for_timeout(500)
            expect(item).to_be_in_viewport(ratio=1)
            expect(item).to_have_css("background-color", "rgb(255, 233, 163)")
            places.append(item.bounding_box())
            page.reload()
        assert places[0] == places[1] == places[2]
        expect(page.locator(".passage.marked")).to_have_count(0)


def test_the_player_has_its_speed_and_its_steps(page: Page, site: str) -> None:
    open_northbridge(page, site)
    page.get_by_label("Speed").select_option("1.5 ×")
    assert page.evaluate(f"{PLAYER}.playbackRate") == 1.5
    go_to(page, 100)
    page.get_by_role("button", name="Back 5 seconds").click()
    wait_for(page, f"Math.abs({PLAYER}.currentTime - 95) < 0.1")
    page.get_by_role("button", name="Forward 5 seconds").click()
    wait_for(page, f"Math.abs({PLAYER}.currentTime - 100) < 0.1")


def test_the_keys_of_an_episode_and_how_to_do_without(page: Page, site: str) -> None:
    open_northbridge(page, site)
    go_to(page, 100)
    page.keyboard.press("ArrowLeft")
    wait_for(page, f"Math.abs({PLAYER}.currentTime - 95) < 0.1")
    page.keyboard.press("Space")
    wait_for(page, f"!{PLAYER}.paused")
    page.keyboard.press("k")
    wait_for(page, f"{PLAYER}.paused")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("k")  # is typed
    expect(page.get_by_role("searchbox")).to_have_value("k")
    assert page.evaluate(f"{PLAYER}.paused")
    page.get_by_role("searchbox").blur()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("play or pause")
    help_.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    page.reload()
    wait_for(page, f"{PLAYER}?.readyState >= 1")
    page.keyboard.press("k")
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    assert page.evaluate(f"{PLAYER}.paused")
    expect(help_).to_be_hidden()


def test_the_recording_is_downloaded_under_its_name(page: Page, site: str) -> None:
    open_northbridge(page, site)
    with page.expect_download() as download:
        page.get_by_role("link", name="MP3", exact=True).click()
    assert re.fullmatch(r".+ – Northbridge council- .+\.mp3", download.value.suggested_filename)


def test_hits_stand_under_their_episode_and_have_keys(page: Page, site: str) -> None:
    page.goto(f"{site}/-/search?q=council+OR+children")
    hits = page.locator(".hit")
    count = hits.count()
    episodes = [heading.split("council")[0] for heading in page.locator(".found h2").all_inner_texts()]
    assert count > len(episodes)
    assert all(one != other for one, other in pairwise(episodes))
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(hits.nth(at).locator("a.time")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("p")
    start = float(hits.nth(1).locator(".play").get_attribute("data-t") or "")
    wait_for(page, f"{PLAYER}.currentTime > {start}")
    assert current_time(page) < start + 3
    page.keyboard.press("p")
    wait_for(page, f"{PLAYER}.paused")
    hits.nth(0).get_by_role("button", name="Play").click()
    page.keyboard.press("j")
    expect(hits.nth(1).locator("a.time")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_on_a_phone_everything_is_at_hand_and_nothing_cut_off(browser: Browser, site: str) -> None:
    with watched(browser, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.goto(f"{site}/-/search?q=council+OR+children")
        page.locator("button.play").first.tap()
        wait_for(page, f"{PLAYER}.currentTime > 0")
        expect(page.get_by_text("Keys:")).to_be_hidden()
        expect(page.get_by_role("button", name="Back 5 seconds")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.locator(".hit a.time").first.tap()
        expect(page.locator(".passage.marked")).to_be_in_viewport()
        page.locator(".passage.marked .text").tap()
        wait_for(page, f"!{PLAYER}.paused")
        expect(page.get_by_label("Scroll along")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_citation_of_the_chosen_hit_is_asked_for(page: Page, site: str) -> None:
    page.goto(f"{site}/-/search?q=council+OR+children")
    page.evaluate("document.addEventListener('cite', (event) => (document.title = event.detail.url))")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page).to_have_title(page.locator(".hit [data-quote]").nth(1).get_attribute("data-quote") or "")


def test_a_second_read_off_the_page_opens_what_stands_at_it(page: Page, site: str) -> None:
    open_northbridge(page, site)
    episode = page.url
    first = page.locator(".passage", has_text="Foster families")  # at 3:12.26; the previous one ends at 3:11
    shown, start = first.locator(".time").inner_text(), float(first.get_attribute("data-start") or 0)
    for address in (f"#t={shown}", f"?t={shown}", f"#t={int(start)},{int(start) + 2}"):
        page.goto("about:blank")
        page.goto(episode + address)
        expect(page.locator(".passage.marked .text")).to_have_text([re.compile("^Foster families")])
        wait_for(page, f"Math.abs({PLAYER}.currentTime - {start}) < 0.11")
    page.goto("about:blank")
    page.goto(episode + "#t=1:00:00")  # nothing is said after its end
    wait_for(page, f"{PLAYER}.currentTime > 200")
    expect(page.locator(".passage.marked")).to_have_count(0)


def test_without_javascript_everything_can_be_read_and_reached(page: Page, site: str) -> None:
    plain = another(page, java_script_enabled=False)
    plain.goto(f"{site}/-/search?q=“foster+families”")
    expect(plain.get_by_role("button", name="Play")).to_have_count(0)
    expect(plain.get_by_text("Keys:")).to_be_hidden()
    plain.locator(".hit a.time").first.click()
    marked = plain.locator(".passage.marked")
    expect(marked).to_be_in_viewport()
    expect(marked).to_contain_text("Foster families are hard to find")
    assert re.search(r"#t=19\d\.\d$", plain.locator("audio").get_attribute("src") or "")
    expect(plain.get_by_label("Speed")).to_be_hidden()
    expect(plain.locator("u").first).to_have_attribute("title", re.compile("unsure"))
    plain.goto(plain.url.partition("?")[0] + "?t=192.5,201")
    expect(marked).to_have_count(2)
    plain.locator("#question-8 a.time").click()
    expect(marked).to_be_in_viewport()
    plain.goto(plain.url.partition("?")[0] + "#q9")
    asked = plain.locator(".passage", has_text="And finally, what are")
    expect(asked).to_be_in_viewport(ratio=1)
    expect(asked.locator(".text")).to_have_css("background-color", "rgb(255, 233, 163)")


def test_what_is_said_runs_in_the_direction_of_its_own_writing(page: Page, site: str) -> None:
    open_northbridge(page, site)
    first, stop = page.evaluate(
        """() => {
            const text = document.querySelector(".passage .text");
            text.textContent = "شكرا جزيلا.";
            return [0, 10].map(place => {
                const range = document.createRange();
                range.setStart(text.firstChild, place);
                range.setEnd(text.firstChild, place + 1);
                return range.getBoundingClientRect().left;
            });
        }"""
    )
    assert stop < first  # the full stop is on the left, where the sentence ends
