"""What people say: the words they heard, who speaks, when a question is asked. Knows no archive and no page."""
