"""The tables that are published."""
