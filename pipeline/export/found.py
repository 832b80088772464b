"""What a search found, or suggests, as it is printed with --json and sent by the JSON route."""

from __future__ import annotations

from pipeline.addresses import Addresses
from pipeline.archive.search import Hit, Results
from pipeline.archive.search.instead import Instead


def results(found: Results, addresses: Addresses) -> dict[str, object]:
    """Return a page of hits."""
    return {
        "hits": [_hit(hit, addresses) for hit in found.hits],
        "total": found.total,
        "exact": found.exact,
        "order": found.order,
        "next": found.next,
        "searched": found.searched,
    }


def suggestions(offered: Instead, addresses: Addresses) -> dict[str, object]:
    """Return what is suggested if there are no hits."""
    nearly = [
        {
            **_hit(one.hit, addresses),
            "differing": one.differing,
            "pieces": [{"kind": piece.kind, "text": piece.text} for piece in one.pieces],
        }
        for one in offered.nearly
    ]
    return {
        "nearly": nearly,
        "spelling": offered.spelling,
        "looser": offered.looser,
        "remarks": list(offered.remarks),
    }


def _hit(hit: Hit, addresses: Addresses) -> dict[str, object]:
    return {
        **hit._asdict(),
        "turns": [turn._asdict() for turn in hit.turns],
        "url": addresses.episode(hit.episode, hit.start),
        "quote": addresses.quote(hit.rendition, hit.start, hit.end, episode=hit.episode),
    }
