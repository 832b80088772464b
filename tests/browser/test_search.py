"""The site in a real browser: search, open a hit, hear it at its time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsing import (
    another,
    browser,
    chromium,
    current_time,
    desk,
    go_to,
    northbridge,
    open_northbridge,
    page,
    picture,
    site,
    wait_for,
)

__all__ = ["browser", "chromium", "desk", "northbridge", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser


def test_a_pasted_quote_is_found_opened_and_heard_at_its_second(page: Page, site: str, tmp_path: Path) -> None:
    page.goto(site)
    picture(page, "home", tmp_path)
    page.get_by_role("searchbox").first.fill("“foster families are hard to find”")
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_have_text(re.compile("foster families are hard to find", re.IGNORECASE))
    picture(page, "search", tmp_path)
    link = page.locator("a[href*='?t=']").first
    second = float(re.findall(r"[?&]t=([\d.]+)", link.get_attribute("href") or "")[0])
    assert 190 < second < 196  # the truth: 192.3
    link.click()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")
    wait_for(page, f"Math.abs(document.querySelector('audio').currentTime - {second}) < 0.3")
    page.mouse.move(900, 300)  # away from the list of questions, which then shows the current one
    page.evaluate("document.querySelector('audio').play()")
    wait_for(page, f"document.querySelector('audio').currentTime > {second} + 0.5")
    assert current_time(page) < second + 10
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    picture(page, "episode", tmp_path)


def test_a_question_plays_from_its_time(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Northbridge")).first.click()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")
    question = page.locator("a[href*='t=']", has_text=re.compile(r"^\s*3:1\d")).first  # question 8: 192 s
    question.click()
    wait_for(page, "document.querySelector('audio').currentTime > 189")
    assert current_time(page) < 200


@pytest.mark.parametrize("address", ["?t=3:12.5", "#t=192.5", "#t=3:12.5,3:40"])
def test_an_address_opens_at_its_second(page: Page, site: str, address: str) -> None:
    open_northbridge(page, site)
    episode = page.url
    page.goto("about:blank")
    page.goto(episode + address)
    wait_for(page, "Math.abs((document.querySelector('audio')?.currentTime ?? 0) - 192.5) < 0.1")


def test_the_tables_are_one_click_away(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Tables", re.IGNORECASE)).first.click()
    expect(page.get_by_role("link", name="question_times").first).to_be_visible()


def test_an_editor_corrects_while_listening(page: Page, desk: tuple[str, str], tmp_path: Path) -> None:
    site, sign_in = desk
    page.goto(sign_in)
    open_northbridge(page, site)
    eighth, told = page.locator("#question-8"), page.get_by_role("status")
    start = eighth.get_by_label("Asked at")
    eighth.focus()
    before = float(eighth.get_attribute("data-t") or "")
    for key, moved in (("ArrowRight", 0.2), ("ArrowRight", 0.4), ("Shift+ArrowLeft", -1.6), ("ArrowLeft", -1.8)):
        page.keyboard.press(key)
        wait_for(page, f"Math.abs(document.querySelector('audio').currentTime - {before + moved}) < 0.02")
    expect(told).to_have_text(re.compile(r"Question 8: 3:\d\d.*, not confirmed yet"))
    eighth.get_by_role("button", name="2 seconds later", exact=True).click()
    wait_for(page, f"Math.abs(document.querySelector('audio').currentTime - {before + 0.2}) < 0.02")
    go_to(page, 191.25)
    eighth.focus()
    page.keyboard.press("n")
    expect(start).to_have_value("3:11.25")
    page.keyboard.press("c")
    expect(told).to_have_text("Question 8: asked at 3:11.25, corrected")
    expect(eighth).to_contain_text("checked by a person")
    expect(eighth).to_be_focused()
    picture(page, "correcting", tmp_path)
    wait_for(page, "document.getElementById('q8')")
    page.evaluate("location.hash = 'q8'")  # leads to its corrected time
    marked = page.locator(".passage.marked:has(> :target)")
    expect(marked).to_be_in_viewport()
    assert float(marked.get_attribute("data-start") or "") <= 191.25 < float(marked.get_attribute("data-end") or "") + 1

    second = page.locator("#question-2")
    second.get_by_role("button", name="Not asked").click()
    expect(told).to_have_text("Question 2: not asked, corrected")
    expect(second.locator("a.time")).to_have_count(0)
    second.focus()
    page.keyboard.press("u")
    expect(told).to_have_text(re.compile("Question 2: asked at"))
    third = page.locator("#question-3")
    third.get_by_text("Ends and note").click()
    third.get_by_label("Note").press_sequentially("nxcup")  # letters that are shortcuts elsewhere
    third.get_by_label("Note").press("Enter")
    expect(told).to_have_text(re.compile("Question 3: asked at .*, corrected"))

    page.reload()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")
    expect(page.locator("#question-8")).to_contain_text("checked by a person")
    expect(page.locator("#question-2")).not_to_contain_text("checked by a person")
    page.locator("#question-2").get_by_text("History (2)").click()
    expect(page.locator("#question-2 .history li")).to_have_text(
        [re.compile("^undone by root"), re.compile("^not asked by root")]
    )
    page.locator("#question-3").get_by_text("History (1)").click()
    expect(page.locator("#question-3 .history")).to_contain_text("nxcup")
    page.locator("#question-8 a.time").click()
    wait_for(page, "document.querySelector('audio').currentTime > 191.3")
    assert current_time(page) < 196
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_what_an_editor_is_at_work_on_stays_when_another_question_is_confirmed(northbridge: Page) -> None:
    page = northbridge
    third, fourth, fifth = (page.locator(f"#question-{n}") for n in (3, 4, 5))
    third.get_by_label("Asked at").fill("1:02.5")
    fifth.get_by_text("Ends and note").click()
    fourth.get_by_role("button", name="Not asked").click()
    expect(page.get_by_role("status")).to_have_text("Question 4: not asked, corrected")
    expect(third.get_by_label("Asked at")).to_have_value("1:02.5")
    expect(fifth.get_by_label("Note")).to_be_visible()
    fourth.focus()
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_have_text(re.compile("Question 4: .*asked"))
    expect(third.get_by_label("Asked at")).to_have_value("1:02.5")
    third.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Question 3: asked at 1:02.5, corrected"))
    expect(third).not_to_have_class(re.compile("unsaved"))


def test_answers_to_two_corrections_at_once_are_shown_in_their_order(northbridge: Page) -> None:
    page = northbridge
    held: list[Route] = []
    page.route("**/-/correct", lambda route: held.append(route) if not held else route.continue_())
    fourth, fifth = (page.locator(f"#question-{n}") for n in (4, 5))
    for question in (fourth, fifth):
        question.get_by_role("button", name="Not asked").click()
    page.wait_for_timeout(300)
    held[0].continue_()
    expect(page.get_by_role("status")).to_have_text("Question 5: not asked, corrected")
    for question in (fourth, fifth):
        expect(question).to_contain_text("checked by a person")
        question.get_by_role("button", name="Undo").click()
        expect(question).not_to_contain_text("checked by a person")


def test_a_key_that_is_held_records_and_undoes_once(northbridge: Page) -> None:
    page = northbridge
    third, told = page.locator("#question-3"), page.get_by_role("status")
    third.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("c")
        expect(told).to_have_text(re.compile("^Question 3: asked at .*corrected$"))
        expect(third).not_to_have_class(re.compile("unsaved"))
    for _ in range(5):  # without letting go: these are repeats
        page.keyboard.down("u")
        page.wait_for_timeout(300)
    page.keyboard.up("u")
    expect(third).to_contain_text("checked by a person")
    page.keyboard.press("u")
    expect(third).not_to_contain_text("checked by a person")


def test_what_is_typed_while_a_correction_is_on_its_way_stays(northbridge: Page) -> None:
    page = northbridge
    held: list[Route] = []
    page.route("**/-/correct", lambda route: route.continue_() if held else held.append(route))
    third, told = page.locator("#question-3"), page.get_by_role("status")
    third.focus()
    page.keyboard.press("c")
    wait_for(page, "document.querySelector('#question-3').hasAttribute('aria-busy')")
    page.keyboard.press("Shift+ArrowRight")
    typed = third.get_by_label("Asked at").input_value()
    held[0].continue_()
    expect(told).to_have_text(re.compile("^Question 3: asked at .*corrected$"))
    expect(third.get_by_label("Asked at")).to_have_value(typed)
    expect(third).to_have_class(re.compile("unsaved"))
    third.focus()
    page.keyboard.press("c")
    expect(told).to_have_text(f"Question 3: asked at {typed}, corrected")
    page.keyboard.press("u")
    expect(told).not_to_contain_text(typed)
    page.keyboard.press("u")
    expect(third).not_to_contain_text("checked by a person")
    page.keyboard.press("u")
    expect(told).to_have_text("Question 3 has no correction to undo")


def test_what_another_editor_corrected_meanwhile_is_told(page: Page, desk: tuple[str, str]) -> None:
    site, sign_in = desk
    page.goto(sign_in)
    open_northbridge(page, site)
    beside = page.context.new_page()
    open_northbridge(beside, site)
    fourth, fifth = (beside.locator(f"#question-{n}") for n in (4, 5))
    page.locator("#question-5").get_by_role("button", name="Not asked").click()
    expect(page.locator("#question-5")).to_contain_text("checked by a person")
    fourth.get_by_role("button", name="Confirm").click()
    expect(beside.get_by_role("status")).to_have_text(
        re.compile(r"^Question 4: .*corrected\. Corrected since you loaded this page: question 5$")
    )
    expect(fifth).to_contain_text("not asked")
    for question in (fourth, fifth):
        question.get_by_role("button", name="Undo").click()
        expect(question).not_to_contain_text("checked by a person")
    beside.close()


def test_what_another_editor_corrected_is_seen_and_what_was_typed_stays(page: Page, desk: tuple[str, str]) -> None:
    site, sign_in = desk
    page = another(page)  # the browser logs the refusal to the console
    page.goto(sign_in)
    open_northbridge(page, site)
    beside = page.context.new_page()
    open_northbridge(beside, site)
    page.locator("#question-4").get_by_role("button", name="Not asked").click()
    expect(page.locator("#question-4")).to_contain_text("checked by a person")
    fourth, told = beside.locator("#question-4"), beside.get_by_role("status")
    fourth.get_by_label("Asked at").fill("1:30.5")
    fourth.get_by_role("button", name="Confirm").click()
    expect(told).to_contain_text(
        "Question 4 was not recorded: question 4 has been corrected since you loaded this page"
    )
    expect(fourth).to_contain_text("not asked")
    expect(fourth.get_by_label("Asked at")).to_have_value("1:30.5")
    fourth.get_by_role("button", name="Confirm").click()
    expect(told).to_have_text(re.compile("Question 4: asked at 1:30.5, corrected"))
    for _ in range(2):
        fourth.get_by_role("button", name="Undo").click()
        expect(told).to_have_text(re.compile("^Question 4: "))
        beside.wait_for_timeout(300)
    expect(fourth).not_to_contain_text("checked by a person")
    beside.close()


def test_the_transcript_and_the_line_of_time_say_at_once_what_was_corrected(northbridge: Page) -> None:
    page = northbridge
    asks = page.locator(".turn h3", has_text="asks question 3")
    third, line = page.locator("#question-3"), page.locator(".timeline")
    expect(asks).to_have_count(1)
    passage = page.locator(".passage", has=page.locator("#q3"))
    page.evaluate("kept = document.querySelector('#q3').parentElement")
    expect(passage).to_have_count(1)
    before = line.inner_html()
    third.get_by_role("button", name="Not asked").click()
    expect(third).to_contain_text("not asked")
    expect(asks).to_have_count(0)
    expect(passage).to_have_count(0)
    assert line.inner_html() != before
    third.get_by_role("button", name="Undo").click()
    expect(asks).to_have_count(1)
    expect(passage).to_have_count(1)
    assert page.evaluate("kept.isConnected && kept === document.querySelector('#q3').parentElement")
    assert line.inner_html() == before


def test_what_is_recorded_but_cannot_be_shown_is_told(page: Page, desk: tuple[str, str]) -> None:
    site, sign_in = desk
    page = another(page)  # the browser logs the failure to the console
    page.goto(sign_in)
    open_northbridge(page, site)
    fourth, told = page.locator("#question-4"), page.get_by_role("status")
    page.route("**/-/episode/**", lambda route: route.abort())
    fourth.get_by_role("button", name="Not asked").click()
    expect(told).to_have_text("Question 4: not asked, corrected, but this page could not be updated: load it again")
    page.unroute("**/-/episode/**")
    page.reload()
    fourth.get_by_role("button", name="Undo").click()
    expect(fourth).not_to_contain_text("checked by a person")


def test_an_editors_keys_are_told_and_can_be_switched_off(northbridge: Page) -> None:
    page = northbridge
    help_, told, hint = (
        page.get_by_role("dialog", name="Keys"),
        page.get_by_role("status"),
        page.get_by_text("Keys, while"),
    )
    expect(hint).to_be_visible()
    page.keyboard.press("?")
    told_of = help_.get_by_role("heading", name="While a question has the focus").locator("+ dl dt").all_inner_texts()
    assert [keys.split() for keys in told_of] == [["←", "→"], ["Shift", "←", "→"], *([key] for key in "npcxu")]
    help_.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    expect(hint).to_be_hidden()
    second = page.locator("#question-2")
    before = second.get_by_label("Asked at").input_value()
    second.focus()
    for key in ("ArrowRight", "Shift+ArrowLeft", "n", "p", "c", "x", "u"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    expect(told).to_be_empty()
    expect(second.get_by_label("Asked at")).to_have_value(before)
    assert page.evaluate("document.querySelector('audio').paused")
    second.get_by_role("button", name="Confirm").click()  # the buttons do the same
    expect(told).to_have_text(re.compile("^Question 2: asked at"))
    page.get_by_role("button", name="Keys", exact=True).click()
    help_.get_by_label("Use these keys").check()
    page.keyboard.press("Escape")
    second.focus()
    page.keyboard.press("u")
    expect(second).not_to_contain_text("checked by a person")


def test_what_is_refused_is_told_where_the_editor_is(page: Page, desk: tuple[str, str]) -> None:
    site, sign_in = desk
    page = another(page)  # the browser logs refusals to the console
    page.goto(sign_in)
    open_northbridge(page, site)
    start = page.locator("#question-1").get_by_label("Asked at")
    for wrong, said in (("soon", "start: “soon” is not a time"), ("59:00", "past the end of the recording")):
        start.fill(wrong)
        start.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(said)
        expect(start).to_have_value(wrong)
    page.context.clear_cookies()
    page.locator("#question-1").get_by_role("button", name="Not asked").click()
    expect(page.get_by_role("status")).to_contain_text("Question 1 was not recorded")


def test_an_editor_without_javascript(page: Page, desk: tuple[str, str]) -> None:
    plain = another(page, java_script_enabled=False)
    plain.goto(desk[1])
    plain.get_by_role("link", name=re.compile("Northbridge")).first.click()
    start = plain.locator("#question-4").get_by_label("Asked at")
    expect(plain.get_by_role("button", name="2 seconds later")).to_have_count(0)
    start.fill("soon")
    start.press("Enter")
    refused, form = plain.get_by_role("alert"), plain.get_by_role("form", name="Correct question 4")
    expect(refused).to_contain_text("“soon” is not a time")
    assert refused.evaluate("e => e.offsetWidth") == form.evaluate("e => e.offsetWidth")
    expect(start).to_have_value("soon")
    start.fill("1:40.5")
    start.press("Enter")
    expect(plain.locator("#question-4")).to_contain_text("1:40 to")
    assert plain.url.endswith("#question-4")
    plain.locator("#question-4").get_by_role("button", name="Undo").click()
    expect(plain.locator("#question-4")).not_to_contain_text("checked by a person")
