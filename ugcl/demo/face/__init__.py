"""The faces of the demo corpus."""
