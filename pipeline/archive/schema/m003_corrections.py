"""Corrections that can be undone, and keep the ends of a match that they say nothing of."""

SQL = """
-- Undoing is a row of its own, so that nothing is ever taken away: it names the correction that it undoes.
alter table corrections add column undoes integer references corrections(id);
create unique index idx_corrections_undoes on corrections(undoes) where undoes is not null;

-- What counts of each question and rendition: the newest correction that was not undone.
create view corrections_in_force as
select c.id, c.question, c.rendition, c.start, c."end", c.answer_end, c.status, c.note, c.editor, c.made_at
from corrections c
where c.id = (
    select max(n.id) from corrections n
    where n.question = c.question and n.rendition = c.rendition and n.undoes is null
        and not exists (select 1 from corrections u where u.undoes = n.id)
);

-- Where an editor did not say when the asking or the answer ends, the match's time stays if it still can be right.
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
    coalesce(t.rendition, r.sha256) as rendition   -- the kept file that the times belong to
from questions q
left join transcripts t on t.episode = q.episode and t.preferred = 1
left join matches m on m.question = q.id and m.transcript = t.id
left join renditions r on r.episode = q.episode and r.current = 1
left join corrections_in_force c on c.question = q.id and c.rendition = coalesce(t.rendition, r.sha256)
where q.number is not null
order by q.episode, q.number;
"""
