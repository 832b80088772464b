"""An archive's questions: the published lists, where each is asked, what is doubtful, and which mean the same."""
