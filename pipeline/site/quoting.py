"""The page of a quotation, its JSON, and its audio clip. ``pipeline.archive.quoting`` finds the words."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from pathlib import PurePosixPath

from datasette import Request, Response

from pipeline.archive import quoting
from pipeline.archive.quoting import Quotation, Wording
from pipeline.audio.clip import clip as cut
from pipeline.errors import NotAudioError
from pipeline.export import citation as citing
from pipeline.site.access import Archive
from pipeline.site.audio import media_type
from pipeline.site.links import Links, absolute, works_elsewhere
from pipeline.site.respond import HEADERS, Refusal, json, page, wants_json
from pipeline.text import shortened

PADDING = 1.0  # seconds of a clip before and after the quotation
MAX_CLIP = 120.0  # seconds, without the padding
TITLE = 120  # characters of the quotation in link previews on other sites
_PASSAGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})(\.[a-z0-9]{2,5})?")
_WORDING = re.compile(r"(?:[0-9a-f]{6}){1,2}")


async def quote(request: Request, archive: Archive) -> Response:
    """``/-/quote/<sha256 prefix>/<first ms>-<last ms>``, optionally with ``.json``: what is said there.

    ``?w=`` is the fingerprint of the words that the link was made for; a malformed one is ignored. ``?e=`` is the id of
    the episode to cite, if several have the recording.
    """
    start, end, ending = _passage(request)
    if ending not in {"", ".json"}:
        raise Refusal("A quotation is a page or JSON: its address ends with a millisecond or with .json.", status=404)
    found = await _quotation(request, archive, start, end)
    if wants_json(request):
        return json(_as_dict(found, request, archive), archive=archive)
    cited = found.cited
    playable = await asyncio.to_thread(archive.audio_file, found.audio) is not None
    site = absolute(request, archive)
    citation = citing.citation(found, site)
    context = {
        "quotation": found,
        "cited": cited,
        "citing": citing,
        "citation": citation,
        "works_elsewhere": works_elsewhere(citation.url),
        "canonical": site.quote(found.audio.sha256, cited.start, cited.end, episode=found.linked_episode),
        "short": shortened(cited.text, TITLE),
        "playable": playable,
        "clip": _clip_address(found, archive) if playable else None,
        "sentences": _sentences_address(found, archive),
    }
    return await page("archive_quote.html", context, request=request, archive=archive)


async def clip(request: Request, archive: Archive, *, cutter: Executor) -> Response:
    """``/-/clip/<sha256 prefix>/<first ms>-<last ms>.<suffix>``: the audio of a quotation, as a download."""
    start, end, ending = _passage(request)
    found = await _quotation(request, archive, start, end)
    cited = found.cited
    if cited.end - cited.start > MAX_CLIP:
        raise Refusal(f"A clip may last {MAX_CLIP / 60:g} minutes at most: quote less of it.", status=400)
    if ending != _ending(found):
        raise Refusal(f"This recording is kept as {_ending(found)}, and so are its clips.", status=404)
    path = await asyncio.to_thread(archive.audio_file, found.audio)
    if path is None:
        raise Refusal("The audio of this quotation is not in this copy of the archive.", status=404)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{_file_name(found)}"'}
    content = b""
    if request.method != "HEAD":
        first, last = max(0.0, cited.start - PADDING), cited.end + PADDING
        piece = partial(cut, path, first, last, duration=found.audio.duration)
        try:
            content = await asyncio.get_running_loop().run_in_executor(cutter, piece)
        except NotAudioError as error:
            raise Refusal(f"No clip can be made of this: {error}.", status=404) from error
    return Response(content, headers=headers, content_type=media_type(found.audio))


def _passage(request: Request) -> tuple[float, float, str]:
    """The start and end in seconds, and the suffix, given in a URL."""
    asked = _PASSAGE.fullmatch(request.url_vars["passage"])
    if asked is None:
        message = "The address of a quotation ends with its first and last millisecond, as in 192340-195200."
        raise Refusal(message, status=404)
    return int(asked[1]) / 1000, int(asked[2]) / 1000, asked[3] or ""


async def _quotation(request: Request, archive: Archive, start: float, end: float) -> Quotation:
    name, wording = request.url_vars["recording"], request.args.get("w") or ""
    return await archive.read(
        lambda connection: quoting.quotation(
            connection,
            name,
            start,
            end,
            wording=wording if _WORDING.fullmatch(wording) else None,
            episode=request.args.get("e"),
        )
    )


def _ending(quotation: Quotation) -> str:
    return PurePosixPath(quotation.audio.path).suffix


def _clip_address(quotation: Quotation, archive: Archive) -> str | None:
    cited = quotation.cited
    if cited.end - cited.start > MAX_CLIP:
        return None
    return Links.of(archive).clip(quotation.audio.sha256, cited.start, cited.end, _ending(quotation))


def _sentences_address(quotation: Quotation, archive: Archive) -> str | None:
    """The page of the whole sentences that a quotation is a part of; None if it has all of their words."""
    cited = quotation.cited
    if cited.sentences == (cited.start, cited.end):
        return None
    return Links.of(archive).quote(quotation.audio.sha256, *cited.sentences, episode=quotation.linked_episode)


def _file_name(quotation: Quotation) -> str:
    """A portable file name made from the episode's title and the times."""
    plain = unicodedata.normalize("NFKD", quotation.title).encode("ascii", "ignore").decode()
    title = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:60].strip("-") or "clip"
    times = citing.times(quotation.cited).replace(":", ".").replace("–", "-")
    return f"{title}-{times}{_ending(quotation)}"


