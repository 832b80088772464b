"""How a rendition was fetched, and which offer of the feed it was: so that a changed offer is noticed."""

SQL = """
alter table episodes add column enclosure_length integer;  -- bytes, as the feed declares: a hint only
-- JSON list of the addresses that the host sent on to, in order.
alter table renditions add column redirects text not null default '[]' check (json_valid(redirects));
alter table renditions add column etag text;               -- of the audio's answer, verbatim
alter table renditions add column last_modified text;      -- as etag
alter table renditions add column offer text;              -- what was offered: address without query, version, length
create index idx_renditions_episode on renditions(episode);
"""
