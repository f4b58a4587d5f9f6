"""Figures, tables, notebooks and the front page."""
