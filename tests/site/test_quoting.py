"""The page of a quotation over HTTP, its JSON, and its audio as a file."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from pipeline.archive.attributions import attribute, speech
from pipeline.archive.database import writer
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import save_transcript
from pipeline.model import Comparison, KeptAudio, Piece, Signature, Transcript
from tests.support.archive_fixture import EVIL, SHA256, Kept, Serve, Site, kept, serve, site
from tests.support.building import NOW, add_transcript, spoken
from tests.support.reading import Tags, text_of

__all__ = ["kept", "serve", "site"]  # fixtures

PREFIX = SHA256[:12]
URL = f"/-/quote/{PREFIX}/2000-4900"  # the last word of one segment, and the first of the next
TEXT = "about relationships, and it always was."


def tags_of(page: str, name: str) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in Tags(page).found if tag == name]


def test_a_quotation_has_a_page_with_its_words_and_where_they_come_from(site: Site, kept: Kept) -> None:
    response = site.ask(URL)
    assert response.status_code == 200
    page, text = response.text, text_of(response)
    for said in (
        f"Guest {EVIL} “{TEXT}”",
        f"One {EVIL}",
        "2 January 2026",
        "00:02–00:05, in the episode",
        "Machine transcript, not checked by a person. Listen before you quote.",
        "Published question 1 What is social work about?",
        "Whisper tiny.en (en), run by faster-whisper",
        SHA256,
    ):
        assert said in text
    assert f'href="/-/episode/{kept.spoken}?t=2.0"' in page
    (player,) = tags_of(page, "audio")
    assert player["src"] == f"/-/audio/{SHA256}#t=1.9,5.0"
    assert f'href="/-/clip/{PREFIX}/2000-4900.mp3"' in page
    assert "Other wording" not in text
    assert "has changed" not in text


def test_other_sites_are_told_what_a_link_leads_to(site: Site) -> None:
    page = site.ask("/-/quote/" + SHA256 + "/1990-4901", host="archive.example").text
    told = {one["property"]: one["content"] or "" for one in tags_of(page, "meta") if "property" in one}
    assert told["og:title"] == f"Guest {EVIL}: “{TEXT}”"
    (canonical,) = [one["href"] for one in tags_of(page, "link") if one["rel"] == "canonical"]
    assert canonical == f"http://archive.example/-/quote/{PREFIX}/2000-4900"
    # What is shared can tell later whether the words have changed.
    assert re.fullmatch(re.escape(f"{canonical}?w=") + "[0-9a-f]{12}", told["og:url"] or "")
    assert next(one["cite"] for one in tags_of(page, "blockquote")) == told["og:url"]
    assert told["og:type"] == "article"
    assert told["og:description"].startswith(f"Show, “One {EVIL}”, 2 January 2026, 00:02–00:05. Machine transcript")
    assert {one["name"]: one["content"] for one in tags_of(page, "meta") if "name" in one}["description"] == (
        told["og:description"]
    )


def test_the_json_of_a_quotation_has_everything(site: Site, kept: Kept) -> None:
    found = site.ask(f"{URL}.json", host="archive.example").json()
    assert site.ask(URL, accept="application/json", host="archive.example").json() == found
    digest = found["wording"]
    assert re.fullmatch("[0-9a-f]{6}", digest)
    assert re.fullmatch(re.escape(f"http://archive.example{URL}?w={digest}") + "[0-9a-f]{6}", found["url"])
    assert (found["text"], found["start"], found["end"], found["times"]) == (TEXT, 2.0, 4.9, "00:02–00:05")
    (line,) = found["lines"]
    assert line == {
        "text": TEXT,
        "speaker": f"Guest {EVIL}",
        "standing": None,
        "role": None,
        "question": 1,
        "questions": [1],
    }
    assert (found["episode"], found["title"], found["show"]) == (kept.spoken, f"One {EVIL}", "Show")
    assert found["audio"] == {"sha256": SHA256, "duration": 60.0}
    assert found["transcript"] == {
        "source": "whisper",
        "engine": "faster-whisper",
        "model": "tiny.en",
        "language": "en",
        "created": NOW,
    }
    assert found["standing"] == "Machine transcript, not checked by a person"
    assert (found["checked"], found["checks"], found["changed"], found["others"]) == (False, [], False, [])
    assert found["clip"] == f"/-/clip/{PREFIX}/2000-4900.mp3"
    for form, content in found["citation"].items():
        assert found["url"] in unescape(content), form
    assert "<script>" not in found["citation"]["html"]


def test_a_part_of_a_sentence_leads_to_the_whole(site: Site) -> None:
    part = site.ask(f"{URL}.json").json()
    whole = site.ask(f"{part['sentences']}.json").json()
    assert whole["text"] == "Good social work is about relationships, and it always was."
    assert whole["sentences"] is None
    assert f'<a href="{part["sentences"]}">Quote the whole sentence</a>' in site.ask(URL).text
    assert "whole sentence" not in site.ask(part["sentences"]).text


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1:8001", "[::1]:8001", "archive.example", "10.0.0.7"])
def test_a_link_that_works_on_this_computer_only_says_so(site: Site, host: str) -> None:
    elsewhere = host in {"archive.example", "10.0.0.7"}
    assert site.ask(f"{URL}.json", host=host).json()["works_elsewhere"] is elsewhere
    assert ("works on this computer only" in site.ask(URL, host=host).text) is not elsewhere


def test_the_texts_to_copy_are_on_the_page_too(site: Site) -> None:
    page = site.ask(URL).text
    citation = site.ask(f"{URL}.json").json()["citation"]
    for form, content in citation.items():
        box = re.search(rf'<textarea id="as-{form}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
        assert box is not None
        assert unescape(box[1]) == content


def test_a_link_tells_whether_the_words_have_changed_since(site: Site, kept: Kept) -> None:
    link = site.ask(f"{URL}.json").json()["url"].removeprefix("http://localhost")
    assert "has changed" not in text_of(site.ask(link))
    with writer(kept.path) as db:
        segments = spoken("Good social work is about", "friendships, and it always was.", "The front door.")
        save_transcript(
            db, kept.spoken, Transcript(SHA256, 60.0, "faster-whisper", "base.en", "en", NOW, segments), "again"
        )
    text = text_of(site.ask(link))
    assert text.index("The wording has changed since this link was made.") < text.index("friendships")
    assert text.index("friendships") < text.index("The words that the link was made for") < text.index(TEXT)
    assert "Other wording" not in text
    found = site.ask(f"{link.replace('?', '.json?')}").json()
    assert found["changed"]
    assert found["linked"]["text"] == TEXT
    assert found["in_force"]["text"] == found["text"] == "about friendships, and it always was."

    unasked = text_of(site.ask(URL))
    assert "has changed" not in unasked
    assert unasked.index("Other wording in this archive") < unasked.index(TEXT)
    lost = text_of(site.ask(f"{URL}?w=000000"))
    assert "The words that it was made for are no longer in this archive." in lost
    assert "has changed" not in text_of(site.ask(f"{URL}?w=mangled"))


def test_a_link_tells_whether_somebody_else_is_named_since(site: Site, kept: Kept) -> None:
    link = site.ask(f"{URL}.json").json()["url"].removeprefix("http://localhost")
    with writer(kept.path) as db:
        seen = speech(db.conn, kept.spoken, 1, 1).seal
        attribute(db, kept.spoken, (1, 1), "Bo Cole", Signature("ann", NOW), seen=seen, everywhere=False)
    text = text_of(site.ask(link))
    assert "The speaker’s name has changed since this link was made." in text
    assert f"The machine’s label was Guest {EVIL}." in text
    assert "name has changed since" not in text_of(site.ask(URL))
    found = site.ask(f"{link.replace('?', '.json?')}").json()
    assert (found["other_speakers"], found["changed"]) == (True, False)


def test_questions_that_were_heard_are_not_cited_as_published(site: Site, kept: Kept) -> None:
    assert "Published question 1" in site.ask(URL).text
    with writer(kept.path) as db:
        db.execute("update questions set source = 'detected'")
        db.conn.commit()
    page = site.ask(URL).text
    assert "Published question" not in page
    assert page.count("Question as heard, not published, 1") == 4  # the page, and the three forms to copy
    assert site.ask(f"{URL}.json").json()["questions_detected"]


def test_who_checked_the_words_is_on_the_page(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        db.execute(
            """insert into checks (rendition, start, "end", text, machine, editor, made_at)
               values (?, 0, 5, '', '', ?, ?)""",
            [SHA256, EVIL, NOW],
        )
    assert f"Checked by {EVIL} on 2 January 2026, except for who speaks." in text_of(site.ask(URL))
    assert "Listen before you quote" not in text_of(site.ask(URL))
    part = text_of(site.ask(f"/-/quote/{PREFIX}/2000-7900"))
    assert f"Machine transcript, checked only in part by {EVIL} on 2 January 2026." in part


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("0123456/0-1000", 400, "has 8 to 64"),
        (f"{SHA256.upper()}/0-1000", 400, "has 8 to 64"),
        ("0123456789ab/0-1000", 404, "keeps no recording"),
        (f"{PREFIX}/1000-0", 400, "cannot end before it begins"),
        (f"{PREFIX}/0-999999", 400, "10 minutes at most"),
        (f"{PREFIX}/60000-61000", 404, "ends at 1:00"),
        (f"{PREFIX}/30000-31000", 404, "Nothing is said between 0:30 and 0:31"),
        (f"{PREFIX}/x-y", 404, "first and last millisecond"),
        (f"{PREFIX}/0-9999999999", 404, "first and last millisecond"),
        (f"{PREFIX}/0-²", 404, "first and last millisecond"),
        (f"{PREFIX}/0-1000.xml", 404, "ends with a millisecond or with .json"),
    ],
)
def test_an_address_that_names_no_quotation_is_answered_plainly(site: Site, path: str, status: int, said: str) -> None:
    response = site.ask(f"/-/quote/{path}")
    assert response.status_code == status
    assert said in text_of(response)
    data = site.ask(f"/-/quote/{path}", accept="application/json")
    assert data.status_code == status
    assert said in data.json()["error"]


def test_head_and_other_methods(site: Site) -> None:
    for path in (URL, f"{URL}.json"):
        response = site.ask(path, method="HEAD")
        assert (response.status_code, response.content) == (200, b"")
        assert site.ask(path, method="PUT", Sec_Fetch_Site="same-origin").status_code in {403, 405}


def test_only_who_may_see_the_archive_gets_quotations_and_clips(serve: Serve) -> None:
    site = serve(metadata={"allow": {"id": "ann"}})
    for path in (URL, f"{URL}.json", URL.replace("quote", "clip") + ".mp3", "/-/quote/0123456789ab/0-1"):
        response = site.ask(path)
        assert response.status_code == 403
        assert "relationships" not in response.text
    assert site.ask(URL, actor="ann").status_code == 200


def test_links_of_a_quotation_hold_under_another_base(serve: Serve) -> None:
    site = serve(settings={"base_url": "/x/"})
    page = site.ask(URL).text
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert [link for link in links if not re.match(r"(http://localhost)?/x/(?!x/)|#|https://", link)] == []
    found = site.ask(f"{URL}.json").json()
    assert (found["url"] or "").startswith(f"http://localhost/x{URL}?w=")
    assert found["clip"].startswith("/x/-/clip/")


def test_hits_and_pointed_passages_lead_to_their_quotations(site: Site, kept: Kept) -> None:
    quoted = f"/-/quote/{PREFIX}/2000-4400"
    address = f"{quoted}?e={kept.spoken.replace('/', '%2F')}"
    page = site.ask('/-/search?q="about relationships, and it always"').text
    assert f'href="{address}" data-quote="{address}"' in page
    assert (
        f'href="/-/quote/{PREFIX}/2500-4900?e={kept.spoken.replace("/", "%2F")}"'
        in site.ask(f"/-/episode/{kept.spoken}?t=3").text
    )
    assert f'data-quotes="/-/quote/{PREFIX}/"' in site.ask(f"/-/episode/{kept.spoken}").text


def test_a_file_of_several_episodes_names_them_all(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        db.execute(
            """insert into renditions (sha256, episode, url, final_url, bytes, content_type, duration, fetched_at, path)
               select sha256, ?, url, final_url, bytes, content_type, duration, fetched_at, path from renditions""",
            [kept.waiting],
        )
    assert "Also in Two" in text_of(site.ask(URL))
    assert site.ask(f"{URL}.json").json()["also_in"] == [{"episode": kept.waiting, "title": "Two"}]


def test_a_quotation_from_a_recording_that_was_replaced_names_no_second_of_the_new_one(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db:
        db.execute(
            """insert into renditions (sha256, episode, url, final_url, bytes, content_type, duration, fetched_at, path)
               select sha256, ?, url, final_url, bytes, content_type, duration, fetched_at, path from renditions""",
            [kept.waiting],
        )
        add_transcript(db, kept.spoken, spoken("An advertisement.", start=4.0), sha256="ef" * 32)
        db.conn.commit()
    response = site.ask(URL)
    assert "This recording has since been replaced; the times here are its own." in text_of(response)
    assert f'href="/-/episode/{kept.spoken}"' in response.text
    assert f"/-/episode/{kept.spoken}?t=" not in response.text
    assert f'href="/-/episode/{kept.waiting}?t=2.0"' in response.text  # there it is still the current one
    found = site.ask(f"{URL}.json").json()
    assert (found["replaced"], found["episode_url"]) == (True, f"/-/episode/{kept.spoken}")


@pytest.mark.parametrize(
    ("pieces", "words", "second"),
    [
        ([Piece(0.0, 60.0, 30.0)], "The episode’s page plays another one: there it begins at 0:32", 32.0),
        ([Piece(2.5, 60.0, 0.0)], "plays another one: only part of it is there, from 0:00", 0.0),
        ([Piece(30.0, 60.0, 0.0)], "The episode’s page plays another one: this passage is not in it.", None),
    ],
)
def test_a_quotation_from_a_recording_that_was_replaced_says_where_it_is_in_the_new_one(
    site: Site, kept: Kept, pieces: list[Piece], words: str, second: float | None
) -> None:
    new = "ef" * 32
    with writer(kept.path) as db:
        audio = KeptAudio(new, "audio/ef/x.mp3", 3, "audio/mpeg", 90.0, "u", "u", NOW)
        compared = Comparison(SHA256, new, "changed", tuple(pieces))
        save_rendition(db, kept.spoken, audio, comparison=compared)
        transcript = Transcript(new, 90.0, "x", "y", "en", NOW, spoken("An advertisement.", start=4.0))
        save_transcript(db, kept.spoken, transcript, "new")
    response = site.ask(URL)
    assert words in text_of(response)
    address = f"/-/episode/{kept.spoken}" + ("" if second is None else f"?t={second}")
    assert f'href="{address}"' in response.text
    found = site.ask(f"{URL}.json").json()
    assert (found["episode_url"], found["in_current"]["start"]) == (address, second)
    assert found["in_current"]["whole"] is (second == 32.0)


def test_a_quotation_leads_to_the_second_while_a_newer_recording_is_not_transcribed(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db:
        save_rendition(db, kept.spoken, KeptAudio("ef" * 32, "audio/ef/x.mp3", 3, "audio/mpeg", 90.0, "u", "u", NOW))
    response = site.ask(URL)
    assert "replaced" not in text_of(response)
    assert f'href="/-/episode/{kept.spoken}?t=2.0"' in response.text
    assert not site.ask(f"{URL}.json").json()["replaced"]


def test_a_passage_that_the_machine_doubted_says_so(site: Site) -> None:
    assert "was not sure of this passage: the words are uncertain" in text_of(site.ask(f"/-/quote/{PREFIX}/8000-9400"))


def test_words_in_another_transcript_alone_are_said_to_be_of_another(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db:
        later = tuple(replace(one, text="x") for one in spoken("x", start=50.0))
        save_transcript(
            db, kept.spoken, Transcript(SHA256, 60.0, "faster-whisper", "base.en", "en", NOW, later), "later"
        )
    text = text_of(site.ask(URL))
    assert "The transcript in force has no words here." in text
    assert TEXT in text
