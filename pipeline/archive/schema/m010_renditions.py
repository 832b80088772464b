"""What the recordings of an episode have in common, and which of them counts, with the reason."""

SQL = """
create table rendition_comparisons (   -- two kept files of one episode, by their sound
    episode text not null references episodes(id),
    old text not null,                 -- sha256
    new text not null,                 -- sha256
    verdict text not null check (verdict in ('same', 'spliced', 'changed', 'other')),
    gone text not null check (json_valid(gone)),    -- [[from, to], ...] in seconds of the old one: not in the new one
    added text not null check (json_valid(added)),  -- [[from, to], ...] in seconds of the new one: not in the old one
    compared_at text not null,
    primary key (episode, old, new)
) strict;

create table renditions_map (          -- the pieces that two of them share, in order
    episode text not null,
    old text not null,
    new text not null,
    old_start real not null,           -- seconds of the old one
    old_end real not null,
    new_start real not null,           -- second of the new one
    primary key (episode, old, new, old_start),
    foreign key (episode, old, new) references rendition_comparisons(episode, old, new)
) strict;
create index idx_renditions_map_old on renditions_map(old, new);
create index idx_renditions_map_new on renditions_map(new, old);

create table rendition_choices (       -- append only; renditions.current is the newest one of each episode
    id integer primary key,
    episode text not null references episodes(id),
    rendition text not null,           -- sha256
    reason text not null,
    chosen_by text,                    -- null: by rule
    chosen_at text not null
) strict;
create index idx_rendition_choices_episode on rendition_choices(episode);
insert into rendition_choices (episode, rendition, reason, chosen_at)
select episode, sha256, 'the newest when choices were first recorded', fetched_at from renditions where current = 1;

-- What was said of an earlier recording and holds in a later one, at its own times: the row that it comes from.
alter table corrections add column carried_from integer references corrections(id);
alter table checks add column carried_from integer references checks(id);
"""
