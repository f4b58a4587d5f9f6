"""Trained systems on the clips of another labelled corpus."""