def _as_dict(quotation: Quotation, request: Request, archive: Archive) -> dict[str, object]:
    links, cited = Links.of(archive), quotation.cited
    citation = citing.citation(quotation, absolute(request, archive))
    passage = quotation.replaced_in.get(quotation.episode)
    return {
        **_wording(cited),
        "url": citation.url,
        "works_elsewhere": works_elsewhere(citation.url),
        "times": citing.times(cited),
        "show": quotation.show,
        "episode": quotation.episode,
        "title": quotation.title,
        "published": quotation.published,
        "episode_url": links.episode(quotation.episode, quotation.second_in(quotation.episode)),
        "replaced": quotation.episode in quotation.replaced_in,
        "in_current": asdict(passage) if passage else None,
        "also_in": [{"episode": id_, "title": title} for id_, title in quotation.also_in],
        "questions": [asdict(question) for question in quotation.questions],
        "questions_detected": quotation.are_detected,
        "standing": citing.standing(quotation),
        "checked": quotation.checked,
        "checks": [
            {"start": one.start, "end": one.end, "editor": one.editor, "made_at": one.made_at}
            for one in quotation.checks
        ],
        "attributed": quotation.attributed,
        "attributions": [
            {
                "start": one.start,
                "end": one.end,
                "name": one.name,
                "everywhere": one.everywhere,
                "editor": one.editor,
                "made_at": one.made_at,
            }
            for one in quotation.attributions
        ],
        "audio": {"sha256": quotation.audio.sha256, "duration": quotation.audio.duration},
        "audio_url": links.audio(quotation.audio.sha256),
        "clip": _clip_address(quotation, archive),
        "sentences": _sentences_address(quotation, archive),
        "changed": quotation.changed,
        "other_speakers": quotation.other_speakers,
        "in_force": _wording(quotation.wording),
        "linked": _wording(quotation.linked) if quotation.linked else None,
        "others": [_wording(other) for other in quotation.others],
        "citation": {"text": citation.text, "markdown": citation.markdown, "html": citation.html},
    }


def _wording(wording: Wording) -> dict[str, object]:
    made = wording.provenance
    return {
        "text": wording.text,
        "lines": [asdict(line) for line in wording.lines],
        "start": wording.start,
        "end": wording.end,
        "flags": wording.flags,
        "wording": wording.digest,
        "machine": wording.machine,
        "transcript": {
            "source": made.source,
            "engine": made.engine,
            "model": made.model,
            "language": made.language,
            "created": made.created,
        },
    }
