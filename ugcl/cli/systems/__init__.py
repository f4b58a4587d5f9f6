"""Commands that look at trained systems."""
