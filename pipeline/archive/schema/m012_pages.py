"""What was found on the web pages of episodes."""

SQL = """
create table episode_pages (           -- one row an episode whose page was asked for
    episode text primary key references episodes(id),
    link text not null,                -- what was asked for
    address text,                      -- what the page calls itself, or where it was found; null: it was never had
    visited_at text not null,
    etag text,
    last_modified text,
    questions integer not null default 0,  -- how many were found on it
    problem text,                      -- why it could not be had, or read, the last time; null: it was
    parser_version integer not null    -- what an older version read is asked for again
) strict;
"""
