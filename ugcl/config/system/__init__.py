"""The sections of a system: input, encoder, method, loss and train."""
