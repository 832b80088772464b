"""A browser without JavaScript for checking passages on the site."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.archive_fixture import Kept, Site
from tests.support.correcting import FORM

DOUBTED = 3  # the number of the flagged passage: “I doubt that.”


class Visitor:
    """A browser without JavaScript, with the form for a passage if it is allowed."""

    def __init__(self, site: Site, kept: Kept, actor: str | None = "ann", *, n: int = DOUBTED) -> None:
        self.site, self.kept = site, kept
        self.cookies = {"ds_actor": site.datasette.sign({"a": {"id": actor}}, "actor")} if actor else {}
        self.form = self.get("/-/check?" + urlencode({"episode": kept.spoken, "n": n}))
        self.cookies.update(self.form.cookies)
        self.hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.form.text))

    def get(self, path: str = "", **headers: str) -> Any:
        path = path or f"/-/episode/{self.kept.spoken}"
        return self.site.run(self.site.datasette.client.get(path, cookies=self.cookies, headers=headers))

    async def posting(self, body: Mapping[str, str] | bytes, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else urlencode(body)
        named = {"content-type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.site.datasette.client.post("/-/check", content=content, headers=named, cookies=self.cookies)

    def post(self, body: Mapping[str, str] | bytes, **headers: str) -> Any:
        return self.site.run(self.posting(body, **headers))

    def fields(self, text: str = "I do not doubt that.", **said: str) -> dict[str, str]:
        return {**self.hidden, "status": "checked", "text": text, **said}

    def said(self, text: str = "I do not doubt that.", **said: str) -> Any:
        """Submit the form as a script does."""
        return self.post(self.fields(text, **said), accept="application/json")

    def passage(self, n: int) -> str:
        """The visible text of a passage and what follows it in its paragraph, on one line."""
        found = re.search(
            rf'<span class="passage[^>]*id="s{n}".*?(?=<span class="passage|</div>)', self.get().text, re.DOTALL
        )
        assert found
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub("<span[^>]*aria-label=", "", found.group()))).split())


@pytest.fixture
def ann(site: Site, kept: Kept) -> Visitor:
    """A signed-in editor."""
    return Visitor(site, kept)
