"""Building the URLs of the site's pages and files below a base URL. Independent of the server."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

PREFIX = 12  # hex digits of a kept file's SHA-256 that name it in a link to a quotation


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes addresses; ``base`` is where the site is, without a slash at its end, or empty for paths alone."""

    base: str = ""

    def home(self) -> str:
        """Return the front page."""
        return f"{self.base}/"

    def episode(self, episode_id: str, second: float | None = None) -> str:
        """Return the URL of an episode's page, at a time if given (rounded down to a tenth of a second)."""
        at = "" if second is None else f"?t={_early(second)}"
        return f"{self.base}/-/episode/{quote(episode_id)}{at}"

    def question(self, episode_id: str, number: int, second: float | None = None) -> str:
        """Return an episode's page at a question, and at the second at which it is asked if that is given."""
        return f"{self.episode(episode_id, second)}#q{number}"

    def check(self, episode_id: str, passage: int) -> str:
        """Return the form that checks a passage."""
        return f"{self.base}/-/check?{urlencode({'episode': episode_id, 'n': passage})}"

    def audio(self, sha256: str, second: float | None = None, end: float | None = None) -> str:
        """Return the URL of a kept file; its media fragment makes browsers start and stop at these times."""
        until = "" if end is None else f",{end:.1f}"
        begin = "" if second is None else f"#t={_early(second)}{until}"
        return f"{self.base}/-/audio/{sha256}{begin}"

    def quote(
        self, sha256: str, start: float, end: float, *, wording: str | None = None, episode: str | None = None
    ) -> str:
        """Return the page of what is said between two seconds of a kept file, named by whole milliseconds.

        Args:
            sha256: the file's.
            start: seconds.
            end: seconds.
            wording: the fingerprint of the quoted words, so that the page can tell whether they have changed.
            episode: the id of the episode to cite, of several with the same file.
        """
        return f"{self.base}/-/quote/{_passage(sha256, start, end)}{_query({'w': wording, 'e': episode})}"

    def clip(self, sha256: str, start: float, end: float, ending: str) -> str:
        """Return the audio of a quotation alone; ``ending`` is its format's, with the dot."""
        return f"{self.base}/-/clip/{_passage(sha256, start, end)}{ending}"

    def quotes(self, sha256: str) -> str:
        """Return what the addresses of all quotations from a kept file begin with."""
        return f"{self.base}/-/quote/{sha256[:PREFIX]}/"

    def export(self, episode_id: str, form: str) -> str:
        """Return an episode in one of the formats."""
        return f"{self.base}/-/export/{quote(episode_id)}.{form}"

    def show(self, slug: str, before: str | None = None) -> str:
        """Return a feed's page, or that of the episodes before one."""
        return f"{self.base}/-/feed/{quote(slug)}{_query({'before': before})}"

    def speaker(self, name: str, before: str | None = None) -> str:
        """Return the page of somebody who is known by name, or that of the episodes before one."""
        return f"{self.base}/-/speaker/{quote(name, safe='')}{_query({'before': before})}"

    def speakers(self, after: str | None = None) -> str:
        """Return the page of all people, or of those after a name."""
        return f"{self.base}/-/speakers{_query({'after': after})}"

    def search(self, **parameters: str | int | None) -> str:
        """Return the URL of the search page; empty parameters are omitted."""
        return f"{self.base}/-/search{_query(parameters)}"

    def search_json(self, **parameters: str | int | None) -> str:
        """Return a search for programs, as ``search`` does."""
        return f"{self.base}/-/search.json{_query(parameters)}"

    def questions(self, **parameters: str | int | None) -> str:
        """Return the page of questions, as ``search`` does."""
        return f"{self.base}/-/questions{_query(parameters)}"

    def review(self) -> str:
        """Return the editors' page of what to look at first."""
        return f"{self.base}/-/review"

    def atom(self, **parameters: str | None) -> str:
        """Return the Atom feed of a search, or of the newest episodes."""
        return f"{self.base}/-/atom{_query(parameters)}"

    def feed(self, slug: str) -> str:
        """Return a feed, re-published."""
        return f"{self.base}/-/feed/{quote(slug)}.xml"

    def status(self) -> str:
        """Return the page that says how the archive is doing."""
        return f"{self.base}/-/status"

    def sitemap(self, part: int | None = None) -> str:
        """Return the map of the pages, or a part of it."""
        return f"{self.base}/sitemap{'' if part is None else f'-{part}'}.xml"


def _query(parameters: Mapping[str, str | int | None]) -> str:
    said = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(said)}" if said else ""


def _early(second: float) -> str:
    """A time rounded down to a tenth of a second: rounding up could cut off the first sound."""
    return f"{math.floor(second * 10) / 10:.1f}"


def _passage(sha256: str, start: float, end: float) -> str:
    """The path of a passage in whole milliseconds, rounded outwards."""
    # Rounded to the microsecond first: 0.29 * 1000 is a little less than 290, and 4.9 * 1000 a little more than 4900.
    first, last = math.floor(round(start * 1000, 3)), math.ceil(round(end * 1000, 3))
    return f"{sha256[:PREFIX]}/{first}-{last}"


def addresses(base_url: str) -> Addresses:
    """Return the builder for a base URL; characters that could end a link in HTML, Markdown or XML are encoded."""
    return Addresses(quote(base_url.rstrip("/"), safe="/:@%[]~"))
