"""A private archive: every URL is closed to the unauthorised, including those that later versions add."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from datasette_auth_passwords.utils import hash_password

from pipeline.archive.checks import history
from pipeline.archive.database import reader
from pipeline.export import FORMATS
from pipeline.site import register_routes
from tests.support.archive_fixture import SHA256, Kept, Serve, Site, kept, listening, opened, serve, site
from tests.support.correcting import FORM, TOKENS

__all__ = ["kept", "serve", "site"]  # fixtures

OPEN = r"/robots\.txt$"  # it says what crawlers may request, but reveals nothing of the content
# Messages that reveal nothing: no audio that can be cut, nobody with a name, no sitemap of a private archive.
NOT_THERE = ("/-/clip/", "/-/speaker/", "/sitemap")
# What must not be revealed: words of its transcript, titles and ids.
SECRETS = ("front door", "doubt", "One <", "One &lt;", "show/")


def addresses(kept: Kept) -> dict[str, list[str]]:
    """URLs of each of the plugin's routes that get an answer; fails for a route that is missing here."""
    episode = f"/-/episode/{kept.spoken}"
    return {
        r"/(?P<format>)$": ["/"],
        r"/-/search$": ["/-/search", "/-/search?q=door"],
        r"/-/search\.json$": ["/-/search.json?q=door"],
        r"/-/episode/(?P<feed>[^/]+)/(?P<id>[^/]+)$": [episode, f"{episode}?t=6"],
        r"/-/audio/(?P<sha256>[^/]+)$": [f"/-/audio/{SHA256}"],
        r"/-/export/(?P<feed>[^/]+)/(?P<id>[^/.]+)\.(?P<format>[^/]+)$": [
            f"/-/export/{kept.spoken}.{name}" for name in FORMATS
        ],
        r"/-/feed/(?P<feed>[^/]+)\.xml$": ["/-/feed/show.xml"],
        r"/-/feed/(?P<feed>[^/]+)$": ["/-/feed/show"],
        r"/-/quote/(?P<recording>[^/]+)/(?P<passage>[^/]+)$": [
            f"/-/quote/{SHA256[:12]}/5000-7900",
            f"/-/quote/{SHA256[:12]}/5000-7900.json",
        ],
        r"/-/clip/(?P<recording>[^/]+)/(?P<passage>[^/]+)$": [f"/-/clip/{SHA256[:12]}/5000-7900.mp3"],
        r"/-/speakers$": ["/-/speakers"],
        r"/-/speaker/(?P<name>[^/]+)$": ["/-/speaker/Host"],
        r"/-/questions$": ["/-/questions"],
        r"/-/review$": ["/-/review"],
        r"/-/status$": ["/-/status"],
        r"/-/status\.json$": ["/-/status.json"],
        r"/-/atom$": ["/-/atom", "/-/atom?q=door"],
        r"/sitemap(?:-(?P<part>\d{1,6}))?\.xml$": ["/sitemap.xml"],
        r"/llms\.txt$": ["/llms.txt"],
        r"/-/correct$": ["/-/correct"],
        r"/-/check$": [f"/-/check?{urlencode({'episode': kept.spoken, 'n': 3})}"],
    }


DATASETTES = [
    "/a", "/a.json", "/a/segments", "/a/segments.json", "/a/segments.json?_search=door", "/a/segments.csv",
    "/a/segments/1", "/a/segments/1.json", "/a/episodes.json", "/a/question_times.json", "/a/needs_listening",
    "/a/transcripts_fts.json", "/a/checks.json", "/a.db", "/-/databases.json", "/-/plugins.json",
    "/a?sql=select+text+from+segments" if TOKENS else "/a/-/query?sql=select+text+from+segments",
    "/a.json?sql=select+text+from+segments" if TOKENS else "/a/-/query.json?sql=select+text+from+segments",
]  # fmt: skip


@pytest.fixture
def private(serve: Serve) -> Site:
    """The archive, visible to ann only."""
    return serve(metadata={"allow": {"id": "ann"}})


def test_every_route_of_the_site_is_tried_here(kept: Kept) -> None:
    assert {pattern for pattern, _ in register_routes()} == addresses(kept).keys() | {OPEN}


