"""Which episodes of each feed are wanted, so that what waits can be told from what is left out."""

SQL = """
-- The newest so many that feeds.yaml asks for; null: all; 0: none, it is switched off or no longer there.
alter table feeds add column wanted integer;
alter table episodes add column skipped integer not null default 0;  -- 1: feeds.yaml says to skip it
"""
