"""Trained systems on the clips of another corpus."""
