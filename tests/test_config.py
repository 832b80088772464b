"""feeds.yaml: errors are reported with the file, the line, the key and a remedy."""

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
        "    user_agent: Example (+https://example.org)\n    skip_trackers: true\n    max_mb: 500",
        "    url: 'https://${USER}:${PASSWORD}@example.org/feed?key=${KEY}'",
    ],
)
def test_what_is_allowed(written: Callable[[str], Path], more: str) -> None:
    shortened = SHOW.replace("    url: https://example.org/feed.xml\n", "") if "url:" in more else SHOW
    assert isinstance(load(written(f"{shortened}{more}\n")), Config)


@pytest.mark.parametrize("part", ["${SHOW-TOKEN}", "${}", "${2FA}", "${SHOW_TOKEN"])
def test_what_names_no_environment_variable_is_refused_before_it_is_sent(
    written: Callable[[str], Path], part: str
) -> None:
    said = refusal(written(SHOW.replace("feed.xml", f"feed?key=${{KEY}}&auth={part}")))
    assert "line 4: feed “a-show”, key “url”: has a ${…} that names no environment variable" in said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file. List your shows in it, or name another with --feeds" in refusal(tmp_path / "none.yaml")


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
        (SHOW.replace("A show", "'   '"), 3, ["“title”", "must not be empty"]),
        (SHOW.replace("https://example.org/feed.xml", "'   '"), 4, ["“url”", "must not be empty"]),
        (SHOW + "    title: Another\n", 5, ["“title”", "given twice"]),
        (SHOW + SHOW, 5, ["“feeds”", "given twice"]),
        (SHOW.replace("a-show", "&s a-show") + "    hosts: [{a: 1, a: 2}]\n", 5, ["“a”", "given twice"]),
        (SHOW.replace("A show", "2024"), 3, ["“title”", "quotes", "2024"]),
        (SHOW.replace("A show", "[a]"), 3, ["“title”", "must be text"]),
        (SHOW.replace("https://example.org", "ftp://example.org"), 4, ["“url”", "http(s)", "local file"]),
        (SHOW.replace("https://example.org/feed.xml", "javascript:alert(1)"), 4, ["“url”", "http(s)"]),
        (SHOW.replace("https://example.org/feed.xml", "'http://[::1/feed.xml'"), 4, ["“url”", "not a valid address"]),
        (SHOW.replace("https://example.org/feed.xml", "https:///feed.xml"), 4, ["“url”", "no host"]),
        (SHOW + "    page_hosts: ['https://media.example.org/']\n", 5, ["“page_hosts”", "host names only", "https://"]),
        (SHOW + "    hosts: Alice\n", 5, ["“hosts”", "[one, two]", "Alice"]),
        (SHOW + "    vocabulary: [1]\n", 5, ["“vocabulary”", "must be text"]),
        (SHOW + "    enabled: perhaps\n", 5, ["“enabled”", "true or false", "perhaps"]),
        (SHOW + "    limit: many\n", 5, ["“limit”", "whole number", "many"]),
        (SHOW + "    questions_from: web\n", 5, ["“questions_from”", "'notes' or 'page'"]),
        (SHOW + "    limit: 1.5\n", 5, ["“limit”", "whole number"]),
        (SHOW + "    limit: true\n", 5, ["“limit”", "whole number", "True"]),
        (SHOW + f"    model: {'x' * 5000}\n", 5, ["“model”", "too long"]),
        (SHOW + "    limit: 0\n", 5, ["“limit”", "greater than 0"]),
        (SHOW + "    max_mb: 0\n", 5, ["“max_mb”", "greater than 0"]),
        (SHOW + "    user_agent: ''\n", 5, ["“user_agent”", "must not be empty"]),
        (SHOW + "    user_agent: Größe\n", 5, ["“user_agent”", "ASCII"]),
        (SHOW + '    user_agent: "a\\r\\nb"\n', 5, ["“user_agent”", "ASCII"]),
        (SHOW + "    engine: whisper.cpp\n", 5, ["“engine”", "faster-whisper", "openai-whisper"]),
        (SHOW + "    model: tiny.fr\n", 5, ["“model”", "tiny.fr", "tiny.en, tiny, base.en", "large-v3-turbo"]),
        (SHOW + "    model:\n", 5, ["“model”", "must be text"]),
        (SHOW + "    engine: openai-whisper\n    model: distil-small.en\n", 6, ["“model”", "faster-whisper only"]),
        (SHOW + "    language: de\n", 2, ["“model”", "tiny.en", "knows only English", "'tiny'"]),
        (SHOW + "    language: de\n    model: base.en\n", 6, ["“model”", "knows only English", "'base'"]),
        (SHOW + "    language: Welsh\n", 5, ["“language”", "en-GB", "Welsh"]),
        (SHOW + "    language: xx\n", 5, ["“language”", "does not know the language 'xx'"]),
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


def test_an_anchor_that_is_met_twice_is_no_key_given_twice(written: Callable[[str], Path]) -> None:
    second = "  - {slug: b, title: B, url: b.xml, vocabulary: *terms}\n"
    first, other = load(written(SHOW + "    vocabulary: &terms [one, two]\n" + second)).feeds
    assert first.vocabulary == other.vocabulary == ("one", "two")


@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper"])
def test_the_path_of_a_model_starts_at_the_files_folder(
    written: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "model.bin").write_bytes(b"weights")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = written(SHOW + f"    engine: {engine}\n    model: models/mine\n")
    assert load(path).feeds[0].model == str(tmp_path.resolve() / "models" / "mine")


def test_a_model_where_the_program_was_started_is_not_meant(
    written: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "mine").mkdir(parents=True)
    (tmp_path / "elsewhere" / "mine" / "model.bin").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "no file or folder of that name" in refusal(written(SHOW + "    model: mine\n"))


def test_a_known_name_is_that_model_whatever_lies_beside_the_file(
    written: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "base.en").mkdir()
    assert load(written(SHOW + "    model: base.en\n")).feeds[0].model == "base.en"


def test_a_checkpoint_is_for_openai_whisper_alone(written: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(b"weights")
    engine = "    engine: openai-whisper\n"
    assert load(written(SHOW + engine + "    model: mine.pt\n")).feeds[0].model.endswith("mine.pt")
    assert "folder with model.bin" in refusal(written(SHOW + "    model: mine.pt\n"))


@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper"])
def test_a_folder_without_weights_is_no_model(written: Callable[[str], Path], tmp_path: Path, engine: str) -> None:
    (tmp_path / "empty").mkdir()
    message = refusal(written(SHOW + f"    engine: {engine}\n    model: empty\n"))
    assert ", line 6: " in message
    assert "“model”" in message
    assert "model.bin" in message
