"""Layers over the turns of a dialogue."""
