"""The encoders: one module a kind, which bears its name."""
