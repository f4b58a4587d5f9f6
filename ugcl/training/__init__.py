"""Training: one visible loop, its optimiser, seeds, history and checkpoints."""