def test_no_route_of_the_site_tells_anything_to_whoever_may_not_see_the_archive(private: Site, kept: Kept) -> None:
    for paths in addresses(kept).values():
        for path in paths:
            for method in ("GET", "HEAD", "POST"):
                for stranger in (None, "bob"):
                    refused = private.ask(path, method=method, actor=stranger, sec_fetch_site="same-origin")
                    assert refused.status_code in {403, 405}, path
                    assert [secret for secret in SECRETS if secret in refused.text] == [], path
            if path != "/-/correct":  # POST only
                answer = private.ask(path, method="GET", actor="ann")
                assert answer.status_code == 200 or (path.startswith(NOT_THERE) and answer.status_code == 404), path


@pytest.mark.parametrize("path", DATASETTES)
def test_nor_does_datasette_itself(kept: Kept, path: str) -> None:
    with opened(immutables=[str(kept.path)], metadata={"allow": {"id": "ann"}}) as private:  # for a download
        for stranger in (None, "bob"):
            refused = private.ask(path, actor=stranger)
            assert refused.status_code == 403
            assert [secret for secret in SECRETS if secret in refused.text] == []
        assert private.ask(path, actor="ann").status_code == 200


def test_nor_does_posting(private: Site) -> None:
    for path in ("/-/check", "/-/correct"):
        for stranger in (None, "bob"):
            headers: dict[str, Any] = {
                "content_type": FORM,
                "sec_fetch_site": "same-origin",
                "accept": "application/json",
            }
            refused = private.ask(path, method="POST", actor=stranger, **headers)
            assert refused.status_code == 403
            assert [secret for secret in SECRETS if secret in refused.text] == []


def test_what_is_public_is_no_part_of_the_archive(private: Site) -> None:
    for name in (
        "archive.css",
        "colours.css",
        "datasette.css",
        "quote.css",
        "archive.js",
        "correct.js",
        "check.js",
        "quote.js",
    ):
        assert private.ask(f"/-/static-plugins/interview-archive/{name}").status_code == 200


class Browser(httpx.Client):
    """Keeps cookies, and submits a page's form with its hidden fields."""

    def send_form(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.get(path).text))
        return self.post(path.partition("?")[0], data={**hidden, **fields}, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def address(serve: Serve) -> Iterator[str]:
    """The private archive over HTTP, with two accounts, one of which may see it."""
    hashes = {name: hash_password(f"{name}'s secret", iterations=1000) for name in ("ann", "bob")}
    hidden = {"datasette-auth-passwords": {f"{name}_password_hash": hash_ for name, hash_ in hashes.items()}}
    with listening(serve(metadata={"allow": {"id": "ann"}, "plugins": hidden})) as running:
        yield running


def test_an_editor_signs_in_with_a_password_and_checks_a_passage(address: str, kept: Kept) -> None:
    form = f"/-/check?{urlencode({'episode': kept.spoken, 'n': 3})}"
    with Browser(base_url=address) as ann:
        assert ann.get(form).status_code == 403
        wrong = ann.send_form("/-/login", {"username": "ann", "password": "bob's secret"})
        assert "Invalid username or password" in wrong.text
        assert ann.get(form).status_code == 403
        assert ann.send_form("/-/login", {"username": "ann", "password": "ann's secret"}).status_code == 302
        answer = ann.send_form(form, {"status": "checked", "text": "I do not doubt that."})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/-/episode/{kept.spoken}#s3")
        assert "Checked by ann on" in ann.get(f"/-/episode/{kept.spoken}").text
    with reader(kept.path) as connection:
        (entry,) = history(connection, SHA256)
    assert (entry.editor, entry.text) == ("ann", "I do not doubt that.")


def test_another_account_is_signed_in_and_sees_nothing(address: str, kept: Kept) -> None:
    with Browser(base_url=address) as bob:
        assert bob.send_form("/-/login", {"username": "bob", "password": "bob's secret"}).status_code == 302
        for path in ("/", f"/-/episode/{kept.spoken}", f"/-/audio/{SHA256}", "/a/segments.json"):
            assert bob.get(path).status_code == 403
