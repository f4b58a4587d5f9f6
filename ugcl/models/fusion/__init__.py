"""Fusion modules: sequences of several modalities → one vector a clip."""
