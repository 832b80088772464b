"""Citations in a real browser: selecting words, the card, the clipboard, and the page of a quotation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_rules import assert_accessible
from tests.support.archive_fixture import EVIL, SHA256, Kept, kept
from tests.support.browsing import (
    DESKTOP,
    another,
    browser,
    chromium,
    open_northbridge,
    page,
    picture,
    served,
    site,
    wait_for,
    watched,
)

__all__ = ["browser", "chromium", "kept", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser
on_one_screen = pytest.mark.parametrize("page", [DESKTOP], ids=["desktop"], indirect=True)

SELECT = """([from, to]) => {
  const texts = [...document.querySelectorAll(".passage .text")];
  const find = (words) => {
    for (const text of texts) {
      const at = text.textContent.indexOf(words);
      if (at < 0) continue;
      const nodes = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
      let left = at;
      for (let node = nodes.nextNode(); node; left -= node.length, node = nodes.nextNode()) {
        if (left <= node.length) return [node, left];
      }
    }
  };
  const [first, begin] = find(from);
  const [last, end] = find(to);
  getSelection().setBaseAndExtent(first, begin, last, end + to.length);
  first.parentElement.scrollIntoView({block: "center"});
}"""


@pytest.fixture
def reader(page: Page, site: str) -> Page:
    """An episode page in a browser with clipboard access."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    open_northbridge(page, site)
    return page


def clipboard(page: Page, kind: str = "text/plain") -> str:
    return str(
        page.evaluate(
            "async (kind) => (await (await navigator.clipboard.read())[0].getType(kind)).text()",
            kind,
        )
    )


def test_selected_words_become_a_citation(reader: Page, tmp_path: Path) -> None:
    reader.evaluate(SELECT, ["ster families are hard", "hard to fi"])  # from the middle of one word to that of another
    reader.get_by_role("button", name="Quote", exact=True).click()
    card = reader.get_by_role("dialog", name="Cite this")
    expect(card).to_be_visible()
    picture(reader, "quote", tmp_path)
    card.get_by_role("button", name="Copy text").click()
    expect(card.get_by_role("status")).to_have_text("Text copied")
    text = clipboard(reader)
    assert re.search(r": “foster families are hard to find\W*”\n", text, re.IGNORECASE)
    assert re.search(r", 03:1\d–03:1\d\n", text)
    assert "Machine transcript, not checked by a person." in text
    card.get_by_role("button", name="Copy Markdown").click()
    expect(card.get_by_role("status")).to_have_text("Markdown copied")
    assert clipboard(reader).startswith("> **")
    card.get_by_role("button", name="Copy HTML").click()
    expect(card.get_by_role("status")).to_have_text("HTML copied")
    assert "<blockquote" in clipboard(reader, "text/html")
    assert clipboard(reader) == text
    card.get_by_role("button", name="Copy link").click()
    expect(card.get_by_role("status")).to_have_text("Link copied")
    link = clipboard(reader)
    assert f"\n{link}\n" in text
    card.get_by_role("button", name="Close").click()
    expect(card).to_be_hidden()

    reader.goto(link)
    expect(reader.locator(".quotation blockquote").first).to_contain_text(
        re.compile("foster families are hard to find", re.IGNORECASE)
    )
    expect(reader.get_by_text("has changed")).to_have_count(0)
    wait_for(reader, "document.querySelector('audio').readyState >= 1")
    second = float(re.search(r"/(\d+)-\d+\?w=", link)[1]) / 1000  # type: ignore[index]
    wait_for(reader, f"Math.abs(document.querySelector('audio').currentTime - {second}) < 0.3")
    reader.get_by_role("button", name="Copy HTML").click()
    expect(reader.locator(".citation .copied")).to_have_text("HTML copied")
    assert clipboard(reader) == text
    assert not reader.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@on_one_screen
def test_the_key_quotes_what_is_selected_across_passages(reader: Page) -> None:
    reader.keyboard.press("q")  # no selection yet
    expect(reader.get_by_role("dialog")).to_have_count(0)
    reader.evaluate(
        """() => {
          const [first, second] = document.querySelectorAll(".passage .text");
          getSelection().setBaseAndExtent(first.firstChild, 0, second, second.childNodes.length);
        }"""
    )
    both = " ".join(reader.locator(".passage .text").all_text_contents()[:2])
    reader.keyboard.press("q")
    card = reader.get_by_role("dialog", name="Cite this")
    expect(card).to_be_visible()
    expect(card.get_by_role("button", name="Copy text")).to_be_focused()
    said = card.get_by_label("Citation").input_value().splitlines()
    quoted = " ".join(
        re.findall(r"“(.*)”", line)[0] for line in said if re.match(r"[^,“]*: “", line) and "Published" not in line
    )
    assert quoted == both
    reader.keyboard.press("Escape")
    expect(card).to_be_hidden()


