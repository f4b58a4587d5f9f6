"""Command line: one short file per command."""
