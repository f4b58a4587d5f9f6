"""Trained systems on a user's own clips."""

WINDOW, STEP = 1.0, 0.2
"""Length and step of a timeline's windows where nothing else is said, seconds."""
