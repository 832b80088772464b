"""The command ``feeds``: listing the shows, and importing and exporting OPML."""

from __future__ import annotations

import json
from pathlib import Path
from stat import S_IMODE

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.database import writer
from pipeline.archive.feeds import ensure_feed
from pipeline.cli import main
from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.feeds.adding import as_yaml, entries
from pipeline.feeds.opml import Outline, read_opml, write_opml
from tests.support.building import add_feed, episode

YAML = """# Our shows.
feeds:
  - slug: an-old-show
    title: An old show
    url: https://example.org/old  # since 2019
"""
OPML = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.1"><head><title>Mine</title></head><body>
  <outline text="News"><outline type="rss" text="An Old Show" xmlUrl="https://example.org/old"/>
    <outline text="Caf&#233; talks: &amp; more" XMLURL=" https://example.org/cafe "/></outline>
  <outline text="An old show" xmlUrl="https://example.org/other"/>
  <outline text="twice" xmlUrl="https://example.org/other"/>
  <outline text="A file" xmlUrl="file:///etc/passwd"/><outline text="no feed" htmlUrl="https://example.org/"/>
</body></opml>"""


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


def call(feeds: Path, *arguments: object) -> Result:
    base = ["feeds", "--feeds", str(feeds), "--db", str(feeds.parent / "a.db")]
    return CliRunner().invoke(main, [*base, *map(str, arguments)])


def opml(feeds: Path, content: bytes = OPML) -> Path:
    path = feeds.parent / "mine.opml"
    path.write_bytes(content)
    return path


ADDED = """  - slug: cafe-talks-more
    title: 'Café talks: & more'
    url: https://example.org/cafe

  - slug: an-old-show-2
    title: An old show
    url: https://example.org/other
