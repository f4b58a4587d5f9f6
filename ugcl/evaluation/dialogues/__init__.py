"""Scores by the place of a clip in its dialogue, and the view of one dialogue."""
