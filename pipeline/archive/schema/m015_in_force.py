"""What counts of each question is stored once, and read by all: the view, the labels of segments, the exports."""

SQL = """
create table matches_in_force (        -- what was found of each listed question, or what an editor said instead
    question text primary key references questions(id),
    status text not null check (status in ('asked', 'merged', 'uncertain', 'not_asked')),
    start real,
    "end" real,
    answer_end real,
    confidence real not null,
    merged_with integer,               -- number of the question that it was asked together with
    runner_up real,                    -- none where an editor decided
    runner_up_confidence real,
    corrected integer not null check (corrected in (0, 1))
) strict;
insert into matches_in_force
select question, status, start, "end", answer_end, confidence, merged_with, runner_up, runner_up_confidence, corrected
from question_times where status is not null;

drop view question_times;
create view question_times as
select
    q.episode,
    q.number,
    q.text,
    m.status,
    m.start,
    m."end",
    m.answer_end,
    m.confidence,
    coalesce(m.corrected, 0) as corrected,
    m.merged_with,
    q.id as question,
    coalesce(t.rendition, r.sha256) as rendition,  -- the kept file that the times belong to
    q.source,                                      -- 'detected': there was no list, the host was heard to ask it
    m.runner_up,
    m.runner_up_confidence
from questions q
left join transcripts t on t.episode = q.episode and t.preferred = 1
left join renditions r on r.episode = q.episode and r.current = 1
left join matches_in_force m on m.question = q.id
where q.number is not null
order by q.episode, q.number;

-- Around corrections the ends were told in another way; the next run tells them.
delete from alignments where transcript in (
    select t.id from transcripts t
    join questions q on q.episode = t.episode
    join corrections c on c.question = q.id
);
"""
