"""Repeated attempts: whatever a host does, the resulting bytes are exactly one of its bodies, complete."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import partial
from pipeline.audio.partial import Partial
from pipeline.audio.transfer import Limits, is_strong, strong_validator, transfer
from pipeline.errors import DownloadError, PassingError
from pipeline.model import Validators

BODIES = [bytes(range(200)), bytes(range(199, -1, -1)), bytes(range(200))[::2]]
URL = "https://example.org/1.mp3"


class Torn(httpx.SyncByteStream):
    """A body that ends with an error after this many bytes; None: it does not."""

    def __init__(self, body: bytes, after: int | None) -> None:
        self.body, self.after = body, after

    def __iter__(self) -> Iterator[bytes]:
        yield self.body[: self.after]
        if self.after is not None:
            raise httpx.ReadError("torn")


@dataclass(frozen=True)
class Turn:
    """The answer to one request: the body, after how many bytes it is cut, and how correctly."""

    body: int
    after: int | None
    heeds_if_range: bool
    says_length: bool
    etag: str  # {} is replaced by the number of the body


def answer(request: httpx.Request, turn: Turn) -> httpx.Response:
    body = BODIES[turn.body]
    etag = turn.etag.format(turn.body)
    headers = {"ETag": etag} if etag else {}
    first = int(request.headers.get("Range", "bytes=0-")[6:-1])
    same = request.headers.get("If-Range") == etag
    if "Range" not in request.headers or (turn.heeds_if_range and not same):
        first = 0
    elif first >= len(body):
        return httpx.Response(416, headers={"Content-Range": f"bytes */{len(body)}"})
    else:
        headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
    if turn.says_length:
        headers["Content-Length"] = str(len(body) - first)
    status = 206 if "Content-Range" in headers else 200
    return httpx.Response(status, headers=headers, stream=Torn(body[first:], turn.after))


turns = st.builds(
    Turn,
    body=st.integers(0, len(BODIES) - 1),
    after=st.none() | st.integers(0, 200),
    heeds_if_range=st.booleans(),
    says_length=st.booleans(),
    etag=st.sampled_from(['"{}"', 'W/"{}"', "", "{}"]),
)


@given(runs=st.lists(st.lists(turns, min_size=1, max_size=6), min_size=1, max_size=3))
def test_never_are_two_halves_of_different_files_joined(runs: Sequence[Sequence[Turn]]) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial, "MARK_EVERY", 50)
        for run in runs:
            left = chain(run, repeat(run[-1]))
            host = httpx.MockTransport(lambda request, left=left: answer(request, next(left)))
            part = Partial(Path(name), "one", URL)
            with httpx.Client(transport=host) as client, suppress(PassingError):
                limits = Limits(attempts=3, sleep=lambda _: None)
                assert transfer(URL, client, part, known=Validators(), limits=limits)
                assert part.finish() == hashlib.sha256(part.path.read_bytes()).hexdigest()
                assert part.path.read_bytes() in BODIES
            part.leave()


@pytest.mark.parametrize(
    ("etag", "strong"),
    [
        ('"1"', True), ('""', True), ('"a-b/c:d"', True), ('W/"1"', False), ("1", False), ('"a"b"', False),
        ('"a b"', False), ("", False), (None, False), ('"é"', False),
    ],
)  # fmt: skip
def test_strong_etags(etag: str | None, strong: bool) -> None:
    assert is_strong(etag) is strong


def test_a_weak_etag_outweighs_an_old_date() -> None:
    dates = {"Last-Modified": "Tue, 02 Jun 2026 06:00:00 GMT", "Date": "Wed, 03 Jun 2026 06:00:00 GMT"}
    assert strong_validator(httpx.Headers(dates)) == dates["Last-Modified"]
    assert strong_validator(httpx.Headers({**dates, "ETag": 'W/"1"'})) is None
    assert strong_validator(httpx.Headers({**dates, "Date": "nonsense"})) is None
    assert strong_validator(httpx.Headers({**dates, "Date": "Wed, 03 Jun 2026 06:00:00"})) is None


def test_memory_stays_flat_and_marks_few_whatever_the_size(tmp_path: Path) -> None:
    import tracemalloc  # noqa: PLC0415

    chunk = bytes(1 << 16)
    part = Partial(tmp_path, "one", URL)
    tracemalloc.start()
    for _ in range(1024):
        part.write(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    part.discard()
    assert part.size == 1 << 26
    assert peak < 1_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_whole_one_that_is_left_is_gone_on_with_where_it_was_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial, "MARK_EVERY", 50)
    part = Partial(tmp_path, "one", URL)
    part.restart('"1"')
    part.write(bytes(60))
    part.write(bytes(20))
    part.finish()
    part.leave()
    again = Partial(tmp_path, "one", URL)
    assert (again.size, again.validator) == (60, '"1"')  # from 80 on there is nothing left to send
    again.discard()


def test_two_are_never_at_one_file(tmp_path: Path) -> None:
    """An interrupted run may leave threads behind: what they still write must not end up in the next run's file."""
    old = Partial(tmp_path, "one", URL)
    old.restart('"a"')
    old.write(b"a" * 300)
    with pytest.raises(DownloadError, match="run again in a few minutes"):
        Partial(tmp_path, "one", URL)
    old.write(b"a" * 200)
    sha256 = old.finish()
    with pytest.raises(DownloadError):  # complete, and being checked
        Partial(tmp_path, "one", URL)
    old.move_to(tmp_path / "done")
    new = Partial(tmp_path, "one", URL)
    new.write(b"b")
    old.discard()
    new.move_to(tmp_path / "new")
    new.discard()
    assert hashlib.sha256((tmp_path / "done").read_bytes()).hexdigest() == sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["done", "new"]


@pytest.mark.parametrize("date", ["Tue, 02 Jun 2026 06:00:00 +99999999999999999", "Fri, 31 Dec 9999 23:59:59 -2359"])
def test_dates_of_no_calendar_vouch_for_nothing(date: str) -> None:
    assert strong_validator(httpx.Headers({"Last-Modified": date, "Date": "Wed, 03 Jun 2026 06:00:00 GMT"})) is None
