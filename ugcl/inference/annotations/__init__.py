"""Timelines as files that annotation tools and players open: TextGrid, ELAN, WebVTT, SubRip, CSV."""
