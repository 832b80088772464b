"""When each episode's feed was read before the episode came, so that one that takes another's place is noticed."""

SQL = """
-- When all of its feed had last come before this episode was first seen; null: never, or an older version entered it.
alter table episodes add column listed_before text;
"""
