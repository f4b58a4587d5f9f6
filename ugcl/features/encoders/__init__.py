"""The encoders: one module per kind, which bears its name."""
