"""Helpers for correcting on the site like a browser without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from datasette.app import Datasette

from pipeline.archive.corrections import CorrectionEntry, history
from pipeline.archive.database import editor
from tests.support.archive_fixture import Kept, Site

FORM = "application/x-www-form-urlencoded"
# Datasette 1.0 requires no token: it checks headers that browsers send.
TOKENS = not hasattr(Datasette, "allowed")


def configured(**config: Any) -> dict[str, Any]:
    """Options of Datasette: 1.0 has moved these from the metadata."""
    return {"metadata" if TOKENS else "config": config}


class Visitor:
    """A browser without JavaScript, on an episode page."""

    def __init__(self, site: Site, episode_id: str, actor: str | None = "ann") -> None:
        self.site = site
        self.episode = episode_id
        self.cookies = {"ds_actor": site.datasette.sign({"a": {"id": actor}}, "actor")} if actor else {}
        page = self.get()
        self.cookies.update(page.cookies)
        self.forms = [
            dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)) for form in forms(page.text)
        ]
        self.token = self.forms[0]["csrftoken"] if self.forms else ""

    def get(self) -> Any:
        return self.site.run(self.site.datasette.client.get(f"/-/episode/{self.episode}", cookies=self.cookies))

    def row(self, number: int) -> str:
        """The visible text of a question on the page, on one line."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.row_html(number))).split())

    def row_html(self, number: int) -> str:
        found = re.search(rf'<li id="question-{number}".*?(?=<li id="q|</section>)', self.get().text, re.DOTALL)
        return found.group() if found else ""

    def fields(self, number: int, **said: str) -> dict[str, str]:
        return {**self.forms[number - 1], **said}

    async def posting(self, body: Mapping[str, str] | bytes, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else urlencode(body)
        named = {"content-type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.site.datasette.client.post(
            "/-/correct", content=content, headers=named, cookies=self.cookies
        )  # fmt: skip

    def post(self, body: Mapping[str, str] | bytes, **headers: str) -> Any:
        return self.site.run(self.posting(body, **headers))

    def said(self, number: int, **said: str) -> Any:
        """Submit a question's form as a script does."""
        return self.post(self.fields(number, **said), accept="application/json")


def forms(page: str) -> list[str]:
    """The forms for correcting, in a page's HTML."""
    return re.findall(r"<form class=\"correct\".*?</form>", page, re.DOTALL)


def undoing(row: str) -> str:
    """The id of the correction that a question's form can undo."""
    (found,) = re.findall(r'name="undo" value="(\d+)"', row)
    return str(found)


@pytest.fixture
def ann(site: Site, kept: Kept) -> Visitor:
    """A signed-in editor."""
    return Visitor(site, kept.spoken)


def recorded(kept: Kept) -> list[CorrectionEntry]:
    """The corrections recorded besides the fixture's, oldest first."""
    with editor(kept.path) as db:
        return [entry for entry in reversed(history(db, kept.spoken)) if entry.number != 5]
