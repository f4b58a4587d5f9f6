"""Features that other programs exported: one file per clip."""
