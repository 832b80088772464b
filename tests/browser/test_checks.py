"""Checking passages in a real browser: by keyboard and without leaving the page, and without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.browser.test_rules import assert_accessible
from tests.support.browsing import (
    DESKTOP,
    another,
    browser,
    chromium,
    current_time,
    desk,
    northbridge,
    open_northbridge,
    page,
    picture,
    wait_for,
    watched,
)

__all__ = ["browser", "chromium", "desk", "northbridge", "page"]  # fixtures

pytestmark = pytest.mark.browser


def test_an_editor_checks_while_listening(northbridge: Page, tmp_path: Path) -> None:
    page = northbridge
    passage, form = page.locator("#s1"), page.locator("#check")
    heard = passage.locator(".text").inner_text()
    start, end = (float(passage.get_attribute(f"data-{name}") or "") for name in ("start", "end"))
    page.locator("#s1 + .checking a").focus()
    page.keyboard.press("Enter")
    text = form.get_by_label("What is said from")
    expect(text).to_be_focused()
    expect(text).to_have_value(heard)
    page.keyboard.press("Control+Space")
    wait_for(page, f"document.querySelector('audio').currentTime > {start} + 0.1")
    wait_for(page, "document.querySelector('audio').paused")
    assert end <= current_time(page) < end + 1
    text.press("Control+End")
    text.press_sequentially(" Xylophones, nkpq.")  # letters that are shortcuts elsewhere
    page.locator("#s2 + .checking a").click()
    expect(form.get_by_role("status")).to_contain_text("Not recorded yet")
    picture(page, "checking", tmp_path)
    text.press("Control+Enter")
    told = page.locator(".player").get_by_role("status")
    expect(told).to_have_text(re.compile(r"^\d:\d\d: checked$"))
    expect(form).to_have_count(0)
    expect(passage.locator(".text")).to_have_text(f"{heard} Xylophones, nkpq.")
    expect(page.locator("#s1 + .checking .tick")).to_have_count(1)
    expect(page.locator("#s2 + .checking a")).to_be_focused()  # moves on to the next
    expect(page.locator("#checked")).to_contain_text(re.compile(r"1 of \d+ passages checked by a person"))
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    page.reload()
    expect(passage.locator(".text")).to_have_text(f"{heard} Xylophones, nkpq.")
    history = page.locator(".checks")
    history.get_by_text(re.compile("Checked by root on")).click()
    expect(history).to_contain_text(f"the machine heard “{heard}”")
    page.locator("#s1 + .checking a").click()
    expect(form).to_contain_text("The machine heard")
    form.get_by_role("button", name="Undo the check").click()
    expect(passage.locator(".text")).to_have_text(heard)
    expect(history).to_contain_text("No longer checked")
    page.locator("#s1 + .checking a").click()
    form.get_by_label("What is said from").press("Escape")
    expect(form).to_have_count(0)
    expect(page.locator("#s1 + .checking a")).to_be_focused()


def test_corrected_words_are_found_at_once(northbridge: Page, desk: tuple[str, str]) -> None:
    page = northbridge
    page.locator("#s3 + .checking a").click()
    page.locator("#check-text").fill("Zygomorphic words were said.")
    page.get_by_role("button", name="Checked", exact=True).click()
    expect(page.locator("#s3 .text")).to_have_text("Zygomorphic words were said.")
    page.goto(f"{desk[0]}/-/search?q=“zygomorphic words”")
    expect(page.locator("mark")).to_have_text("Zygomorphic words")


def test_what_is_refused_is_told_in_the_form_and_nothing_typed_is_lost(page: Page, desk: tuple[str, str]) -> None:
    watched = another(page)  # the browser logs refusals to the console
    watched.goto(desk[1])
    open_northbridge(watched, desk[0])
    watched.locator("#s1 + .checking a").click()
    watched.locator("#check-text").fill("Other words.")
    watched.context.clear_cookies()
    watched.get_by_role("button", name="Checked", exact=True).click()
    expect(watched.locator("#check .told")).to_contain_text("Nothing was recorded")
    expect(watched.locator("#check-text")).to_have_value("Other words.")


def test_what_another_editor_heard_is_seen_and_what_was_typed_stays(page: Page, desk: tuple[str, str]) -> None:
    page = another(page)  # the browser logs the refusal to the console
    page.goto(desk[1])
    open_northbridge(page, desk[0])
    beside = page.context.new_page()
    open_northbridge(beside, desk[0])
    beside.locator("#s1 + .checking a").click()
    text, note = beside.locator("#check-text"), beside.locator("#check").get_by_label("Note")
    text.fill("Mine, heard twice.")
    note.fill("Twice.")
    page.locator("#s1 + .checking a").click()
    page.locator("#check-text").fill("Theirs.")
    page.locator("#check-text").press("Control+Enter")
    expect(page.locator("#s1 .text")).to_have_text("Theirs.")
    text.press("Control+Enter")
    expect(beside.locator("#check .told")).to_contain_text("Nothing was recorded: the words there have changed")
    expect(beside.locator("#s1 .text")).to_have_text("Theirs.")
    expect(text).to_have_value("Mine, heard twice.")
    expect(note).to_have_value("Twice.")
    expect(text).to_be_focused()
    text.press("Control+Enter")
    expect(beside.locator("#s1 .text")).to_have_text("Mine, heard twice.")
    for words in ("Theirs.", ""):
        beside.locator("#s1 + .checking a").click()
        beside.locator("#check").get_by_role("button", name="Undo").first.click()
        expect(beside.locator("#s1 .text")).to_have_text(words or re.compile("^(?!Theirs)"))
    beside.close()


def test_what_is_typed_is_thrown_away_only_by_who_says_so(page: Page, desk: tuple[str, str]) -> None:
    page = another(page)
    page.goto(desk[1])
    open_northbridge(page, desk[0])
    asked: list[str] = []
    says_so = False

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        (dialog.accept if says_so else dialog.dismiss)()

    page.on("dialog", answer)
    text = page.locator("#check-text")
    for field in (text, page.locator("#check").get_by_label("Note")):
        page.locator("#s1 + .checking a").click()
        text.press("Escape")
        expect(text).to_have_count(0)
        assert asked == []  # no input
        page.locator("#s1 + .checking a").click()
        field.fill("Other words.")
        field.press("Escape")
        page.get_by_role("button", name="Close", exact=True).click()
        page.get_by_role("navigation", name="Site").get_by_role("link", name="Speakers").click(no_wait_after=True)
        expect(field).to_have_value("Other words.")
        page.wait_for_timeout(300)
        assert asked == ["confirm", "confirm", "beforeunload"]
        says_so = True
        field.press("Escape")
        expect(text).to_have_count(0)
        asked.clear()
        says_so = False


def test_who_speaks_is_recorded_without_losing_what_an_editor_is_at_work_on(northbridge: Page) -> None:
    page, first = northbridge, northbridge.locator("#question-1")
    first.get_by_label("Asked at").fill("0:25.9")
    page.locator("#s4 + .checking a").click()
    page.get_by_label("Who speaks from").fill("Somebody Else")
    page.get_by_role("button", name="Only in this passage").click()
    expect(page.locator(".player").get_by_role("status")).to_contain_text("recorded who speaks")
    expect(page.locator(".turn", has=page.locator("#s4")).locator("h3")).to_contain_text("Somebody Else")
    expect(page.locator("#s4 + .checking a")).to_be_focused()
    expect(first.get_by_label("Asked at")).to_have_value("0:25.9")
    page.locator("#s4 + .checking a").click()
    page.get_by_role("button", name="Undo “Somebody Else”").click()
    expect(page.locator(".turn", has=page.locator("#s4")).locator("h3")).not_to_contain_text("Somebody Else")
    first.get_by_role("button", name="Confirm").click()
    first.get_by_role("button", name="Undo").click()
    expect(first).not_to_contain_text("checked by a person")


def test_a_name_that_is_typed_while_words_are_on_their_way_is_not_lost(northbridge: Page) -> None:
    page, held = northbridge, list[Route]()
    page.route("**/-/check", lambda route: held.append(route) if not held else route.continue_())
    page.locator("#s5 + .checking a").click()
    page.get_by_role("button", name="Checked", exact=True).click()
    wait_for(page, "document.querySelector('#check').hasAttribute('aria-busy')")
    name = page.get_by_label("Who speaks from")
    name.fill("Somebody Else")
    held[0].continue_()
    expect(page.locator("#who .told")).to_have_text("Not recorded yet: record it or close it.")
    expect(page.locator("#check .told")).to_contain_text("checked")
    expect(page.locator("#s5 + .checking .tick")).to_have_count(1)
    expect(name).to_have_value("Somebody Else")
    expect(name).to_be_focused()
    page.get_by_role("button", name="Only in this passage").click()
    expect(page.locator("#checking")).to_have_count(0)
    expect(page.locator(".turn", has=page.locator("#s5")).locator("h3")).to_contain_text("Somebody Else")
    for undo in ("Undo the check", "Undo “Somebody Else”"):
        page.locator("#s5 + .checking a").click()
        page.get_by_role("button", name=undo).click()
        expect(page.locator("#checking")).to_have_count(0)


def test_what_is_recorded_but_cannot_be_shown_is_told(page: Page, desk: tuple[str, str]) -> None:
    cut_off = another(page)  # the browser logs the failure to the console
    cut_off.goto(desk[1])
    open_northbridge(cut_off, desk[0])
    cut_off.locator("#s4 + .checking a").click()
    cut_off.route("**/-/episode/**", lambda route: route.abort())
    cut_off.get_by_role("button", name="Checked", exact=True).click()
    expect(cut_off.locator(".player .told")).to_have_text(re.compile("checked, but this page could not be updated"))
    expect(cut_off.locator("#check")).to_have_count(0)


def test_an_editor_without_javascript(page: Page, desk: tuple[str, str]) -> None:
    plain = another(page, java_script_enabled=False)
    plain.goto(desk[1])
    plain.get_by_role("link", name=re.compile("Northbridge")).first.click()
    plain.locator("#s2 + .checking a").click()
    expect(plain.locator("audio")).to_have_attribute("src", re.compile(r"#t=\d"))
    expect(plain.get_by_role("button", name="Play")).to_have_count(0)
    plain.locator("#check-text").fill("Plainly other words.")
    plain.get_by_role("button", name="Checked", exact=True).click()
    assert plain.url.endswith("#s2")
    expect(plain.locator("#s2")).to_contain_text("Plainly other words.")
    plain.locator("#s2 + .checking a").click()
    plain.get_by_role("button", name="Undo the check").click()
    expect(plain.locator("#s2")).not_to_contain_text("Plainly other words.")


def test_an_editor_says_who_speaks(northbridge: Page, tmp_path: Path) -> None:
    page = northbridge
    heading = page.locator(".turn", has=page.locator("#s1")).locator("h3")
    before = heading.inner_text()
    page.locator("#s1 + .checking a").click()
    form = page.locator("#who")
    form.get_by_label("Who speaks from").fill("Robin Sample")
    picture(page, "who-speaks", tmp_path)
    form.get_by_label("Who speaks from").press("Enter")  # only here, and the words remain unchecked
    expect(heading).to_have_text(re.compile("^Robin Sample"))
    expect(page.locator("#s1 + .checking a")).to_be_focused()
    expect(page.locator("#s1")).to_be_in_viewport()
    expect(page.locator(".player").get_by_role("status")).to_have_text(re.compile("recorded who speaks$"))
    expect(page.locator("#s1 + .checking .tick")).to_have_count(0)
    expect(page.locator(".checks summary").first).to_have_text(re.compile("^Speaker identified by root"))
    page.locator("#s1 + .checking a").click()
    expect(form).to_contain_text("The machine’s label")
    words = page.locator("#s1 .text").inner_text()
    page.locator("#check").get_by_label("What is said from").fill("Something that is not recorded.")
    form.get_by_role("button", name="Undo “Robin Sample”").click()
    expect(form.get_by_role("status")).to_contain_text("Not recorded yet")
    page.locator("#check").get_by_label("What is said from").fill(words)
    form.get_by_label("Who speaks from").fill("Nobody recorded")
    page.locator("#check").get_by_role("button", name="Checked", exact=True).click()
    expect(page.locator("#check").get_by_role("status")).to_contain_text("Not recorded yet")
    form.get_by_label("Who speaks from").fill("Robin Sample")
    form.get_by_label("Note").fill("His voice.")
    page.locator("#s2 + .checking a").click()
    expect(page.locator("#check").get_by_role("status")).to_contain_text("Not recorded yet")
    form.get_by_role("button", name="Undo “Robin Sample”").click()
    expect(heading).to_have_text(before)


def test_a_key_in_the_name_does_not_say_that_words_were_checked(northbridge: Page) -> None:
    page = northbridge
    page.locator("#s1 + .checking a").click()
    page.locator("#who-speaks").fill("Robin Sample")
    page.locator("#who-speaks").press("Control+Enter")
    expect(page.locator(".turn", has=page.locator("#s1")).locator("h3")).to_have_text(re.compile("^Robin Sample"))
    expect(page.locator("#s1 + .checking .tick")).to_have_count(0)


def test_what_checks_a_passage_is_accessible(browser: Browser, desk: tuple[str, str]) -> None:
    with watched(browser, viewport=DESKTOP) as page:
        page.goto(desk[1])
        open_northbridge(page, desk[0])
        page.locator("#s1 + .checking a").click()
        page.locator("#check-text").fill("Other words.")
        page.locator("#check-text").press("Control+Enter")
        expect(page.locator("#s1 .text")).to_have_text("Other words.")
        page.locator(".checks summary").click()
        page.locator("#s1 + .checking a").click()
        expect(page.locator("#check")).to_contain_text("The machine heard")
        assert_accessible(page)
        page.goto(desk[0] + (page.locator("#s1 + .checking a").get_attribute("href") or ""))
        expect(page.get_by_role("heading", name="History")).to_be_visible()
        assert_accessible(page)