"""


def test_a_list_becomes_entries_of_which_none_is_there_already(feeds: Path) -> None:
    result = call(feeds, "--opml", opml(feeds))
    assert result.exit_code == 0
    assert result.stdout == ADDED
    assert "2 to be added, 1 already there" in result.stderr
    assert feeds.read_text(encoding="utf-8") == YAML


def test_entries_are_put_at_the_end_and_nothing_else_is_touched(feeds: Path) -> None:
    assert call(feeds, "--opml", opml(feeds), "--append").exit_code == 0
    assert feeds.read_text(encoding="utf-8") == YAML + "\n" + ADDED
    again = call(feeds, "--opml", opml(feeds), "--append")
    assert (again.exit_code, again.stdout) == (0, "")
    assert feeds.read_text(encoding="utf-8") == YAML + "\n" + ADDED


def test_a_list_begins_a_new_file(tmp_path: Path) -> None:
    feeds = tmp_path / "new.yaml"
    assert call(feeds, "--opml", opml(tmp_path / "feeds.yaml"), "--append").exit_code == 0
    assert [feed.url for feed in load(feeds).feeds][-1] == "https://example.org/other"


@pytest.mark.parametrize("is_new", [False, True])
def test_an_address_that_feeds_yaml_may_not_have_is_left_out(feeds: Path, is_new: bool) -> None:
    if is_new:
        feeds.unlink()
    bad = '<outline text="Bad" xmlUrl="http://"/><outline text="Worse" xmlUrl="http://:80/a"/></body>'
    result = call(feeds, "--opml", opml(feeds, OPML.replace(b"</body>", bad.encode())), "--append")
    assert result.exit_code == 0
    assert "the address is not a web address: A file (file:///etc/passwd), Bad (http://), Worse (" in result.stderr
    assert len(load(feeds).feeds) == 3


def test_a_file_of_windows_stays_one(feeds: Path) -> None:
    feeds.write_bytes(YAML.replace("\n", "\r\n").encode())
    assert call(feeds, "--opml", opml(feeds), "--append").exit_code == 0
    assert feeds.read_bytes().decode() == (YAML + "\n" + ADDED).replace("\n", "\r\n")


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_entries_are_put_beside_a_model_of_the_users_own_and_the_file_keeps_its_rights(feeds: Path, mode: int) -> None:
    (feeds.parent / "mine").mkdir()
    (feeds.parent / "mine" / "model.bin").touch()
    feeds.write_text(YAML + "    model: mine\n", encoding="utf-8")
    feeds.chmod(mode)
    result = call(feeds, "--opml", opml(feeds), "--append")
    assert result.exit_code == 0, result.output
    assert len(load(feeds).feeds) == 3
    assert S_IMODE(feeds.stat().st_mode) == mode


def test_entries_that_would_make_the_file_wrong_leave_it_as_it_is(feeds: Path) -> None:
    text = YAML + "...\n"
    feeds.write_text(text, encoding="utf-8")
    result = call(feeds, "--opml", opml(feeds), "--append")
    assert result.exit_code == 2
    assert f"{feeds}, line" in result.stderr
    assert feeds.read_text(encoding="utf-8") == text


def test_entries_stand_as_far_in_as_those_before(feeds: Path) -> None:
    feeds.write_text("feeds:\n- {slug: a, title: A, url: https://example.org/a}", encoding="utf-8")
    assert call(feeds, "--opml", opml(feeds), "--append").exit_code == 0
    assert [feed.slug for feed in load(feeds).feeds] == ["a", "an-old-show", "cafe-talks-more", "an-old-show-2"]


def test_a_list_in_brackets_is_left_as_it_is(feeds: Path) -> None:
    text = "feeds: [{slug: a, title: A, url: https://example.org/a}]\n"
    feeds.write_text(text, encoding="utf-8")
    result = call(feeds, "--opml", opml(feeds), "--append")
    assert result.exit_code == 2
    assert "brackets" in result.stderr
    assert feeds.read_text(encoding="utf-8") == text


def test_what_a_list_has_besides_addresses_of_the_web_is_read_or_said(feeds: Path) -> None:
    content = b"""<opml version="2.0"><body>
      <outline type="rss" text="One" xmlUrl="feed://example.org/1"/>
      <outline type="rss" text="Two" xmlUrl="feed:http://example.org/2"/>
      <outline type="rss" text="Three" xmlUrl="itpc://example.org/3"/>
      <outline type="rss" text="Four" xmlUrl="file:///etc/passwd"/><outline type="rss" text="Five"/>
      <outline type="rss"/><outline text="A group"/>
      <outline type="rss" text="Shows"><outline type="rss" text="One" xmlUrl="feed://example.org/1"/></outline></body></opml>"""
    result = call(feeds, "--opml", opml(feeds, content))
    assert [one["url"] for one in yaml.safe_load(result.stdout)] == [
        *("https://example.org/1", "http://example.org/2", "https://example.org/3")
    ]
    left_out = "Four (file:///etc/passwd), Five (no address), a show without a title (no address)"
    assert f"left out, because the address is not a web address: {left_out}" in result.stderr
    assert "Shows" not in result.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<rss/>",
        b"<opml><body>",
        b"{}",
        b"\xff\xfe\x00",
        b'<!DOCTYPE opml [<!ENTITY a "b">]><opml><outline xmlUrl="https://&a;"/></opml>',
    ],
)
def test_what_is_no_list_is_refused(feeds: Path, content: bytes) -> None:
    result = call(feeds, "--opml", opml(feeds, content))
    assert result.exit_code == 2
    assert "mine.opml" in result.stderr
    assert call(feeds, "--opml", feeds.parent / "none.opml").exit_code == 2


def test_shows_are_listed_with_where_they_are_read_from(feeds: Path) -> None:
    assert call(feeds).stdout == "an-old-show: https://example.org/old (not read yet)\n"
    with writer(feeds.parent / "a.db") as db:
        add_feed(db, "an-old-show", episode("one"))
        ensure_feed(db, "an-old-show", title="An old show", url="https://example.org/old")
    moved = "an-old-show: https://example.org/old -> https://example.org/feed.xml (ok)\n"
    assert call(feeds).stdout == moved
    assert json.loads(call(feeds, "--json").stdout)[0]["feed_url"] == "https://example.org/feed.xml"
    exported = call(feeds, "--to-opml")
    assert list(read_opml(exported.stdout.encode()).shows) == [Outline("An old show", "https://example.org/feed.xml")]


def test_options_that_mean_nothing_together_are_refused(feeds: Path) -> None:
    assert call(feeds, "--append").exit_code == 2
    assert call(feeds, "--to-opml", "--json").exit_code == 2


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), min_size=1, max_size=30)


@given(st.lists(st.tuples(WORDS, st.integers(0, 9)), max_size=6))
def test_whatever_shows_are_called_feeds_yaml_is_right(titles: list[tuple[str, int]]) -> None:
    shows = [Outline(title.strip() or "x", f"https://example.org/{n}") for title, n in titles]
    first: dict[str, Outline] = {}
    for show in shows:
        first.setdefault(show.url, show)
    assert list(read_opml(write_opml(shows, title="t")).shows) == list(first.values())
    made = entries(shows, [])
    assert len({entry["slug"] for entry in made}) == len(made) == len({show.url for show in shows})


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_entries_can_be_read_by_the_configuration(tmp_path_factory: pytest.TempPathFactory, titles: list[str]) -> None:
    made = entries([Outline(title, f"https://example.org/{n}") for n, title in enumerate(titles)], [])
    path = tmp_path_factory.mktemp("yaml") / "feeds.yaml"
    path.write_text("feeds:\n" + as_yaml(made), encoding="utf-8")
    assert [feed.url for feed in load(path).feeds] == [entry["url"] for entry in made]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_refused(content: bytes) -> None:
    try:
        read_opml(content)
    except ConfigError:
        return


def test_a_list_cannot_take_what_the_environment_has(feeds: Path) -> None:
    outlines = "".join(
        f'<outline text="{title}" xmlUrl="https://evil.example/{key}"/>'
        for title, key in (("Bad", "${AWS_SECRET_ACCESS_KEY}"), ("Worse", "?$%7BHOME%7D"), ("Good", "feed"))
    )
    result = call(feeds, "--opml", opml(feeds, f"<opml><body>{outlines}</body></opml>".encode()), "--append")
    assert result.exit_code == 0
    assert "left out, because the address uses your environment variables: Bad, Worse." in result.stderr
    assert "1 added" in result.stderr
    assert [feed.title for feed in load(feeds).feeds] == ["An old show", "Good"]


@pytest.mark.parametrize("url", ["https://ann:plainly@example.org/a", "https://example.org/a?plainly=${TOKEN}"])
def test_private_addresses_are_not_passed_on(feeds: Path, url: str) -> None:
    feeds.write_text(YAML + f"  - {{slug: mine, title: Mine, url: '{url}'}}\n", encoding="utf-8")
    exported = call(feeds, "--to-opml")
    assert [show.title for show in read_opml(exported.stdout.encode()).shows] == ["An old show"]
    assert "left out, because its address is private: Mine" in exported.stderr
    for listed in (call(feeds), call(feeds, "--json")):
        assert "mine" in listed.stdout
        assert "ann:" not in listed.stdout
