"""Methods: one file per method, with its network and its loss terms."""
