"""Encoders that give text, or that put a clip into words first."""
