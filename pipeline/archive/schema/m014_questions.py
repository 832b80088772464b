"""All the questions that a segment is about: two may be asked in one breath, and are answered together."""

SQL = """
-- Numbers of the published questions that it asks or answers, a JSON list in order; `question` is the first of them.
alter table segments add column questions text not null default '[]' check (json_valid(questions));
update segments set questions = json_array(question) where question is not null;
-- What asks and answers several at once is told by the next run, which aligns everything anew.
delete from alignments;
"""
