"""Clips of quotations over HTTP: cut from the kept file, one at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import httpx
import numpy as np
import pytest

from pipeline.archive.database import writer
from pipeline.archive.transcripts import save_transcript
from pipeline.audio.decode import decode
from pipeline.model import Transcript
from pipeline.site import quoting
from tests.conftest import tones, write_audio
from tests.support.archive_fixture import SHA256, Kept, Site, kept, listening, serve, site
from tests.support.building import NOW, spoken
from tests.support.reading import text_of

__all__ = ["kept", "serve", "site"]  # fixtures

PREFIX = SHA256[:12]


@pytest.fixture
def sounding(kept: Kept) -> Kept:
    """The archive with audio that can be cut: tones from the fourth second on."""
    file = next((kept.path.parent / "audio").rglob("*.mp3"))
    samples = tones(seconds=60.0, rate=24_000)
    samples[: 24_000 * 4] = 0
    write_audio(file, samples, rate=24_000, codec="libmp3lame")
    with writer(kept.path) as db, db.atomic():
        db.execute("update renditions set bytes = ?", [file.stat().st_size])
    return kept


def clip_of(site: Site, passage: str = "2000-4900.mp3", **options: Any) -> Any:
    return site.ask(f"/-/clip/{PREFIX}/{passage}", **options)


@pytest.mark.usefixtures("sounding")
def test_the_audio_of_a_quotation_can_be_downloaded(site: Site, tmp_path: Path) -> None:
    response = clip_of(site)
    assert response.status_code == 200
    assert response.headers["content-type"] == "audio/mpeg"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == (
        'attachment; filename="one-script-alert-1-script-00.02-00.05.mp3"'
    )
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(response.content)
    heard = decode(cut)
    # From 1.0 to 5.9, with a second of padding on both sides. The tones begin at 4.0.
    assert len(heard) / 16_000 == pytest.approx(4.9, abs=0.1)
    assert np.flatnonzero(np.abs(heard) > 0.02)[0] / 16_000 == pytest.approx(3.0, abs=0.1)


def test_clips_are_cut_one_at_a_time_while_all_else_is_served(
    site: Site, sounding: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, done = Semaphore(1), Event()

    def slow(*_: object, **_options: object) -> bytes:
        assert inside.acquire(blocking=False), "two at once"
        done.wait(20)
        inside.release()
        return b"cut"

    monkeypatch.setattr(quoting, "cut", slow)

    async def crowd(address: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            clips = [asyncio.create_task(client.get(f"/-/clip/{PREFIX}/2000-4900.mp3")) for _ in range(70)]
            await asyncio.wait(clips, return_when=asyncio.FIRST_COMPLETED)  # one of the rejected requests
            try:
                for path in ("/", f"/-/audio/{SHA256}", f"/-/episode/{sounding.spoken}"):
                    assert (await client.get(path, timeout=10)).status_code == 200
            finally:
                done.set()
            return await asyncio.gather(*clips)

    with listening(site) as address:
        answers = asyncio.run(crowd(address))
    assert sorted(answer.status_code for answer in answers) == [200] * 61 + [503] * 9
    assert "Too many others are waiting" in text_of(next(one for one in answers if one.status_code == 503))


@pytest.mark.usefixtures("sounding")
def test_nothing_is_cut_for_those_who_only_ask_whether_there_is_a_clip(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> bytes:
        raise AssertionError("cut for nobody")

    monkeypatch.setattr(quoting, "cut", cut)
    response = clip_of(site, method="HEAD")
    assert (response.status_code, response.headers["content-type"], response.content) == (200, "audio/mpeg", b"")


@pytest.mark.parametrize(
    ("passage", "status", "said"),
    [
        ("2000-4900.ogg", 404, "is kept as .mp3"),
        ("2000-4900", 404, "is kept as .mp3"),
        ("30000-40000.mp3", 404, "Nothing is said"),
        ("nonsense.mp3", 404, "first and last millisecond"),
    ],
)
@pytest.mark.usefixtures("sounding")
def test_a_clip_that_cannot_be_had_is_said_plainly(site: Site, passage: str, status: int, said: str) -> None:
    response = clip_of(site, passage)
    assert response.status_code == status
    assert said in text_of(response)


def test_a_clip_is_short(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db:
        long = spoken(" ".join(["word"] * 300))
        save_transcript(db, kept.spoken, Transcript(SHA256, 60.0, "x", "y", "en", NOW, long), "long")
        db.execute("update renditions set duration = 200")
        db.conn.commit()
    assert "2 minutes at most" in text_of(clip_of(site, "0-130000.mp3"))
    page = site.ask(f"/-/quote/{PREFIX}/0-130000")
    assert page.status_code == 200
    assert "/-/clip/" not in page.text


def test_without_sound_audio_there_is_no_clip(site: Site, kept: Kept) -> None:
    assert "No clip can be made" in text_of(clip_of(site))  # the fixture's bytes are not audio
    next((kept.path.parent / "audio").rglob("*.mp3")).unlink()
    assert "not in this copy" in text_of(clip_of(site))
    page = site.ask(f"/-/quote/{PREFIX}/2000-4900")
    assert "<audio" not in page.text
    assert "The audio of this quotation is not in this copy of the archive." in text_of(page)


def test_a_file_is_named_by_what_can_be_in_a_name(site: Site, sounding: Kept) -> None:
    for title, name in (("Übung \r\n“../..”", "ubung"), ("日本", "clip"), ("x" * 300, "x" * 60)):
        with writer(sounding.path) as db, db.atomic():
            db.execute("update episodes set title = ?", [title])
        told = clip_of(site).headers["content-disposition"]
        assert told == f'attachment; filename="{name}-00.02-00.05.mp3"'
