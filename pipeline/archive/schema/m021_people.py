"""The people whom feeds name in elements of their own (``podcast:person``)."""

SQL = """
create table episode_people (
    episode text not null references episodes(id),
    name text not null,
    role text not null,                -- host, guest
    primary key (episode, name)
);
"""