@on_one_screen
def test_what_is_selected_outside_of_the_transcript_is_not_quoted(reader: Page) -> None:
    reader.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    reader.wait_for_timeout(300)
    expect(reader.locator("button.quote")).to_be_hidden()
    reader.keyboard.press("q")
    expect(reader.get_by_role("dialog")).to_have_count(0)


@on_one_screen
def test_a_hit_is_cited_by_its_button_and_by_its_key(page: Page, site: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    page.goto(f'{site}/-/search?q="foster families"')
    page.get_by_role("link", name=re.compile("^Cite")).first.click()
    card = page.get_by_role("dialog", name="Cite this")
    expect(card.get_by_label("Citation")).to_have_value(re.compile("“foster families”", re.IGNORECASE))
    expect(card.get_by_role("link", name="Its audio as a clip")).to_have_attribute(
        "href", re.compile(r"/-/clip/.*\.mp3$")
    )
    page.keyboard.press("Escape")
    page.evaluate("navigator.clipboard.writeText('')")
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_have_text("Citation copied")
    assert re.search("“foster families”", clipboard(page), re.IGNORECASE)


@on_one_screen
def test_the_card_widens_to_the_whole_sentence(page: Page, site: str) -> None:
    page.goto(f'{site}/-/search?q="foster families"')
    page.get_by_role("link", name=re.compile("^Cite")).first.click()
    card = page.get_by_role("dialog", name="Cite this")
    expect(card.get_by_label("Citation")).to_have_value(re.compile("“foster families”", re.IGNORECASE))
    expect(card).to_contain_text("works on this computer only")
    card.get_by_role("button", name="The whole sentence").click()
    expect(card.get_by_label("Citation")).to_have_value(re.compile(r"“.*foster families.+”", re.IGNORECASE))
    expect(card.get_by_role("button", name="The whole sentence")).to_have_count(0)


@on_one_screen
def test_where_nothing_may_be_copied_the_text_is_selected(page: Page, site: str) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as over plain HTTP
    page.goto(f'{site}/-/search?q="foster families"')
    page.get_by_role("link", name=re.compile("^Cite")).first.click()
    card = page.get_by_role("dialog", name="Cite this")
    card.get_by_role("button", name="Copy Markdown").click()
    expect(card.get_by_role("status")).to_contain_text("does not let this page copy")
    assert str(page.evaluate("getSelection().toString()")).startswith("> **")


@on_one_screen
def test_what_cannot_be_cited_is_told(page: Page, site: str) -> None:
    plain = another(page)  # the browser logs refusals to the console
    plain.goto(f'{site}/-/search?q="foster families"')
    plain.evaluate("document.querySelector('a[data-quote]').dataset.quote = '/-/quote/0123456789ab/0-1'")
    plain.get_by_role("link", name=re.compile("^Cite")).first.click()
    expect(plain.locator(".toast")).to_contain_text("keeps no recording")


@on_one_screen
def test_without_javascript_a_hit_leads_to_all_three_texts(page: Page, site: str) -> None:
    plain = another(page, java_script_enabled=False)
    plain.goto(f'{site}/-/search?q="foster families"')
    plain.get_by_role("link", name=re.compile("^Cite")).first.click()
    expect(plain.locator("blockquote").first).to_contain_text(re.compile("foster families", re.IGNORECASE))
    for form in ("Text", "Markdown", "HTML"):
        expect(plain.get_by_label(form, exact=True)).to_have_value(re.compile("/-/quote/"))
    expect(plain.get_by_role("button", name="Copy text")).to_have_count(0)
    with plain.expect_download() as download:
        plain.get_by_role("link", name="Download this passage").click()
    assert download.value.suggested_filename.endswith(".mp3")


def test_card_and_page_are_accessible(browser: Browser, site: str) -> None:
    with watched(browser, viewport=DESKTOP) as page:
        page.goto(f'{site}/-/search?q="foster families"')
        page.get_by_role("link", name=re.compile("^Cite")).first.click()
        expect(page.get_by_role("dialog", name="Cite this")).to_be_visible()
        assert_accessible(page)
        page.get_by_role("link", name="The quotation’s page").click()
        expect(page.get_by_role("heading", name="Cite it")).to_be_visible()
        page.goto(re.sub("w=.*", "w=000000", page.url))
        expect(page.get_by_text("The wording has changed")).to_be_visible()
        assert_accessible(page)


def test_what_is_hostile_is_quoted_not_run(browser: Browser, kept: Kept) -> None:
    with served(kept.path) as (address, _), watched(browser, viewport=DESKTOP) as page:
        page.goto(f"{address}/-/quote/{SHA256[:12]}/5000-7900")
        expect(page.locator(".quotation blockquote").first).to_contain_text(
            f"Guest {EVIL} “The front door is {EVIL} calm.”"
        )
        for form in ("Text", "Markdown", "HTML"):
            expect(page.get_by_label(form, exact=True)).to_have_value(re.compile("script"))
        page.goto(f"{address}/-/search?q=door")
        page.get_by_role("link", name=re.compile("^Cite")).first.click()
        expect(page.get_by_label("Citation")).to_have_value(re.compile(re.escape(EVIL)))
