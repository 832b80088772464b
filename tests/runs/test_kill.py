"""kill -9 during a download and during a transcription: the next run completes everything, nothing twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.sample import DATA
from pipeline.sample.__main__ import sample_config
from pipeline.sample.server import serving

CLIP_BYTES = 240_000  # 40 seconds of the sample's constant 48 kbit/s
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Show</title>
<item><guid>one</guid><title>One</title><description>Questions: 1) What had changed most since the last visit?
2) How does the team decide which calls need a social worker?</description>
<enclosure url="clip.mp3" type="audio/mpeg" length="1"/></item>
</channel></rss>"""


class SlowHost:
    """Serves the feed, and the clip slowly while ``slow`` is set."""

    def __init__(self) -> None:
        self.slow = threading.Event()
        self.audio_requests = 0
        clip = (DATA / "episode-1.mp3").read_bytes()[:CLIP_BYTES]
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = FEED.encode() if self.path == "/feed.xml" else clip
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.path == "/feed.xml":
                    self.wfile.write(body)
                    return
                host.audio_requests += 1
                for start in range(0, len(body), 60_000):
                    self.wfile.write(body[start : start + 60_000])
                    while host.slow.is_set() and start >= 60_000:
                        time.sleep(0.02)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture
def host() -> Iterator[SlowHost]:
    host = SlowHost()
    thread = threading.Thread(target=host.server.serve_forever, daemon=True)
    thread.start()
    yield host
    host.slow.clear()
    host.server.shutdown()
    host.server.server_close()
    thread.join()


@pytest.fixture
def start(tmp_path: Path, host: SlowHost) -> Callable[[], subprocess.Popen[str]]:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text(f"feeds: [{{slug: show, title: Show, url: '{host.address}feed.xml', allow_private: true}}]\n")

    def _start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pipeline",
                "ingest",
                "--feeds",
                str(feeds),
                "--db",
                str(tmp_path / "a.db"),
                "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A suite started in the background inherits an ignored SIGINT; a command in a terminal does not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it takes no lock
        )

    return _start


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError:  # the tables do not exist yet
            return []


def finish(start: Callable[[], subprocess.Popen[str]]) -> dict[str, Any]:
    process = start()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    report: dict[str, Any] = json.loads(out)
    return report


def assert_complete(folder: Path) -> None:
    """One rendition, one transcript, matches; a sound database; no unfinished file anywhere."""
    database = folder / "a.db"
    assert query(database, "select count(*) from renditions") == [(1,)]
    assert query(database, "select count(*) from transcripts") == [(1,)]
    assert query(database, "select count(*) from matches") == [(2,)]
    assert query(database, "pragma integrity_check") == [("ok",)]
    ((path,),) = query(database, "select path from renditions")
    assert (folder / path).read_bytes() == (DATA / "episode-1.mp3").read_bytes()[:CLIP_BYTES]
    assert [file.name for file in folder.rglob("*") if file.suffix in {".part", ".tmp"}] == []
    assert len(list((folder / "transcripts").glob("*.json"))) == 1
    assert len([file for file in (folder / "audio").rglob("*") if file.is_file()]) == 1


def test_killed_in_the_middle_of_a_download(
    tmp_path: Path, host: SlowHost, start: Callable[[], subprocess.Popen[str]]
) -> None:
    host.slow.set()
    process = start()
    wait_until(lambda: any(file.stat().st_size for file in tmp_path.glob("audio/.partial/*")), process)
    process.kill()
    process.communicate()
    assert query(tmp_path / "a.db", "select count(*) from renditions") == [(0,)]
    host.slow.clear()
    report = finish(start)
    assert report["stages"]["download"]["ok"] == 1
    assert_complete(tmp_path)


def test_killed_in_the_middle_of_a_transcription(
    tmp_path: Path, host: SlowHost, start: Callable[[], subprocess.Popen[str]]
) -> None:
    process = start()
    wait_until(lambda: query(tmp_path / "a.db", "select 1 from run_items where stage = 'download'") != [], process)
    time.sleep(1.0)  # still loading weights, or hearing the first words
    process.kill()
    process.communicate()
    assert query(tmp_path / "a.db", "select count(*) from transcripts") == [(0,)]
    requests_before = host.audio_requests
    report = finish(start)
    assert host.audio_requests == requests_before
    assert report["stages"]["transcribe"]["ok"] == 1
    assert_complete(tmp_path)


def windows_in(journal: Path) -> list[list[list[int]]]:
    """The spans of each window in the journal; a line truncated by a kill has no line end."""
    lines = journal.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line)["spans"] for line in lines if line]


def heard_in(database: Path) -> list[tuple[Any, ...]]:
    """The segments of the newest episode, with their speakers and words."""
    return query(
        database,
        """select s.start, s."end", s.text, s.speaker, s.flags, s.words from segments s where s.episode =
           (select id from episodes order by published desc limit 1) order by s.n""",
    )


def test_killed_in_the_middle_of_a_recording_goes_on_from_there(tmp_path: Path, demo_db: Path) -> None:
    """The newest episode of the sample show; the demo archive has the result without a kill."""
    feeds, journals = tmp_path / "feeds.yaml", tmp_path / "transcripts"
    command = ["ingest", "--feeds", str(feeds), "--db", str(tmp_path / "a.db"), "--json"]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    with serving(DATA) as address:
        (feed,) = sample_config(address).feeds
        newest = feed.model_copy(update={"limit": 1})
        feeds.write_text(json.dumps({"feeds": [newest.model_dump(mode="json", exclude_none=True)]}), encoding="utf-8")
        process = start()
        wait_until(
            lambda: any(len(windows_in(path)) >= 3 for path in journals.glob("*.unfinished.jsonl")),
            process,
        )
        process.kill()
        process.communicate()
        assert query(tmp_path / "a.db", "select count(*) from transcripts") == [(0,)]
        (journal,) = journals.iterdir()
        before = windows_in(journal)
        kept = tmp_path / "kept.jsonl"
        kept.hardlink_to(journal)  # the next run continues it, and deletes only its own name
        report = finish(start)
    assert report["stages"]["transcribe"]["ok"] == 1
    windows = windows_in(kept)
    assert windows[: len(before)] == before
    assert len({str(spans) for spans in windows}) == len(windows)  # none is decoded again
    assert query(tmp_path / "a.db", "select json_extract(options, '$.gate.windows') from transcripts") == [
        (len(windows),)
    ]
    assert [path.suffix for path in journals.iterdir()] == [".json"]
    assert heard_in(tmp_path / "a.db") == heard_in(demo_db) != []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_cleanly(
    tmp_path: Path, host: SlowHost, start: Callable[[], subprocess.Popen[str]], signal_number: int
) -> None:
    host.slow.set()
    process = start()
    wait_until(lambda: any(file.stat().st_size for file in tmp_path.glob("audio/.partial/*")), process)
    os.kill(process.pid, signal_number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["interrupted"] is True
    assert query(tmp_path / "a.db", "select exit_code from runs") == [(130,)]
    assert list(tmp_path.glob("audio/*/*.mp3")) == []  # unfinished files do not have their final name


def test_a_second_run_beside_the_first_is_told(
    tmp_path: Path, host: SlowHost, start: Callable[[], subprocess.Popen[str]]
) -> None:
    host.slow.set()
    first = start()
    wait_until(lambda: any(tmp_path.glob("audio/.partial/*")), first)
    second = start()
    _, err = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "another run is writing" in err
    first.kill()
    first.communicate()
