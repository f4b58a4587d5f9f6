"""Trained systems on a user's own clips."""
