"""What earlier versions kept of failures, and everybody may read, named files of the computer they happened on."""

SQL = """
update run_items set reason = without_paths(reason) where reason is not null;
update runs set report = without_paths_within(report) where report is not null;
update feeds set last_status = without_paths(last_status) where last_status is not null;
update episode_pages set problem = without_paths(problem) where problem is not null;
"""
