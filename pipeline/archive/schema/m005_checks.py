"""Passages that a person has listened to, with the words as that person heard them."""

SQL = """
create table checks (                  -- append only; undoing is a row of its own, which names the one it undoes
    id integer primary key,
    rendition text not null,           -- the recording: a check belongs to it and not to a transcript of it
    start real,                        -- seconds; null in a row that undoes
    "end" real,
    text text,                         -- the words as the editor heard them; empty: nothing is said there
    machine text,                      -- the machine's words there when it was checked
    note text,
    editor text,
    made_at text not null,
    undoes integer references checks(id)
) strict;
create index idx_checks_rendition on checks(rendition, start);
create unique index idx_checks_undoes on checks(undoes) where undoes is not null;

-- What counts: of checks that overlap the newest that was not undone. None of these overlap.
create view checks_in_force as
select c.id, c.rendition, c.start, c."end", c.text, c.machine, c.note, c.editor, c.made_at
from checks c
where c.undoes is null
    and not exists (select 1 from checks u where u.undoes = c.id)
    and not exists (
        select 1 from checks n
        where n.rendition = c.rendition and n.id > c.id
            and (n.start < c."end" and n."end" > c.start or n.start = c.start)
            and not exists (select 1 from checks u where u.undoes = n.id)
    );

-- 1: a person heard every word of it.
alter table segments add column checked integer not null default 0 check (checked in (0, 1));
-- What the machine heard, where a check changed the row: JSON with start, end, text, words, confidence and flags.
alter table segments add column machine text check (machine is null or json_valid(machine));
"""
