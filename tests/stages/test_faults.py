"""All faults of a host during a download, one per row, and the expected result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from pipeline.archive.episodes import episodes
from pipeline.archive.status import status
from pipeline.audio.partial import Partial, sweep
from pipeline.config import Config, Feed
from pipeline.errors import DiskFullError
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.conftest import tones, write_audio
from tests.support.building import add_feed, episode
from tests.support.misbehaving import Answer, Behaviour, Server, cut, gzipped, page, redirect, rest, seekable

OLD = "Tue, 02 Jun 2026 06:00:00 GMT"
AT = 9000  # where it is cut; the sounds have about 17,000 bytes
FROM = f"bytes={AT}-"


@dataclass(frozen=True)
class Fault:
    """The answers to the requests; and what is kept of the sounds ``one`` and ``two``, or the error if nothing is."""

    answers: Sequence[Behaviour]
    kept: str = ""
    said: str = ""
    ranges: Sequence[str | None] | None = None  # of the requests; None: not deterministic
    waits: Sequence[float] | None = None  # minimum wait between attempts
    feed: dict[str, Any] | None = None
    left: bool = False  # whether the next run may resume


def faults(one: bytes, two: bytes) -> dict[str, Fault]:
    whole = seekable(one, ETag='"1"')
    torn = cut(whole, AT)
    dated = {"Last-Modified": OLD, "Date": "Tue, 02 Jun 2026 07:00:00 GMT"}
    fresh = {"Last-Modified": OLD, "Date": "Tue, 02 Jun 2026 06:00:30 GMT"}
    four = [None] * 4
    down = Answer(status=503)
    longer = {"Content-Range": f"bytes {AT}-{len(one) - 1}/{len(one) + 9}"}
    far = format_datetime(datetime(2100, 1, 1, tzinfo=UTC), usegmt=True)
    return {
        # interrupted, and resumed
        "cut after n bytes": Fault([torn, whole], "one", ranges=[None, FROM], waits=[1]),
        "cut again and again, always further": Fault(
            [cut(whole, 300)] * 40 + [whole], "one"
        ),
        "reset": Fault([cut(whole, AT, ending="reset"), whole], "one"),
        "chunked without end": Fault(
            [Answer(one, framing="chunked", ending="cut", headers={"ETag": '"1"'}), whole],
            "one", ranges=[None, f"bytes={len(one)}-", None],
        ),
        "cut, known by an old date": Fault(
            [cut(seekable(one, **dated), AT), seekable(one, **dated)], "one", ranges=[None, FROM]
        ),
        # interrupted, and restarted: nothing guarantees that it is the same file
        "cut, a weak ETag": Fault([cut(seekable(one, ETag='W/"1"'), AT), whole], "one", ranges=[None, None]),
        "cut, a broken ETag": Fault([cut(seekable(one, ETag="1"), AT), whole], "one", ranges=[None, None]),
        "cut, no validator": Fault([cut(seekable(one), AT), whole], "one", ranges=[None, None]),
        "cut, known by a date of this minute": Fault(
            [cut(seekable(one, **fresh), AT), whole], "one", ranges=[None, None]
        ),
        "range ignored": Fault([torn, Answer(one, headers={"ETag": '"1"'})], "one", ranges=[None, FROM]),
        "changed in mid-resume": Fault([torn, seekable(two, ETag='"2"')], "two", ranges=[None, FROM]),
        "changed, and If-Range ignored": Fault(
            [torn, rest(two, AT, ETag='"2"'), seekable(two, ETag='"2"')], "two", ranges=[None, FROM, None]
        ),
        "changed to what has no ETag": Fault(
            [torn, rest(two, AT), seekable(two, ETag='"2"')], "two", ranges=[None, FROM, None]
        ),
        "206 with other bytes": Fault([torn, rest(one, AT + 1, ETag='"1"'), whole], "one", ranges=[None, FROM, None]),
        "206 that does not say of what": Fault(
            [torn, Answer(one[AT:], status=206, headers={"ETag": '"1"'}), whole], "one", ranges=[None, FROM, None]
        ),
        "206 that is cut": Fault([torn, cut(whole, 500), whole], "one", ranges=[None, FROM, f"bytes={AT + 500}-"]),
        "206 of a body that is longer than it comes": Fault(
            [torn, replace(rest(one, AT), headers={"ETag": '"1"', **longer}), Answer(status=416), whole],
            "one", ranges=[None, FROM, f"bytes={len(one)}-", None],
        ),
        "416": Fault([torn, Answer(status=416), whole], "one", ranges=[None, FROM, None]),
        "416 of a shorter body": Fault(
            [torn, Answer(status=416, headers={"Content-Range": "bytes */99"}), whole], "one", ranges=[None, FROM, None]
        ),
        "416 of a body that ends where it was cut": Fault(
            [torn, Answer(status=416, headers={"Content-Range": f"bytes */{AT}"}), whole],
            "one", ranges=[None, FROM, None],
        ),
        "416 to a whole request": Fault([Answer(status=416)], said="answered HTTP 416", ranges=[None]),
        "206 to a whole request": Fault([rest(one, AT)], said="answered HTTP 206", ranges=[None]),
        # lengths
        "no length": Fault([Answer(one, framing="none")], "one", ranges=[None]),
        "chunked": Fault([Answer(one, framing="chunked")], "one", ranges=[None]),
        "a length that never comes": Fault(
            [Answer(one, declared=len(one) + 9)], said="not be fetched fully", ranges=four
        ),
        "a length that is none": Fault(
            [Answer(one, framing="none", headers={"Content-Length": "many"})], said="not be fetched fully", ranges=four
        ),
        "empty": Fault([Answer(b"")], said="empty file", ranges=[None]),
        "larger than allowed": Fault(
            [Answer(one, declared=1_000_001)], said="larger than 1 MB (`max_mb`", ranges=[None], feed={"max_mb": 1}
        ),
        "larger than allowed, without a word": Fault(
            [Answer(lambda: [bytes(65_536)] * 20, framing="none")],
            said="larger than 1 MB", ranges=[None], feed={"max_mb": 1},
        ),
        # statuses
        "busy": Fault([down, down, whole], "one", ranges=[None] * 3, waits=[1, 2]),
        "busy for long": Fault([down], said="answered HTTP 503", ranges=four, waits=[1, 2, 4]),
        "busy after a cut": Fault([torn, down], said="answered HTTP 503", ranges=[None, *[FROM] * 4], left=True),
        "500": Fault([Answer(status=500), whole], "one", ranges=[None, None], waits=[1]),
        "429 with Retry-After": Fault(
            [Answer(status=429, headers={"Retry-After": "7"}), whole], "one", ranges=[None, None], waits=[7]
        ),
        "429 with a Retry-After that is none": Fault(
            [Answer(status=429, headers={"Retry-After": "soon"}), whole], "one", ranges=[None, None], waits=[1]
        ),
        "429 for hours": Fault(
            [Answer(status=429, headers={"Retry-After": "7200"})], said="left alone for 120 minutes", ranges=[None]
        ),
        "429 for hours after a cut": Fault(
            [torn, Answer(status=429, headers={"Retry-After": "7200"})],
            said="left alone for 120 minutes", ranges=[None, FROM], left=True,
        ),
        "503 for years": Fault(
            [Answer(status=503, headers={"Retry-After": far})], said="left alone", ranges=[None], waits=[]
        ),
        **{
            f"{status}": Fault([Answer(status=status)], said=f"refuses this program (HTTP {status}", ranges=[None])
            for status in (401, 403, 451)
        },
        "404": Fault([Answer(status=404)], said="is gone (HTTP 404)", ranges=[None]),
        "410 after a cut": Fault([torn, Answer(status=410)], said="is gone (HTTP 410)", ranges=[None, FROM]),
        "304 unasked": Fault([Answer(status=304)], said="answered HTTP 304", ranges=[None]),
        # other things than audio
        "gzip on audio": Fault([gzipped(one)], said="compressed as 'gzip'", ranges=[None]),
        "HTML with 200": Fault([page()], said="web page", ranges=[None]),
        "HTML with 200 after a cut": Fault([torn, page()], said="web page", ranges=[None, FROM]),
        # redirects
        "endless redirect": Fault([redirect("/1.mp3")], said="more than 10 redirects"),
        "redirect to a file": Fault([redirect("file:///etc/passwd")], said="is not visited", ranges=[None]),
        "redirect to one's own network": Fault(
            [redirect("http://127.0.0.2/1.mp3")], said="on your own network", ranges=[None],
            feed={"allow_private": False},
        ),
        "redirect to one's own network after a cut": Fault(
            [torn, redirect("http://127.0.0.2/1.mp3")], said="on your own network", ranges=[None, FROM],
            feed={"allow_private": False},
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two recordings."""
    folder = tmp_path_factory.mktemp("sounds")
    samples = {"one": tones(seconds=2.0, rate=44_100), "two": tones(seconds=2.0, rate=44_100)[::-1]}
    return {
        name: write_audio(folder / f"{name}.mp3", sound, rate=44_100, codec="libmp3lame").read_bytes()
        for name, sound in samples.items()
    }


