"""Runners-up of matches, and follow-up questions."""

SQL = """
-- Where a question would be asked if not at its start, and how likely that is: what an editor may choose instead.
alter table matches add column runner_up real;
alter table matches add column runner_up_confidence real;

create table follow_ups (              -- what the host asks besides the published list
    transcript integer not null references transcripts(id),
    n integer not null,                -- counts from 1 within the transcript
    question text not null references questions(id),  -- the listed question that it follows
    start real not null,
    "end" real not null,
    answer_end real not null,
    text text not null,                -- as it was heard
    primary key (transcript, n)
) strict;
create index idx_follow_ups_question on follow_ups(question);

drop view question_times;
create view question_times as
select
    q.episode,
    q.number,
    q.text,
    case when c.id is null then m.status else coalesce(c.status, 'asked') end as status,
    case when c.id is null then m.start else c.start end as start,
    case
        when c.id is null then m."end"
        when c."end" is not null then c."end"
        when m."end" >= c.start and m."end" <= coalesce(c.answer_end, m."end") then m."end"
    end as "end",
    case
        when c.id is null then m.answer_end
        when c.answer_end is not null then c.answer_end
        when m.answer_end >= max(c.start, coalesce(c."end", c.start)) then m.answer_end
    end as answer_end,
    case when c.id is null then m.confidence else 1.0 end as confidence,
    c.id is not null as corrected,
    case when c.id is null then m.merged_with end as merged_with,
    q.id as question,
    coalesce(t.rendition, r.sha256) as rendition,  -- the kept file that the times belong to
    q.source,                                      -- 'detected': there was no list, the host was heard to ask it
    case when c.id is null then m.runner_up end as runner_up,
    case when c.id is null then m.runner_up_confidence end as runner_up_confidence
from questions q
left join transcripts t on t.episode = q.episode and t.preferred = 1
left join matches m on m.question = q.id and m.transcript = t.id
left join renditions r on r.episode = q.episode and r.current = 1
left join corrections_in_force c on c.question = q.id and c.rendition = coalesce(t.rendition, r.sha256)
where q.number is not null
order by q.episode, q.number;
"""
