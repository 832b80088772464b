"""The times that publishers give beside their questions."""

SQL = """
-- When the question is asked according to its publisher, in seconds of the recording as published; null: not said.
alter table questions add column stated real;
"""
