"""A quotation as a citation to paste: plain text, Markdown and HTML. Pure; the quoted words are never altered."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.addresses import Addresses
from pipeline.archive.quoting import Quotation, Wording
from pipeline.archive.reading import Provenance
from pipeline.archive.said import Line
from pipeline.editing.checking import overlap
from pipeline.export import markdown
from pipeline.flags import doubts
from pipeline.model import Attribution, Check
from pipeline.times import clock, day


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation in three forms, and the permanent URL that all of them contain."""

    url: str
    text: str
    markdown: str
    html: str


def citation(quotation: Quotation, addresses: Addresses) -> Citation:
    """Cite a quotation, with a URL that can tell later whether the words or their speakers have changed."""
    cited = quotation.cited
    url = addresses.quote(
        quotation.audio.sha256,
        cited.start,
        cited.end,
        wording=cited.fingerprint,
        episode=quotation.linked_episode,
    )
    where = [_flat(quotation.show), f"“{_flat(quotation.title)}”", day(quotation.published), times(cited)]
    facts = [
        ", ".join(fact for fact in where if fact),
        *(f"{question_of(quotation)} {one.number}: “{_flat(one.text)}”" for one in quotation.questions),
        url,
        f"{standing(quotation)}. {doubt(quotation)}{source(cited.provenance)}.",
        f"Audio SHA-256: {quotation.audio.sha256}",
    ]
    said = [(speaker(line), line.text) for line in cited.lines]
    return Citation(url, _text(said, facts), _markdown(said, facts, url), _html(said, facts, url))


def question_of(quotation: Quotation) -> str:
    """Return the label of a cited question: published, or detected in the speech if no list was published."""
    return "Question as heard, not published," if quotation.are_detected else "Published question"


def times(wording: Wording) -> str:
    """Return the times as ``03:12–03:20`` or ``1:02:03–1:02:10``; the end is rounded up to a whole second."""
    return f"{clock(wording.start).zfill(5)}–{clock(math.ceil(wording.end)).zfill(5)}"


def speaker(line: Line) -> str:
    """Return the speaker, with the role of host or guest if known."""
    standing = f" ({line.standing})" if line.standing in {"host", "guest"} else ""
    return _flat(line.speaker or "Speaker not identified") + standing


def standing(quotation: Quotation) -> str:
    """Say whether a person has checked the words and the speakers; without a full stop."""
    by = _by(quotation.checks)
    if quotation.checked:
        return f"Checked {by}{_who_speaks(quotation)}"
    publisher = quotation.cited.provenance.source == "publisher"
    kind = "Transcript supplied by the publisher" if publisher else "Machine transcript"
    if by and not quotation.wording.lines:
        return f"{kind}; nothing is said here, as checked {by}"
    words = f"{kind}, checked only in part {by}" if by else f"{kind}, not checked by a person"
    return words + _who_speaks(quotation)


def doubt(quotation: Quotation) -> str:
    """Return a sentence with the engine's reasons for doubt; empty if there are none, or the words were checked."""
    why = doubts(quotation.cited.flags)
    return f"The machine itself was not sure of it: {why}. " if why and not quotation.checked else ""


def _who_speaks(quotation: Quotation) -> str:
    """Say who named the speakers; or, if only the words were checked, that the speakers were not."""
    # If a voice was named elsewhere in the recording, it is the machine that recognises it here.
    voices = [one for one in quotation.attributions if one.everywhere and not overlap(one, quotation.wording)]
    here = [one for one in quotation.attributions if one not in voices]
    named, nameless = ([one for one in here if bool(one.name) is told] for told in (True, False))
    part = "" if quotation.attributed and not (named and nameless) else " in part"
    unheard = quotation.checked and not here and any(line.speaker for line in quotation.wording.lines)
    told = ", except for who speaks" if unheard else ""
    for what, some in (
        (f"the speaker is named{part}", named),
        (f"the speaker is left unnamed{part}", nameless),
        ("a voice was named elsewhere in the recording", voices),
    ):
        told += f"; {what} {_by(some)}" if some else ""
    return told


def _by(said: Iterable[Check | Attribution]) -> str:
    return " and ".join(dict.fromkeys(f"by {one.editor or 'an editor'} on {day(one.made_at)}" for one in said))


def source(provenance: Provenance) -> str:
    """Describe the source of the words."""
    if provenance.source == "publisher":
        return f"Transcript: the publisher’s, as of {day(provenance.created)}"
    made = f"run by {provenance.engine}, made on {day(provenance.created)}"
    return f"Transcript: Whisper {provenance.model} ({provenance.language}), {made}"


def _flat(text: str) -> str:
    """A name or title on one line; quoted words are never altered."""
    return " ".join(text.split())


def _text(said: list[tuple[str, str]], facts: list[str]) -> str:
    return "\n".join([*(f"{who}: “{words}”" for who, words in said), *facts]) + "\n"


def _markdown(said: list[tuple[str, str]], facts: list[str], url: str) -> str:
    quoted = "\n>\n".join(f"> **{markdown.escaped(who)}**: “{markdown.escaped(words)}”" for who, words in said)
    # A backslash at the end of a line is a line break; the URL becomes an autolink.
    told = "\\\n".join(f"<{fact}>" if fact == url else markdown.escaped(fact) for fact in facts)
    return f"{quoted}\n\n{told}\n"


def _html(said: list[tuple[str, str]], facts: list[str], url: str) -> str:
    link = html.escape(url)
    quoted = "".join(f"<p><b>{html.escape(who)}</b>: “{html.escape(words)}”</p>\n" for who, words in said)
    told = "<br>\n".join(f'<a href="{link}">{link}</a>' if fact == url else html.escape(fact) for fact in facts)
    return f'<figure>\n<blockquote cite="{link}">\n{quoted}</blockquote>\n<figcaption>{told}</figcaption>\n</figure>\n'
