"""Who speaks, as people heard it."""

SQL = """
create table attributions (            -- append only; undoing is a row of its own, which names the one it undoes
    id integer primary key,
    rendition text not null,           -- the recording: an attribution belongs to it and not to a transcript of it
    start real,                        -- seconds; null in a row that undoes
    "end" real,
    name text,                         -- who speaks there; empty: nobody is named; null in a row that undoes
    machine text,                      -- whom the machine had there, if it was one speaker
    everywhere integer not null default 0 check (everywhere in (0, 1)),  -- 1: that voice, wherever it is heard
    note text,
    editor text,
    made_at text not null,
    carried_from integer references attributions(id),  -- the same of another recording of the episode
    undoes integer references attributions(id)
) strict;
create index idx_attributions_rendition on attributions(rendition, start);
create unique index idx_attributions_undoes on attributions(undoes) where undoes is not null;

-- What says who speaks in it; null: the machine, or the publisher.
alter table segments add column attributed integer references attributions(id);
-- Its speakers as the machine told them apart, a JSON list, where people named others: see the table speakers.
alter table transcripts add column machine_speakers text
    check (machine_speakers is null or json_valid(machine_speakers));
"""