@dataclass
class Archive:
    """An archive of one show with one episode, whose audio is the server's ``/1.mp3``."""

    server: Server
    db: Database
    folder: Path
    tools: Tools
    waits: list[float]

    def run(self, **keys: Any) -> Report:
        feed = Feed(**{"slug": "show", "title": "Show", "url": "feed.xml", "allow_private": True, **keys})
        return ingest(Config(feeds=[feed]), self.tools, stages=("download",))

    @property
    def ranges(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.server.asked("/1.mp3")]

    def files(self) -> dict[str, bytes]:
        """The files in the audio folder, by suffix."""
        return {path.suffix: path.read_bytes() for path in (self.folder / "audio").rglob("*") if path.is_file()}


@pytest.fixture
def show(
    server: Server, archive: Database, tmp_path: Path, make_tools: Callable[..., Tools], monkeypatch: pytest.MonkeyPatch
) -> Archive:
    waits: list[float] = []
    add_feed(archive, "show", replace(episode("one"), enclosure_url=f"{server.address}/1.mp3"))
    monkeypatch.setattr("pipeline.net.client.is_public", lambda address: address == "127.0.0.1")  # plays the internet
    return Archive(server, archive, tmp_path, make_tools(sleep=waits.append), waits)


@pytest.mark.parametrize("kind", faults(b"", b""))
def test_what_comes_of_a_fault(show: Archive, sounds: dict[str, bytes], kind: str) -> None:
    fault = faults(**sounds)[kind]
    show.server.give("/1.mp3", *fault.answers)
    report = show.run(**fault.feed or {})
    if fault.kept:
        assert report.exit_code == 0, report.failures
        assert show.files() == {".mp3": sounds[fault.kept]}
    else:
        assert report.exit_code == 3
        assert fault.said in (report.failures[0].reason or "")
        assert show.db.execute("select * from renditions").fetchall() == []
        assert set(show.files()) == ({".part", ".json"} if fault.left else set())
    if fault.ranges is not None:
        assert show.ranges == list(fault.ranges)
    if fault.waits is not None:
        assert len(show.waits) == len(fault.waits)
        assert all(waited >= least for waited, least in zip(show.waits, fault.waits, strict=True))


