"""The pages of named speakers: a list of all, and one for each with everything they said."""

from __future__ import annotations

from urllib.parse import unquote

from datasette import Request, Response

from pipeline.archive import people
from pipeline.site.access import Archive
from pipeline.site.links import Links
from pipeline.site.respond import Refusal, page
from pipeline.site.turns import turns

PEOPLE = 500  # per page
EPISODES = 3  # per page; a host says thousands of words in each


async def speakers_page(request: Request, archive: Archive) -> Response:
    """``/-/speakers?after=``: the named speakers in alphabetical order, those ``after`` a name."""
    after = request.args.get("after") or ""
    found = await archive.read(lambda connection: people.people(connection, PEOPLE + 1, after=after))
    context = {"people": found[:PEOPLE], "after": found[PEOPLE - 1].name if len(found) > PEOPLE else None}
    return await page("archive_speakers.html", context, request=request, archive=archive)


async def speaker_page(request: Request, archive: Archive) -> Response:
    """``/-/speaker/<name>?before=``: everything a speaker said, in the episodes ``before`` a given one."""
    name, before = unquote(request.url_vars["name"]), request.args.get("before")
    person, renamed, said = await archive.read(
        lambda connection: (
            people.person(connection, name),
            people.renamed(connection, name),
            people.appearances(connection, name, EPISODES, before=before),
        )
    )
    if person is None and renamed:
        return Response.redirect(Links.of(archive).speaker(renamed))
    if person is None:
        raise Refusal(f"Nobody is known as “{name}” in this archive.", status=404)
    context = {"person": person, "said": said, "turns": turns, "first": not before}
    return await page("archive_speaker.html", context, request=request, archive=archive)
