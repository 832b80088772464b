"""What search needs to be fast: where each transcript's segments lie among all, the newest episodes, beginnings."""

SQL = """
-- Ids of a transcript's segments: one contiguous block, in order of time. Null where nobody speaks.
alter table transcripts add column first_segment integer;
alter table transcripts add column last_segment integer;
update transcripts set
    first_segment = (select id from segments where transcript = transcripts.id order by n limit 1),
    last_segment = (select id from segments where transcript = transcripts.id order by n desc limit 1);
create index idx_transcripts_others on transcripts(first_segment, last_segment) where preferred = 0;
-- Newest first; what has no date comes last.
create index idx_episodes_newest on episodes(coalesce(published, ''), id);
-- Beginnings of two and three letters are indexed too. Its triggers belong to segments and stay.
drop table segments_fts;
create virtual table segments_fts using fts5(
    text, content="segments", content_rowid="id", tokenize="porter unicode61 remove_diacritics 2", prefix="2 3"
);
insert into segments_fts (segments_fts) values ('rebuild');
"""
