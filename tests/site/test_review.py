"""The editors' page of what to look at first."""

from __future__ import annotations

import pytest

from pipeline.site import review
from tests.support.archive_fixture import Kept, Serve, Site, kept, serve, site
from tests.support.correcting import Visitor, ann, configured
from tests.support.reading import text_of

__all__ = ["ann", "kept", "serve", "site"]  # fixtures


def test_what_is_in_doubt_is_listed_until_it_is_settled(ann: Visitor, site: Site, kept: Kept) -> None:
    page = site.ask("/-/review", actor="ann")
    text = text_of(page)
    assert "You are correcting as ann" in text
    assert "3 questions" in text
    assert [text.index(f"question {number} ") for number in (4, 2, 3)] == sorted(
        text.index(f"question {number} ") for number in (4, 2, 3)
    )
    assert f'href="/-/episode/{kept.spoken}#q4"' in page.text
    assert "<script>alert" not in page.text
    ann.said(4, status="asked", start="7.5")
    settled = text_of(site.ask("/-/review", actor="ann"))
    assert "2 questions" in settled
    assert "question 4 " not in settled


def test_a_long_list_begins_with_the_most_urgent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "LISTED", 1)
    text = text_of(site.ask("/-/review", actor="ann"))
    assert "3 questions, of which these are the first 1" in text
    assert ("question 4 " in text, "question 2 " in text) == (True, False)


def test_only_editors_are_led_to_it(site: Site, serve: Serve) -> None:
    assert ">To review</a>" in site.ask("/", actor="ann").text
    assert "To review" not in site.ask("/").text
    readers = serve(**configured(permissions={"correct-times": {"id": "ann"}}))
    assert ">To review</a>" in readers.ask("/", actor="ann").text
    assert "To review" not in readers.ask("/", actor="bob").text
    answer = site.ask("/-/review")
    assert answer.status_code == 403
    assert "Only a signed-in editor" in text_of(answer)


def test_it_holds_under_another_base(serve: Serve) -> None:
    site = serve(settings={"base_url": "/x/"})
    assert 'href="/x/-/review"' in site.ask("/-/questions", actor="ann").text
