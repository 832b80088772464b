"""Datasette's own pages in a real browser: dark if preferred, and readable throughout."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.support.archive_fixture import Kept, kept
from tests.support.browsing import DESKTOP, PHONE, browser, chromium, served
from tests.support.correcting import TOKENS

__all__ = ["browser", "chromium", "kept"]  # fixtures

pytestmark = pytest.mark.browser

SQL = "select+id,+1.5,+text+from+segments"
PATHS = (
    "/a",
    "/a/segments?_facet=role&id__gt=1",
    "/a/segments?id=-1",
    "/a/segments/1",
    f"/a?sql={SQL}" if TOKENS else f"/a/-/query?sql={SQL}",
    "/nope",
)
# The position and colours of each element; the footer contains a duration.
LOOKS = """[...document.querySelectorAll("body *:not(footer *)")].map((element) => {
    const [box, style] = [element.getBoundingClientRect(), getComputedStyle(element)];
    return [JSON.stringify(box), [style.color, style.backgroundColor, style.borderTopColor].join()];
})"""
GROUND = "getComputedStyle(document.body).backgroundColor"
# Elements with a contrast below 4.5:1, except dialogs and the SQL editor, whose colours are inverted as a whole.
ILLEGIBLE = """(() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = parts(colour).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (element) => {
        const { backgroundColor } = getComputedStyle(element);
        return (parts(backgroundColor)[3] ?? 1) < 0.5 ? groundOf(element.parentElement) : backgroundColor;
    };
    const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const fields = [...document.querySelectorAll("input:not([type=checkbox]), select, textarea")];
    return [...fields, ...[...document.body.querySelectorAll("*")].filter(hasText)]
        .filter((element) => element.checkVisibility() && !element.closest(".CodeMirror, .cm-editor, dialog"))
        .filter((element) => {
            const [one, other] = [light(getComputedStyle(element).color), light(groundOf(element))];
            return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 4.5;
        })
        .map((element) => element.outerHTML.slice(0, 160));
})()"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_tables_are_dark_where_the_site_is(browser: Browser, kept: Kept, size: ViewportSize) -> None:
    with served(kept.path) as (address, _):
        page = browser.new_context(viewport=size, color_scheme="dark").new_page()
        page.goto(address)
        ground = page.evaluate(GROUND)
        for path in PATHS:
            page.goto(address + path)
            assert page.evaluate(GROUND) == ground, path
            assert page.evaluate(ILLEGIBLE) == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_datasettes_is_changed_but_colours_in_the_dark(
    browser: Browser, kept: Kept, scheme: Literal["light", "dark"]
) -> None:
    with served(kept.path) as (address, _):
        page = browser.new_context(viewport=DESKTOP, color_scheme=scheme).new_page()
        looks = []
        for _ in range(2):
            page.goto(f"{address}/a/segments?_facet=role")
            looks.append(page.evaluate(LOOKS))
            page.route("**/static-plugins/**", lambda route: route.abort())
        assert [box for box, _ in looks[0]] == [box for box, _ in looks[1]]
        assert ([colours for _, colours in looks[0]] == [colours for _, colours in looks[1]]) == (scheme == "light")
