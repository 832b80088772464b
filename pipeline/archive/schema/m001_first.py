"""The tables, views and indexes that an archive began with."""

TABLES = """
create table feeds (
    slug text primary key,
    title text not null,
    url text not null,                 -- as configured
    feed_url text,                     -- as resolved
    etag text,
    last_modified text,
    parser_version integer,            -- validators of another parser version are not sent again
    last_polled text,
    last_status text
) strict;

create table feed_snapshots (          -- every distinct body a feed ever had, kept under feeds/
    feed text not null references feeds(slug),
    sha256 text not null,
    path text not null,
    bytes integer not null,
    fetched_at text not null,
    primary key (feed, sha256)
) strict;

create table episodes (
    id text primary key,               -- <feed slug>/<8 hex of the guid's sha256>
    feed text not null references feeds(slug),
    guid text not null,
    guid_made integer not null default 0,  -- 1: the feed gave none, so it was made from the audio's address
    title text not null,
    published text,
    link text,
    enclosure_url text,
    enclosure_type text,
    declared_duration real,
    notes_html text not null default '',
    notes_text text not null default '',
    first_seen text not null,
    last_seen text not null,
    unique (feed, guid)
) strict;
create index idx_episodes_published on episodes(published);
create index idx_episodes_enclosure on episodes(feed, enclosure_url);

create table renditions (              -- the kept files; one file may belong to several episodes
    sha256 text not null,
    episode text not null references episodes(id),
    url text not null,
    final_url text not null,
    bytes integer not null,
    content_type text not null,
    duration real not null,            -- decoded seconds
    fetched_at text not null,
    path text not null,                -- relative to the folder of this database
    current integer not null default 1,
    primary key (sha256, episode)
) strict;
create unique index idx_renditions_current on renditions(episode) where current = 1;

create table transcripts (
    id integer primary key,
    rendition text not null,
    episode text not null,
    source text not null check (source in ('whisper', 'publisher')),
    engine text not null,
    model text not null,
    language text not null,
    options text not null check (json_valid(options)),
    key text not null,                 -- with the rendition, names the file under transcripts/
    created text not null,
    preferred integer not null default 0,
    unique (episode, rendition, key),
    foreign key (rendition, episode) references renditions(sha256, episode)
) strict;
create unique index idx_transcripts_preferred on transcripts(episode) where preferred = 1;

create table segments (
    id integer primary key,            -- one contiguous block per transcript
    transcript integer not null references transcripts(id),
    episode text not null references episodes(id),
    n integer not null,                -- counts from 0 within the transcript
    start real not null,
    "end" real not null,
    text text not null,
    speaker text,
    question integer,                  -- number of the published question it asks or answers
    role text not null default 'other' check (role in ('question', 'answer', 'other')),
    confidence real,
    flags text not null default '[]' check (json_valid(flags)),
    words text not null default '[]' check (json_valid(words)),
    unique (transcript, n)
) strict;
create index idx_segments_episode on segments(episode);

create table speakers (
    transcript integer not null references transcripts(id),
    label text not null,
    name text,
    role text not null check (role in ('host', 'guest', 'unknown')),
    seconds real not null,
    primary key (transcript, label)
) strict;

create table questions (
    id text primary key,               -- <episode id>/q<8 hex of the text's hash>
    episode text not null references episodes(id),
    number integer,                    -- null: no longer in the published list, kept because it was corrected
    text text not null,
    source text not null,              -- where it was published
    unique (episode, number)
) strict;

create table matches (
    question text not null references questions(id),
    transcript integer not null references transcripts(id),
    status text not null check (status in ('asked', 'merged', 'uncertain', 'not_asked')),
    start real,
    "end" real,
    answer_end real,
    confidence real not null,
    merged_with integer,               -- number of the question it was asked together with
    primary key (question, transcript)
) strict;
create index idx_matches_transcript on matches(transcript);

create table alignments (              -- what each transcript's matches were made from
    transcript integer primary key references transcripts(id),
    key text not null,
    made_at text not null
) strict;

create table corrections (             -- append only; the newest of a question and rendition counts
    id integer primary key,
    question text not null references questions(id),
    rendition text not null,
    start real,
    "end" real,
    answer_end real,
    status text check (status in ('asked', 'merged', 'uncertain', 'not_asked')),
    note text,
    editor text,
    made_at text not null
) strict;
create index idx_corrections_question on corrections(question, rendition);

create table runs (
    id integer primary key,
    command text not null,
    version text not null,
    started text not null,
    finished text,
    exit_code integer,
    report text check (report is null or json_valid(report))
) strict;

create table run_items (
    run integer not null references runs(id),
    stage text not null,
    feed text not null,
    episode text,                      -- null where the stage works on a whole feed
    status text not null check (status in ('ok', 'skipped', 'failed')),
    reason text,
    seconds real not null
) strict;
create index idx_run_items_run on run_items(run);
"""

VIEWS = """
create view question_times as
with latest as (
    select * from corrections c
    where id = (select max(id) from corrections where question = c.question and rendition = c.rendition)
)
select
    q.episode,
    q.number,
    q.text,
    case when c.id is null then m.status else coalesce(c.status, 'asked') end as status,
    case when c.id is null then m.start else c.start end as start,
    case when c.id is null then m."end" else c."end" end as "end",
    case when c.id is null then m.answer_end else c.answer_end end as answer_end,
    case when c.id is null then m.confidence else 1.0 end as confidence,
    c.id is not null as corrected,
    case when c.id is null then m.merged_with end as merged_with
from questions q
left join transcripts t on t.episode = q.episode and t.preferred = 1
left join matches m on m.question = q.id and m.transcript = t.id
left join renditions r on r.episode = q.episode and r.current = 1
left join latest c on c.question = q.id and c.rendition = coalesce(t.rendition, r.sha256)
where q.number is not null
order by q.episode, q.number;

create view needs_listening as
select s.id, s.episode, e.title, e.link, s.start, s."end", s.text, s.flags, s.confidence
from segments s
join transcripts t on t.id = s.transcript and t.preferred = 1
join episodes e on e.id = s.episode
where s.flags != '[]'
order by s.id;

-- The whole text of each transcript, segments joined by one space: phrases that run across segments are
-- found here. pipeline.archive.search counts characters in exactly this text.
create view transcript_texts as
select t.id, (
    select group_concat(text, ' ') from (select text from segments where transcript = t.id order by n)
) as text
from transcripts t;
"""

# Words are stemmed and accents folded. Both indexes keep no text of their own (external content): they are
# kept right by the triggers below and, for whole transcripts, by pipeline.archive.transcripts.
SEARCH = """
create virtual table segments_fts using fts5(
    text, content="segments", content_rowid="id", tokenize="porter unicode61 remove_diacritics 2"
);
create trigger segments_ai after insert on segments begin
    insert into segments_fts(rowid, text) values (new.id, new.text);
end;
create trigger segments_ad after delete on segments begin
    insert into segments_fts(segments_fts, rowid, text) values ('delete', old.id, old.text);
end;
create trigger segments_au after update of id, text on segments begin
    insert into segments_fts(segments_fts, rowid, text) values ('delete', old.id, old.text);
    insert into segments_fts(rowid, text) values (new.id, new.text);
end;
create virtual table transcripts_fts using fts5(
    text, content="transcript_texts", content_rowid="id", tokenize="porter unicode61 remove_diacritics 2"
);
"""

SQL = TABLES + VIEWS + SEARCH
