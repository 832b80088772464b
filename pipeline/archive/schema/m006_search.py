"""Where each transcript's segments lie among all, so that search need not read them to know whose they are."""

SQL = """
-- Ids of a transcript's segments: one contiguous block, in order of time. Null where nobody speaks.
alter table transcripts add column first_segment integer;
alter table transcripts add column last_segment integer;
update transcripts set
    first_segment = (select id from segments where transcript = transcripts.id order by n limit 1),
    last_segment = (select id from segments where transcript = transcripts.id order by n desc limit 1);
create index idx_transcripts_first_segment on transcripts(first_segment);
"""
