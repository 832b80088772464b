"""Correcting on the site: permissions, and which forms are accepted as the site's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from datasette import Request, hookimpl
from datasette.plugins import pm

from tests.archive.test_corrections import made_before
from tests.support.archive_fixture import Kept, Serve, Site, kept, opened, serve, site
from tests.support.correcting import FORM, TOKENS, Visitor, ann, configured, recorded

__all__ = ["ann", "kept", "serve", "site"]  # fixtures


@pytest.mark.parametrize("actor", [None, ""])
def test_who_is_not_signed_in_is_told_how(site: Site, kept: Kept, actor: str | None) -> None:
    fields = Visitor(site, kept.spoken).fields(4, status="asked", start="6")
    stranger = Visitor(site, kept.spoken, actor)
    assert stranger.forms == []
    assert "correct.js" not in stranger.get().text
    for response in (stranger.post(fields), stranger.post(fields, accept="application/json")):
        assert response.status_code == 403
        assert "Sign in first" in response.text
        assert "serve --root" in response.text
    assert recorded(kept) == []


@pytest.mark.skipif(not TOKENS, reason="this Datasette has no tokens")
def test_a_wrong_or_missing_token_is_refused(ann: Visitor, kept: Kept) -> None:
    fields = ann.fields(4, status="asked", start="6")
    missing = {name: value for name, value in fields.items() if name != "csrftoken"}
    for wrong in (missing, {**fields, "csrftoken": ""}, {**fields, "csrftoken": "wrong"}):
        assert ann.post(wrong).status_code == 403
    assert recorded(kept) == []
    assert ann.post(missing, x_csrftoken=ann.token).status_code == 303


@pytest.mark.skipif(not TOKENS, reason="this Datasette has no tokens")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"note=Zo\xeb", 400),
        (b"note=" + b"x" * 70_000, 413),
        (b"csrftoken=%C3%AB", 403),
        (b"", 403),
    ],
)
def test_a_form_without_its_token_is_read_with_the_same_care(
    ann: Visitor, kept: Kept, body: bytes, status: int
) -> None:
    response = ann.post(body, accept="application/json")
    assert response.status_code == status
    assert response.json()["ok"] is False
    assert recorded(kept) == []


@pytest.mark.skipif(TOKENS, reason="this Datasette has tokens")
@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
def test_what_another_site_sends_is_refused(ann: Visitor, kept: Kept, origin: str) -> None:
    fields = ann.fields(4, status="asked", start="6")
    assert ann.post(fields, sec_fetch_site=origin).status_code == 403
    assert recorded(kept) == []
    assert ann.post(fields, sec_fetch_site="same-origin").status_code == 303


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"status": "asked"}', "application/json", 415),
        (b"status=asked", "text/plain", 415),
        (b"status=asked", "", 415),
        (b"note=" + b"x" * 70_000, FORM, 413),
        (b"status=asked&note=Zo\xeb", FORM, 400),
        (b"status=asked&note=Zo%EB", FORM, 400),
        (b"&".join(b"a%d=1" % n for n in range(40)), FORM, 400),
        (b"", FORM, 400),
    ],
)
def test_what_is_no_such_form_is_refused(ann: Visitor, kept: Kept, body: bytes, kind: str, status: int) -> None:
    response = ann.post(body, content_type=kind, x_csrftoken=ann.token, accept="application/json")
    assert response.status_code == status
    assert response.json()["ok"] is False
    assert recorded(kept) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_posting_records(ann: Visitor, kept: Kept, method: str) -> None:
    path = "/-/correct?" + urlencode(ann.fields(4, status="asked", start="6"))
    response = ann.site.ask(path, method=method)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert recorded(kept) == []


def test_a_form_that_is_cut_off_records_nothing(ann: Visitor, kept: Kept) -> None:
    body = urlencode(ann.fields(4, status="asked", start="0:06.25")).encode()
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/-/correct", "raw_path": b"/-/correct",
        "query_string": b"", "scheme": "http", "headers": [
            (b"content-type", FORM.encode()),
            (b"x-csrftoken", ann.token.encode()),
            (b"cookie", "; ".join(f"{name}={value}" for name, value in ann.cookies.items()).encode()),
        ],
    }  # fmt: skip
    messages = [{"type": "http.request", "body": body[:-2], "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    ann.site.run(ann.site.datasette.app()(scope, receive, send))
    assert sent[0]["status"] == 400
    assert recorded(kept) == []


ONLY_ANN = {"permissions": {"correct-times": {"id": ["ann", "carol"]}}}


@pytest.mark.parametrize(
    "config",
    [
        ONLY_ANN,
        {"databases": {"a": ONLY_ANN}},
        {"databases": {"a": ONLY_ANN}, "permissions": {"correct-times": {"id": "nobody"}}},
    ],
    ids=["instance", "database", "database before instance"],
)
def test_who_may_correct_is_configured_as_other_permissions(serve: Serve, kept: Kept, config: dict[str, Any]) -> None:
    site = serve(**configured(**config))
    ann, bob = Visitor(site, kept.spoken), Visitor(site, kept.spoken, "bob")
    assert bob.forms == []
    response = bob.post(ann.fields(4, status="asked", start="6"))
    assert response.status_code == 403
    assert recorded(kept) == []
    assert ann.post(ann.fields(4, status="asked", start="6")).status_code == 303


def test_who_may_not_see_the_archive_may_not_correct_it(serve: Serve, kept: Kept) -> None:
    fields = Visitor(serve(), kept.spoken).fields(4, status="asked", start="6")
    bob = Visitor(serve(**configured(allow={"id": "ann"})), kept.spoken, "bob")
    assert bob.post(fields).status_code == 403
    assert recorded(kept) == []


@pytest.mark.skipif(not TOKENS, reason="this Datasette has no tokens")
def test_who_is_signed_in_without_cookies_needs_the_token_too(ann: Visitor, kept: Kept) -> None:
    class Basic:
        """A plugin for HTTP Basic authentication."""

        @hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]  # Datasette is not typed
        def actor_from_request(self, request: Request) -> dict[str, str] | None:
            return {"id": "ann"} if request.headers.get("authorization") else None

    plugin = Basic()
    pm.register(plugin)
    try:
        fields = ann.fields(4, status="asked", start="6")
        ann.cookies = {}
        assert ann.post(fields, authorization="Basic YW5u").status_code == 403
        assert recorded(kept) == []
        ann.cookies = {"ds_csrftoken": fields["csrftoken"]}
        assert ann.post(fields, authorization="Basic YW5u").status_code == 303
    finally:
        pm.unregister(plugin)


def test_an_archive_that_never_changes_offers_no_forms(kept: Kept, site: Site) -> None:
    fields = Visitor(site, kept.spoken).fields(4, status="asked", start="6")
    with opened(immutables=[str(kept.path)]) as frozen:
        ann = Visitor(frozen, kept.spoken)
        assert ann.forms == []
        response = ann.post(fields, sec_fetch_site="same-origin", x_csrftoken=ann.token)
    assert response.status_code == 403
    assert recorded(kept) == []


def test_an_archive_of_an_older_version_says_how_to_bring_it_up_to_date(serve: Serve, tmp_path: Path) -> None:
    one = made_before(tmp_path / "old.db")
    site = serve(tmp_path / "old.db")
    for path in ("/", f"/-/episode/{one}", "/-/search?q=words", "/-/status", "/-/atom"):
        response = site.ask(path)
        assert response.status_code == 503, path
        assert "An older version made this archive. Any run brings it up to date" in response.text, path
