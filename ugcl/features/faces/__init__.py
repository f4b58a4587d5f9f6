"""Faces: detection, tracking, alignment and the tables they are kept in."""
