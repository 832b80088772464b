"""What people say: the words they heard, who speaks, when a question is asked. Pure functions: no archive, no page."""