# Between runs


def test_the_next_run_goes_on_and_leaves_nothing_unfinished(show: Archive, sounds: dict[str, bytes]) -> None:
    whole = seekable(sounds["one"], ETag='"1"')
    show.server.give("/1.mp3", cut(whole, AT), Answer(status=503))
    assert show.run().exit_code == 3
    show.server.give("/1.mp3", whole)
    assert show.run().exit_code == 0
    assert show.ranges[-1] == FROM
    asked = show.server.asked("/1.mp3")[-1].headers
    assert (asked["if-range"], asked["accept-encoding"]) == ('"1"', "identity")
    assert show.files() == {".mp3": sounds["one"]}


def tampered(folder: Path) -> None:
    (path,) = folder.glob("*.part")
    path.write_bytes(b"other bytes" + path.read_bytes()[11:])


def shortened(folder: Path) -> None:
    (path,) = folder.glob("*.part")
    path.write_bytes(path.read_bytes()[:-1])


def torn_mark(folder: Path) -> None:
    (path,) = folder.glob("*.json")
    path.write_bytes(path.read_bytes()[:-9])


def without_mark(folder: Path) -> None:
    (path,) = folder.glob("*.json")
    path.unlink()


def without_bytes(folder: Path) -> None:
    (path,) = folder.glob("*.part")
    path.unlink()


