"""feeds.yaml: what is wrong is said with the file, the line, the key and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config import Config, load
from pipeline.errors import ConfigError

SHOW = "feeds:\n  - slug: a-show\n    title: A show\n    url: https://example.org/feed.xml\n"


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a feeds.yaml."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "feeds.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert str(path) in message
    return message


def test_the_shipped_file_has_the_show_and_a_second_one_switched_off() -> None:
    path = Path(__file__).parent.parent / "feeds.yaml"
    config = load(path)
    assert [(feed.slug, feed.enabled) for feed in config.feeds] == [("ofsted-interview", True), ("ofsted-talks", False)]
    assert config.folder == path.parent.resolve()


def test_what_is_not_given_has_its_default(written: Callable[[str], Path]) -> None:
    feed = load(written(SHOW)).feeds[0]
    assert (feed.language, feed.engine, feed.model) == ("en", "faster-whisper", "tiny.en")
    assert feed.enabled
    assert not feed.allow_private
    assert feed.limit is None
    assert feed.hosts == feed.vocabulary == ()


@pytest.mark.parametrize(
    "more",
    [
        "    url: feeds/local.xml",
        "    url: file:///srv/feed.xml",
        r"    url: C:\feeds\local.xml",
        "    language: cy\n    model: tiny",
        "    engine: openai-whisper\n    model: base.en",
        "    limit: 3\n    hosts: [Alice Waterman]\n    allow_private: true",
    ],
)
def test_what_is_allowed(written: Callable[[str], Path], more: str) -> None:
    shortened = SHOW.replace("    url: https://example.org/feed.xml\n", "") if "url:" in more else SHOW
    assert isinstance(load(written(f"{shortened}{more}\n")), Config)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.yaml")


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


def test_bytes_that_are_not_utf8(written: Callable[[bytes], Path]) -> None:
    assert "UTF-8" in refusal(written(SHOW.encode() + "    hosts: [Zoë]\n".encode("latin-1")))


def test_a_byte_order_mark_is_no_matter(written: Callable[[bytes], Path]) -> None:
    assert load(written(b"\xef\xbb\xbf" + SHOW.encode())).feeds


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("", None, ["feeds", "list of shows"]),
        ("# only a comment\n", None, ["feeds", "list of shows"]),
        ("- a\n- b\n", None, ["feeds", "list of shows"]),
        ("just words\n", None, ["feeds", "list of shows"]),
        ("feeds:\n", 1, ["“feeds”", "must be a list of shows"]),
        ("feeds: []\n", 1, ["“feeds”", "add one"]),
        ("feeds: 3\n", 1, ["“feeds”", "must be a list of shows", "3"]),
        ("feeds:\n  - just words\n", 2, ["feed 1", "slug, title, url", "just words"]),
        ("feeds: [\n", 2, ["not YAML", "quotes"]),
        ("feeds:\n\t- slug: a\n", 2, ["not YAML", r"'\t'"]),
        ("feeds:\n  - slug: a\n   title: b\n", 3, ["not YAML", "indents"]),
        ("feeds:\n  - slug: !!python/name:os.system\n", 2, ["not YAML"]),
        ("feeds:\n  - title: 2024-02-31\n", None, ["not YAML", "day is out of range", "quotes"]),
        ("[" * 3000, None, ["not YAML"]),
        ("other: 1\n" + SHOW, 1, ["“other”", "unknown", "feeds"]),
        ("feeds:\n  - slug: a-show\n", 2, ["“a-show”", "“title”", "missing", "“url”"]),
        ("feeds:\n  - title: A\n    url: x\n", 2, ["feed 1", "“slug”", "missing"]),
        (SHOW + "    titel: B\n", 5, ["“a-show”", "“titel”", "did you mean “title”"]),
        (SHOW + "    colour: red\n", 5, ["“colour”", "unknown", "slug, title, url, language"]),
        (SHOW + "    1: red\n", 2, ["“1”", "unknown", "slug, title, url, language"]),
        (SHOW + "    folder: /srv\n", 5, ["“folder”", "unknown"]),
        (SHOW.replace("a-show", "A Show"), 2, ["“slug”", "small letters", "'A Show'"]),
        (SHOW.replace("a-show", "../up"), 2, ["“slug”", "small letters"]),
        (SHOW.replace("A show", "''"), 3, ["“title”", "must not be empty"]),
        (SHOW.replace("A show", "2024"), 3, ["“title”", "quotes", "2024"]),
        (SHOW.replace("A show", "[a]"), 3, ["“title”", "must be text"]),
        (SHOW.replace("https://example.org", "ftp://example.org"), 4, ["“url”", "http(s)", "local file"]),
        (SHOW.replace("https://example.org/feed.xml", "javascript:alert(1)"), 4, ["“url”", "http(s)"]),
        (SHOW.replace("https://example.org/feed.xml", "'http://[::1/feed.xml'"), 4, ["“url”", "no address"]),
        (SHOW.replace("https://example.org/feed.xml", "https:///feed.xml"), 4, ["“url”", "no host"]),
        (SHOW + "    hosts: Alice\n", 5, ["“hosts”", "[one, two]", "Alice"]),
        (SHOW + "    vocabulary: [1]\n", 5, ["“vocabulary”", "must be text"]),
        (SHOW + "    enabled: perhaps\n", 5, ["“enabled”", "true or false", "perhaps"]),
        (SHOW + "    limit: many\n", 5, ["“limit”", "whole number", "many"]),
        (SHOW + "    limit: 1.5\n", 5, ["“limit”", "whole number"]),
        (SHOW + "    limit: 0\n", 5, ["“limit”", "greater than 0"]),
        (SHOW + "    engine: whisper.cpp\n", 5, ["“engine”", "faster-whisper", "openai-whisper"]),
        (SHOW + "    model: tiny.fr\n", 5, ["“model”", "tiny.fr", "tiny.en, tiny, base.en", "large-v3-turbo"]),
        (SHOW + "    model:\n", 5, ["“model”", "must be text"]),
        (SHOW + "    engine: openai-whisper\n    model: distil-small.en\n", 6, ["“model”", "faster-whisper only"]),
        (SHOW + "    language: de\n", 2, ["“model”", "tiny.en", "knows only English", "'tiny'"]),
        (SHOW + "    language: de\n    model: base.en\n", 6, ["“model”", "knows only English", "'base'"]),
        (SHOW + "    language: Welsh\n", 5, ["“language”", "en-GB", "Welsh"]),
        (SHOW + "    language: xx\n", 2, ["does not know the language 'xx'"]),
        (SHOW + SHOW.removeprefix("feeds:\n"), 5, ["“a-show”", "“slug”", "its own"]),
    ],
)
def test_what_is_wrong_is_told(
    written: Callable[[str], Path], content: str, line: int | None, words: list[str]
) -> None:
    message = refusal(written(content))
    if line is not None:
        assert f", line {line}: " in message
    for word in words:
        assert word in message


def test_everything_that_is_wrong_is_told_at_once(written: Callable[[str], Path]) -> None:
    message = refusal(written(SHOW + "    limit: 0\n    titel: x\n    engine: none\n"))
    assert [f"line {number}:" in message for number in (5, 6, 7)] == [True] * 3
    assert len(message.splitlines()) == 3


def test_only_the_right_errors_are_told_when_the_language_is_wrong(written: Callable[[str], Path]) -> None:
    assert "“model”" not in refusal(written(SHOW + "    language: Welsh\n    model: tiny.en\n"))
