"""Voice prints, and publishers' transcripts with how far the machine's are from them."""

SQL = """
-- The mean vector of the speaker's voice, a JSON list: hosts are known again by it.
alter table speakers add column voice text check (voice is null or json_valid(voice));
-- How far a Whisper transcript is from the publisher's own, which is the one it was compared with.
alter table transcripts add column word_error_rate real;
alter table transcripts add column compared_with integer references transcripts(id);

create table transcript_links (        -- the publisher's own transcripts, as the feed names them
    episode text not null references episodes(id),
    url text not null,
    type text,
    language text,
    rel text,
    primary key (episode, url)
) strict;
"""
