"""Who is who when feeds change: every guid of an episode, what changed in it, and where feeds moved."""

SQL = """
alter table feeds add column podcast_guid text;   -- podcast:guid: the show's own, for life, wherever it moves
alter table feeds add column retry_at text;       -- the feed is not asked before then
alter table feeds add column fully_fetched text;  -- when all of it last came; conditional requests end 30 days later

create table episode_guids (           -- every guid that an episode ever had in its feed, as published
    episode text not null references episodes(id) on delete cascade,
    guid text not null,                -- several episodes have the same where a feed uses one twice
    first_seen text not null,
    primary key (episode, guid)
) strict, without rowid;
-- Where several share a guid, all but one have it with a hash as its end in `episodes`.
insert into episode_guids (episode, guid, first_seen)
select e.id, coalesce(plain.guid, e.guid), e.first_seen
from episodes e
left join episodes plain
    on plain.feed = e.feed and plain.guid = substr(e.guid, 1, length(e.guid) - 9) and substr(e.guid, -9, 1) = '#';

create table episode_history (         -- what the publisher changed
    id integer primary key,
    episode text not null references episodes(id) on delete cascade,
    field text not null,               -- a column of `episodes`, or guid: one that it got besides those it had
    was text,
    became text,
    noticed_at text not null
) strict;
create index idx_episode_history_episode on episode_history(episode);

create table feed_moves (              -- the newest of an address counts
    id integer primary key,
    feed text not null references feeds(slug),
    was text not null,
    became text,                       -- null: nowhere, the server says that it is gone for good
    how text not null check (how in ('redirect', 'new-feed-url', 'gone')),
    noticed_at text not null
) strict;
create index idx_feed_moves_feed on feed_moves(feed);
"""
