"""Who may correct times and check words: signed-in actors with the Datasette permission. Records nothing.

If the configuration does not mention a permission, every signed-in actor has it. Datasette 1.0 reads ``permissions:
{correct-times: {id: ann}}`` itself; 0.65 does not, so it is read here, from the same places.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette import Request, hookimpl
from datasette.utils import actor_matches_allow

from pipeline.site.access import Actor, Archive, is_1_0

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette


@dataclass(frozen=True, slots=True)
class Right:
    """A permission of editors: ``does`` is its description in a sentence, ``path`` the form's target."""

    action: str
    path: str
    does: str
    description: str


TIMES = Right("correct-times", "/-/correct", "correct times", "Correct when questions are asked")
WORDS = Right("check-words", "/-/check", "check words", "Check and correct the words of transcripts")
RIGHTS = (TIMES, WORDS)


async def refusal(archive: Archive, actor: Actor, right: Right) -> str | None:
    """Return a sentence saying why the actor lacks the permission; None if they have it."""
    if not name_of(actor):
        return (
            f"Only a signed-in editor may {right.does}. Sign in first: on your own computer with the address that "
            "“python -m pipeline serve --root” prints (once only: start it again for another), elsewhere as the owner "
            "of this site has arranged."
        )
    if not await _allowed(archive, actor, right.action):
        return (
            f"You are signed in as “{name_of(actor)}”, who may not {right.does}. The owner of this site can allow it."
        )
    if archive.is_fixed:
        return "This archive is served read-only, so nothing can be corrected here."
    return None


def name_of(actor: Actor) -> str:
    """Return the name under which an actor's work is recorded; empty if nobody is signed in."""
    return str((actor or {}).get("id") or "")


def is_own_form(archive: Archive, request: Request, fields: Mapping[str, str]) -> bool:
    """Tell whether a form was sent from a page of this site, rather than from another site (CSRF).

    Datasette 1.0 has already checked the origin of the request. In 0.65 every page has a CSRF token for its forms.
    """
    if is_1_0(archive.datasette):
        return True
    sent = request.headers.get("x-csrftoken") or fields.get("csrftoken", "")
    return secrets.compare_digest(sent.encode(), str(request.scope["csrftoken"]()).encode())


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def skip_csrf(datasette: Datasette, scope: Mapping[str, Any]) -> bool:
    """Exempt our own forms from Datasette 0.65's CSRF check; ``is_own_form`` checks their token instead.

    Datasette checks the token only if there are cookies, but a browser can be signed in without any, for example with
    HTTP Basic authentication. It also reads the form first, without a size limit, and fails if that is not UTF-8.
    """
    ours = {path for right in RIGHTS for path in (right.path, datasette.urls.path(right.path))}
    return not is_1_0(datasette) and scope["path"] in ours


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def register_actions() -> list[Any]:
    """Register the permissions with Datasette 1.0."""
    from datasette.permissions import Action  # noqa: PLC0415 - 0.65 has none
    from datasette.resources import DatabaseResource  # noqa: PLC0415 - as above

    return [
        Action(
            name=right.action,
            description=right.description,
            resource_class=DatabaseResource,
            also_requires="view-database",
        )
        for right in RIGHTS
    ]


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def permission_resources_sql(datasette: Datasette, actor: Actor, action: str) -> Any:
    """Grant the permissions to every signed-in actor, for Datasette 1.0; the configuration takes precedence."""
    if action not in {right.action for right in RIGHTS} or not name_of(actor) or datasette.default_deny:
        return None
    from datasette.permissions import PermissionSQL  # noqa: PLC0415 - 0.65 has none

    return PermissionSQL.allow(reason="signed in")


async def _allowed(archive: Archive, actor: Actor, action: str) -> bool:
    datasette, name = archive.datasette, archive.database.name
    if is_1_0(datasette):
        from datasette.resources import DatabaseResource  # noqa: PLC0415 - 0.65 has none

        return bool(await datasette.allowed(action=action, resource=DatabaseResource(name), actor=actor))
    places = (datasette.metadata("permissions", database=name, fallback=False), datasette.metadata("permissions"))
    configured = next((place[action] for place in places if place and action in place), {"id": "*"})
    return bool(await datasette.permission_allowed(actor, action, name, default=actor_matches_allow(actor, configured)))
