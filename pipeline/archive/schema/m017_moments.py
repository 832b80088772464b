"""The newest episodes are told by the moment, not by the local time that the publisher states with an offset."""

SQL = """
drop index idx_episodes_newest;
create index idx_episodes_newest on episodes(coalesce(datetime(published), ''), id);
"""
