"""The command `export` and the site's routes: complete files, helpful errors, the right types."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import feedparser
import pytest
import srt
import webvtt
from click.testing import CliRunner, Result

from pipeline.archive.database import reader, writer
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.voices import save_speakers
from pipeline.cli import main
from pipeline.export import FORMATS
from pipeline.model import Match, Speaker
from tests.support.archive_fixture import EVIL, SHA256, Kept, Serve, Site, kept, listening, serve, site
from tests.support.browsing import chromium, launched
from tests.support.building import NOW, add_feed, add_transcript, episode, name_speaker, spoken

__all__ = ["chromium", "kept", "serve", "site"]  # fixtures

TYPES = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "txt": "text/plain",
    "json": "application/json",
    "chapters.json": "application/json+chapters",
    "psc.xml": "application/xml",
    "chapters.vtt": "text/vtt",
    "notes.md": "text/markdown",
    "notes.html": "text/html",
}


def export(db: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", "--db", str(db), *map(str, arguments)])


def test_one_text_goes_to_stdout(kept: Kept) -> None:
    result = export(kept.path, kept.spoken, "--format", "notes.md", "--base-url", "https://a.example/x/")
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == f"- [0:00](https://a.example/x/-/episode/{kept.spoken}?t=0.0#q1) 1\\) What is social work about?"
    assert lines[2] == "- 3\\) And the budget? *(not asked)*"
    assert lines[4].startswith("- [0:03]")  # the correction, not the match


def test_notes_whose_links_lead_nowhere_say_so(kept: Kept, tmp_path: Path) -> None:
    form = ("--format", "notes.html")
    for result in (export(kept.path, kept.spoken, *form), export(kept.path, kept.spoken, *form, "--out", tmp_path)):
        assert result.exit_code == 0
        assert result.stderr == "The links in the notes begin with /-/: give the site's address with --base-url.\n"
    assert export(kept.path, kept.spoken, "--format", "vtt").stderr == ""


def test_an_episode_is_named_as_for_correcting_it(kept: Kept) -> None:
    by_id, by_title, by_part = (export(kept.path, name, "--format", "txt") for name in (kept.waiting, "two", "Tw"))
    assert by_id.stderr == by_title.stderr == by_part.stderr
    assert f"{kept.waiting}: is not transcribed yet" in by_id.stderr
    several = export(kept.path, "o", "--format", "txt")
    assert several.exit_code == 2
    assert "“o” fits 2 episodes; give an id" in several.stderr


def test_files_have_the_names_they_have_on_the_site(kept: Kept, tmp_path: Path) -> None:
    forms = [part for form in [*FORMATS, "vtt"] for part in ("--format", form)]
    result = export(kept.path, kept.spoken, *forms, "--out", tmp_path / "new" / "out")
    assert result.exit_code == 0, result.stderr
    made = [tmp_path / "new" / "out" / f"{kept.spoken}.{form}" for form in FORMATS]
    assert result.stdout.splitlines() == [str(path) for path in made]
    assert all(path.stat().st_size for path in made)
    feed = export(kept.path, "show", "--format", "xml", "--out", tmp_path, "--base-url", "https://a.example")
    assert feed.stdout == f"{tmp_path / 'show.xml'}\n"
    assert not feedparser.parse((tmp_path / "show.xml").read_bytes()).bozo


def test_what_fails_of_several_is_named_and_ends_with_3(kept: Kept, tmp_path: Path) -> None:
    result = export(kept.path, "--all", "--format", "vtt", "--format", "txt", "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 2
    assert [line.partition(" Run ")[0] for line in result.stderr.splitlines()] == [
        f"vtt: {kept.waiting}: is not transcribed yet.",
        f"txt: {kept.waiting}: is not transcribed yet.",
    ]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == [
        f"{kept.spoken.split('/')[1]}.txt",
        f"{kept.spoken.split('/')[1]}.vtt",
    ]


def test_what_fails_alone_ends_with_1_and_an_older_file_stays(kept: Kept, tmp_path: Path) -> None:
    older = tmp_path / f"{kept.waiting}.vtt"
    older.parent.mkdir()
    older.write_text("older", encoding="utf-8")
    result = export(kept.path, kept.waiting, "--format", "vtt", "--out", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {kept.waiting}: is not transcribed yet.")
    assert [path.name for path in older.parent.iterdir()] == [older.name]
    assert older.read_text(encoding="utf-8") == "older"
    alone = export(kept.path, kept.waiting, "--format", "vtt")
    assert (alone.exit_code, alone.stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show/00000000", "--format", "vtt"], "no episode matches “show/00000000”: give an id"),
        (["shwo", "--format", "vtt"], "(the feeds are: other, show)"),
        (["show", "--format", "docx"], "'docx' is not one of"),
        (["show"], "Missing option '--format'"),
        (["--format", "vtt"], "Name one episode or feed"),
        (["show", "--all", "--format", "vtt"], "Name one episode or feed"),
        (["--all", "--format", "vtt"], "--out"),
        (["show", "--format", "mp3"], "--out"),
        (["show", "--format", "vtt", "--format", "srt"], "--out"),
        (["show", "--format", "xml"], "--base-url"),
        (["show", "--format", "xml", "--base-url", "ftp://a.example"], "https://HOST"),
        (["SPOKEN", "--format", "xml", "--base-url", "https://a.example"], "for a whole feed"),
    ],
)
def test_wrong_usage_ends_with_2(kept: Kept, arguments: list[str], said: str) -> None:
    result = export(kept.path, *(kept.spoken if one == "SPOKEN" else one for one in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_folder_that_cannot_be_written_is_said(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = export(kept.path, kept.spoken, "--format", "vtt", "--out", tmp_path / "file")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_no_id_leads_out_of_the_folder(kept: Kept, tmp_path: Path) -> None:
    with writer(kept.path) as db, db.atomic():
        db.execute("pragma defer_foreign_keys = on")
        referring = [
            (table, key.column)
            for table in db.table_names()
            for key in db.table(table).foreign_keys
            if (key.other_table, key.other_column) == ("episodes", "id")
        ]
        compound = [("transcripts", "episode"), ("renditions", "episode")]
        for table, column in dict.fromkeys([("episodes", "id"), *referring, *compound]):
            db.execute(f"update {table} set {column} = '../../evil' where {column} = ?", [kept.spoken])
    result = export(kept.path, "../../evil", "--format", "vtt", "--out", tmp_path / "a" / "b")
    assert result.exit_code == 1
    assert "is not an id that can name a file" in result.stderr
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("form", FORMATS)
def test_the_site_sends_every_format_with_its_type(site: Site, kept: Kept, form: str) -> None:
    address = f"/-/export/{kept.spoken}.{form}"
    response = site.ask(address)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{TYPES[form]}; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert response.headers.get("access-control-allow-origin") == (None if form.startswith("notes") else "*")
    assert response.text.replace("http://localhost/", "/") == export(kept.path, kept.spoken, "--format", form).stdout
    assert site.ask(address, method="HEAD").content == b""
    assert site.ask(address, method="POST").status_code in {403, 405}


def test_links_in_what_the_site_sends_are_whole_and_below_its_base(serve: Serve, kept: Kept) -> None:
    site = serve(settings={"base_url": "/x/"})
    notes = site.ask(f"/-/export/{kept.spoken}.notes.html").text
    assert f'href="http://localhost/x/-/episode/{kept.spoken}?t=5.0#q2"' in notes
    assert "<script" not in notes
    feed = site.ask("/-/feed/show.xml")
    assert feed.headers["content-type"] == "application/rss+xml; charset=utf-8"
    (entry,) = feedparser.parse(feed.content).entries
    (audio,) = entry.enclosures
    assert (audio.href, audio.type) == (f"http://localhost/x/-/audio/{SHA256}", "audio/mpeg")
    assert len(site.ask(audio.href.removeprefix("http://localhost/x")).content) == int(audio.length)
    for element in ElementTree.fromstring(feed.content).iter("{https://podcastindex.org/namespace/1.0}transcript"):  # noqa: S314
        address = element.attrib["url"].removeprefix("http://localhost/x")
        assert site.ask(address).headers["content-type"].startswith(element.attrib["type"])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/-/export/show/00000000.vtt", "no episode “show/00000000”"),
        ("/-/export/SPOKEN.docx", "“docx” is not one of: vtt, srt"),
        ("/-/export/SPOKEN.mp3", "“mp3” is not one of"),
        ("/-/export/WAITING.vtt", "not transcribed yet"),
        ("/-/export/WAITING.chapters.json", "has no chapters"),
        ("/-/feed/shwo.xml", "no feed “shwo”"),
        ("/-/feed/other.xml", "none of its audio is kept"),
    ],
)
def test_what_there_is_not_is_said_plainly(site: Site, kept: Kept, address: str, said: str) -> None:
    response = site.ask(address.replace("SPOKEN", kept.spoken).replace("WAITING", kept.waiting))
    assert response.status_code == 404
    assert said in unescape(response.text)
    if address.endswith(".json"):
        assert response.json()["ok"] is False


@pytest.mark.parametrize(
    "metadata", [{"allow": {"id": "ann"}}, {"databases": {"a": {"tables": {"segments": {"allow": {"id": "ann"}}}}}}]
)
def test_only_those_who_may_see_the_archive_get_exports(serve: Serve, kept: Kept, metadata: dict[str, Any]) -> None:
    site = serve(metadata=metadata)
    for path in (f"/-/export/{kept.spoken}.vtt", f"/-/export/{kept.spoken}.notes.md", "/-/feed/show.xml"):
        assert site.ask(path).status_code == 403
        assert site.ask(path, actor="ann").status_code == 200
    assert site.ask("/-/export/no/thing.vtt").status_code == 403


def test_an_episodes_page_links_what_there_is(site: Site, kept: Kept) -> None:
    page = site.ask(f"/-/episode/{kept.spoken}").text
    for form in FORMATS:
        assert f'href="/-/export/{kept.spoken}.{form}"' in page
    alternate = '<link rel="alternate" type="application/rss+xml" title="Show" href="/-/feed/show.xml">'
    assert alternate in page
    assert alternate in site.ask("/").text
    waiting = site.ask(f"/-/episode/{kept.waiting}").text
    assert "/-/export/" not in waiting
    assert "/-/feed/other.xml" not in waiting


def test_the_recording_can_be_had_under_a_name_that_says_what_it_is(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        db.execute("update episodes set title = ?", [f"What now?\u202e A/B <b> {'and so on ' * 20}"])
    (link,) = re.findall(r'<a href="([^"]+)" download="([^"]+)">MP3</a>', site.ask(f"/-/episode/{kept.spoken}").text)
    assert link[0] == f"/-/audio/{SHA256}"
    assert re.fullmatch(r"Show – What now-- A-B -b- and so on [a-z ]+…\.mp3", link[1])
    assert len(link[1]) <= 84
    assert site.ask(link[0]).status_code == 200
    shutil.rmtree(kept.path.parent / "audio")
    assert " download=" not in site.ask(f"/-/episode/{kept.spoken}").text


def test_what_is_only_transcribed_has_no_chapters_to_link(serve: Serve, tmp_path: Path) -> None:
    with writer(tmp_path / "b.db") as db:
        (one,) = add_feed(db, "show", episode("one", questions=["What now?"]))
        transcript = add_transcript(db, one, spoken("Good morning to you."))
    page = serve(tmp_path / "b.db").ask(f"/-/episode/{one}").text
    assert f"/-/export/{one}.vtt" in page
    assert "notes.md" not in page
    with writer(tmp_path / "b.db") as db:
        save_matches(db, one, transcript, [Match(1, "not_asked")], key="k", now=NOW)
    page = serve(tmp_path / "b.db").ask(f"/-/episode/{one}").text
    assert "notes.md" in page
    assert "chapters.json" not in page


def test_a_speaker_has_the_name_that_is_known(kept: Kept) -> None:
    with writer(kept.path) as db:
        save_speakers(db, 1, (Speaker("Host", None, "host", 9.0),))
        name_speaker(db, 1, "Host", "Ann Archer")
    captions = webvtt.from_string(export(kept.path, kept.spoken, "--format", "vtt").stdout)
    assert captions[-1].voice == "Ann Archer"


def test_times_are_of_the_file_that_was_transcribed(kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        db.execute("update renditions set current = 0")
        db.execute(
            """insert into renditions (sha256, episode, url, final_url, bytes, content_type, duration, fetched_at, path)
               select 'new', episode, url, final_url, bytes, content_type, 99, fetched_at, path from renditions"""
        )
    written = json.loads(export(kept.path, kept.spoken, "--format", "chapters.json").stdout)
    assert written["fileName"] == f"{SHA256}.mp3"


@pytest.mark.browser
def test_a_browser_on_another_site_reads_captions_and_chapters(serve: Serve, kept: Kept, chromium: str) -> None:
    with listening(serve()) as address, launched(chromium) as browser:
        page = browser.new_page()
        base = f"{address}/-/export/{kept.spoken}"
        page.set_content(
            f'<video crossorigin="anonymous"><track kind="captions" default src="{base}.vtt"></video>'
            f'<video crossorigin="anonymous"><track kind="chapters" default src="{base}.chapters.vtt"></video>'
        )
        page.wait_for_function("[...document.querySelectorAll('track')].every((track) => track.readyState === 2)")
        captions, chapters = page.evaluate(
            """[...document.querySelectorAll("track")].map((track) => [...track.track.cues].map((cue) =>
               [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent, cue.getCueAsHTML().children[0]?.title]))"""
        )
    assert captions == [
        [0, 4.9, "Good social work is about relationships,\nand it always was.", f"Guest {EVIL}"],
        [5, 7.9, f"The front door is\n{EVIL} calm.", f"Guest {EVIL}"],
        [8, 9.4, "I doubt that.", "Host"],
    ]
    assert [text for _, _, text, _ in chapters] == [
        "What is social work about?", "Anything else?", f"Is the door {EVIL} calm?",
    ]  # fmt: skip


def test_the_sample_show_is_exported_whole(demo_db: Path, tmp_path: Path) -> None:
    forms = [part for form in [*FORMATS, "mp3", "xml"] for part in ("--format", form)]
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (demo_db.parent / "audio").rglob("*.mp3")}
    result = export(demo_db, "--all", *forms, "--out", tmp_path, "--base-url", "https://a.example")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2 * (len(FORMATS) + 1) + 1
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in before} == before
    with reader(demo_db) as connection:
        episodes = connection.execute("select id, feed from episodes order by published").fetchall()
        texts = {
            row["id"]: " ".join(one["text"] for one in connection.execute(
                "select text from segments where episode = ? order by n", [row["id"]]
            ))
            for row in episodes
        }  # fmt: skip
    for episode_id, text in texts.items():
        captions = webvtt.read(str(tmp_path / f"{episode_id}.vtt")).captions
        assert " ".join(unescape(one.text) for one in captions).split() == text.split()
        assert {one.voice for one in captions} >= {"Alice Waterman"}
        subtitles = list(srt.parse((tmp_path / f"{episode_id}.srt").read_text(encoding="utf-8")))
        assert all(len(line) <= 42 for one in subtitles for line in one.content.split("\n"))
        assert all((one.end - one.start).total_seconds() >= 0.8 for one in subtitles)
    first = episodes[0]["id"]
    with av.open(tmp_path / f"{first}.mp3") as file:
        starts = [float(one["start"] * (one["time_base"] or 0)) for one in file.chapters()]
    written = json.loads((tmp_path / f"{first}.chapters.json").read_text(encoding="utf-8"))
    assert starts == pytest.approx([one["startTime"] for one in written["chapters"]])
    assert len(starts) == 10  # an introduction and nine questions
    assert starts[8] == pytest.approx(192.3, abs=1.0)
    assert f"[3:12](https://a.example/-/episode/{first}?t=192." in (tmp_path / f"{first}.notes.md").read_text("utf-8")
    parsed = feedparser.parse((tmp_path / f"{episodes[0]['feed']}.xml").read_bytes())
    assert not parsed.bozo
    assert {(one.enclosures[0].href[-64:], int(one.enclosures[0].length)) for one in parsed.entries} == {
        (path.stem, path.stat().st_size) for path in before
    }
