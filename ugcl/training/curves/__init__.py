"""Curves of a training that is under way; only the command line uses them, so they make no run stale."""
