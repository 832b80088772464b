"""For which episodes the publisher's transcript was looked for in vain."""

SQL = """
create table transcript_searches (     -- one row an episode whose publisher's transcript was looked for and not had
    episode text primary key references episodes(id),
    offered text not null,             -- names what was looked at: the links of the feed, and the notes
    searched_at text not null,
    failed integer not null check (failed in (0, 1))  -- 1: what the feed names could not be had; 0: it names none
) strict;
"""
