"""Encoders of sound with the conventions of other software."""
