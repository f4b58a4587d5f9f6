"""Parameters of encoders that need many."""
