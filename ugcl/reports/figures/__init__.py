"""Figures, one function each.

A function takes tables with the rows of one benchmark and, where it needs them, `palette` (system → colour),
`classes` (class names in order), `system` or `metric` (which to draw) and `title` (above the figure).
"""
