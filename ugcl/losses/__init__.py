"""Losses: pure functions with their formulae, and the weighted total."""
