"""The command line: exit codes, stdout and stderr, and that everything is documented."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.archive.database import writer
from pipeline.archive.runs import start_run
from pipeline.cli import main
from pipeline.runs import alone
from tests.support.building import add_feed, add_transcript, episode, new_archive, spoken

ROOT = Path(__file__).parents[2]


PAGES = [
    ROOT / "README.md",
    ROOT / "db/README.md",
    ROOT / "benchmarks/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    with new_archive(path) as db:
        (one,) = add_feed(db, "show", episode("one", title="First", questions=["What now?"]))
        add_transcript(db, one, spoken("Social work is about", "relationships, not process."))
    return path


def documents(text: str, name: str) -> bool:
    return re.search(rf"`{re.escape(name)}`|\b(?:make|pipeline) {re.escape(name)}(?![\w-])", text) is not None


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_help_and_is_documented(name: str) -> None:
    command = main.commands[name]
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    assert call(name, "--help").exit_code == 0
    assert documents((ROOT / "docs/researchers.md").read_text(encoding="utf-8"), name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_documents_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        found = page.parent / path if path else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_in_the_documents_can_be_given(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for verb, rest in re.findall(r"python -m pipeline ([a-z]+)((?: [^\n`#|;)]*)?)", text):
        known = {name for option in main.commands[verb].params for name in option.opts}
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest)) <= known, (verb, rest)


def test_a_command_that_is_only_a_word_of_a_text_is_not_documented() -> None:
    assert not documents("To search, run `make searching` or the pipeline.", "search")


def test_the_verbs_of_the_contract_are_there() -> None:
    verbs = {
        "ingest",
        "poll",
        "download",
        "transcribe",
        "align",
        "status",
        "verify",
        "restore",
        "search",
        "check",
        "correct",
        "export",
        "serve",
    }
    assert verbs <= set(main.commands)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "no such file"),
        ("", "has no key “feeds”"),
        ("feeds:\n  - {slug: a, title: A, url: 7}\n", "key “url”"),
        ("feeds:\n  - {slug: a, title: A, url: a.xml, colour: red}\n", "key “colour”"),
        ("feeds:\n  - {slug: a, title: A, url: a.xml, model: gigantic}\n", "tiny.en"),
    ],
)
def test_wrong_configuration_ends_with_2_before_anything_is_made(tmp_path: Path, text: str | None, named: str) -> None:
    feeds = tmp_path / "feeds.yaml"
    if text is not None:
        feeds.write_text(text, encoding="utf-8")
    result = call("ingest", "--feeds", feeds, "--db", tmp_path / "db" / "a.db")
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "db").exists()


@pytest.mark.parametrize("stage", ["download", "transcribe", "align"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_stage_makes_no_archive_of_a_mistyped_database(tmp_path: Path, stage: str, more: list[str]) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: a, title: A, url: a.xml}\n", encoding="utf-8")
    result = call(stage, "--feeds", feeds, "--db", tmp_path / "db" / "a.db", *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{tmp_path / 'db' / 'a.db'}: no such database. Make it with `make ingest`" in result.stderr
    assert not (tmp_path / "db").exists()


def test_a_feed_that_fails_ends_with_3_and_one_line_that_names_it(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: lost, title: Lost, url: nowhere.xml}\n", encoding="utf-8")
    result = call("ingest", "--feeds", feeds, "--db", tmp_path / "a.db", "--json")
    assert result.exit_code == 3
    assert [line for line in result.stderr.splitlines() if line.startswith("lost poll failed: ")]
    report = json.loads(result.stdout)
    assert report["exit_code"] == 3
    assert report["stages"]["poll"] == {"ok": 0, "skipped": 0, "failed": 1, "skip_reasons": {}}
    assert "nowhere.xml" in report["failed"][0]["reason"]


def test_an_only_that_fits_nothing_is_wrong_usage(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds:\n  - {slug: show, title: Show, url: nowhere.xml}\n", encoding="utf-8")
    result = call("ingest", "--feeds", feeds, "--db", tmp_path / "a.db", "--only", "shwo")
    assert result.exit_code == 2
    assert "shwo" in result.stderr
    assert "show" in result.stderr


def test_search_as_text_and_as_json(database: Path) -> None:
    result = call("search", "“about relationships”", "--db", database)
    assert result.exit_code == 0
    assert "First (2026-01-02), 0:01" in result.stdout
    assert result.stderr == "1 hit\n"
    found = json.loads(call("search", "relationships", "--db", database, "--json").stdout)
    assert found["total"] == 1
    assert set(found["hits"][0]) >= {
        "episode", "title", "published", "speaker", "role", "question", "start", "end", "text", "html", "url",
    }  # fmt: skip


def test_status_as_text_and_as_json(database: Path) -> None:
    said = call("status", "--db", database).stdout
    assert "show: 1 listed, 1 kept" in said
    assert "no longer in the feed" not in said
    assert "waiting: 1 to align" in said
    assert "\ndisk: database 0." in said
    found = json.loads(call("status", "--db", database, "--json").stdout)
    assert found["disk"].keys() == {"database", "recordings", "free", "total"}  # as in the health file
    (feed,) = found["feeds"]
    assert (feed["episodes"], feed["kept"], feed["transcribed"], feed["aligned"]) == (1, 1, 1, 0)
    with writer(database) as db, db.atomic():
        db.execute("update feeds set fully_fetched = '2027-01-01T00:00:00Z'")
    assert "show: 0 listed, 1 no longer in the feed, 1 kept" in call("status", "--db", database).stdout


def test_the_status_names_a_page_of_a_feed_that_is_gone(database: Path) -> None:
    with writer(database) as db, db.atomic():
        db.execute("update feeds set gone_page = 'https://x.test/feed?page=2'")
    assert "its page https://x.test/feed?page=2 is gone" in call("status", "--db", database).stdout


@pytest.mark.parametrize("verb", [("search", "x"), ("status",), ("serve",)])
def test_reading_a_database_that_is_not_there(tmp_path: Path, verb: tuple[str, ...]) -> None:
    result = call(*verb, "--db", tmp_path / "none.db")
    assert result.exit_code == 1
    assert "no such database" in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_what_is_not_installed_is_said_in_a_sentence() -> None:
    alone = [sys.executable, "-S", "-m", "pipeline", "search", "help"]  # without other installed packages
    result = subprocess.run(alone, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert "run `. .venv/bin/activate` first" in result.stderr


def test_aligning_files_alone(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    segments = [
        {"start": 0.0, "end": 4.0, "text": "Welcome to the show."},
        {"start": 200.0, "end": 206.0, "text": "How have caseloads been kept manageable?", "speaker": "A"},
        {"start": 206.5, "end": 212.0, "text": "With great care and more money."},
    ]
    questions = [{"number": 1, "text": "How have caseloads been kept manageable?"}, {"number": 2, "text": "Who cooks?"}]
    good.write_text(json.dumps({"questions": questions, "segments": segments}), encoding="utf-8")
    bad.write_text('{"questions": 3}', encoding="utf-8")
    result = call("align", "--load", good, bad, tmp_path / "none.json")
    assert result.exit_code == 3
    (line,) = result.stdout.splitlines()
    printed = json.loads(line)
    assert printed["file"] == str(good)
    assert [(match["number"], match["status"]) for match in printed["matches"]] == [(1, "asked"), (2, "not_asked")]
    assert printed["matches"][0]["start"] == 200.0
    assert "bad.json" in result.stderr
    assert "none.json" in result.stderr


def test_files_without_load_are_wrong_usage(tmp_path: Path) -> None:
    assert call("transcribe", tmp_path / "x", "--db", tmp_path / "a.db").exit_code == 2


def test_transcribing_files_alone_says_what_failed(tmp_path: Path) -> None:
    (tmp_path / "page.mp3").write_text("<html>gone</html>", encoding="utf-8")
    result = call("transcribe", "--load", tmp_path / "page.mp3", "--db", tmp_path / "a.db")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "page.mp3" in result.stderr
    assert call("transcribe", "--load", tmp_path / "page.mp3", "--model", "huge").exit_code == 2


@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("day", ["rubbish", "2020-13-45", "20200131", "2020-W05", "2020-1-2", "2020-01-02T03:04", ""])
def test_what_is_no_day_is_wrong_usage(database: Path, option: str, day: str) -> None:
    result = call("search", "relationships", "--db", database, option, day)
    assert result.exit_code == 2
    assert "YYYY-MM-DD" in result.stderr
    assert option in result.stderr


def test_days_bound_what_is_found(database: Path) -> None:
    for days, hits in [(("2026-01-02", "2026-01-02"), 1), (("2026-01-03", "2026-12-31"), 0)]:
        result = call("search", "relationships", "--db", database, "--from", days[0], "--to", days[1])
        assert result.exit_code == 0
        assert result.stderr == ("1 hit\n" if hits else "0 hits\n")


@pytest.mark.parametrize("query", ["-relationships", "", " ?! ", "OR"])
def test_a_search_for_nothing_is_told(database: Path, query: str) -> None:
    result = call("search", "--db", database, "--", query)
    assert result.exit_code == 0
    assert result.stderr == "0 hits; give something to search for\n"


def test_a_search_tells_what_it_understands_otherwise(database: Path) -> None:
    result = call("search", "work -speaker:ann", "--db", database)
    assert result.exit_code == 0
    assert "a speaker cannot be left out" in result.stderr
    assert "cannot" not in result.stdout


@pytest.mark.parametrize("arguments", [("--speaker=\udcff", "x"), ("--feed=\udcff", "x"), ("--", "-x\udcff y")])
def test_a_search_with_bytes_that_are_no_text_is_refused_in_a_sentence(
    database: Path, arguments: tuple[str, ...]
) -> None:
    result = call("search", "--db", database, *arguments)
    assert result.exit_code == 2
    assert "is not text in UTF-8." in result.stderr


def test_nothing_is_offered_instead_of_a_page_past_the_end(database: Path) -> None:
    result = call("search", "relationshups process", "--db", database)
    assert "did you mean: relationships process" in result.stderr
    result = call("search", "relationships", "--db", database, "--page", "9")
    said = "1 hit; there is no page 9, the last one is 1\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", said)
    assert "mean" not in call("search", "relationshups process", "--db", database, "--page", "2").stderr


@pytest.mark.parametrize("page", ["abc", "0", "-1", "1-2-3-4", ""])
def test_what_names_no_page_is_wrong_usage(database: Path, page: str) -> None:
    result = call("search", "relationships", "--db", database, f"--page={page}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"'{page}' is not a page" in result.stderr


@pytest.mark.parametrize("arguments", [["work", "--feed", "shwo"], ["feed:shwo work"], ["feed:shwo"]])
def test_a_search_in_a_show_that_there_is_not_is_wrong_usage(database: Path, arguments: list[str]) -> None:
    result = call("search", "--db", database, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no show “shwo” in this archive; did you mean “show”?" in result.stderr


def test_a_search_of_what_nobody_is_called_and_no_list_has_says_so(database: Path) -> None:
    with writer(database) as db, db.atomic():
        db.execute("insert into speakers select id, 'Ann Lee', 'Ann Lee', 'guest', 1, null from transcripts")
    result = call("search", "work", "--speaker", "anne lee", "--db", database)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "0 hits\nNobody is called “anne lee” in this archive; did you mean “Ann Lee”?\n"
    assert "question" not in call("search", "work question:1", "--db", database).stderr
    result = call("search", "work question:7", "--db", database, "--json")
    assert json.loads(result.stdout)["remarks"] == ["No list of questions in this archive has a question 7."]
    assert result.stderr == "No list of questions in this archive has a question 7.\n"
    assert call("search", "question:0", "--db", database).stderr.startswith("0 hits\nNo list of questions")


def test_filters_alone_list_what_they_let_through(database: Path) -> None:
    assert call("search", "", "--feed", "show", "--db", database).stderr == "2 hits\n"


def test_the_status_of_an_archive_without_shows(tmp_path: Path) -> None:
    with writer(tmp_path / "a.db"):
        pass
    assert call("status", "--db", tmp_path / "a.db").stdout == "no show archived yet\n"


def test_the_status_after_a_run_that_was_ended(database: Path) -> None:
    with writer(database) as db:
        start_run(db, command="ingest", version="0", now="2026-01-02T03:04:05Z")
    last = call("status", "--db", database).stdout.splitlines()[-1]
    assert last.startswith("last run: ingest, 2026-01-02T03:04:05Z, did not finish")
    assert "None" not in last


@pytest.mark.parametrize(
    "option", [["--feeds", "f.yaml"], ["--only", "a"], ["--again"], ["--json"], ["--quiet"]], ids=lambda given: given[0]
)
@pytest.mark.parametrize("verb", ["align", "transcribe"])
def test_options_that_mean_nothing_with_load_are_wrong_usage(tmp_path: Path, verb: str, option: list[str]) -> None:
    result = call(verb, "--load", tmp_path / "x", *option)
    assert result.exit_code == 2
    assert f"{option[0]} cannot be used with --load" in result.stderr


def test_transcribing_what_is_no_file(tmp_path: Path) -> None:
    result = call("transcribe", "--load", tmp_path / "none.mp3", tmp_path)
    assert result.exit_code == 3
    assert result.stderr == f"{tmp_path / 'none.mp3'}: no such file\n{tmp_path}: no such file\n"


def test_transcribing_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(alone, "Channels", refuse)
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / name).write_bytes(b"sound")
    result = call("transcribe", "--load", tmp_path / "a.mp3", tmp_path / "b.mp3")
    assert result.exit_code == 3
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == [
        str(tmp_path / "a.mp3"),
        str(tmp_path / "b.mp3"),
    ]
    assert "Permission denied" in result.stderr


def test_models_lie_in_the_users_cache_unless_a_database_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches: list[Path] = []
    monkeypatch.setattr(alone, "make_engine", lambda *_, cache: caches.append(cache))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    call("transcribe", "--load", tmp_path / "none.mp3")
    call("transcribe", "--load", tmp_path / "none.mp3", "--db", tmp_path / "db" / "a.db")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    call("transcribe", "--load", tmp_path / "none.mp3")
    assert caches == [
        tmp_path / "cache" / "interview-archive",
        tmp_path / "db" / "models",
        tmp_path / "home" / ".cache" / "interview-archive",
    ]


SEGMENT = '{"start": 0, "end": 4, "text": "Who cooks?"}'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"questions": [], "segments": [{"start": NaN, "end": 4, "text": "a"}]}', "segments.0.start: "),
        ('{"questions": [], "segments": [{"start": 0, "end": Infinity, "text": "a"}]}', "segments.0.end: "),
        ('{"questions": [], "segments": [{"start": -1, "end": 4, "text": "a"}]}', "segments.0.start: "),
        ('{"questions": [], "segments": [{"start": 5, "end": 4, "text": "a"}]}', "ends at 4.0 s, before it starts"),
        (
            '{"questions": [], "segments": [{"start": 0, "end": 4, "text": "a", "words": [[2, 1, "a", 0.5]]}]}',
            "'a' ends at 1.0 s, before it starts",
        ),
        (
            '{"questions": [], "segments": [{"start": 0, "end": 4, "text": "a", "words": [[0, 1, "a", NaN]]}]}',
            "segments.0.words.0.3: ",
        ),
        (
            '{"questions": [{"number": 1, "text": "a"}, {"number": 1, "text": "b"}], "segments": []}',
            "two questions have the number 1",
        ),
        ('{"questions": 3, "segments": []}', "questions: "),
        ("[" * 100_000, "JSON"),
        ("[1, 2", "JSON"),
        ("", "JSON"),
    ],
)
def test_what_cannot_be_aligned_fails_with_a_sentence(tmp_path: Path, text: str, named: str) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    bad.write_text(text, encoding="utf-8")
    good.write_text(f'{{"questions": [], "segments": [{SEGMENT}]}}', encoding="utf-8")
    result = call("align", "--load", bad, good)
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{bad}: ")
    assert named in line
    assert "pydantic" not in line
    assert json.loads(result.stdout) == {"file": str(good), "matches": []}


def test_bytes_that_are_no_text_cannot_be_aligned(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b'{"questions": [], "segments": [{"start": 0, "end": 1, "text": "Zo\xeb"}]}')
    result = call("align", "--load", tmp_path / "bad.json")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"{tmp_path / 'bad.json'}: ")


def test_segments_may_be_without_words(tmp_path: Path) -> None:
    segment = {"start": 0, "end": 4, "text": "Who cooks the dinner?", "words": None}
    questions = [{"number": 1, "text": "Who cooks the dinner?"}]
    (tmp_path / "a.json").write_text(json.dumps({"questions": questions, "segments": [segment]}), encoding="utf-8")
    result = call("align", "--load", tmp_path / "a.json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["matches"][0]["number"] == 1


def test_a_search_from_a_day_after_its_last_is_wrong_usage(database: Path) -> None:
    result = call("search", "work", "--db", database, "--from", "2026-06-02", "--to", "2026-06-01")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--from 2026-06-02 is after --to 2026-06-01: exchange the two." in result.stderr
    assert call("search", "work", "--db", database, "--from", "2026-06-01", "--to", "2026-06-01").exit_code == 0
