"""Which questions of different episodes ask alike."""

SQL = """
create table question_groups (         -- worked out anew whenever questions come or go
    question text primary key references questions(id) on delete cascade,
    leader text not null               -- the oldest question of the group, itself if it is that
) strict;
create index idx_question_groups_leader on question_groups(leader);
"""
