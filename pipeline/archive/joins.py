"""SQL that several queries share: who speaks, what plays, and which episodes are the newest. Runs no query."""

from __future__ import annotations

# The speakers ``p`` of preferred transcripts ``t``: a superseded transcript still has rows in ``speakers``.
SPEAKING = "speakers p join transcripts t on t.id = p.transcript and t.preferred = 1"
# To episode ``e``, its preferred transcript ``t`` and the recording ``r`` that its page plays: the one that was
# transcribed, or else the current one. Both may be missing.
PLAYED = """left join transcripts t on t.episode = e.id and t.preferred = 1
left join renditions r on r.episode = e.id and iif(t.id is null, r.current = 1, r.sha256 = t.rendition)"""
# When episode ``e`` was published, in UTC, as it is indexed: ``published`` has the publisher's own offset. Those
# without a date come last.
MOMENT = "coalesce(datetime(e.published), '')"
NEWEST_FIRST = f"{MOMENT} desc, e.id desc"  # the id decides between those of one moment
# That episode ``e`` comes after ``:before`` in this order; holds for all where that is no episode.
BEYOND = f"""(not exists (select 1 from episodes where id = :before) or ({MOMENT}, e.id) <
    (select coalesce(datetime(published), ''), id from episodes where id = :before))"""
