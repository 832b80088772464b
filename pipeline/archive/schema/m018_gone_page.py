"""Which further page of a feed is gone, so that this is told once and remarked on afterwards."""

SQL = """
-- The address of the page that the feed leads to and that is not there (HTTP 404 or 410); null: all pages came.
alter table feeds add column gone_page text;
"""
