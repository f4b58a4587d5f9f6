"""What a run leaves on disk: its state while it trains, its weights, its card and its history."""
