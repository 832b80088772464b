"""Describing how a transcript was made and how certain it is, for its page. Pure functions; computes no new scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.archive.reading import Passage, Provenance
from pipeline.site.spoken import UNSURE
from pipeline.site.wording import amount, certainty

NAMED = 12  # names and terms to list; there may be a hundred


@dataclass(frozen=True, slots=True)
class Surety:
    """The engine's certainty; ``mean`` is the mean word probability, None if there are no words."""

    passages: int
    flagged: int
    words: int
    unsure_words: int
    mean: float | None


def surety(passages: Sequence[Passage]) -> Surety:
    """Summarise a transcript's certainty."""
    chances = [word.probability for passage in passages for word in passage.words]
    return Surety(
        passages=len(passages),
        flagged=sum(bool(passage.flags) for passage in passages),
        words=len(chances),
        unsure_words=sum(chance < UNSURE for chance in chances),
        mean=sum(chances) / len(chances) if chances else None,
    )


def account(source: Provenance, sure: Surety) -> Iterator[tuple[str, str]]:
    """Yield labels and descriptions of how a transcript was made and how certain it is."""
    options = source.options
    if source.source == "whisper":
        yield "Model", f"{source.model}{_weights(options)}"
        yield "Engine", "; ".join([_versions(source.engine, options), *_settings(options)])
    else:
        yield "Format", source.model
    yield "Language", source.language
    terms = options.get("terms") or options.get("vocabulary") or []
    if terms:
        more = f" and {len(terms) - NAMED} more" if len(terms) > NAMED else ""
        yield "Expected words", ", ".join(map(str, terms[:NAMED])) + more
    if options.get("speakers"):
        yield "Speakers", f"{options['speakers']}, as configured"
    if sure.mean is not None:
        yield "Certainty", _how_sure(sure)
    if source.word_error_rate is not None:
        yield (
            "Compared with the publisher’s",
            f"{source.word_error_rate:.1%} of the words differ from the publisher’s own",
        )


def _how_sure(sure: Surety) -> str:
    share = sure.unsure_words / sure.words
    flagged = f"{sure.flagged} of {amount(sure.passages, 'passage')} flagged" if sure.flagged else "no passage flagged"
    return f"{certainty(sure.mean)} in a word on average; {share:.1%} of the words doubtful; {flagged}"


def _weights(options: Mapping[str, Any]) -> str:
    digest = str(options.get("weights") or "")
    return f", weights {digest[:12]}…" if digest else ""


def _versions(engine: str, options: Mapping[str, Any]) -> str:
    versions = options.get("versions") or {}
    named = [f"{engine} {versions[engine]}" if engine in versions else engine]
    return ", ".join([*named, *(f"{name} {version}" for name, version in versions.items() if name != engine)])


def _settings(options: Mapping[str, Any]) -> Iterator[str]:
    if options.get("beam_size"):
        yield f"beam of {options['beam_size']}"
    if options.get("compute_type"):
        yield f"computed in {options['compute_type']}"
    if options.get("pocketsphinx"):
        yield f"word times by forced alignment (pocketsphinx {options['pocketsphinx']})"
