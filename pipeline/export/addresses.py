"""The addresses of the site's pages and files, below a base. Knows nothing of who serves them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes addresses; ``base`` is where the site is, without a slash at its end, or empty for paths alone."""

    base: str = ""

    def home(self) -> str:
        """Return the front page."""
        return f"{self.base}/"

    def episode(self, episode_id: str, second: float | None = None) -> str:
        """Return an episode's page, at a second if given: a tenth too early rather than too late."""
        at = "" if second is None else f"?t={math.floor(second * 10) / 10:.1f}"
        return f"{self.base}/-/episode/{quote(episode_id)}{at}"

    def question(self, episode_id: str, number: int, second: float) -> str:
        """Return an episode's page at a question and the second at which it is asked."""
        return f"{self.episode(episode_id, second)}#q{number}"

    def audio(self, sha256: str) -> str:
        """Return a kept file."""
        return f"{self.base}/-/audio/{sha256}"

    def export(self, episode_id: str, form: str) -> str:
        """Return an episode in one of the formats."""
        return f"{self.base}/-/export/{quote(episode_id)}.{form}"

    def show(self, slug: str) -> str:
        """Return a feed's page."""
        return f"{self.base}/-/feed/{quote(slug)}"

    def speaker(self, name: str) -> str:
        """Return the page of somebody who is known by name."""
        return f"{self.base}/-/speaker/{quote(name, safe='')}"

    def search(self, **parameters: str | int | None) -> str:
        """Return the search page with those parameters that say something."""
        return f"{self.base}/-/search{_query(parameters)}"

    def questions(self, **parameters: str | int | None) -> str:
        """Return the page of questions, as ``search`` does."""
        return f"{self.base}/-/questions{_query(parameters)}"

    def atom(self, **parameters: str | None) -> str:
        """Return the Atom feed of a search, or of the newest episodes."""
        return f"{self.base}/-/atom{_query(parameters)}"

    def feed(self, slug: str) -> str:
        """Return a feed, re-published."""
        return f"{self.base}/-/feed/{quote(slug)}.xml"


def _query(parameters: Mapping[str, str | int | None]) -> str:
    said = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(said)}" if said else ""


def addresses(base_url: str) -> Addresses:
    """Make addresses below a site's own; what could end a link in HTML, Markdown or XML is encoded in it."""
    return Addresses(quote(base_url.rstrip("/"), safe="/:@%[]~"))