@pytest.mark.parametrize("harm", [tampered, shortened, torn_mark, without_mark, without_bytes])
def test_what_is_not_surely_the_same_is_begun_anew(
    show: Archive, sounds: dict[str, bytes], harm: Callable[[Path], None]
) -> None:
    whole = seekable(sounds["one"], ETag='"1"')
    show.server.give("/1.mp3", cut(whole, AT), Answer(status=503))
    show.run()
    harm(show.folder / "audio/.partial")
    show.server.give("/1.mp3", whole)
    assert show.run().exit_code == 0
    assert show.ranges[-1] is None
    assert show.files() == {".mp3": sounds["one"]}


def test_bytes_after_the_last_mark_are_fetched_again(show: Archive, sounds: dict[str, bytes]) -> None:
    # As after kill -9: more was written than was recorded.
    whole = seekable(sounds["one"], ETag='"1"')
    show.server.give("/1.mp3", cut(whole, AT), Answer(status=503))
    show.run()
    (path,) = (show.folder / "audio/.partial").glob("*.part")
    path.write_bytes(path.read_bytes() + b"half a piece")
    show.server.give("/1.mp3", whole)
    assert show.run().exit_code == 0
    assert show.ranges[-1] == FROM
    assert show.files() == {".mp3": sounds["one"]}


def test_another_address_is_begun_anew(show: Archive, sounds: dict[str, bytes]) -> None:
    show.server.give("/1.mp3", cut(seekable(sounds["one"], ETag='"1"'), AT), Answer(status=503))
    show.run()
    url = show.server.give("/2.mp3", seekable(sounds["two"], ETag='"1"'))
    add_feed(show.db, "show", replace(episode("one"), enclosure_url=url))
    assert show.run().exit_code == 0
    assert show.server.asked("/2.mp3")[0].headers.get("range") is None
    assert show.files() == {".mp3": sounds["two"]}


def test_what_lies_unfinished_goes_when_nobody_waits_for_it(show: Archive, sounds: dict[str, bytes]) -> None:
    show.server.give("/1.mp3", cut(seekable(sounds["one"], ETag='"1"'), AT), Answer(status=503))
    show.run()
    assert set(show.files()) == {".part", ".json"}
    show.server.give("/2.mp3", Answer(sounds["two"]))
    newer = replace(episode("two", published="2030-01-01T00:00:00Z"), enclosure_url=f"{show.server.address}/2.mp3")
    add_feed(show.db, "show", newer)
    assert show.run(limit=1).exit_code == 0
    assert show.files() == {".mp3": sounds["two"]}


def test_what_another_archive_in_the_folder_has_not_finished_stays(show: Archive, sounds: dict[str, bytes]) -> None:
    other = Partial(show.folder / "audio/.partial", "other/0a1b2c3d", "https://example.org/1.mp3")
    other.restart('"1"')
    other.write(b"abc")
    other.leave()
    show.server.give("/1.mp3", Answer(sounds["one"]))
    assert show.run().exit_code == 0
    assert other.path.read_bytes() == b"abc"


def test_what_somebody_is_fetching_stays(show: Archive) -> None:
    (one,) = episodes(show.db, "show")
    theirs = Partial(show.folder / "audio/.partial", one.id, "https://example.org/1.mp3")
    sweep(theirs.path.parent, [one.id])
    assert theirs.path.exists()
    theirs.leave()
    assert not theirs.path.exists()


# A full disk


@pytest.mark.parametrize("free", [[0], [10**9, 50_000_000]])
def test_a_disk_that_is_full_or_becomes_so_ends_the_run_and_nothing_half_is_kept(
    show: Archive, sounds: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, free: list[int]
) -> None:
    usage = [(10**12, 10**12 - number, number) for number in free]
    from pipeline.audio import partial  # noqa: PLC0415

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(*usage.pop(0)))
    monkeypatch.setattr(partial, "MARK_EVERY", 4000)
    other = episode("two", title="Another", published="2020-01-01T00:00:00Z")
    add_feed(show.db, "show", replace(other, enclosure_url=f"{show.server.address}/1.mp3?2"))
    show.server.give("/1.mp3", Answer(lambda: [sounds["one"][:AT], sounds["one"][AT:]], headers={"ETag": '"1"'}))
    with pytest.raises(DiskFullError, match=r"the disk is full.*Free some space and run again"):
        show.run()
    last = status(show.db.conn)["last_run"]
    assert (last["exit_code"], last["stopped"].startswith("the disk is full")) == (1, True)
    assert ".mp3" not in show.files()
    assert len(episodes(show.db, "show")) == 2
