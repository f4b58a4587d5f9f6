"""The columns of the tables that evaluation writes; light: no torch, no statistics."""
