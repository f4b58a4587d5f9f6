"""The table and the parameters that a corpus of one's own starts from."""
