"""The voices of the demo corpus."""
