"""Trained networks on a benchmark's clips."""
